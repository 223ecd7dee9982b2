"""Makes the searches of a plan, one file after the other.

python -m experiments.benchmark.work FOLDER/jobs/1
"""

import importlib
import itertools
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments import launch
from experiments.benchmark import store
from experiments.benchmark.plan import read_plan
from experiments.benchmark.store import Chunk
from flags import method_settings, methods
from nascore.config import flatten, unflatten
from nascore.errors import InputError, RunStopped
from nascore.runs.config import COST_FILE
from nascore.runs.folder import RunFolder
from nascore.runs.progress import NO_TERMS, Cost, Outlook
from nascore.runs.versions import git_commit, host, package_versions

Planned = tuple[Chunk, str, dict[str, Any]]


def main(args: list[str]) -> None:
    """Makes what is not there yet."""
    if len(args) != 1:
        raise InputError("name one folder of a plan")
    folder = Path(args[0])
    planned = [each for each in read_plan(folder) if not each[0].file.exists()]
    left = Counter[str]()
    for chunk, *_ in planned:
        left[chunk.label] += len(chunk) * chunk.queries
    about = {
        "commit": git_commit(),
        "machine": host(),
        "versions": package_versions(),
    }
    with RunFolder(folder):
        outlook = Outlook(lambda: {k: float(v) for k, v in left.items() if v})
        cost = Cost(folder / COST_FILE, outlook, NO_TERMS, 1.0)
        # Those of one column follow each other: it is compiled once for all
        # that are equally many.
        failed: dict[str, str] = {}
        for (label, *_), group in itertools.groupby(planned, _kind):
            try:
                _search(list(group), about, left, cost)
            except (InputError, RunStopped) as error:
                # The others are searched all the same.
                failed.setdefault(label, str(error))
    if failed:
        each = "; ".join(f"{label}: {text}" for label, text in failed.items())
        raise RunStopped(each)


def _kind(planned: Planned) -> tuple[Any, ...]:
    chunk = planned[0]
    return chunk.label, chunk.column, chunk.queries, len(chunk)


def _search(
    planned: Sequence[Planned],
    about: dict[str, Any],
    left: Counter[str],
    cost: Cost,
) -> None:
    """Makes chunks of one variant, column and size."""
    # TensorFlow takes seconds to import, and a bad plan needs it not.
    import keras

    from nascore.evaluators.nasbench201.config import TableConfig
    from nascore.evaluators.nasbench201.tabular import Tabular
    from nascore.process import runtime
    from nascore.search.many import search_many
    from nascore.spaces.bench201 import Bench201Space, codes_of

    runtime.configure()
    (chunk, name, settings), method = planned[0], methods.find(planned[0][1])
    table = TableConfig(
        chunk.column.dataset, chunk.column.split, str(chunk.column.epochs)
    )
    config = unflatten(
        method.config,
        {**flatten(method.config), **settings, **flatten(table)},
    )
    config = method_settings.with_settings(name, config)
    parts = importlib.import_module(method.module)
    seeds = [seed for each, *_ in planned for seed in _seeds_of(each)]
    # What follows from the seeds needs it not; nothing else may differ.
    keras.utils.set_random_seed(seeds[0])

    def watch(rows: int) -> None:
        left[chunk.label] = max(0, left[chunk.label] - rows)
        cost.add(chunk.label, rows)
        if all(cost.pace.each(label) for label, count in left.items() if count):
            text = cost.tell()
            if text:
                print(text, flush=True)

    runs = (
        row
        for found in search_many(
            Bench201Space(),
            Tabular(table),
            lambda some: parts.make_parts(config, some),
            seeds,
            chunk.queries,
            len(chunk),
            watch,
        )
        for row in codes_of(found.rows)
    )
    for each, *_ in planned:
        _save(each, runs, about)


def _save(chunk: Chunk, runs: Iterator[np.ndarray], about: Any) -> None:
    """Takes as many runs as the file holds, and writes it."""
    began = time.monotonic()
    codes = np.full((len(chunk), chunk.queries), store.NONE, np.uint16)
    for place in range(len(chunk)):
        run = next(runs)
        codes[place, : len(run)] = run
    seconds = time.monotonic() - began
    seeds = np.array(_seeds_of(chunk))
    store.save(chunk.file, store.Stored(seeds, codes, seconds, about))
    print(
        f"{chunk.label}, {chunk.column}: seeds {seeds[0]} to {seeds[-1]}  "
        f"[{seconds:.1f} s]",
        flush=True,
    )


def _seeds_of(chunk: Chunk) -> list[int]:
    return list(range(chunk.seeds[0], chunk.seeds[1] + 1))


def cli() -> None:
    """Console entry point."""
    launch.quiet_tensorflow()
    launch.run(main)


if __name__ == "__main__":
    cli()
