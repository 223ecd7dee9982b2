"""The text of a cell in DARTS's public code, and the published cells.

`Genotype(normal=[('sep_conv_3x3', 1), ...], normal_concat=[2, 3, 4, 5],
reduce=[...], reduce_concat=[...])`: of each node two operations, each with the
tensor that it reads (Liu et al., 2019, and `cnn/genotypes.py` of its code).
"""

import ast
import warnings
from typing import Any, NamedTuple

from nascore.config import show
from nascore.errors import InputError
from nascore.spaces.cells import CELL_INPUTS, MAX_NODES, NODE_INPUTS

# No cell that anybody searched comes near.
_MAX_LENGTH = 40_000
_HEAD = "Genotype"
_FORM = (
    "Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=[2, ...], "
    "reduce=[...], reduce_concat=[...])"
)

Edges = tuple[tuple[str, int], ...]


class Genotype(NamedTuple):
    """Both cells.

    Attributes:
      normal: (operation, index of the tensor it reads), two for each node.
      reduce: likewise, of the reduction cell.
    """

    normal: Edges
    reduce: Edges


def _cells(normal: str, reduce: str) -> Genotype:
    """Operations and tensors by turns, as the cells are printed here."""
    cells = []
    for words in (normal.split(), reduce.split()):
        tensors = map(int, words[1::2])
        cells.append(tuple(zip(words[::2], tensors, strict=True)))
    return Genotype(*cells)


# From the public code of DARTS (first and second order) and of PC-DARTS
# (searched on CIFAR-10 and on ImageNet); a line for each node.
PUBLISHED = {
    "DARTS_V1": _cells(
        """sep_conv_3x3 1 sep_conv_3x3 0
        skip_connect 0 sep_conv_3x3 1
        skip_connect 0 sep_conv_3x3 1
        sep_conv_3x3 0 skip_connect 2""",
        """max_pool_3x3 0 max_pool_3x3 1
        skip_connect 2 max_pool_3x3 0
        max_pool_3x3 0 skip_connect 2
        skip_connect 2 avg_pool_3x3 0""",
    ),
    "DARTS_V2": _cells(
        """sep_conv_3x3 0 sep_conv_3x3 1
        sep_conv_3x3 0 sep_conv_3x3 1
        sep_conv_3x3 1 skip_connect 0
        skip_connect 0 dil_conv_3x3 2""",
        """max_pool_3x3 0 max_pool_3x3 1
        skip_connect 2 max_pool_3x3 1
        max_pool_3x3 0 skip_connect 2
        skip_connect 2 max_pool_3x3 1""",
    ),
    "PC_DARTS_cifar": _cells(
        """sep_conv_3x3 1 skip_connect 0
        sep_conv_3x3 0 dil_conv_3x3 1
        sep_conv_5x5 0 sep_conv_3x3 1
        avg_pool_3x3 0 dil_conv_3x3 1""",
        """sep_conv_5x5 1 max_pool_3x3 0
        sep_conv_5x5 1 sep_conv_5x5 2
        sep_conv_3x3 0 sep_conv_3x3 3
        sep_conv_3x3 1 sep_conv_3x3 2""",
    ),
    "PC_DARTS_image": _cells(
        """skip_connect 1 sep_conv_3x3 0
        sep_conv_3x3 0 skip_connect 1
        sep_conv_3x3 1 sep_conv_3x3 3
        sep_conv_3x3 1 dil_conv_5x5 4""",
        """sep_conv_3x3 0 skip_connect 1
        dil_conv_5x5 2 max_pool_3x3 1
        sep_conv_3x3 2 sep_conv_3x3 1
        sep_conv_5x5 0 sep_conv_3x3 3""",
    ),
}


def is_genotype(text: str) -> bool:
    """Whether a text is meant as a genotype, or names a published one."""
    return _find(text) is not None or text.strip().startswith(_HEAD)


def _find(name: str) -> Genotype | None:
    """The published genotype of a name, whatever its capitals."""
    name = name.strip().lower()
    found = [cell for key, cell in PUBLISHED.items() if key.lower() == name]
    return found[0] if found else None


def read_genotype(text: str) -> Genotype:
    """Reads a genotype, or finds the published one of a name.

    Pairs may be nested by node, as some other codes write them.

    Raises:
      InputError: it is none, or none of a cell in which every node has two
        different inputs and all nodes are concatenated.
    """
    published = _find(text)
    if published is not None:
        return published
    fields = _fields(text.strip())
    cells = []
    for name in Genotype._fields:
        edges = _edges(fields[name], name)
        concat = fields[f"{name}_concat"]
        nodes = len(edges) // NODE_INPUTS
        every = list(range(CELL_INPUTS, CELL_INPUTS + nodes))
        if not isinstance(concat, list | tuple) or list(concat) != every:
            raise InputError(
                f"{name}_concat of the genotype must be {every}, all nodes. "
                f"Received: {show(concat)}"
            )
        cells.append(edges)
    return Genotype(*cells)


def write_genotype(genotype: Genotype) -> str:
    """Returns the text of a genotype, one line."""
    parts = []
    for name, edges in zip(Genotype._fields, genotype, strict=True):
        nodes = len(edges) // NODE_INPUTS
        concat = list(range(CELL_INPUTS, CELL_INPUTS + nodes))
        parts.append(f"{name}={list(edges)!r}, {name}_concat={concat}")
    return f"{_HEAD}({', '.join(parts)})"


def _fields(text: str) -> dict[str, Any]:
    """What the text calls its four fields."""
    wrong = InputError(
        f"a genotype reads {_FORM}, or is the name of one of: "
        f"{', '.join(PUBLISHED)}. Received: {show(text)}"
    )
    try:
        with warnings.catch_warnings():
            # Of backslashes in strings, which Python would print.
            warnings.simplefilter("ignore")
            call = ast.parse(text[: _MAX_LENGTH + 1], mode="eval").body
        if len(text) > _MAX_LENGTH or not isinstance(call, ast.Call):
            raise wrong
        fields = {word.arg: _value(word.value) for word in call.keywords}
        named = isinstance(call.func, ast.Name) and call.func.id == _HEAD
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        raise wrong from None
    wanted = {
        f"{name}{part}" for name in Genotype._fields for part in ("", "_concat")
    }
    if not named or call.args or set(fields) != wanted:
        raise wrong
    return {str(name): value for name, value in fields.items()}


def _value(expression: ast.expr) -> Any:
    """A literal, or the `range(2, 6)` that DARTS's search prints."""
    if not isinstance(expression, ast.Call):
        return ast.literal_eval(expression)
    ends = [ast.literal_eval(end) for end in expression.args]
    name = expression.func
    if not isinstance(name, ast.Name) or name.id != "range" or len(ends) != 2:
        raise ValueError("no range")
    # No longer than a cell has nodes, whatever a text says.
    return list(range(*ends)[: MAX_NODES + 1])


def _edges(pairs: Any, name: str) -> Edges:
    """The edges of one cell, checked."""
    nested = isinstance(pairs, list) and all(
        isinstance(node, list) and len(node) == NODE_INPUTS for node in pairs
    )
    if nested:
        pairs = [pair for node in pairs for pair in node]
    if not isinstance(pairs, list) or not pairs or len(pairs) % NODE_INPUTS:
        raise InputError(
            f"{name} of the genotype must be a list with two pairs for each "
            f"node. Received: {show(pairs)}"
        )
    edges: list[tuple[str, int]] = []
    for place, pair in enumerate(pairs):
        node = place // NODE_INPUTS
        where = f"node {node} in {name} of the genotype"
        kinds = [type(x) for x in pair] if isinstance(pair, tuple) else []
        if kinds != [str, int]:
            raise InputError(
                f"{where} needs pairs such as ('sep_conv_3x3', 0). Received: "
                f"{show(pair)}"
            )
        operation, index = pair
        if not 0 <= index < CELL_INPUTS + node:
            raise InputError(
                f"{where} reads tensors 0 to {CELL_INPUTS + node - 1}. "
                f"Received: {show(pair)}"
            )
        if place % NODE_INPUTS and index == edges[-1][1]:
            raise InputError(
                f"{where} reads tensor {index} twice; its two inputs must "
                "differ"
            )
        edges.append((operation, index))
    return tuple(edges)
