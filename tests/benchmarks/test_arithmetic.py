"""The counted work against sums made by hand."""

import pytest

from benchmarks.arithmetic import Work, count_child
from nascore.networks.config import SupernetConfig
from nascore.networks.stack import plan

CONFIG = SupernetConfig(
    filters=4,
    num_nodes=1,
    num_normal_cells=1,
    num_reduction_cells=1,
    operations="sep_conv_3x3,identity",
    aux_weight=0.0,
)


@pytest.mark.parametrize("training", [False, True])
def test_multiply_adds_equal_a_sum_by_hand(training):
    stack = plan(CONFIG, (8, 8, 3), 10)
    assert list(CONFIG.layer_types) == ["normal", "reduction"]
    # Both cells: a convolution of input 0 plus input 1 as it is.
    architecture = CONFIG.space.parse("0 0 1 1 0 0 1 1")
    work = count_child(stack, architecture, 2, training)
    stem = 9 * 3 * 12 * 64
    normal = 2 * 12 * 4 * 64 + 2 * (9 * 4 + 16) * 64 + 16 * 64
    # Two reductions from 4 to 8 channels, then the cell on 16 pixels.
    reduction = 2 * 4 * 8 * 16 + 2 * (9 * 8 + 64) * 16 + 64 * 16
    times = 3 if training else 1
    assert work.multiply_adds == 2 * times * (stem + normal + reduction)


def test_moved_bytes_equal_a_sum_by_hand():
    stack = plan(CONFIG, (8, 8, 3), 10)
    architecture = CONFIG.space.parse("0 0 1 1 0 0 1 1")
    # A product reads and writes, a normalization reads twice and writes;
    # a separable pair is two times depthwise, pointwise, normalization.
    stem = 64 * 12 * (2 + 3)
    cell = 2 * (2 + 2 + 3) + 3 + 2 + 3
    normal = 64 * (2 * (12 + 4 + 3 * 4) + 4 * cell)
    reduction = 2 * (64 * 4 + 16 * 8 + 3 * 16 * 8) + 16 * 8 * cell
    work = count_child(stack, architecture, 1, False)
    assert work.moved == 4 * (stem + normal + reduction)


def test_work_adds_and_scales():
    assert (Work(1, 2) + Work(3, 4)) * 2 == Work(8, 12)
