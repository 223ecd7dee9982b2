"""Figures of the recurrent cells that a search found."""

from collections.abc import Iterator

from matplotlib.figure import Figure

from nascore.drawing.recurrent import draw_cell
from nascore.runs.reader import RunRecords
from nascore.spaces.recurrent import RecurrentSpace


def draw(
    run: RunRecords, space: RecurrentSpace, top: int
) -> Iterator[tuple[str, Figure]]:
    """Yields name and figure of the best cells.

    Args:
      run: of recurrent cells.
      space: of it.
      top: how many at most.
    """
    for entry in (run.derived or run.best)[:top]:
        perplexity = entry.get("validation_perplexity")
        measured = f"{entry.get(run.measures, 0):.3f} = 80 / perplexity"
        if perplexity is not None:
            measured = f"perplexity {perplexity:.1f}, validation text"
        title = f"rank {entry['rank']}: {measured}\n(shared weights)"
        cell = space.parse(entry["architecture"])
        yield f"cell_{entry['rank']}", draw_cell(cell, space, title)
