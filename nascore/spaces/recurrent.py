"""Recurrent cells of ENAS and DARTS: nodes that refine a hidden state.

Node 0 mixes the input with the last state; each later node reads one earlier
node and has one activation function (Pham et al., 2018, section 2.1; Liu et
al., 2019, arXiv 1806.09055, section 3.1.2). NumPy only.
"""

import ast
import dataclasses
import functools
import math
from typing import Any, NamedTuple

import numpy as np

from nascore.config import show
from nascore.errors import InputError
from nascore.spaces.space import Place, Space, table_of_choices

# In the order of ENAS's correct code (`enas_lm`), whose texts are numbers.
FUNCTIONS = ("tanh", "relu", "sigmoid", "identity")
# What the new state is: the mean of all nodes but node 0, or of those that no
# other node reads.
OUTPUTS = ("nodes", "ends")
# Function of node 0: that of `enas_lm` and of DARTS, or one more choice.
FIRSTS = ("tanh", "chosen")
MAX_NODES = 64
_MAX_LENGTH = 10_000
_FORM = "Genotype(recurrent=[('relu', 0), ...], concat=range(1, 9))"


class RecurrentCell(NamedTuple):
    """A cell.

    Attributes:
      first: function of node 0, its place in the space's functions.
      nodes: of each later node which one it reads, and its function.
    """

    first: int
    nodes: tuple[tuple[int, int], ...]

    @property
    def ends(self) -> tuple[int, ...]:
        """Nodes from 1 that no other reads, numbered from 0."""
        read = {source for source, _ in self.nodes}
        every = range(1, len(self.nodes) + 1)
        return tuple(node for node in every if node not in read)


@dataclasses.dataclass(frozen=True)
class RecurrentSpace(Space[RecurrentCell]):
    """All recurrent cells of so many nodes.

    A row holds input and function of node 1, of node 2, and so on; before
    them the function of node 0, where that is chosen.

    Attributes:
      functions: activation functions to choose from.
      num_nodes: nodes after node 0.
      first: function of node 0, see `FIRSTS`.
      output: see `OUTPUTS`.
    """

    functions: tuple[str, ...] = FUNCTIONS
    num_nodes: int = 8
    first: str = "tanh"
    output: str = "nodes"

    kind = "recurrent"

    def __post_init__(self) -> None:
        odd = [name for name in self.functions if name not in FUNCTIONS]
        if odd or len(set(self.functions)) != len(self.functions):
            raise InputError(
                f"functions of a recurrent cell are some of "
                f"{', '.join(FUNCTIONS)}, each once. Received: "
                f"{show(self.functions)}"
            )
        if not self.functions or not 1 <= self.num_nodes <= MAX_NODES:
            raise InputError(
                f"a recurrent cell has 1 to {MAX_NODES} nodes after the first "
                f"and a function or more. Received: num_nodes={self.num_nodes}"
            )
        if self.first not in FIRSTS or self.output not in OUTPUTS:
            raise InputError(
                f"'first' is one of {FIRSTS} and 'output' one of {OUTPUTS}. "
                f"Received: {show(self.first)}, {show(self.output)}"
            )
        if self.first == "tanh" and "tanh" not in self.functions:
            raise InputError("node 0 needs tanh among the functions")

    @property
    def skip(self) -> int:
        """Integers of a row before those of node 1."""
        return int(self.first == "chosen")

    @functools.cached_property
    def places(self) -> tuple[Place, ...]:
        """See `Space.places`; node 0 is the first one."""
        first = (Place(0, 0, "operation"),) * self.skip
        return first + tuple(
            Place(0, node, kind)
            for node in range(1, self.num_nodes + 1)
            for kind in ("input", "operation")
        )

    @functools.cached_property
    def allowed(self) -> np.ndarray:
        """See `Space.allowed`; no place depends on the one before."""
        count = len(self.functions)
        choices = [count] * self.skip
        for node in range(1, self.num_nodes + 1):
            choices += [node, count]
        return table_of_choices(np.array(choices))

    def size(self) -> int:
        """See `Space.size`."""
        count = len(self.functions) ** (self.num_nodes + self.skip)
        return math.factorial(self.num_nodes) * count

    def encode(self, architecture: RecurrentCell) -> np.ndarray:
        """See `Space.encode`."""
        pairs = [number for node in architecture.nodes for number in node]
        return np.array([architecture.first] * self.skip + pairs, np.int32)

    def decode(self, row: np.ndarray) -> RecurrentCell:
        """See `Space.decode`."""
        numbers = [int(number) for number in np.asarray(row).ravel()]
        if len(numbers) != self.length:
            node = max(0, len(numbers) - self.skip) // 2 + 1
            raise InputError(
                f"a recurrent cell with {self.num_nodes} nodes after the first "
                f"has {self.length} integers, an input and a function of each "
                f"node. Received: {len(numbers)}, which end at node {node}"
            )
        for place, number in zip(self.places, numbers, strict=True):
            count = place.node if place.kind == "input" else len(self.functions)
            what = "input" if place.kind == "input" else "function"
            if not 0 <= number < count:
                raise InputError(
                    f"{what} of node {place.node} of the recurrent cell must "
                    f"be from 0 to {count - 1}. Received: {str(number)[:40]}"
                )
        first = numbers[0] if self.skip else self.functions.index("tanh")
        pairs = numbers[self.skip :]
        return RecurrentCell(
            first, tuple(zip(pairs[::2], pairs[1::2], strict=True))
        )

    def parse(self, text: str) -> RecurrentCell:
        """Reads integers, DARTS's genotype or the name of a published cell.

        See `Space.parse`.
        """
        published = find_cell(text)
        if published is not None:
            self._check_same(published, text.strip())
            text = published.text
        elif text.strip()[:1] in ("G", "["):
            return self._from_names(_read_genotype(text.strip(), self.output))
        words = text.replace(",", " ").split()
        wrong = [word for word in words if not word.isdecimal()]
        if wrong or not words:
            raise InputError(
                "a recurrent cell is given as integers, input and function of "
                f"each node, as {_FORM}, or as one of {', '.join(PUBLISHED)}. "
                f"Received: {show(text)}"
            )
        return self.decode(np.array([int(word[:9]) for word in words]))

    def _check_same(self, published: "PublishedRecurrent", name: str) -> None:
        own = (self.num_nodes, self.output)
        if own != (published.num_nodes, published.output):
            raise InputError(
                f"{name} has --num_nodes={published.num_nodes} and "
                f"--cell_output={published.output}; here they are {own[0]} "
                f"and {own[1]}"
            )

    def _from_names(self, pairs: list[tuple[str, int]]) -> RecurrentCell:
        numbers = []
        for node, (name, source) in enumerate(pairs, 1):
            if name not in self.functions:
                raise InputError(
                    f"node {node} of the recurrent cell has the function "
                    f"{name[:60]!r}; there are: {', '.join(self.functions)}"
                )
            numbers += [source, self.functions.index(name)]
        if self.skip:
            # DARTS's node 0 is tanh.
            numbers.insert(0, self.functions.index("tanh"))
        return self.decode(np.array(numbers))

    def format(self, architecture: RecurrentCell) -> str:
        """See `Space.format`; integers."""
        return " ".join(map(str, self.encode(architecture).tolist()))

    def genotype(self, architecture: RecurrentCell) -> str:
        """The text of DARTS's code."""
        pairs = [(self.functions[f], s) for s, f in architecture.nodes]
        concat: Any = range(1, self.num_nodes + 1)
        if self.output == "ends":
            concat = list(architecture.ends)
        return f"Genotype(recurrent={pairs!r}, concat={concat!r})"

    def describe(self, architecture: RecurrentCell) -> str:
        """See `Space.describe`."""
        names = self.functions
        lines = [
            "recurrent cell",
            f"  node 0 is {names[architecture.first]} of input and last state",
        ]
        for node, (source, function) in enumerate(architecture.nodes, 1):
            lines.append(f"  node {node} is {names[function]} of node {source}")
        nodes = ", ".join(map(str, self.joined(architecture)))
        return "\n".join([*lines, f"  the new state is the mean of {nodes}"])

    def joined(self, architecture: RecurrentCell) -> tuple[int, ...]:
        """The nodes whose mean is the new state."""
        if self.output == "ends":
            return architecture.ends
        return tuple(range(1, self.num_nodes + 1))


class PublishedRecurrent(NamedTuple):
    """A published cell, whose node 0 is tanh.

    Attributes:
      text: integers that count `FUNCTIONS`.
      output: of its space.
    """

    text: str
    output: str = "nodes"

    @property
    def num_nodes(self) -> int:
        """Nodes after node 0."""
        return len(self.text.split()) // 2

    @property
    def space(self) -> RecurrentSpace:
        """That it is of."""
        return RecurrentSpace(num_nodes=self.num_nodes, output=self.output)


# DARTS's code (first and second order on Penn Treebank); ENAS's correct code
# (`enas_lm`); the cell of ENAS's paper, as DARTS's code has it.
PUBLISHED = {
    "DARTS_V1": PublishedRecurrent("0 1 1 1 2 0 3 1 4 1 1 3 5 1 1 1"),
    "DARTS_V2": PublishedRecurrent("0 2 1 1 1 1 1 3 2 0 5 2 3 0 5 1"),
    "ENAS": PublishedRecurrent("0 2 1 0 2 1 2 2 4 0 5 0 3 2 6 2"),
    "ENAS_paper": PublishedRecurrent(
        "0 0 1 0 1 1 3 0 3 0 3 1 4 1 7 1 8 1 8 1 8 1", "ends"
    ),
}


def find_cell(name: str) -> PublishedRecurrent | None:
    """The published cell of a name, whatever its capitals."""
    name = name.strip().lower()
    found = [cell for key, cell in PUBLISHED.items() if key.lower() == name]
    return found[0] if found else None


# How a text begins that is a recurrent cell and no other.
PREFIX = "recurrent"


def space_of(text: str) -> tuple[RecurrentSpace, str] | None:
    """The space of a text that can only be a recurrent cell, and the cell.

    Such are the name of a published one that no other space has, a genotype
    with `recurrent=`, and whatever stands after the word `recurrent`, with
    `_`, `:` or a blank between.

    Returns:
      None: it may be of other spaces.
    """
    word = text.strip()
    marked = word.lower().startswith(PREFIX)
    cell = word[len(PREFIX) :].lstrip("_: ") if marked else word
    published = find_cell(cell)
    if published is not None and (marked or cell.upper().startswith("ENAS")):
        return published.space, published.text
    if marked or f"{PREFIX}=" in word[:40]:
        names = cell.count("('") + cell.count('("')
        nodes = names or len(cell.replace(",", " ").split()) // 2
        return RecurrentSpace(num_nodes=min(max(nodes, 1), MAX_NODES)), cell
    return None


def _read_genotype(text: str, output: str) -> list[tuple[str, int]]:
    """Functions and inputs of DARTS's text; the list alone will do.

    Raises:
      InputError: it is none, or the new state is another mean.
    """
    wrong = InputError(
        f"the genotype of a recurrent cell reads {_FORM}. Received: "
        f"{show(text)}"
    )
    try:
        tree = ast.parse(text[: _MAX_LENGTH + 1], mode="eval").body
        named = {}
        if isinstance(tree, ast.Call):
            named = {word.arg: word.value for word in tree.keywords}
            tree = named["recurrent"]
        pairs = ast.literal_eval(tree)
        concat = _concat(named["concat"]) if "concat" in named else None
    except (
        *(SyntaxError, ValueError, TypeError, KeyError),
        *(MemoryError, RecursionError),
    ):
        raise wrong from None
    if not isinstance(pairs, list) or not pairs or len(text) > _MAX_LENGTH:
        raise wrong
    for pair in pairs:
        kinds = [type(x) for x in pair] if isinstance(pair, tuple) else []
        if kinds != [str, int]:
            raise wrong
    cell = RecurrentCell(0, tuple((source, 0) for _, source in pairs))
    wanted = list(range(1, len(pairs) + 1))
    if output == "ends":
        wanted = list(cell.ends)
    if concat is not None and concat != wanted:
        raise InputError(
            f"the new state of the genotype must be the mean of nodes {wanted} "
            f"(--cell_output={output}). Received: {show(concat)}"
        )
    return pairs


def _concat(expression: ast.expr) -> list[int]:
    """A list, or the `range(1, 9)` that DARTS's code prints."""
    if isinstance(expression, ast.Call):
        ends = [int(ast.literal_eval(end)) for end in expression.args]
        # No longer than a cell has nodes, whatever a text says.
        return list(range(*ends)[: MAX_NODES + 1])
    return list(ast.literal_eval(expression))
