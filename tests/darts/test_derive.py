"""Cells from alphas, against the loop of the published code, and ties."""

import itertools

import numpy as np
import pytest

from darts.derive import count_skips, derive, mix
from darts.layout import OPERATIONS, AlphaLayout, Alphas
from nascore.errors import InputError
from nascore.runs.tables import Table

LAYOUT = AlphaLayout()
EDGES = {edge: place for place, edge in enumerate(LAYOUT.edges)}


def draw(seed, edges=False, scale=1.0):
    rng = np.random.default_rng(seed)
    alphas = scale * rng.standard_normal(LAYOUT.shape).astype(np.float32)
    own = rng.standard_normal(LAYOUT.shape[:2]).astype(np.float32)
    return Alphas(alphas, own if edges else None)


def softmax(values):
    powers = np.exp(np.asarray(values, float))
    return powers / powers.sum()


def genotype(alphas, edge_alphas=None):
    """One cell as DARTS and PC-DARTS write it: (operation, input) pairs."""
    found, start = [], 0
    for incoming in range(2, 6):
        rows = [softmax(a) for a in alphas[start : start + incoming]]
        if edge_alphas is not None:
            shares = softmax(edge_alphas[start : start + incoming])
            rows = [
                row * share for row, share in zip(rows, shares, strict=True)
            ]
        order = sorted(range(incoming), key=lambda n: -rows[n][1:].max())
        found.append(
            {(OPERATIONS[1 + rows[n][1:].argmax()], n) for n in order[:2]}
        )
        start += incoming
    return found


def pairs(cell):
    """A derived cell as `genotype` has it."""
    names = LAYOUT.derived.operations
    return [{(names[op], index) for index, op in n.edges} for n in cell.nodes]


def test_edges_and_operations_stand_in_the_published_order():
    assert LAYOUT.shape == (2, 14, 8)
    assert [EDGES[0, node] for node in range(2, 6)] == [0, 2, 5, 9]
    assert LAYOUT.starts == (0, 2, 5, 9)
    assert [source for source, _ in LAYOUT.edges[9:]] == [0, 1, 2, 3, 4]
    names = "none max_pool_3x3 avg_pool_3x3 skip_connect sep_conv_3x3 "
    names += "sep_conv_5x5 dil_conv_3x3 dil_conv_5x5"
    assert " ".join(OPERATIONS) == names


@pytest.mark.parametrize("edges", [False, True])
def test_cells_equal_those_of_the_published_loop(edges):
    for seed in range(50):
        alphas = draw(seed, edges)
        cells = derive(LAYOUT, alphas).cells
        for place, cell in enumerate(cells):
            own = alphas.edges[place] if edges else None
            assert pairs(cell) == genotype(alphas.operations[place], own)


def test_edges_of_their_own_change_what_is_derived():
    alphas = draw(3, edges=True)
    plain = derive(LAYOUT, alphas._replace(edges=None))
    assert derive(LAYOUT, alphas) != plain


def test_none_is_never_taken_but_weakens_its_edge():
    alphas = np.zeros(LAYOUT.shape)
    alphas[:, :, 0] = 9
    # One edge of node 2 has less of it, and the others all the same.
    alphas[0, EDGES[3, 4], 0] = 8
    normal, reduction = derive(LAYOUT, Alphas(alphas)).cells
    first = LAYOUT.derived.operations[0]
    for cell in (normal, reduction):
        assert all(name == first for node in pairs(cell) for name, _ in node)
    sources = [[index for index, _ in node.edges] for node in normal.nodes]
    assert sources == [[0, 1], [0, 1], [0, 3], [0, 1]]


def test_of_equal_ones_the_first_is_taken():
    cells = derive(LAYOUT, Alphas(np.zeros(LAYOUT.shape))).cells
    for cell in cells:
        assert all(tuple(node) == (0, 0, 1, 0) for node in cell.nodes)
    # The same alphas in another order on each edge: as strong to the bit.
    row = np.array([0.3, 0.1, -0.7, 0.2, 1.3, 0.9, -0.4, 0.6])
    orders = np.tile(row, (2, 14, 1))
    rng = np.random.default_rng(0)
    orders[..., 1:] = rng.permuted(orders[..., 1:], axis=-1)
    for cell in derive(LAYOUT, Alphas(orders)).cells:
        assert all(node[0::2] == (0, 1) for node in cell.nodes)


def test_a_mixture_sums_up_to_one_for_each_edge_or_node():
    assert mix(LAYOUT, draw(1)).sum(axis=-1) == pytest.approx(1)
    weights = mix(LAYOUT, draw(1, edges=True)).sum(axis=-1)
    for node in range(2, 6):
        own = [place for (_, to), place in EDGES.items() if to == node]
        assert weights[:, own].sum(axis=1) == pytest.approx(1)
    # Of many epochs at once, and where a power would overflow.
    many = Alphas(np.stack([draw(s).operations * 1e4 for s in range(3)]))
    assert np.isfinite(mix(LAYOUT, many)).all()


def test_skips_are_counted_in_each_cell():
    alphas = np.zeros(LAYOUT.shape)
    alphas[0, :, OPERATIONS.index("skip_connect")] = 1
    alphas[1, EDGES[1, 3], OPERATIONS.index("skip_connect")] = 1
    assert count_skips(LAYOUT, derive(LAYOUT, Alphas(alphas))) == [8, 1]
    # The identity by its other name.
    other = AlphaLayout(("identity", "max_pool_3x3"), 2)
    none = Alphas(np.zeros(other.shape))
    assert count_skips(other, derive(other, none)) == [4, 4]


def test_alphas_that_are_not_finite_make_no_cell():
    alphas = draw(1).operations
    alphas[1, EDGES[2, 5], 3] = np.nan
    with pytest.raises(InputError) as error:
        derive(LAYOUT, Alphas(alphas))
    text = str(error.value)
    assert "\n" not in text
    assert "reduction cell's edge from tensor 2 to tensor 5" in text


@pytest.mark.parametrize("edges", [False, True])
def test_a_table_holds_alphas_to_the_bit(edges, tmp_path):
    table = Table(tmp_path / "alphas.csv")
    epochs = [draw(seed, edges, 1e-3) for seed in range(3)]
    rows = [LAYOUT.to_row(alphas) for alphas in epochs]
    table.append(rows)
    read = LAYOUT.from_rows(table.read())
    for epoch, alphas in enumerate(epochs):
        np.testing.assert_array_equal(read.operations[epoch], alphas.operations)
        if edges:
            np.testing.assert_array_equal(read.edges[epoch], alphas.edges)
    assert (read.edges is None) != edges
    # By name, whatever stands between.
    for (cell, name), (source, node), number in itertools.product(
        enumerate(LAYOUT.cell_types), [(1, 3), (4, 5)], [0, 3, 7]
    ):
        column = f"alpha_{name}_{source}_{node}_{OPERATIONS[number]}"
        place = cell, EDGES[source, node], number
        assert rows[0][column] == epochs[0].operations[place]


def test_a_layout_without_operations_is_refused():
    with pytest.raises(InputError, match="at least one"):
        AlphaLayout(("none",))
