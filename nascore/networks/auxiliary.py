"""The plan of the auxiliary head, as ENAS and as DARTS have it."""

import dataclasses

from nascore.networks.maps import Map

# Of the auxiliary head: its average pool, and its two convolutions.
AUXILIARY_POOL = 5
AUXILIARY_WIDTHS = (128, 768)
_AUXILIARY_STRIDE = 3


@dataclasses.dataclass(frozen=True)
class Auxiliary:
    """The auxiliary head, which is there for training only.

    Relu, an average pool, a 1x1 convolution, a larger one, global average,
    dense.

    Attributes:
      read: the layer's output that it reads.
      strides: of its pool, `AUXILIARY_POOL` wide and high.
      pool_padding: of the pool, `same` or `valid`.
      pooled: height and width after the pool.
      kernel: height and width of the second convolution.
      padding: of the second convolution.
      last_norm: whether the second convolution is normalized.
      bias: whether the dense layer has one.
    """

    read: Map
    strides: int
    pool_padding: str
    pooled: tuple[int, int]
    kernel: int
    padding: str = "same"
    last_norm: bool = True
    bias: bool = False

    @property
    def maps(self) -> tuple[Map, Map]:
        """What both convolutions make."""
        first, second = (Map(*self.pooled, n) for n in AUXILIARY_WIDTHS)
        if self.padding == "valid":
            lost = self.kernel - 1
            second = Map(
                second.height - lost, second.width - lost, second.channels
            )
        return first, second


def enas_head(read: Map) -> Auxiliary:
    """The auxiliary head of ENAS's public code.

    Its second convolution is as large as the map. Its 5x5 pool of stride 3
    pads unless the side less 3 is a multiple of 5, so that maps of 4, 8 and
    16 pixels (images of 16, 32 and 64) become 2, 2 and 6. A map of 3 pixels,
    where that leaves nothing, is padded, too.

    Args:
      read: what it reads; the smaller side decides.
    """
    side = min(read.height, read.width)
    valid = side >= AUXILIARY_POOL and (side - 3) % 5 == 0
    return _pooled(read, _AUXILIARY_STRIDE, valid)


def darts_head(read: Map, imagenet: bool) -> Auxiliary:
    """The auxiliary head of DARTS's public code.

    Its maps of 8 pixels (7 on ImageNet) become 2, and its second convolution
    makes 1 of these. On ImageNet the pool has stride 2, and the last
    normalization was forgotten there. Maps that are too small are padded.

    Args:
      read: what it reads; the smaller side decides.
      imagenet: whether it is that for large images.
    """
    strides = 2 if imagenet else _AUXILIARY_STRIDE
    side = min(read.height, read.width)
    head = _pooled(read, strides, side >= AUXILIARY_POOL + strides)
    return dataclasses.replace(
        head,
        kernel=min(2, head.kernel),
        padding="valid",
        last_norm=not imagenet,
        bias=True,
    )


def _pooled(read: Map, strides: int, valid: bool) -> Auxiliary:
    """A head whose second convolution is as large as the pooled map."""
    lost = AUXILIARY_POOL - 1 if valid else 0
    height, width = (
        -((lost - side) // strides) for side in (read.height, read.width)
    )
    padding = "valid" if valid else "same"
    pooled = (height, width)
    return Auxiliary(read, strides, padding, pooled, min(pooled))
