"""Sizes of what a network passes on; no TensorFlow."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Map:
    """Sizes of an image, or of what a layer makes of it."""

    height: int
    width: int
    channels: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """All three."""
        return self.height, self.width, self.channels

    @property
    def pixels(self) -> int:
        """Height times width."""
        return self.height * self.width

    @property
    def size(self) -> int:
        """Numbers in it."""
        return self.pixels * self.channels

    def of(self, channels: int) -> "Map":
        """One as high and wide."""
        return Map(self.height, self.width, channels)

    def halved(self) -> "Map":
        """One of half the height and width."""
        return Map(self.height // 2, self.width // 2, self.channels)


@dataclasses.dataclass(frozen=True)
class Link:
    """An input of a layer: what there is, and what its cell wants.

    Where they differ in height, a factorized reduction lies between them,
    where only in channels, or always, a 1x1 convolution.
    """

    have: Map
    want: Map
    always: bool = False

    @property
    def halves(self) -> bool:
        """Whether a factorized reduction is needed."""
        return self.have.height != self.want.height

    @property
    def changes(self) -> bool:
        """Whether anything is."""
        return self.always or self.have != self.want
