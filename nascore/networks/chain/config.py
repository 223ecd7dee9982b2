"""Sizes of the networks of NASES's public code; no TensorFlow."""

import dataclasses

from nascore.config import check_fields, option
from nascore.networks.layouts import chain_layout
from nascore.spaces.chain import ChainSpace

LAYOUT = "chain"
# From and to.
MORE_CHANNELS = (0, 4096)


def more_channels_option() -> int:
    """The setting that makes a whole network wider, with its help."""
    return option(
        0,
        "With layers of four numbers: channels that each convolution has "
        "beyond --filters times its number. The public code of NASES has 0 in "
        "its search and 150 in its last network.",
    )


@dataclasses.dataclass(frozen=True)
class ChainConfig:
    """A chain of layers, each of four numbers; sizes of the public code."""

    num_layers: int = option(15, "Layers of an architecture.")
    filters: int = option(
        10, "A convolution has this times its number of channels, 1 to 29."
    )
    more_channels: int = more_channels_option()

    def __post_init__(self) -> None:
        check_fields(
            self,
            num_layers=(2, 50),
            filters=(1, 4096),
            more_channels=MORE_CHANNELS,
        )

    @property
    def space(self) -> ChainSpace:
        """The search space."""
        return ChainSpace(self.num_layers)

    @property
    def layer_types(self) -> tuple[str, ...]:
        """See `nascore.networks.config.CellsConfig`."""
        return chain_layout(self.num_layers)
