"""A space of beads in a row, of which no two neighbours are alike."""

import dataclasses

import numpy as np

from nascore.errors import InputError
from nascore.spaces.space import Place, Space

COLOURS = "red", "green", "blue", "black"


@dataclasses.dataclass(frozen=True)
class Necklace(Space[tuple[str, ...]]):
    kind = "necklace"

    beads: int = 5

    @property
    def places(self):
        return tuple(Place(0, n, "operation") for n in range(self.beads))

    @property
    def allowed(self):
        table = np.repeat(
            ~np.eye(len(COLOURS), dtype=bool)[None], self.beads, 0
        )
        table[0] = False
        table[0, 0] = True
        return table

    def encode(self, architecture):
        return np.array(
            [COLOURS.index(name) for name in architecture], np.int32
        )

    def decode(self, row):
        if not self.is_legal(row):
            raise InputError(f"{list(row)} is no necklace")
        return tuple(COLOURS[number] for number in row)

    def parse(self, text):
        words = text.split("-")
        if not set(words) <= set(COLOURS):
            raise InputError(f"{text!r} is no necklace")
        return self.decode(self.encode(words))

    def format(self, architecture):
        return "-".join(architecture)

    def describe(self, architecture):
        return "\n".join(architecture)
