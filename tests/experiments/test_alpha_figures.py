"""The picture of the alphas: its numbers, its frames, what stays visible."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from darts.derive import derive, mix
from darts.layout import AlphaLayout, Alphas
from experiments.figures import alphas as figures

LAYOUT = AlphaLayout(num_nodes=3)


def make(epochs, edges):
    rng = np.random.default_rng(0)
    operations = rng.standard_normal((epochs, *LAYOUT.shape))
    own = rng.standard_normal((epochs, *LAYOUT.shape[:2])) if edges else None
    rows = [
        {
            "epoch": epoch,
            **LAYOUT.to_row(
                Alphas(operations[epoch], own[epoch] if edges else None)
            ),
        }
        for epoch in range(epochs)
    ]
    return Alphas(operations, own), pd.DataFrame(rows)


def top(area):
    """The height of the last epoch's end of an area."""
    points = area.get_paths()[0].vertices
    return points[points[:, 0] == points[:, 0].max(), 1].max()


@pytest.mark.parametrize(("epochs", "edges"), [(1, False), (4, True)])
def test_each_edge_shows_its_mixture_and_what_is_taken_is_framed(epochs, edges):
    alphas, table = make(epochs, edges)
    last = Alphas(alphas.operations[-1], alphas.edges[-1] if edges else None)
    derived = derive(LAYOUT, last)
    drawn = dict(figures.draw(table, LAYOUT, "a run"))
    assert list(drawn) == ["alphas_normal", "alphas_reduction"]
    for place, figure in enumerate(drawn.values()):
        FigureCanvasAgg(figure).draw()
        panels = [axes for axes in figure.axes if axes.axison]
        assert len(panels) == len(LAYOUT.edges)
        weights = mix(LAYOUT, last)[place]
        for edge, (source, node) in enumerate(LAYOUT.edges):
            axes = panels[edge]
            heights = [top(area) for area in axes.collections]
            np.testing.assert_allclose(heights, np.cumsum(weights[edge]))
            assert axes.get_ylim()[1] >= heights[-1] - 1e-9
            taken = dict(derived.cells[place].nodes[node - 2].edges)
            framed = axes.spines["top"].get_visible()
            assert framed == (source in taken)
            if framed:
                name = LAYOUT.derived.operations[taken[source]]
                assert name.replace("_", " ") in axes.get_title()
        (legend,) = figure.legends
        box = legend.get_window_extent()
        assert not any(box.overlaps(axes.get_tightbbox()) for axes in panels)
        ticks = panels[-1].get_xticks()
        assert (ticks == np.round(ticks)).all()
