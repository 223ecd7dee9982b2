"""The picture of the alphas: its numbers, its frames, what stays visible."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from darts.derive import derive, mix
from darts.layout import AlphaLayout, Alphas
from darts.layout201 import Bench201Layout
from experiments.figures import alphas as figures
from experiments.figures import mixtures
from nascore.evaluators.nasbench201.names import TRUTH
from nascore.runs.reader import RunRecords

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


def test_alphas_and_skips_of_nasbench201_beside_its_table(tmp_path):
    layout, rng = Bench201Layout(), np.random.default_rng(0)
    alphas = rng.standard_normal((3, *layout.shape))
    cells = [derive(layout, Alphas(one)) for one in alphas]
    table = pd.DataFrame(
        [
            {
                "epoch": epoch,
                "architecture": str(cell),
                "accuracy": 0.2,
                "mixture_accuracy": 0.4,
                "skips_cell": cell.names.count("skip_connect"),
                "eigenvalue": np.nan,
                **{name: 0.5 + 0.1 * epoch for name in TRUTH},
                **layout.to_row(Alphas(alphas[epoch])),
            }
            for epoch, cell in enumerate(cells)
        ]
    )
    steps = pd.DataFrame({"loss": [2.0, 1.0], "alpha_loss": [2.1, 1.5]})
    steps.to_csv(tmp_path / "mixture.csv")
    settings = {"method": "shared201_darts", "config": {"dataset": "cifar10"}}
    empty = pd.DataFrame()
    run = RunRecords(
        *(tmp_path, settings, layout.derived, "accuracy"),
        *(table, empty, empty, [], []),
    )
    assert mixtures.layout_of(run) == layout
    drawn = dict(mixtures.draw(run, layout, 2))
    assert list(drawn) == ["alphas_cell", "skips", "mixture"]
    panels = [axes for axes in drawn["alphas_cell"].axes if axes.axison]
    # Every edge is taken, with whatever is the strongest.
    for axes, name in zip(panels, cells[-1].names, strict=True):
        assert axes.spines["top"].get_visible()
        assert axes.get_title().endswith(name.replace("_", " "))
    assert panels[0].get_title().startswith("from input\n")
    skips, accuracies, truth = drawn["skips"].axes
    assert skips.get_ylabel() == "skips of 6 edges"
    (stairs,) = skips.get_lines()
    np.testing.assert_array_equal(stairs.get_ydata(), table["skips_cell"])
    assert len(accuracies.get_lines()) == 2
    assert [line.get_label() for line in truth.get_lines()] == [
        column.dataset for column in TRUTH.values()
    ]
    np.testing.assert_allclose(
        truth.get_lines()[0].get_ydata(), [0.5, 0.6, 0.7]
    )
