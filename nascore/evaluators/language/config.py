"""How a model of language learns under shared weights; no TensorFlow."""

import dataclasses
import math

from nascore.config import check_fields, option


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


@dataclasses.dataclass(frozen=True)
class SharedWindowsConfig(WindowsConfig):
    """How shared weights learn a text, and what a reward is measured on."""

    reward_streams: int = option(
        128,
        "Streams that the validation text is cut into. A reward is measured "
        "on one window of all of them, from a state of zero.",
    )
    text_lr_decay: float = option(
        1.0,
        "The learning rate is multiplied by this after each epoch from "
        "--text_lr_from on.",
    )
    text_lr_from: int = option(
        1, "The first epoch after which the learning rate decays."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fields(
            self,
            reward_streams=(1, 65_536),
            text_lr_decay=(0.0, 1.0),
            text_lr_from=(1, 1_000_000),
        )

    def learning_rate(self, epoch: int) -> float:
        """In an epoch, from 0."""
        decays = max(0, epoch + 1 - self.text_lr_from)
        return self.text_lr * self.text_lr_decay**decays
