"""Published cells of spaces whose nodes may read one tensor twice.

DARTS's are in `nascore.spaces.genotypes`.
"""

from typing import NamedTuple

from nascore.spaces.cells import (
    ENAS_CELL_TYPES,
    Architecture,
    CellSpace,
)

# RENAS (Chen et al., 2019, section 3.1); one cell is both, at stride 1 and 2.
RENAS_OPERATIONS = (
    "sep_conv_3x3",
    "sep_conv_5x5",
    "sep_conv_7x7",
    "avg_pool_3x3",
    "max_pool_3x3",
    "identity",
)
ONE_TYPE = ("normal",)


class PublishedCell(NamedTuple):
    """A cell and its space.

    Attributes:
      operations: that its integers count.
      text: of one cell.
    """

    operations: tuple[str, ...]
    text: str

    @property
    def space(self) -> CellSpace:
        """Of cells of one type."""
        nodes = len(self.text.split()) // 4
        return CellSpace(self.operations, nodes, ONE_TYPE)


# By name. RENAS: figure 3, as its public code has it (symbol RENAS).
CELLS = {
    "RENAS": PublishedCell(
        RENAS_OPERATIONS, "0 1 1 0 1 5 1 0 0 0 0 3 1 1 0 0 2 5 2 0"
    )
}


def find_cell(name: str) -> PublishedCell | None:
    """The published cell of a name, whatever its capitals."""
    name = name.strip().lower()
    found = [cell for key, cell in CELLS.items() if key.lower() == name]
    return found[0] if found else None


def in_both(architecture: Architecture) -> Architecture:
    """A cell of one type, in a network that has two; others as they are."""
    if len(architecture.cells) > 1:
        return architecture
    return Architecture(architecture.cells * len(ENAS_CELL_TYPES))


def for_both(space: CellSpace, text: str) -> str:
    """The text of a cell of one type, for a space of two: twice the same.

    Others are returned as they are.
    """
    return f"{text} {text}" if len(space.cell_types) == 1 else text
