"""A search from its data to its figures, as all but MLPNAS run."""

import functools
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments import launch, plot_run, side_by_side
from experiments.language import commands as language
from experiments.support import (
    cell_ranks,
    small_presets,
    table_search,
    then_train,
)
from experiments.support.terms import make_terms
from flags.methods import Method
from nascore.config import flatten
from nascore.errors import printable
from nascore.evaluators.config import ChildWorkConfig
from nascore.evaluators.mixed_weights import MixedWeights
from nascore.evaluators.nasbench201.shared201 import Shared201Weights
from nascore.evaluators.nasbench201.tabular import Tabular
from nascore.process.memory import Watch, resident
from nascore.runs.config import RunConfig
from nascore.runs.folder import RunFolder
from nascore.runs.interrupts import Limit
from nascore.runs.reader import read_run
from nascore.search.assemble import Assembly
from nascore.search.phases import EVALUATIONS
from nascore.search.ranking import Ranked
from nascore.search.search import Search
from nascore.search.summaries import show_score
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.cells import CellSpace
from nascore.spaces.chain import ChainSpace
from nascore.spaces.macro import MacroSpace
from nascore.spaces.recurrent import RecurrentSpace


def run(
    method: Method,
    config: Any,
    folder: RunFolder,
    run_config: RunConfig,
    work: ChildWorkConfig | None = None,
) -> None:
    """Searches to the end, prints the ranking and draws the run.

    Args:
      method: what searches.
      config: its settings.
      folder: where everything is written.
      run_config: what holds for this start.
      work: processes that children are trained in, where a method has any.
    """
    own = ChildWorkConfig() if work is None else work
    side_by_side.check(own, config)
    with side_by_side.backend(own):
        _run(method, config, folder, run_config, own)


def _run(
    method: Method,
    config: Any,
    folder: RunFolder,
    run_config: RunConfig,
    work: ChildWorkConfig,
) -> None:
    """Does what `run` says, in processes of its own or of a cluster."""
    assembly: Assembly = importlib.import_module(method.module)  # type: ignore
    base_memory = resident()
    data = assembly.load(config)
    need = side_by_side.estimate(
        work, assembly.estimate(config, data, base_memory)
    )
    watch = Watch(need, folder.path)
    watch.start(run_config.ignore_memory)
    search = assembly.make_search(
        config, folder, data, run_config.checkpoint_minutes
    )
    side_by_side.spread(work, search)
    _describe_start(search, assembly.summarize(data), data.notes)
    epochs = flatten(config).get("then_train", 0)
    plural = "s" * (epochs > 1)
    after = f", then two trainings of {epochs} epoch{plural} each" * bool(
        epochs
    )
    terms = make_terms(run_config, need, small_presets.shorter(config), after)
    ranked = search.run(terms, run_config.finish)
    _print_end(search, ranked)
    cells = flatten(config).get("rank_cells", 0)
    if cells and not search.cut:
        _rank_cells(search, cells, run_config)
    watch.end()
    print(f"\nrun folder: {folder.path}")
    for path in plot_run.plot_run(folder.path):
        print(f"wrote {path}")
    if search.cut:
        later = ", and train two of them (--then_train) after the last"
        later *= bool(epochs)
        if cells:
            later = f", and measure {cells:,} cells after the last"
        print(
            f"\nthis is the ranking after {search.epoch} of "
            f"{search.schedule.epochs} epochs; go on{later} "
            f"with: {launch.resuming(folder.path, run_config.max_hours)}"
        )
    elif epochs:
        then_train.then_train(config, folder, run_config)
    _print_next(folder.path)


def _rank_cells(search: Search, count: int, run_config: RunConfig) -> None:
    """Measures cells of the table, as many as there is time for."""
    print(f"\nmeasuring {count:,} cells of the table with these weights")
    limit = Limit(run_config.max_hours, launch.began())
    folder = search.run_folder
    table = cell_ranks.measure(
        search.evaluator, folder, count, search.epoch, limit
    )
    if len(table):
        print(cell_ranks.report(table))
    if len(table) < count:
        again = launch.resuming(folder.path, run_config.max_hours)
        print(
            f"time is up (--max_hours) after {len(table):,} of {count:,} "
            f"cells; go on with: {again}"
        )


def _print_next(path: Path) -> None:
    """Names what a search is good for next."""
    run = read_run(path)
    commands: Sequence[str] = ()
    presets = {
        CellSpace: small_presets.QUICK,
        MacroSpace: small_presets.MACRO_QUICK,
        ChainSpace: small_presets.CHAIN_QUICK,
    }
    preset = presets.get(type(run.space))
    if isinstance(run.space, CellSpace):
        preset = small_presets.QUICK
    if preset:
        commands = then_train.next_commands(path, preset)
    elif run.has_bench201_weights:
        commands = table_search.next_commands_with_weights(run)
    elif isinstance(run.space, Bench201Space):
        commands = table_search.next_commands(run)
    elif isinstance(run.space, RecurrentSpace):
        commands = language.next_commands(path)
    if commands:
        print("\nnext:")
    for command in commands:
        print(f"  {command}")


def _describe_start(search: Search, summary: str, notes: Sequence[str]) -> None:
    """Says what is about to happen."""
    print(summary)
    for note in notes:
        print(f"note: {printable(note)}")
    print(
        f"{search.evaluator.about}; {search.space.size():.3g} architectures; "
        f"run folder {search.run_folder.path}"
    )
    if search.resumed:
        steps = ", ".join(
            f"{search.step(phase)} steps of {phase.name}"
            for phase in search.phases
        )
        print(f"resumed in epoch {search.epoch + 1} after {steps}")
    sys.stdout.flush()


def _print_end(search: Search, ranked: list[Ranked]) -> None:
    """Prints the ranking, and what its numbers are not."""
    measures = search.evaluator.measures
    show = functools.partial(show_score, search.evaluator)
    means = search.records.column(f"{measures}_mean")
    what = f"mean {measures.replace('_', ' ')} of sampled architectures"
    if isinstance(search.evaluator, MixedWeights):
        what = f"{measures} of the derived cell"
    print(
        f"\n{what}{search.evaluator.where}: {show(means[0])} in the first "
        f"epoch, {show(means[-1])} in the last"
    )
    if isinstance(search.evaluator, Shared201Weights):
        told = search.records.column("table_cifar10_mean")
        print(
            f"the same in the table (CIFAR-10, test): {show(told[0])} and "
            f"{show(told[-1])}"
        )
    names = list(ranked[0].measured)
    of_text = isinstance(search.space, RecurrentSpace)
    unit = "3f" if of_text else f"{search.evaluator.decimals}%"
    heads = [name.replace("_", "-").removesuffix("-accuracy") for name in names]
    print("\nrank  " + "  ".join(f"{h:>10}" for h in heads) + "  architecture")
    for rank, entry in enumerate(ranked, 1):
        numbers = "  ".join(
            f"{value:{max(10, len(head))}.{unit}}"
            for head, value in zip(heads, entry.measured.values(), strict=True)
        )
        text = search.space.format(entry.architecture)
        print(f"{rank:4d}  {numbers}  {text}")
    print(f"\n{search.space.describe(ranked[0].architecture)}")
    if search.evaluator.caveat:
        print(f"\n{search.evaluator.caveat}")
    if isinstance(search.evaluator, Tabular):
        queries = len(search.run_folder.read(EVALUATIONS))
        print(
            f"\n{table_search.beside_random(search.evaluator, ranked, queries)}"
        )
