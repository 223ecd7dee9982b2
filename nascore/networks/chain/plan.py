"""The plan of a chain of layers, see `nascore.networks.stack`."""

import dataclasses
from typing import Any

from nascore.networks.maps import Layer, Link, Map
from nascore.spaces.chain import POOLS, ChainArchitecture, joined, kind_of


@dataclasses.dataclass(frozen=True)
class ChainBlock(Layer):
    """A layer of a chain, see `nascore.spaces.chain`.

    Attributes:
      kernel: height and width of its kernels.
      joins: the layers before whose outputs are joined to its own, and what
        is made of each: a tenth of its channels, at this layer's size.
    """

    kernel: int = 1
    joins: tuple[tuple[int, Map], ...] = ()

    @property
    def strides(self) -> int:
        """Of a pool 2, else 1."""
        return 1 + (self.kind in POOLS)


def plan_chain(
    config: Any, image: Map, architecture: ChainArchitecture
) -> tuple[tuple[Map, ...], tuple[ChainBlock, ...]]:
    """The stems and the layers of an architecture of NASES's public code.

    A layer's output is followed by the joined ones: of each source a tenth of
    its channels, and a tenth of `more_channels`. Only one architecture has a
    plan: where it is halved is its own.
    """
    config.space.encode(architecture)  # Raises.
    more, blocks = config.more_channels, []
    last = image
    made: list[Map] = []
    for number, numbers in enumerate(architecture):
        kind = kind_of(architecture, number)
        if kind in POOLS:
            own = Map(-(-last.height // 2), -(-last.width // 2), last.channels)
        else:
            own = last.of(config.filters * numbers.channels + more)
        joins = tuple(
            (j, own.of(max(1, made[j].channels // 10) + more // 10))
            for j in joined(architecture, number)
        )
        made.append(own)
        output = own.of(own.channels + sum(m.channels for _, m in joins))
        inputs, kernel = (Link(last, last),), numbers.kernel_size
        blocks.append(
            ChainBlock(
                *(number, kind, 0, inputs, output, own.channels),
                kernel=kernel,
                joins=joins,
            )
        )
        last = output
    return (made[0],), tuple(blocks[1:])
