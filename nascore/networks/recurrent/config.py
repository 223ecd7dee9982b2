"""Sizes, dropout and learning of language models; no TensorFlow.

Sources: `enas_lm`, the public code of ENAS's authors for Penn Treebank, and
the code of DARTS (Liu et al., 2019); both follow AWD-LSTM (Merity et al., 2018,
arXiv 1708.02182).
"""

import dataclasses
import math

from nascore.config import check_fields, option
from nascore.spaces.recurrent import (
    FIRSTS,
    FUNCTIONS,
    OUTPUTS,
    RecurrentSpace,
)


@dataclasses.dataclass(frozen=True)
class LanguageModelConfig:
    """A model of language, with a recurrent cell between two embeddings."""

    hidden_units: int = option(
        200,
        "Width of embedding and state. enas_lm: 200 in its search, 800 "
        "after it; DARTS: 300 and 850.",
    )
    num_nodes: int = option(
        8, "Nodes of the cell after node 0; ENAS's paper: 11."
    )
    functions: str = option(
        ",".join(FUNCTIONS), "Activation functions to choose from, with commas."
    )
    first_function: str = option(
        "tanh",
        "Function of node 0. chosen: like those of the others, as in the "
        "text of ENAS's paper.",
        FIRSTS,
    )
    cell_output: str = option(
        "nodes",
        "What the new state is the mean of. nodes: all but node 0; ends: "
        "those that no other node reads, as in ENAS's paper.",
        OUTPUTS,
    )
    weight_init: float = option(
        0.04, "Weights start uniform in [-this, this]; enas_lm: 0.05."
    )
    word_dropout: float = option(
        0.1, "Part of the vocabulary that is left out of a batch."
    )
    embedding_dropout: float = option(
        0.2, "Dropout of embedded tokens, one mask for all steps of a window."
    )
    input_dropout: float = option(
        0.75, "Dropout of the cell's input, one mask likewise."
    )
    node_dropout: float = option(
        0.25, "Dropout of what each node reads, one mask likewise."
    )
    output_dropout: float = option(
        0.75, "Dropout of the state that predicts, one mask likewise."
    )

    def __post_init__(self) -> None:
        rate = (0.0, 0.95)
        check_fields(
            self,
            hidden_units=(1, 65_536),
            num_nodes=(1, 64),
            weight_init=(0.0, 10.0),
            word_dropout=rate,
            embedding_dropout=rate,
            input_dropout=rate,
            node_dropout=rate,
            output_dropout=rate,
        )
        _ = self.space

    @property
    def names(self) -> tuple[str, ...]:
        """The functions, in the order of the space."""
        return tuple(name.strip() for name in self.functions.split(","))

    @property
    def space(self) -> RecurrentSpace:
        """The search space of the cell."""
        return RecurrentSpace(
            self.names, self.num_nodes, self.first_function, self.cell_output
        )


@dataclasses.dataclass(frozen=True)
class SharedLanguageModelConfig(LanguageModelConfig):
    """A model of language with the weights of all recurrent cells."""

    sharing: str = option(
        "choice",
        "What has a matrix of its own in each node. choice: each input with "
        "each function, as in enas_lm; input: each input, as in ENAS's text; "
        "node: the node alone, as in DARTS.",
        ("choice", "input", "node"),
    )
    normalize: bool = option(
        False,
        "Normalize each node over the batch, without scale and offset, "
        "as DARTS does in its search.",
    )


@dataclasses.dataclass(frozen=True)
class WindowsConfig:
    """How a text is learned, window by window.

    Defaults are those of `enas_lm`'s search, the public code of ENAS's
    authors.
    """

    batch_size: int = option(
        128, "Streams that the text is cut into; 64 in DARTS's final training."
    )
    window: int = option(
        35, "Steps that a gradient reaches back; then the state is carried on."
    )
    jitter: bool = option(
        True,
        "Draw the length of each window around --window, as AWD-LSTM does; "
        "the learning rate follows it.",
    )
    text_lr: float = option(
        20.0, "Learning rate of plain gradient descent, without momentum."
    )
    clip_norm: float = option(
        0.1, "Bound on the norm of the gradient; DARTS: 0.25. 0 is off."
    )
    weight_decay: float = option(
        8e-7, "This times a weight joins its gradient; DARTS: 5e-7."
    )
    slowness: float = option(
        1.0,
        "This times the mean square of the state's changes joins the loss; "
        "DARTS: 0.001.",
    )
    activation: float = option(
        0.0,
        "This times the mean square of the state joins the loss; 0.7 in "
        "enas_lm's final training.",
    )
    loss_limit: float = option(
        1e4, "A loss above this stops the run as exploded."
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            batch_size=(2, 65_536),
            window=(1, 4096),
            text_lr=(1e-8, 1e4),
            clip_norm=(0.0, 1e9),
            weight_decay=(0.0, 1.0),
            slowness=(0.0, 1e6),
            activation=(0.0, 1e6),
            loss_limit=(0.0, math.inf),
        )


def slots(space: RecurrentSpace, sharing: str) -> list[int]:
    """How many matrices each node has, by what they are shared."""
    inputs = range(1, space.num_nodes + 1)
    each = {"choice": len(space.functions), "input": 1}
    if sharing == "node":
        return [1] * space.num_nodes
    return [count * each[sharing] for count in inputs]


def count_parameters(vocabulary: int, units: int, matrices: int) -> int:
    """Weights of a model whose embedding is also its softmax.

    Args:
      vocabulary: tokens.
      units: width.
      matrices: of all nodes after node 0.
    """
    cell = (4 + 2 * matrices) * units**2
    return vocabulary * units + vocabulary + cell
