"""What is said at the end of a search over NAS-Bench-201."""

import textwrap
from collections.abc import Sequence

import numpy as np

from experiments.benchmark.statistics import chances, expect
from experiments.support import program
from flags.methods import name_of
from nascore.evaluators.nasbench201.table import accuracies
from nascore.evaluators.nasbench201.tabular import Tabular
from nascore.paths import quote
from nascore.runs.reader import RunRecords
from nascore.search.ranking import Ranked


def beside_random(
    evaluator: Tabular, ranked: Sequence[Ranked], queries: int
) -> str:
    """How a search did beside random search, which is known exactly.

    Args:
      evaluator: of the search.
      ranked: what it found, best first.
      queries: that it made.
    """
    every = accuracies(evaluator.searched)
    expected = expect(chances(every, queries), every)
    text = (
        f"random search with {queries:,} queries finds {expected.mean:.2%} "
        f"+- {expected.deviation:.2%} on average (exact)"
    )
    if not evaluator.config.noise:
        best = ranked[0].score
        # A table that was looked up in a graph has seven digits.
        below = np.mean(every < best - 1e-7) ** queries
        upto = np.mean(every <= best + 1e-7) ** queries
        text += (
            f"; this search found {best:.2%}: {below:.0%} of random searches "
            f"end below, {1 - upto:.0%} above. One search decides nothing"
        )
    return textwrap.fill(text, 79)


def next_commands(run: RunRecords) -> list[str]:
    """Three commands that go on from a search over the table."""
    path = quote(str(run.path))
    method = name_of(run.settings).removeprefix("bench201_")
    others = f"random,{method}" if method != "random" else "random,evolution"
    commands = (
        f"python -m experiments bench201 --methods={others} --seeds=100",
        f"python -m experiments.describe_architecture {path} --rank=1",
        f"python -m experiments.plot_run {path} --format=pdf",
    )
    return [*map(program.rewrite, commands)]


def next_commands_with_weights(run: RunRecords) -> list[str]:
    """Three commands that go on from a search with weights over its cells."""
    path = quote(str(run.path))
    commands = (
        f"python -m experiments.rank_check {path} --count=15625",
        f"python -m experiments.describe_architecture {path} --rank=1",
        f"python -m experiments.train_final --from_run={path} "
        "--preset=final/bench201_quick",
    )
    return [*map(program.rewrite, commands)]
