"""Sizes of networks of ENAS's macro search space; no TensorFlow."""

import dataclasses

from nascore.config import check_fields, option
from nascore.errors import InputError
from nascore.networks.layouts import macro_layout
from nascore.spaces.cells import ENAS_OPERATIONS
from nascore.spaces.macro import MACRO_OPERATIONS, MacroSpace

LAYOUT = "macro"
BATCH, MOVING = "batch", "moving"


@dataclasses.dataclass(frozen=True)
class MacroSupernetConfig:
    """The network over all of ENAS's macro space (its section 2.3 and code)."""

    operations: str = option(
        ",".join(MACRO_OPERATIONS),
        "Operations of a layer, with commas; of one alone only the skips are "
        "searched.",
    )
    num_layers: int = option(
        12,
        "Layers, without the two places where all is halved: after a third "
        "of them and after two.",
    )
    filters: int = option(36, "Channels, everywhere; even.")
    statistics: str = option(
        BATCH,
        "What normalizes where architectures are measured. batch: the batch "
        "that they are measured on, as in the search of cells; moving: "
        "moving averages, as in the published code, which mix those of all "
        "architectures that were trained.",
        (BATCH, MOVING),
    )
    keep_prob: float = option(
        0.9, "Part of the last features that dropout keeps in training."
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            num_layers=(2, 50),
            filters=(2, 4096),
            keep_prob=(0.01, 1.0),
        )
        check_even(self.filters)
        names = self._names
        if len(set(names)) < len(names):
            raise InputError(
                f"--operations={self.operations} must be different ones"
            )
        check_operations(names)
        _ = self.space  # Raises on none.

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(self.operations.replace(",", " ").split())

    @property
    def space(self) -> MacroSpace:
        """The search space."""
        return MacroSpace(self._names, self.num_layers)

    @property
    def layer_types(self) -> tuple[str, ...]:
        """The kind of each layer, and where all is halved."""
        return macro_layout(self.num_layers)

    @property
    def macro(self) -> bool:
        """See `nascore.networks.config.CellsConfig`."""
        return True


def check_even(filters: int) -> None:
    """Raises InputError where a factorized reduction could not be built."""
    if filters % 2:
        raise InputError(
            f"--filters={filters} must be even: a factorized reduction gives "
            "half of them to each of its two paths"
        )


def check_operations(names: tuple[str, ...]) -> None:
    """Raises InputError for an operation that this space does not have."""
    odd = [name for name in names if name not in MACRO_OPERATIONS]
    if odd:
        raise InputError(
            f"{odd[0][:60]!r} is no operation of the macro space; there are: "
            f"{', '.join(MACRO_OPERATIONS)}"
        )


def network_space(names: tuple[str, ...], layers: int) -> MacroSpace:
    """The space of a final network.

    Args:
      names: of operations; those of cells, the default of all networks,
        stand for the six of this space.
      layers: of the network.

    Raises:
      InputError: an operation that this space does not have.
    """
    if names == ENAS_OPERATIONS:
        names = MACRO_OPERATIONS
    check_operations(names)
    return MacroSpace(names, layers)
