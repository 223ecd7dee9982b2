"""How one recurrent cell is trained on a text; no TensorFlow.

Defaults are those of `enas_lm`'s final training on Penn Treebank.
"""

import dataclasses

from nascore.config import check_fields, option
from nascore.data.config import TextConfig
from nascore.networks.recurrent.config import (
    LanguageModelConfig,
    WindowsConfig,
)
from nascore.training.exports.formats import (
    KERAS,
    ONNX,
    SAVED_MODEL,
    parse_formats,
)

# Formats that a model of language is exported in, and their files.
FILES = {KERAS: "model.keras", SAVED_MODEL: "saved_model", ONNX: "model.onnx"}


@dataclasses.dataclass(frozen=True)
class LanguageTrainingConfig:
    """The training of one cell, and how it is averaged and tested."""

    architecture: str = option(
        "",
        "The cell: integers, DARTS's genotype, or DARTS_V1, DARTS_V2, ENAS or "
        "ENAS_paper; LSTM: Keras's LSTM with as many weights.",
    )
    export: str = option(
        KERAS,
        "What to export at the end, with commas: keras, saved_model, onnx; "
        "keras, which writes a text, in any case.",
        resumable=True,
    )
    seed: int = option(1, "Fixes everything random in the run.")
    deterministic: bool = option(
        False,
        "Only kernels that give the same bits each time; slower on a GPU.",
    )
    epochs: int = option(
        3000, "Passes over the training text; 8000 in DARTS.", resumable=True
    )
    average_after: int = option(
        10,
        "Weights are averaged from the epoch on whose validation loss is not "
        "below the best of all epochs but the last so many (averaged SGD, as "
        "in AWD-LSTM); 5 in DARTS. 0: never.",
    )
    evaluation_streams: int = option(
        10,
        "Streams that the validation and the test text are cut into; DARTS "
        "tests on 1.",
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            seed=(0, 2**31 - 1),
            epochs=(1, 1_000_000),
            average_after=(0, 1_000_000),
            evaluation_streams=(1, 65_536),
        )
        _ = self.formats  # Raises on unknown ones.

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats to export, `keras` among them."""
        wanted = parse_formats(self.export, tuple(FILES))
        return tuple(dict.fromkeys([KERAS, *wanted]))


@dataclasses.dataclass(frozen=True)
class FinalLanguageConfig:
    """Everything that decides the result of a training on a text.

    Attributes:
      data: the text.
      network: the model of language.
      windows: how the text is learned.
      training: the cell, and how long.
    """

    data: TextConfig = TextConfig()
    network: LanguageModelConfig = LanguageModelConfig(
        hidden_units=800,
        weight_init=0.05,
        word_dropout=0.125,
        embedding_dropout=0.175,
        input_dropout=0.725,
        node_dropout=0.225,
        output_dropout=0.75,
    )
    windows: WindowsConfig = WindowsConfig(
        batch_size=64, clip_norm=0.25, activation=0.7
    )
    training: LanguageTrainingConfig = LanguageTrainingConfig()
