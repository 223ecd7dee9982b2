"""Figure and table of `benchmarks.growth`; needs no TensorFlow."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

# For each variable its points, smallest first, as rows of names and numbers.
Sweeps = Mapping[str, Sequence[Mapping[str, float]]]

FIXED = {
    "batch": "20 filters, 8 layers, 5 nodes, 1,000 images",
    "filters": "batch 32, 8 layers, 5 nodes, 1,000 images",
    "layers": "batch 32, 20 filters, 5 nodes, 1,000 images",
    "nodes": "batch 32, 20 filters, 8 layers, 1,000 images",
    "images": "batch 128, 20 filters, 8 layers, 5 nodes",
}
_LABELS = {
    "batch": "batch (images)",
    "filters": "filters (channels)",
    "layers": "layers in total",
    "nodes": "nodes per cell",
    "images": "training images",
}


@dataclasses.dataclass(frozen=True)
class _Measure:
    """Something that was measured.

    Attributes:
      column: of the rows.
      label: with its unit.
      scale: what a value is divided by for that unit.
    """

    column: str
    label: str
    scale: float = 1.0

    def values(self, points: Sequence[Mapping[str, float]]) -> np.ndarray:
        """The points' values in the label's unit."""
        return np.array([point[self.column] for point in points]) / self.scale


_MEASURES = (
    _Measure("step_s", "child step (s)"),
    _Measure("evaluation_s", "evaluation (s)"),
    _Measure("peak_bytes", "peak memory (GiB)", 2**30),
    _Measure("start_up_s", "start-up (s)"),
)
_WORK = _Measure("multiply_adds", "multiply-adds (10⁹)", 1e9)


@dataclasses.dataclass(frozen=True)
class Law:
    """`factor * x ** exponent`, and the exponent's standard error."""

    exponent: float
    error: float
    factor: float

    def at(self, x: np.ndarray) -> np.ndarray:
        """Its values."""
        return self.factor * x**self.exponent

    def __str__(self) -> str:
        return f"{self.rounded} ± {self.error:.2f}"

    @property
    def rounded(self) -> str:
        """The exponent as text; no minus sign before a zero."""
        return f"{round(self.exponent, 2) + 0.0:.2f}"


def fit(
    x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray
) -> Law:
    """Fits a power law: a line through the logarithms, by least squares.

    Args:
      x: at least three different sizes.
      y: what was measured there; positive.
    """
    across, up = np.log(x), np.log(y)
    centred = across - across.mean()
    spread = float(centred @ centred)
    exponent = float(centred @ up) / spread
    level = float(up.mean() - exponent * across.mean())
    rest = up - level - exponent * across
    variance = float(rest @ rest) / (len(across) - 2)
    return Law(exponent, math.sqrt(variance / spread), math.exp(level))


def draw(sweeps: Sweeps) -> Figure:
    """One column for each variable, one row for each measure."""
    figure = Figure(
        figsize=(2.9 * len(sweeps), 2.5 * len(_MEASURES)), layout="constrained"
    )
    grid = figure.subplots(len(_MEASURES), len(sweeps), squeeze=False)
    for column, (variable, points) in enumerate(sweeps.items()):
        x = np.array([point[variable] for point in points], float)
        work = fit(x, _WORK.values(points))
        for row, measure in enumerate(_MEASURES):
            axes = grid[row][column]
            _draw_panel(axes, x, points, measure, work)
            if column == 0:
                axes.set_ylabel(measure.label)
            if row == len(_MEASURES) - 1:
                axes.set_xlabel(_LABELS[variable])
    figure.legend(
        *grid[0][0].get_legend_handles_labels(),
        loc="outside upper center",
        ncols=3,
        frameon=False,
    )
    return figure


def _draw_panel(
    axes: Axes,
    x: np.ndarray,
    points: Sequence[Mapping[str, float]],
    measure: _Measure,
    work: Law,
) -> None:
    y = measure.values(points)
    law = fit(x, y)
    line = np.geomspace(x[0], x[-1], 50)
    axes.plot(line, law.at(line), "k-", lw=1, label="fitted power law")
    # Through the first point: it says where the work alone would lead.
    axes.plot(
        line,
        y[0] * (line / x[0]) ** work.exponent,
        "--",
        color="0.5",
        lw=1.5,
        label="as the multiply-adds from the first point",
    )
    bars = None
    if f"{measure.column}_least" in points[0]:
        least, most = (
            np.array([point[f"{measure.column}_{end}"] for point in points])
            for end in ("least", "most")
        )
        bars = [y - least, most - y]
    axes.errorbar(
        x,
        y,
        bars,
        fmt="ko",
        ms=4,
        capsize=3,
        label="measured (bars: fastest and slowest round)",
    )
    axes.set(xscale="log", yscale="log")
    # At least a decade, or noise would look like growth.
    low, high = axes.get_ylim()
    grow = max(1.0, math.sqrt(10 * low / high))
    axes.set_ylim(low / grow, high * grow)
    axes.set_xticks(x, [f"{n:,.0f}" for n in x])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(ScalarFormatter())
    axes.ticklabel_format(axis="y", style="plain")
    axes.grid(color="0.9")
    axes.set_title(f"exponent {law}\nmultiply-adds {work.rounded}", fontsize=9)


def write_table(sweeps: Sweeps, path: Path, head: str) -> None:
    """Writes the measured points and the exponents as Markdown.

    Args:
      sweeps: what was measured.
      path: of the file.
      head: what stands above the tables.
    """
    measures = (*_MEASURES, _WORK)
    lines = [head, "", "## Exponents", ""]
    names = [measure.label.rsplit(" (", 1)[0] for measure in measures]
    lines += _table(
        ["variable", *names],
        [
            [
                variable,
                *(
                    str(
                        fit(
                            [point[variable] for point in points],
                            measure.values(points),
                        )
                    )
                    for measure in measures
                ),
            ]
            for variable, points in sweeps.items()
        ],
    )
    for variable, points in sweeps.items():
        lines += ["", f"## {variable}: {FIXED[variable]}", ""]
        columns = [measure.values(points) for measure in measures]
        lines += _table(
            [_LABELS[variable], *(measure.label for measure in measures)],
            [
                [
                    f"{point[variable]:,.0f}",
                    *(_number(column[row]) for column in columns),
                ]
                for row, point in enumerate(points)
            ],
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _number(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    rule = ["---"] * len(head)
    return [f"| {' | '.join(row)} |" for row in (head, rule, *rows)]
