"""The one style of all figures: colours, sizes, ticks and legends.

The colours are those of Okabe and Ito (Color Universal Design, 2008), which
people with any colour vision tell apart. Print in grey tells things apart by
dashes and markers, areas by lightness and hatches.
"""

import itertools
from pathlib import Path
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from nascore.errors import printable

BLACK = "#000000"
ORANGE = "#e69f00"
SKY = "#56b4e9"
GREEN = "#009e73"
YELLOW = "#f0e442"
BLUE = "#0072b2"
VERMILLION = "#d55e00"
PURPLE = "#cc79a7"
GREY = "#8c8c8c"
PALE = "#dddddd"

# Of areas side by side; neighbours differ in lightness.
AREAS = (BLUE, SKY, VERMILLION, ORANGE, PALE, GREEN, YELLOW, PURPLE, BLACK)
HATCHES = ("", "///", "", "...", "", "\\\\\\", "", "xxx", "")
# Many small points, of which each says little.
POINTS: dict[str, Any] = {"s": 5, "color": "#a6a6a6", "linewidths": 0}

_RULES: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(
        color=[BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK]
    ),
    "axes.xmargin": 0.02,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e2e2e2",
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.5,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.markerscale": 1.2,
    "lines.linewidth": 1.6,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "figure.titlesize": 10,
    # Fonts that publishers accept, and the same bytes from the same rows.
    "pdf.fonttype": 42,
    "svg.hashsalt": "figure",
}
# Decorates functions that draw.
styled = mpl.rc_context(_RULES)
# Inches that a letter of a legend takes, and all beside the letters.
_LETTER, _HANDLE = 0.058, 0.55


def plain_text(text: str, most: int = 80) -> str:
    """Text of a file for a figure, where `$` would begin a formula.

    Args:
      text: the text.
      most: letters that there is room for.
    """
    text = printable(text)
    if len(text) > most:
        text = f"{text[:most]}..."
    return text.replace("$", r"\$")


def tint(color: str, strength: float = 0.45) -> tuple[float, float, float]:
    """A colour mixed with white; 1 is the colour itself."""
    red, green, blue = (1 - strength * (1 - part) for part in to_rgb(color))
    return red, green, blue


def make_figure(
    rows: int = 1,
    columns: int = 1,
    width: float = 4.8,
    height: float = 3.2,
    **options: Any,
) -> tuple[Figure, list[Axes]]:
    """A figure that stays readable 8 cm wide.

    Args:
      rows: of panels.
      columns: of panels.
      width: of the whole, in inches.
      height: of the whole, in inches.
      **options: of `Figure.subplots`.

    Returns:
      The figure and its panels, row by row.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, list(grid.ravel())


def add_legend(figure: Figure, beside: bool = False) -> None:
    """Adds the one legend of a figure, where it covers nothing.

    Panels that draw the same thing name it once.

    Args:
      figure: whose panels have labels.
      beside: at the right and bottom up, as areas are stacked; else below.
    """
    named: dict[str, Any] = {}
    for axes in figure.axes:
        handles, labels = axes.get_legend_handles_labels()
        for handle, label in zip(handles, labels, strict=True):
            named.setdefault(label, handle)
    if not named:
        return
    if beside:
        order = list(named)[::-1]
        figure.legend(
            [named[label] for label in order],
            order,
            loc="outside right center",
        )
        return
    wide = _HANDLE + _LETTER * max(map(len, named))
    columns = max(1, min(len(named), int(figure.get_figwidth() / wide)))
    figure.legend(
        named.values(), named, loc="outside lower center", ncols=columns
    )


def count_axis(axis: Axis) -> None:
    """Gives an axis of epochs, steps or numbers whole, round ticks."""
    axis.set_major_locator(
        MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10], min_n_ticks=1)
    )
    axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def percent_axis(axis: Axis) -> None:
    """Writes an axis of shares or accuracies, 0 to 1, in percent."""
    axis.set_major_formatter(lambda share, _: f"{100 * share:.6g}%")


def area_looks() -> "itertools.cycle[tuple[str, str]]":
    """Colour and hatch of areas, in turn."""
    return itertools.cycle(zip(AREAS, HATCHES, strict=True))


@styled
def save(figure: Figure, path: Path, dpi: int = 200) -> None:
    """Writes a figure; its suffix says in which format.

    The same figure gives the same bytes, so no date is written.
    """
    dates = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
    figure.savefig(path, dpi=dpi, metadata=dates.get(path.suffix))
