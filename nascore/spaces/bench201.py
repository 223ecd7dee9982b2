"""The cell of NAS-Bench-201 (Dong and Yang, 2020, section 2.1).

Four nodes; each pair of them has an edge with one of five operations. Node 0
is the cell's input, node 3 its output, and a node adds what its edges bring.
"""

import dataclasses
import functools
import re

import numpy as np

from nascore.errors import InputError
from nascore.spaces.space import Place, Space, table_of_choices

OPERATIONS = (
    "none",
    "skip_connect",
    "nor_conv_1x1",
    "nor_conv_3x3",
    "avg_pool_3x3",
)
# (from, to) of each edge, in the order of the benchmark's text.
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
NODES = 4
# Which cells are taken as one, see `canonical`.
FORMS = ("skip", "benchmark", "pruned")
_PART = re.compile(r"(\w+)~(\d+)", re.ASCII)
_WEIGHTS = len(OPERATIONS) ** np.arange(len(EDGES) - 1, -1, -1)
# How the text of a node begins decides the order in a sum, and so which sums
# of sums look alike; zero comes first, then operations, then the input, as in
# the benchmark.
_ZERO, _INPUT = "#", "0"
_EXAMPLE = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+"
    "|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"
)


@dataclasses.dataclass(frozen=True)
class Bench201Cell:
    """A cell: the place in `OPERATIONS` of each edge's operation."""

    operations: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The operation of each edge."""
        return tuple(OPERATIONS[place] for place in self.operations)

    def __str__(self) -> str:
        nodes = [
            "|"
            + "|".join(
                f"{name}~{start}"
                for name, (start, end) in zip(self.names, EDGES, strict=True)
                if end == node
            )
            + "|"
            for node in range(1, NODES)
        ]
        return "+".join(nodes)


def parse_cell(text: str) -> Bench201Cell:
    """Reads the benchmark's text of a cell.

    Raises:
      InputError: it is none; names the edge.
    """
    parts = text.strip().split("+")
    if len(parts) != NODES - 1:
        raise InputError(
            f"{text[:80]!r} is no cell of NAS-Bench-201, which has the edges "
            f"of {NODES - 1} nodes with '+' between, such as {_EXAMPLE}"
        )
    operations = []
    for node, part in enumerate(parts, 1):
        words = part.strip().strip("|").split("|")
        if len(words) != node:
            raise InputError(
                f"node {node} of a cell of NAS-Bench-201 has {node} "
                f"edge{'s' * (node > 1)}. Received: {part[:80]!r}"
            )
        for start, word in enumerate(words):
            operations.append(_parse_edge(word.strip(), start, node))
    return Bench201Cell(tuple(operations))


def _parse_edge(word: str, start: int, end: int) -> int:
    where = f"edge {start} -> {end} of the cell"
    match = _PART.fullmatch(word)
    if not match or int(match[2]) != start:
        raise InputError(
            f"{where} must be an operation, '~' and {start}, such as "
            f"skip_connect~{start}. Received: {word[:60]!r}"
        )
    if match[1] not in OPERATIONS:
        raise InputError(
            f"{where} has the operation {match[1][:60]!r}; there are: "
            f"{', '.join(OPERATIONS)}"
        )
    return OPERATIONS.index(match[1])


@dataclasses.dataclass(frozen=True)
class Bench201Space(Space[Bench201Cell]):
    """All 15,625 cells; a row holds the operation of each edge."""

    kind = "bench201"
    # What each integer of a row chooses from.
    operations = OPERATIONS
    # That edges lead into.
    nodes = NODES - 1

    @functools.cached_property
    def places(self) -> tuple[Place, ...]:
        """See `Space.places`."""
        return tuple(Place(0, end, "operation") for _, end in EDGES)

    @functools.cached_property
    def allowed(self) -> np.ndarray:
        """See `Space.allowed`; no place depends on the one before."""
        return table_of_choices(np.full(len(EDGES), len(OPERATIONS)))

    def encode(self, architecture: Bench201Cell) -> np.ndarray:
        """See `Space.encode`."""
        return np.array(architecture.operations, np.int32)

    def decode(self, row: np.ndarray) -> Bench201Cell:
        """See `Space.decode`."""
        row = np.asarray(row)
        if row.shape != (len(EDGES),):
            raise InputError(
                f"a cell of NAS-Bench-201 has {len(EDGES)} integers. "
                f"Received: {row.size} integers"
            )
        for value, (start, end) in zip(row.tolist(), EDGES, strict=True):
            if not 0 <= value < len(OPERATIONS):
                raise InputError(
                    f"edge {start} -> {end} of the cell must be from 0 to "
                    f"{len(OPERATIONS) - 1}. Received: {str(value)[:40]}"
                )
        return Bench201Cell(tuple(row.tolist()))

    def parse(self, text: str) -> Bench201Cell:
        """See `Space.parse`; the benchmark's own text form."""
        return parse_cell(text)

    def format(self, architecture: Bench201Cell) -> str:
        """See `Space.format`."""
        return str(architecture)

    def describe(self, architecture: Bench201Cell) -> str:
        """See `Space.describe`."""
        lines = [
            f"  node {end} gets {name.replace('_', ' ')} of node {start}"
            for name, (start, end) in zip(
                architecture.names, EDGES, strict=True
            )
            if name != "none"
        ]
        return "\n".join(["cell (node 0: input, node 3: output)", *lines])


def codes_of(rows: np.ndarray) -> np.ndarray:
    """The number of each cell, from 0 to 15,624.

    Args:
      rows: int `[..., 6]`.

    Returns:
      Int64 `[...]`: the row as digits to the base 5.
    """
    return np.asarray(rows) @ _WEIGHTS


def rows_of(codes: np.ndarray) -> np.ndarray:
    """The inverse of `codes_of`, int32 `[..., 6]`."""
    digits = np.asarray(codes)[..., None] // _WEIGHTS % len(OPERATIONS)
    return digits.astype(np.int32)


def canonical(cell: Bench201Cell, form: str = "benchmark") -> str:
    """A text that cells which compute the same share.

    Args:
      cell: any.
      form: `skip` takes edges that skip for what they bring, and sums in any
        order for the same: 12,751 texts. `benchmark` also has one symbol
        for what comes of `none`, and of a node that is that symbol alone, as
        the benchmark's code has: 6,466. `pruned` also drops it from sums:
        5,390, in which 341 cells without a path to the output are one.
    """
    nodes = [_INPUT]
    for end in range(1, NODES):
        terms = [
            _term(name, nodes[start], form)
            for name, (start, target) in zip(cell.names, EDGES, strict=True)
            if target == end
        ]
        if form == "pruned":
            terms = [term for term in terms if term != _ZERO] or [_ZERO]
        # A sum of sums keeps who was added to what, as the benchmark's does.
        nodes.append("+".join(sorted(terms)))
    return nodes[-1]


def _term(name: str, source: str, form: str) -> str:
    """What an edge adds to its node, from the text of where it starts."""
    if form != "skip" and (name == "none" or source == _ZERO):
        return _ZERO
    return source if name == "skip_connect" else f"({source}){name}"


@functools.cache
def classes(form: str = "benchmark") -> np.ndarray:
    """The class of each cell by its code, int64 `[15625]`, from 0.

    Args:
      form: see `canonical`.
    """
    every = rows_of(np.arange(len(OPERATIONS) ** len(EDGES)))
    texts = [canonical(Bench201Cell(tuple(r)), form) for r in every.tolist()]
    return np.unique(texts, return_inverse=True)[1]
