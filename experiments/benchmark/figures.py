"""The figures of a benchmark: curves over queries, and paired differences."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from experiments.benchmark.protocols import Protocol
from experiments.benchmark.results import Results, Searched
from experiments.benchmark.statistics import chances, expect
from experiments.benchmark.tables import EXACT, NOISE, TESTED, TITLES
from experiments.comparison.forest import draw_forest
from experiments.comparison.methods import Look
from experiments.reports.document import Image
from nascore.drawing import style
from nascore.evaluators.nasbench201 import table
from nascore.evaluators.nasbench201.names import TableColumn
from nascore.stats import mean_interval

# Seven by four: 28 methods before two look alike.
_COLORS = (
    style.BLUE,
    style.VERMILLION,
    style.PURPLE,
    style.ORANGE,
    style.SKY,
    style.BLACK,
    style.GREEN,
)
_DASHES = ("-", "--", "-.", (0, (5, 1)))
_MARKERS = "oDsv^P<X"
# A curve begins at this part of its queries: before, all are far away.
_BEGIN = 20
# More lines than this are no figure; each method then has its first rival.
_MOST_PAIRS = 10
_EXACT_LOOK = Look(EXACT, style.GREY, (0, (1, 1)), "")


def draw(
    results: Results, differences: pd.DataFrame, folder: Path
) -> Iterator[tuple[Protocol, Image]]:
    """Draws and saves the figures of each protocol.

    Args:
      results: what was searched.
      differences: of `ResultTables`.
      folder: where they go.
    """
    looks = _looks([variant.label for variant in results.variants])
    for protocol in results.scope.protocols:
        for dataset in results.scope.datasets:
            title = f"{TITLES[dataset]}: {protocol.title}"
            file = folder / f"{protocol.stem}_{dataset}.png"
            style.save(_curves(results, protocol, dataset, looks), file, 160)
            yield (
                protocol,
                Image(
                    file,
                    f"{title}. How far the best cell so far is below the best "
                    "of its column, by queries: means over runs with 95% t "
                    "intervals of the mean; and how many runs have met the "
                    f"searched column's best cell. The dotted line is {EXACT}.",
                    f"Lines with bands: regret by queries on {TITLES[dataset]}"
                    f", {protocol.label}; the tables have the numbers.",
                ),
            )
        part = differences[
            (differences["protocol"] == protocol.label)
            & (differences["measure"] == TESTED)
        ]
        if len(part):
            file = folder / f"{protocol.stem}_differences.png"
            style.save(_forest(results, part, protocol), file, 160)
            yield (
                protocol,
                Image(
                    file,
                    f"{protocol.title}: paired differences of the test "
                    "accuracies that were found, with 95% t intervals and "
                    "the p-value by Holm. The grey band is what training a "
                    "cell anew changes.",
                    "Marks with intervals: the numbers of the table of "
                    f"paired differences, {protocol.label}.",
                ),
            )


def _looks(labels: Sequence[str]) -> dict[str, Look]:
    """How each is drawn; told apart in grey print, too."""
    return {
        label: Look(
            label,
            _COLORS[place % len(_COLORS)],
            _DASHES[place % len(_DASHES)],
            _MARKERS[place % len(_MARKERS)],
        )
        for place, label in enumerate(labels)
    }


@style.styled
def _curves(
    results: Results,
    protocol: Protocol,
    dataset: str,
    looks: Mapping[str, Look],
) -> Figure:
    """Regrets and the share of runs that met the best cell, by queries."""
    column = protocol.searched(dataset)
    shown = {"searched": column}
    if not protocol.leak:
        shown["test of that cell"] = TableColumn(dataset, "test")
    count = len(shown) + 1
    figure, panels = style.make_figure(1, count, width=3.1 * count, height=3.9)
    every = {
        variant.label: results.searched[variant.label, column]
        for variant in results.variants
    }
    places = next(iter(every.values())).counts
    chance = [chances(table.accuracies(column), n) for n in places]
    for axes, (what, told) in zip(panels, shown.items(), strict=False):
        values = 100 * table.accuracies(told)
        exact = [values.max() - expect(each, values).mean for each in chance]
        _line(axes, places, np.array(exact), _EXACT_LOOK)
        for label, own in every.items():
            _band(axes, places, values.max() - values[own.best], looks[label])
        leak = ", a leak" if told.split == "test" and protocol.leak else ""
        axes.set_title(f"{what}{leak}:\n{_short(told)}", fontsize=8)
        axes.set_ylabel("points below the best")
        axes.set_ylim(bottom=0)
    _draw_shares(panels[-1], table.accuracies(column), chance, every, looks)
    for axes in panels:
        axes.set_xlabel("queries")
        axes.set_xscale("log")
        axes.set_xlim(max(1, places[-1] // _BEGIN), places[-1])
        axes.xaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    figure.suptitle(
        f"{TITLES[dataset]} | {protocol.title} | {results.seeds:,} runs each"
    )
    style.add_legend(figure)
    return figure


def _short(column: TableColumn) -> str:
    return f"{TITLES[column.dataset]} {column.split}, {column.epochs} epochs"


def _line(axes: Axes, places: np.ndarray, mean: np.ndarray, look: Look) -> None:
    shown = places >= places[-1] // _BEGIN
    axes.plot(
        places[shown],
        mean[shown],
        color=look.color,
        linestyle=look.dashes,
        label=style.plain_text(look.title),
    )


def _band(
    axes: Axes, places: np.ndarray, regrets: np.ndarray, look: Look
) -> None:
    """Mean and interval of regrets `[runs, places]`."""
    mean, low, high = mean_interval(regrets, (0.0, 100.0))
    # Cut as the lines are, so that the axis shows no more than they do.
    shown = places >= places[-1] // _BEGIN
    axes.fill_between(
        places[shown],
        low[shown],
        high[shown],
        color=style.tint(look.color),
        alpha=0.4,
        linewidth=0,
    )
    _line(axes, places, mean, look)


def _draw_shares(
    axes: Axes,
    values: np.ndarray,
    chance: Sequence[np.ndarray],
    every: Mapping[str, Searched],
    looks: Mapping[str, Look],
) -> None:
    best = values == values.max()
    exact = np.array([each[best].sum() for each in chance])
    for label, own in every.items():
        met = own.met[:, None] <= own.counts
        _line(axes, own.counts, met.mean(axis=0), looks[label])
    _line(axes, next(iter(every.values())).counts, exact, _EXACT_LOOK)
    style.percent_axis(axes.yaxis)
    axes.set_ylim(0, 1.02)
    axes.set_ylabel("runs")
    axes.set_title(
        "runs that met the best cell\nof the searched column", size=8
    )


@style.styled
def _forest(
    results: Results, differences: pd.DataFrame, protocol: Protocol
) -> Figure:
    """A panel for each data set, a line for each pair of methods."""
    datasets = list(dict.fromkeys(differences["dataset"]))
    rival = results.variants[0].label
    pairs = differences[differences["dataset"] == datasets[0]]
    if len(pairs) > _MOST_PAIRS:
        differences = differences[differences["first"] == rival]
    count = len(differences) // len(datasets)
    figure, panels = style.make_figure(
        1,
        len(datasets),
        width=2.2 + 2.2 * len(datasets),
        height=1.3 + 0.38 * count,
        sharey=True,
    )
    look = Look("", style.BLUE, "-", "D")
    for axes, dataset in zip(panels, datasets, strict=True):
        part = differences[differences["dataset"] == dataset]
        noise = NOISE[dataset]
        axes.axvspan(-noise, noise, color=style.PALE, linewidth=0)
        lines = part.assign(p_value=part["p_holm"])
        draw_forest(axes, lines, look, 1.0)
        axes.set_title(TITLES[dataset])
        axes.tick_params(axis="x", labelsize=7)
    first = differences[differences["dataset"] == datasets[0]]
    names = [f"{row['first']}\nminus {row['second']}" for row in _rows(first)]
    panels[0].set_yticks(range(count))
    panels[0].set_yticklabels([style.plain_text(name) for name in names])
    panels[0].set_ylim(count - 0.5, -0.75)
    figure.suptitle(protocol.title)
    figure.supxlabel("difference of test accuracy (points)", fontsize=9)
    return figure


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return frame.to_dict("records")
