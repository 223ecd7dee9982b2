"""The parts of the growth benchmark that time nothing."""

import numpy as np
import pytest

from benchmarks import growth
from benchmarks.growth_point import (
    Point,
    multiply_adds,
    sample,
)
from benchmarks.growth_report import draw, fit, write_table
from nascore.networks.config import SupernetConfig

# One node, sep_conv_3x3(input 0) + avg_pool_3x3(input 1), in both cells.
TINY = SupernetConfig(
    filters=4, num_nodes=1, num_normal_cells=1, num_reduction_cells=0
)
ARCHITECTURE = TINY.space.parse("0 0 1 2 0 0 1 2")
# Two depthwise and two pointwise kernels; the loose end's 1x1 convolution.
TINY_CELL = 2 * (9 * 4 + 4 * 4) + 4 * 4


def make_rows():
    """Made-up measurements of all points."""
    rows = {}
    for point in growth.missing({}):
        value = point.batch * point.filters**1.5 * point.layers * point.nodes
        rows[point] = {name: value for name in growth._COLUMNS[5:]}
    return rows


@pytest.mark.parametrize("exponent", [-0.5, 0.0, 1.7])
def test_the_fit_finds_the_exponent(exponent):
    x = np.array([10.0, 20.0, 40.0, 80.0])
    law = fit(x, 3 * x**exponent)
    assert law.exponent == pytest.approx(exponent, abs=1e-9)
    assert law.factor == pytest.approx(3)
    assert law.error == pytest.approx(0, abs=1e-6)


def test_the_error_is_that_of_a_regression():
    # Logarithms 0, 1, 2 against 0, 1, 0: residuals of squares 2/3 in all.
    law = fit(np.exp([0, 1, 2]), np.exp([0, 1, 0]))
    assert law.exponent == pytest.approx(0)
    assert law.error == pytest.approx((2 / 3 / 1 / 2) ** 0.5)


def test_multiply_adds_of_a_network():
    stem = 9 * 3 * 12
    calibrations = 2 * 12 * 4
    expected = 32 * 32 * (stem + calibrations + TINY_CELL) + 4 * 10
    assert multiply_adds(ARCHITECTURE, TINY) == expected


def test_fewer_nodes_are_the_first_of_the_same_cells():
    np.testing.assert_array_equal(sample(9)[:, :, :3], sample(3))
    for array in sample(3):
        SupernetConfig(num_nodes=3).space.from_array(array)


def test_points_that_are_there_are_skipped(tmp_path):
    path = tmp_path / "growth.csv"
    every = growth.missing(growth.read(path))
    assert len(every) == len(set(every)) and Point() in every
    rows = make_rows()
    for point in every[:2]:
        growth.append(path, point, rows[point])
    known = growth.read(path)
    assert known[every[0]] == pytest.approx(rows[every[0]], rel=1e-4)
    assert growth.missing(known) == every[2:]


def test_figure_and_table_hold_the_exponents(tmp_path):
    sweeps = growth.collect(make_rows())
    write_table(sweeps, tmp_path / "growth.md", "head")
    text = (tmp_path / "growth.md").read_text(encoding="utf-8")
    assert "| filters | 1.50 ± 0.00 |" in text
    assert "| images | 0.00 ± 0.00 |" in text
    titles = [axes.get_title() for axes in draw(sweeps).axes]
    assert "exponent 1.50 ± 0.00\nmultiply-adds 1.50" in titles
