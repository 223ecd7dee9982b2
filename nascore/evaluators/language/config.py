"""How a model of language learns under shared weights; no TensorFlow."""

import dataclasses

from nascore.config import check_fields, option
from nascore.networks.recurrent.config import WindowsConfig


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
