import re

import numpy as np
import pytest
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from nascore.drawing.cells import (
    cell_graph,
    draw_architecture,
    figure_to_rgb,
    operation_label,
    to_dot,
)
from nascore.drawing.graphs import lay_out
from nascore.spaces.cells import CellSpace

SPACE = CellSpace()
SEEDS = range(3)


def sample(seed):
    return SPACE.draw(np.random.default_rng(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_graph_has_a_box_and_arrows_for_everything(seed):
    cell = sample(seed).cells[0]
    boxes, arrows = cell_graph(cell, SPACE)
    # Two inputs, two operations and a sum for each node, the end.
    assert len(boxes) == 2 + 3 * 5 + 1
    assert len(arrows) == 4 * 5 + len(cell.loose_ends)
    labels = [box.label for box in boxes]
    for node in cell.nodes:
        for _, op in node.edges:
            assert operation_label(SPACE.operations[op]) in labels
    assert len(set(arrows)) == len(arrows)


def test_no_two_boxes_overlap_and_arrows_point_down():
    rng = np.random.default_rng(0)
    for _ in range(100):
        for cell in SPACE.draw(rng).cells:
            boxes, arrows = cell_graph(cell, SPACE)
            layout = lay_out(boxes, arrows)
            low = layout.centres - layout.sizes / 2
            high = layout.centres + layout.sizes / 2
            for one in range(len(boxes)):
                for other in range(one):
                    apart = (high[one] <= low[other]) | (
                        high[other] <= low[one]
                    )
                    assert apart.any()
            for (start, end), route in zip(arrows, layout.routes, strict=True):
                np.testing.assert_allclose(route[0], layout.centres[start])
                np.testing.assert_allclose(route[-1], layout.centres[end])
                assert (np.diff(route[:, 1]) < 0).all()
            # Both inputs stand in the first row, used or not.
            tops = layout.centres[:, 1]
            assert tops[0] == tops[1] == tops.max() > tops[2:].max()


def test_an_unused_input_stands_beside_the_other():
    cell = CellSpace(num_nodes=1).parse("0 0 0 1 1 0 1 1").cells[0]
    layout = lay_out(*cell_graph(cell, SPACE))
    (used, unused), *_ = layout.centres[None, :2]
    assert used[1] == unused[1] == layout.centres[:, 1].max()
    assert abs(used[0] - unused[0]) > layout.sizes[0, 0]


def test_arrows_pass_by_boxes():
    """Where an arrow crosses a row it meets no box of it."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        for cell in SPACE.draw(rng).cells:
            layout = lay_out(*cell_graph(cell, SPACE))
            for route in layout.routes:
                for x, y in route[1:-1]:
                    row = layout.centres[:, 1] == y
                    far = abs(layout.centres[row, 0] - x)
                    assert (far > layout.sizes[row, 0] / 2).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_figure_shows_every_box_and_arrow(seed):
    architecture = sample(seed)
    figure = draw_architecture(architecture, SPACE, "a title")
    assert len(figure.axes) == 2
    for axes, name, cell in zip(
        figure.axes, SPACE.cell_types, architecture.cells, strict=True
    ):
        boxes, arrows = cell_graph(cell, SPACE)
        assert axes.get_title() == f"{name} cell"
        kinds = [type(patch) for patch in axes.patches]
        assert kinds.count(FancyBboxPatch) == len(boxes)
        assert kinds.count(FancyArrowPatch) == len(arrows)
        texts = sorted(text.get_text() for text in axes.texts)
        assert texts == sorted(box.label for box in boxes)
    pixels = figure_to_rgb(figure)
    assert pixels.dtype == np.uint8 and pixels.shape[2] == 3
    assert len(np.unique(pixels)) > 10


def test_texts_fit_into_their_boxes():
    figure = draw_architecture(sample(0), SPACE)
    figure_to_rgb(figure)
    for axes in figure.axes:
        boxes = [p for p in axes.patches if isinstance(p, FancyBboxPatch)]
        for box, text in zip(boxes, axes.texts, strict=True):
            inner, outer = text.get_window_extent(), box.get_window_extent()
            assert outer.x0 <= inner.x0 and inner.x1 <= outer.x1


def test_dot_text_has_every_box_and_arrow():
    architecture = sample(1)
    text = to_dot(architecture, SPACE)
    for name, cell in zip(SPACE.cell_types, architecture.cells, strict=True):
        boxes, arrows = cell_graph(cell, SPACE)
        assert len(re.findall(rf"{name}_\d+ \[", text)) == len(boxes)
        for start, end in arrows:
            assert f"{name}_{start} -> {name}_{end};" in text
    assert text.count("{") == text.count("}")


def test_unknown_operations_are_drawn_by_their_name():
    space = CellSpace(("my_new_op", "identity"), 2, ("normal",))
    figure = draw_architecture(space.parse("0 0 1 0 2 1 2 0"), space)
    assert "my new op" in {t.get_text() for t in figure.axes[0].texts}
