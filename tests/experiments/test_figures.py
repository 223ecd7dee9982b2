"""Figures of runs: the numbers they show, and what they leave visible."""

import json
import shutil
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from experiments import plot_final
from experiments.comparison import figures
from experiments.comparison import files as report_files
from experiments.comparison.tables import make_tables
from experiments.figures import cells, perceptrons, runs, trainings
from experiments.figures.operation_shares import (
    draw_shares,
    shares_by_epoch,
)
from nascore.drawing import style
from nascore.drawing.style import make_figure
from nascore.runs.reader import RunRecords
from nascore.spaces.cells import CellSpace

SPACE = CellSpace(num_nodes=2)
ROOT = Path(__file__).parents[2]


def make_run(epochs):
    rng = np.random.default_rng(0)
    cells = [SPACE.draw(rng).cells for _ in range(epochs * 6)]
    evaluations = pd.DataFrame(
        {
            "epoch": np.repeat(np.arange(epochs), 6),
            "normal_cell": [str(normal) for normal, _ in cells],
            "reduction_cell": [str(reduction) for _, reduction in cells],
            "accuracy": rng.uniform(0.1, 0.9, len(cells)),
            "reward": rng.uniform(0.1, 0.9, len(cells)),
            "baseline": rng.uniform(0.1, 0.9, len(cells)),
            "entropy": rng.uniform(9, 10, len(cells)),
        }
    )
    child = pd.DataFrame(
        {"loss": [2.0, 1.0], "accuracy": [0.1, 0.2], "learning_rate": [1, 0.5]}
    )
    table = pd.DataFrame(
        {
            "epoch": np.arange(epochs),
            "accuracy_mean": 0.5,
            "accuracy_std": 0.1,
            "validation_accuracy": 0.4,
            "search_test_accuracy": 0.6,
        }
    )
    settings = {
        "method": "ienas",
        "config": {"dataset": "digits", "seed": 3, "reward_rule": "paper"},
    }
    return RunRecords(
        Path("run"),
        settings,
        SPACE,
        "accuracy",
        evaluations,
        child,
        table,
        [],
        [],
    )


def figures_of_runs():
    run = make_run(3)
    yield from runs.draw(run, 10)
    yield from cells.draw(run, 0)
    candidates = pd.DataFrame(
        {"epoch": [0, 1, 1], "score": [0.1, 0.5, 0.9], "predicted": 0.4}
    )
    yield "mlpnas", perceptrons.plot_curve(candidates, "a run")
    yield "predictor", perceptrons.plot_predictor(candidates, "a run")
    bars = [("MLPNAS", 0.9, 0.8), ("random search", 1.0, 1.0)]
    yield "accuracies", perceptrons.plot_bars(bars, "a run")
    folder = ROOT / "results" / "final" / "mnist"
    epochs = pd.read_csv(folder / "epochs.csv")
    yield "learning_curve", trainings.plot_curve(epochs, "a title")
    bins = pd.read_csv(folder / "calibration.csv")
    yield "calibration", trainings.plot_calibration(bins, 0.01)


def figures_of_a_comparison():
    rows = report_files.load(ROOT / "results" / "mnist" / "rows")
    for picture in figures.draw(rows, make_tables(rows)):
        yield picture.name, picture.figure


@pytest.mark.parametrize("source", [figures_of_runs, figures_of_a_comparison])
def test_a_legend_covers_no_data_and_is_the_only_one(source):
    drawn = 0
    for name, figure in source():
        FigureCanvasAgg(figure).draw()
        assert all(axes.get_legend() is None for axes in figure.axes), name
        assert len(figure.legends) <= 1, name
        for legend in figure.legends:
            box = legend.get_window_extent()
            for axes in figure.axes:
                assert not box.overlaps(axes.get_tightbbox()), name
            # All of it is on the paper.
            page = figure.bbox
            assert page.x0 <= box.x0 and box.x1 <= page.x1, name
            assert page.y0 <= box.y0 and box.y1 <= page.y1, name
            drawn += 1
    assert drawn > 3


def test_every_epoch_axis_has_whole_ticks():
    for epochs in (1, 7):
        for name, figure in [
            *runs.draw(make_run(epochs), 10),
            *cells.draw(make_run(epochs), 0),
        ]:
            axes = figure.axes[-1]
            ticks = axes.get_xticks()
            assert (ticks == np.round(ticks)).all(), (name, epochs)


def test_shares_equal_a_count_by_hand():
    run = make_run(3)
    shares = shares_by_epoch(run.evaluations, "normal", SPACE.operations)
    assert list(shares.index) == [1, 2, 3]
    for epoch in (1, 2, 3):
        own = run.evaluations[run.evaluations["epoch"] == epoch - 1]
        words = " ".join(own["normal_cell"]).split()[1::2]
        for place, name in enumerate(SPACE.operations):
            share = words.count(str(place)) / len(words)
            assert shares.loc[epoch, name] == pytest.approx(share)


@pytest.mark.parametrize("epochs", [1, 3])
def test_areas_are_stacked_shares_in_colours_of_their_own(epochs):
    run = make_run(epochs)
    shares = shares_by_epoch(run.evaluations, "normal", SPACE.operations)
    _, (axes,) = make_figure()
    draw_shares(axes, shares)
    areas = axes.collections
    assert len(areas) == len(SPACE.operations)
    colors = [to_hex(area.get_facecolor()[0]) for area in areas]
    assert colors == list(style.AREAS[: len(areas)])
    # The last epoch's heights, bottom up; one epoch has a width, too.
    bottom = 0.0
    for area, share in zip(areas, shares.iloc[-1], strict=True):
        points = area.get_paths()[0].vertices
        assert np.ptp(points[:, 0]) > 0
        right = points[points[:, 0] == points[:, 0].max(), 1]
        assert right.min() == pytest.approx(bottom)
        assert right.max() == pytest.approx(bottom + share)
        bottom += share
    assert bottom == pytest.approx(1)


def test_neighbouring_areas_differ_in_grey():
    """CIE lightness of the colours, 0 to 100."""

    def lightness(color):
        parts = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(
            parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4
        )
        return 116 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 16

    shades = np.array([lightness(color) for color in style.AREAS])
    assert (abs(np.diff(shades)) > 12).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "on mnist, from scratch"),
        ({"init_from_supernet": ""}, "from scratch"),
        ({"init_from_supernet": "runs/a"}, "from the supernet's weights"),
    ],
)
def test_a_learning_curve_says_where_it_began(settings, words, tmp_path):
    for name in ("config.json", "epochs.csv"):
        shutil.copy(ROOT / "results" / "final" / "mnist" / name, tmp_path)
    content = json.loads((tmp_path / "config.json").read_text())
    content["config"] |= settings
    (tmp_path / "config.json").write_text(json.dumps(content))
    plot_final.plot_final(tmp_path, ["svg"])
    drawn = (tmp_path / "plots" / "learning_curve.svg").read_text()
    assert f"{words} -->" in drawn


def test_a_figure_is_written_with_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        figure, (axes,) = make_figure()
        axes.plot([1, 2], label="a line")
        style.add_legend(figure)
        for suffix in ("pdf", "svg", "png"):
            style.save(figure, tmp_path / f"{name}.{suffix}")
    for suffix in ("pdf", "svg", "png"):
        one, other = (tmp_path / f"{name}.{suffix}" for name in "ab")
        assert one.read_bytes() == other.read_bytes()
    # Fonts that publishers take: TrueType, not Type 3.
    assert b"/Type3" not in (tmp_path / "a.pdf").read_bytes()


def test_the_style_stays_in_our_figures():
    before = dict(mpl.rcParams)
    list(runs.draw(make_run(1), 10))
    assert dict(mpl.rcParams) == before


def test_no_band_of_accuracies_goes_beyond_them():
    run = make_run(3)
    run.epochs["accuracy_mean"] = [0.05, 0.5, 0.95]
    figure = dict(runs.draw(run, 10))["epochs"]
    (band,) = figure.axes[0].collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (0, 1)
