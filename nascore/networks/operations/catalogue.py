"""The operations that a space may name.

Each is one entry of `OPERATIONS`. Adding one means one more `register`;
nothing else names it.
"""

from collections.abc import Sequence

from nascore.errors import InputError
from nascore.networks.operations.base import Operation, Options
from nascore.networks.operations.convolutions import SeparableConvolution
from nascore.networks.operations.plain import PlainConvolution
from nascore.networks.operations.pools import AveragePool, MaxPool
from nascore.networks.operations.skips import Identity, Zero

OPERATIONS: dict[str, Operation] = {}


def register(name: str, operation: Operation) -> None:
    """Adds an operation under a name that no other has.

    Raises:
      ValueError: the name is taken.
    """
    if name in OPERATIONS:
        raise ValueError(f"an operation of this name exists. Received: {name}")
    OPERATIONS[name] = operation


register("sep_conv_3x3", SeparableConvolution(3))
register("sep_conv_5x5", SeparableConvolution(5))
register("sep_conv_7x7", SeparableConvolution(7))
# Those of DARTS, whose code filters once, and with twice the reach.
register("dil_conv_3x3", SeparableConvolution(3, dilation=2, repeats=1))
register("dil_conv_5x5", SeparableConvolution(5, dilation=2, repeats=1))
# What these two were called in runs that `nascore.runs.versions` knows by it.
register("dil_sep_conv_3x3", SeparableConvolution(3, dilation=2))
register("dil_sep_conv_5x5", SeparableConvolution(5, dilation=2))
# Those of NAS-Bench-201, under its names.
register("nor_conv_1x1", PlainConvolution(1))
register("nor_conv_3x3", PlainConvolution(3))
register("avg_pool_3x3", AveragePool())
register("max_pool_3x3", MaxPool())
register("identity", Identity())
# DARTS's, which at stride 2 begins with a relu.
register("skip_connect", Identity(relu=True))
register("none", Zero())


def find_operations(
    names: Sequence[str], options: Options | None = None
) -> tuple[Operation, ...]:
    """Looks names up.

    Args:
      names: of operations.
      options: how they are made; None: as they are registered.

    Raises:
      InputError: an unknown name; lists the known ones.
    """
    for name in names:
        if name not in OPERATIONS:
            raise InputError(
                f"unknown operation {name!r}; known are: "
                f"{', '.join(OPERATIONS)}"
            )
    found = tuple(OPERATIONS[name] for name in names)
    if options is None:
        return found
    return tuple(operation.with_options(options) for operation in found)
