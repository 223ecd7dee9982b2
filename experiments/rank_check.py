"""Trains proposals of a search standalone: do the ranks agree?

  python -m experiments.rank_check RUN
  python -m experiments.rank_check RUN --count=8 --epochs=5

Writes `rank_check.csv` into the run folder, a row for each architecture; what
is there already is not trained again. Standalone accuracies are measured on
the search-test images, which did not rank the proposals. Of a search with
weights over NAS-Bench-201's cells nothing is trained: --count random cells are
measured with its weights, and looked up in the table (`cell_ranks.csv`).
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from enas.config import EnasConfig
from experiments import launch
from experiments.jobs import Job
from flags import base, methods
from nascore.config import unflatten
from nascore.errors import InputError, printable
from nascore.runs.csv_files import read_table
from nascore.runs.folder import RunFolder
from nascore.runs.progress import NO_TERMS, Cost, Outlook, Progress
from nascore.runs.reader import (
    RunRecords,
    check_same_data,
    is_ranked,
    read_run,
    settings_with,
)
from nascore.spaces.macro import MacroSpace

_NUMBERS = ("shared_accuracy", "standalone_accuracy", "epochs")
_TEXTS = ("architecture",)
_COST = "rank_cost.json"
_EPOCHS = "epochs"
# What is done where nothing is said.
_PROPOSALS, _LENGTH, _CELLS = 8, 5, 200


def choose(run: RunRecords, count: int) -> list[dict]:
    """Proposals spread evenly over the final ranking, best first."""
    count = min(count, len(run.derived))
    places = np.linspace(0, len(run.derived) - 1, count).round().astype(int)
    return [run.derived[place] for place in places]


@dataclasses.dataclass(frozen=True)
class RankJob(Job):
    """A rank check of one run; its units are architectures.

    Attributes:
      epochs: of each standalone training.
      data_dir: where the data set is; empty: where the search had it.
    """

    epochs: int
    data_dir: str = ""

    @property
    def finished(self) -> bool:
        """Whether every chosen proposal has its row."""
        return not missing(read_run(self.run_dir), self.total, self.epochs)

    @property
    def done(self) -> int:
        """Proposals with a row."""
        run = read_run(self.run_dir)
        return self.total - len(missing(run, self.total, self.epochs))

    @property
    def cost_file(self) -> Path:
        """See `Job.cost_file`; not that of the search."""
        return self.run_dir / _COST

    @property
    def log(self) -> Path:
        """What the process prints."""
        return self.run_dir.with_name(f"{self.run_dir.name}-rank_check.log")

    def command(self) -> list[str]:
        """See `Job.command`."""
        return [
            "experiments.rank_check",
            str(self.run_dir),
            f"--count={self.total}",
            f"--epochs={self.epochs}",
            f"--data_dir={self.data_dir}",
        ]


def missing(run: RunRecords, count: int, epochs: int) -> list[dict]:
    """The chosen proposals that were not trained yet.

    Raises:
      InputError: there are rows of another number of epochs, or measured
        on the images that ranked.
    """
    # Slow to import: after the arguments were checked.
    from experiments.comparison.rows import UNRANKED

    path = run.path / "rank_check.csv"
    table = read_table(path, _NUMBERS, _TEXTS)
    if len(table) and set(table["epochs"]) != {epochs}:
        raise InputError(
            f"{path} holds trainings of {table['epochs'].iloc[0]} epochs; "
            "give the same --rank_check_epochs, or delete it"
        )
    if len(table) and set(table.get("measured_on", ())) != {UNRANKED}:
        raise InputError(
            f"{path} holds standalone accuracies on the images that ranked, "
            "as earlier versions measured them; delete it to measure anew"
        )
    there = set(table["architecture"])
    return [
        entry
        for entry in choose(run, count)
        if entry["architecture"] not in there
    ]


def check_ranks(
    run_dir: Path, count: int, epochs: int, data_dir: str = ""
) -> None:
    """Trains what is missing and writes it down, one by one.

    Args:
      run_dir: the folder of a finished search.
      count: how many proposals are to be trained.
      epochs: of each training.
      data_dir: where the data set is; empty: where the search had it.

    Raises:
      InputError: no finished run.
    """
    run = read_run(run_dir)
    _check_ranked(run)
    space = run.measurable  # Raises where there is no network to train.
    entries = missing(run, count, epochs)
    if not entries:
        print(f"{run_dir} has all its rank checks")
        return
    launch.quiet_tensorflow()
    from keras.utils import set_random_seed

    from nascore.data.images import load
    from nascore.evaluators.standalone import train_standalone
    from nascore.process import runtime

    config: Any = EnasConfig()
    if isinstance(space, MacroSpace):
        config = methods.find(methods.name_of(run.settings)).config
    config = unflatten(config, settings_with(run, data_dir))
    data = load(config.data)
    check_same_data(run, data.fingerprint)
    for note in data.notes:
        print(f"note: {printable(note)}")
    runtime.configure(config.search.deterministic)
    set_random_seed(config.search.seed)
    progress = Progress(len(entries) * epochs, 0, _EPOCHS)
    accuracies = train_standalone(
        config.child,
        config.weights,
        config.data,
        data,
        [space.encode(space.parse(e["architecture"])) for e in entries],
        epochs,
        config.search.seed,
        _counter(progress, run_dir / _COST),
    )
    with RunFolder.open(run_dir) as folder:
        _write(folder, entries, accuracies, epochs, progress)
    progress.close()
    table = read_table(run_dir / "rank_check.csv", _NUMBERS, _TEXTS)
    tau = table["shared_accuracy"].corr(
        table["standalone_accuracy"], method="kendall"
    )
    print(f"Kendall's tau over {len(table)} architectures: {tau:+.2f}")


def _counter(progress: Progress, file: Path) -> Callable[[], None]:
    """Counts an epoch; says once what all take, and writes it there."""
    outlook = Outlook(lambda: {_EPOCHS: progress.left})
    cost = Cost(file, outlook, NO_TERMS, 1.0)

    def count() -> None:
        progress.advance(1, "standalone")
        cost.add(_EPOCHS, 1)
        text = cost.tell()
        if text:
            progress.say(text)

    return count


def _write(
    folder: RunFolder,
    entries: Sequence[dict],
    accuracies: Iterable[float],
    epochs: int,
    progress: Progress,
) -> None:
    """Writes each accuracy down as soon as it is there."""
    from experiments.comparison.rows import UNRANKED

    for entry, accuracy in zip(entries, accuracies, strict=True):
        folder.append(
            "rank_check",
            [
                {
                    "architecture": entry["architecture"],
                    "shared_accuracy": entry["validation_accuracy"],
                    "standalone_accuracy": accuracy,
                    "measured_on": UNRANKED,
                    "epochs": epochs,
                }
            ],
        )
        progress.line(
            f"rank {entry['rank']}: {entry['validation_accuracy']:.1%} "
            f"with shared weights on validation images, {accuracy:.1%} "
            f"after {epochs} epoch{'s' * (epochs > 1)} standalone on "
            "search-test images"
        )


def rank_cells(run: RunRecords, count: int, data_dir: str = "") -> None:
    """Measures cells with the weights of a search, beside the table.

    Args:
      run: a search with weights over NAS-Bench-201's cells.
      count: of cells.
      data_dir: where the data set is; empty: where the search had it.

    Raises:
      InputError: it has no ranking yet, or there are not so many cells.
    """
    # Slow to import: after the arguments were checked.
    from experiments.support import cell_ranks
    from nascore.evaluators.nasbench201.table import CELLS

    _check_ranked(run)
    if count > CELLS:
        raise InputError(f"--count={count} is more than all {CELLS:,} cells")
    launch.quiet_tensorflow()
    from experiments.support.run_weights import load_run

    weights = load_run(run, data_dir).weights
    with RunFolder.open(run.path) as folder:
        table = cell_ranks.measure(weights, folder, count, len(run.epochs))
    print(cell_ranks.report(table))


def _check_ranked(run: RunRecords) -> None:
    """Raises InputError if a search has no final ranking."""
    if not is_ranked(run):
        raise InputError(
            f"{run.path} holds no finished search; finish it with --resume, or "
            "rank what there is with --finish"
        )


def main(args: list[str]) -> None:
    """Checks one run."""
    if len(args) != 1:
        raise InputError(
            "name one run folder: "
            "python -m experiments.rank_check RUN [--count=8]"
        )
    run_dir = Path(args[0])
    if not run_dir.is_dir():
        raise InputError(f"{run_dir} is not a folder")
    values = flags.FLAGS
    run = read_run(run_dir)
    if not run.has_bench201_weights:
        count = values.count or _PROPOSALS
        check_ranks(run_dir, count, values.epochs or _LENGTH, values.data_dir)
        return
    if values.epochs:
        raise InputError(
            f"--epochs={values.epochs} means nothing here: what cells of "
            "NAS-Bench-201 are worth is looked up, not trained; leave it out"
        )
    rank_cells(run, values.count or _CELLS, values.data_dir)


def cli() -> None:
    """Console entry point."""
    flags.DEFINE_integer(
        "count",
        None,
        f"Proposals to train; not given: {_PROPOSALS}. Of NAS-Bench-201 cells "
        f"to measure; not given: {_CELLS}.",
        2,
    )
    flags.DEFINE_integer(
        "epochs",
        None,
        f"Epochs of each training; not given: {_LENGTH}.",
        1,
    )
    base.define_data_dir()
    launch.run(main)


if __name__ == "__main__":
    cli()
