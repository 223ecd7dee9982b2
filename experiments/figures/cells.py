"""The figures of a search of cells: operations, and the best cells."""

from collections.abc import Iterator

from matplotlib.figure import Figure

from experiments.figures import embeddings, populations
from experiments.figures.operation_shares import draw_shares, shares_by_epoch
from experiments.figures.runs import title_of
from nascore.drawing.cells import draw_architecture
from nascore.drawing.style import add_legend, count_axis, make_figure, styled
from nascore.runs.reader import RunRecords


def draw(run: RunRecords, top: int) -> Iterator[tuple[str, Figure]]:
    """Yields name and figure.

    Args:
      run: with at least one evaluation.
      top: how many of the best architectures are drawn.
    """
    # Alphas, where a search has them, say more.
    chosen = populations.has_population(run) or embeddings.has_path(run)
    if not run.child.empty or chosen:
        yield "operations", _plot_operations(run)
    ranking = run.derived or run.best
    inherit = run.settings.get("config", {}).get("inherit", "shared")
    weights = "shared" if inherit == "shared" else "own"
    for entry in ranking[:top]:
        if run.derived:
            measured = (
                f"{entry['validation_accuracy']:.1%} of the validation set"
            )
        else:
            images = "one validation batch"
            if weights == "own":
                images = "the validation set"
            measured = f"{entry[run.measures]:.1%} of {images}"
        title = f"rank {entry['rank']}: {measured}, {weights} weights"
        architecture = run.cells.parse(entry["architecture"])
        yield (
            f"best_cell_{entry['rank']}",
            draw_architecture(architecture, run.cells, title),
        )


@styled
def _plot_operations(run: RunRecords) -> Figure:
    """The share of each operation, by epoch and cell type."""
    space = run.cells
    figure, panels = make_figure(
        len(space.cell_types),
        height=2.2 * len(space.cell_types) + 0.4,
        sharex=True,
    )
    for axes, name in zip(panels, space.cell_types, strict=True):
        shares = shares_by_epoch(run.evaluations, name, space.operations)
        draw_shares(axes, shares)
        axes.set_ylabel(f"share in the {name} cell")
    panels[0].set_title(f"{title_of(run)}: operations")
    panels[-1].set_xlabel("epoch")
    count_axis(panels[-1].xaxis)
    add_legend(figure, beside=True)
    return figure
