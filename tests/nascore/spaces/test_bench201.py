"""NAS-Bench-201's cells: their text, their numbers, which are alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nascore.errors import InputError
from nascore.spaces import kinds
from nascore.spaces.bench201 import (
    EDGES,
    OPERATIONS,
    Bench201Cell,
    Bench201Space,
    canonical,
    classes,
    codes_of,
    parse_cell,
    rows_of,
)

SPACE = Bench201Space()
# Of figure 2 of L2NAS, best on CIFAR-100.
BEST = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+"
    "|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
)
EVERY = rows_of(np.arange(5**6))


def test_a_text_names_each_edge_in_the_benchmarks_order():
    cell = parse_cell(BEST)
    assert dict(zip(EDGES, cell.names, strict=True)) == {
        (0, 1): "nor_conv_3x3",
        (0, 2): "nor_conv_3x3",
        (1, 2): "nor_conv_3x3",
        (0, 3): "skip_connect",
        (1, 3): "nor_conv_3x3",
        (2, 3): "nor_conv_3x3",
    }
    assert SPACE.format(cell) == BEST


@given(st.lists(st.integers(0, 4), min_size=6, max_size=6))
def test_texts_rows_and_codes_stand_for_one_cell(row):
    cell = SPACE.decode(np.array(row))
    assert SPACE.parse(SPACE.format(cell)) == cell
    assert SPACE.encode(cell).tolist() == row
    code = int(codes_of(np.array(row)))
    assert code == int("".join(map(str, row)), 5)
    assert rows_of(code).tolist() == row


def test_the_space_is_all_cells_and_survives_a_settings_file():
    assert SPACE.size() == len(EVERY) == 15_625
    assert [row.tolist() for row in SPACE.enumerate()] == EVERY.tolist()
    assert kinds.from_fields(kinds.to_fields(SPACE)) == SPACE
    assert len(SPACE.neighbours(EVERY[77])) == 6 * 4


@pytest.mark.parametrize(
    ("form", "count"),
    [("skip", 12_751), ("benchmark", 6_466), ("pruned", 5_390)],
)
def test_as_many_classes_as_the_benchmark_counts(form, count):
    """6,466: NAS-Bench-201, section 2.1; the others were counted apart."""
    found = classes(form)
    assert found.max() + 1 == len(np.unique(found)) == count


def reaches(row):
    """Whether a path leads from node 0 to node 3."""
    seen = {0}
    for _ in range(3):
        seen |= {
            end
            for place, (start, end) in zip(row, EDGES, strict=True)
            if place != OPERATIONS.index("none") and start in seen
        }
    return 3 in seen


def test_cells_without_a_path_are_one_pruned_class():
    lost = np.array([not reaches(row) for row in EVERY.tolist()])
    assert lost.sum() == 341
    alike = classes("pruned")
    assert len(set(alike[lost])) == 1
    assert not set(alike[lost]) & set(alike[~lost])


def apply(row, weights):
    """What a cell computes of a number, with an odd function an edge."""
    nodes = [0.7]
    for end in range(1, 4):
        total = 0.0
        for place, (start, target) in zip(row, EDGES, strict=True):
            if target == end and place == 1:
                total += nodes[start]
            elif target == end and place:
                total += np.tanh(weights[place] * nodes[start] + nodes[start])
        nodes.append(total)
    return nodes[-1]


def test_cells_of_a_class_compute_the_same():
    """Odd functions send zero to zero, as the benchmark's operations do."""
    weights = np.random.default_rng(3).normal(size=5)
    values = np.array([apply(row, weights) for row in EVERY.tolist()])
    for form in ("skip", "benchmark", "pruned"):
        alike = classes(form)
        order = np.argsort(alike, kind="stable")
        same = np.diff(alike[order]) == 0
        np.testing.assert_allclose(np.diff(values[order])[same], 0, atol=1e-12)


def test_one_symbol_stands_for_what_comes_of_nothing():
    none = Bench201Cell((0, 3, 2, 1, 1, 0))
    other = Bench201Cell((0, 3, 4, 1, 0, 0))
    assert canonical(none) == canonical(other)
    assert canonical(none, "skip") != canonical(other, "skip")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BEST.replace("nor_conv_3x3~2", "conv~2"), "edge 2 -> 3 .* 'conv'"),
        (BEST.replace("~2", "~1"), "edge 2 -> 3 of the cell must be"),
        (BEST.replace("|nor_conv_3x3~0|+", "", 1), "'\\+' between"),
        (BEST.replace("nor_conv_3x3~1|+", "+"), "node 2 of a cell .* 2 edges"),
        ("", "is no cell of NAS-Bench-201"),
        ("\0" * 9, "is no cell of NAS-Bench-201"),
    ],
)
def test_a_malformed_text_says_where(text, message):
    with pytest.raises(InputError, match=message):
        SPACE.parse(text)


@pytest.mark.parametrize("row", [[0] * 5, [0] * 5 + [5], [-1] + [0] * 5])
def test_a_row_of_no_cell_is_refused(row):
    with pytest.raises(InputError, match="of NAS-Bench-201|edge . -> ."):
        SPACE.decode(np.array(row))
