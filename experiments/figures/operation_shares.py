"""Which operations a search chose: their shares over its epochs."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from nascore.drawing.cells import operation_label
from nascore.drawing.style import area_looks, percent_axis


def count_shares(cells: Iterable[str], operations: Sequence[str]) -> np.ndarray:
    """The share of each operation in some cells, float64 `[operations]`.

    Args:
      cells: as texts, inputs and operations by turns.
      operations: their names, in the order of the numbers in the texts.
    """
    chosen = np.array([text.split()[1::2] for text in cells], int)
    counts = np.bincount(chosen.ravel(), minlength=len(operations))
    return counts / counts.sum()


def shares_by_epoch(
    evaluations: pd.DataFrame, cell_type: str, operations: Sequence[str]
) -> pd.DataFrame:
    """Shares among the architectures of each epoch.

    Args:
      evaluations: a row for each architecture, of one run or of several.
      cell_type: whose operations.
      operations: their names.

    Returns:
      A row for each epoch, counted from 1, and a column for each operation.
    """
    shares = {
        epoch + 1: count_shares(cells, operations)
        for epoch, cells in evaluations.groupby("epoch")[f"{cell_type}_cell"]
    }
    return pd.DataFrame.from_dict(
        shares, orient="index", columns=list(operations)
    )


def draw_shares(axes: Axes, shares: pd.DataFrame) -> None:
    """Draws shares as areas, one above the other.

    Args:
      axes: where.
      shares: of `shares_by_epoch`.
    """
    epochs = shares.index.to_numpy(float)
    values = shares.to_numpy().T
    if len(epochs) == 1:
        # One epoch has no width of its own.
        epochs = epochs[0] + np.array([-0.5, 0.5])
        values = np.repeat(values, 2, axis=1)
    areas = axes.stackplot(
        epochs,
        values,
        labels=[operation_label(name) for name in shares],
        edgecolor="white",
        linewidth=0.6,
    )
    for area, (color, hatch) in zip(areas, area_looks(), strict=False):
        area.set(facecolor=color, hatch=hatch)
    axes.set_xlim(epochs[0], epochs[-1])
    axes.set_ylim(0, 1)
    percent_axis(axes.yaxis)
    axes.grid(False)
