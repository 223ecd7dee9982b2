"""Many searches of one method over a table, each with a seed of its own.

Strategies that are TensorFlow alone search in one compiled loop, stacked;
others one after the other. There are no run folders: what is returned is
which rows were asked for. Each search is the one that a run folder would
hold for that seed (`nascore.baselines.table`): host strategies equal to the
bit, stacked networks but for rounding.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from nascore.errors import RunStopped
from nascore.protocols import Evaluator, Reward, Strategy
from nascore.search.phases import AskTell, StepSeeds
from nascore.seeds import Stream, fold, fold_in
from nascore.spaces.space import Space

# Searches that are stacked: more take memory, and no less time each.
STACKED = 100


class Restarts(Protocol):
    """What strategies and rewards have that search stacked."""

    def restart(self, seeds: Sequence[int]) -> None:
        """Forgets all, and begins as if it were made for these seeds."""


class Parts(NamedTuple):
    """What makes a method, beside space and evaluator.

    Attributes:
      strategy: is asked and told.
      reward: makes rewards of the scores.
      batch: rows that are asked for at once, in each search.
    """

    strategy: Strategy
    reward: Reward
    batch: int = 1


# Makes the parts for the searches of these seeds.
MakeParts = Callable[[Sequence[int]], Parts]


class Found(NamedTuple):
    """What some searches asked for.

    Attributes:
      seeds: of the searches.
      rows: int8 `[runs, queries, length]`.
    """

    seeds: Sequence[int]
    rows: np.ndarray


class StreamSeeds(tf.Module):
    """The seeds of each step of searches without training; see `Seeds`.

    A step's seed follows from how many there were before in its search,
    however they are parted into epochs.

    Args:
      seeds: of the searches.
      steps: of an epoch.
    """

    def __init__(self, seeds: Sequence[int], steps: int) -> None:
        super().__init__(name="stream_seeds")
        self._steps = steps
        # From step to step `fold_in` changes the second number only.
        self._first = _first_numbers(seeds)
        self._variable = tf.Variable(self._first, trainable=False)

    def restart(self, seeds: Sequence[int]) -> None:
        """Begins again with other seeds, equally many."""
        self._first = _first_numbers(seeds)
        self._variable.assign(self._first)

    def __call__(self, epoch: Any, step: Any) -> StepSeeds:
        """Int32 `[2]` each for one search, `[runs, 2]` for several.

        NumPy's for a step that is a number.
        """
        number = epoch * self._steps + step
        if isinstance(number, tf.Tensor):
            first: Any = self._variable
            second = tf.fill(self._first.shape, number)
            found = tf.unstack(tf.stack([first, second], axis=2))
        else:
            second = np.full_like(self._first, number)
            found = list(np.stack([self._first, second], axis=2))
        if self._first.shape[1] == 1:
            found = [each[0] for each in found]
        return StepSeeds(*found)


def _first_numbers(seeds: Sequence[int]) -> np.ndarray:
    """Of the seeds of asking and of measuring, int32 `[2, runs]`."""
    streams = (Stream.CONTROLLER_ARCHITECTURES, Stream.REWARD_BATCH)
    return np.array(
        [
            [int(fold_in(fold(seed, stream), 0)[0]) for seed in seeds]
            for stream in streams
        ],
        np.int32,
    )


def search_many(
    space: Space,
    evaluator: Evaluator,
    make: MakeParts,
    seeds: Sequence[int],
    queries: int,
    stacked: int = STACKED,
) -> Iterator[Found]:
    """Searches with each seed.

    Args:
      space: to search.
      evaluator: a table.
      make: makes strategy and reward.
      seeds: of the searches.
      queries: rows that each asks for, repeated ones included.
      stacked: searches at once, where they can be.

    Yields:
      What the next searches found; what they are is up to the strategy.

    Raises:
      RunStopped: a number is not finite.
    """
    parts = make(seeds[:1])
    if not (parts.strategy.in_graph and evaluator.in_graph):
        for seed in seeds:
            one = _Searches(space, evaluator, make([seed]), [seed])
            yield one.run(queries)
        return
    searches: _Searches | None = None
    for start in range(0, len(seeds), stacked):
        some = seeds[start : start + stacked]
        if searches is None or len(some) != len(searches.seeds):
            searches = _Searches(space, evaluator, make(some), some)
        else:
            searches.restart(some)
        yield searches.run(queries)


class _Searches:
    """Some searches at once, which can be begun again without tracing."""

    def __init__(
        self,
        space: Space,
        evaluator: Evaluator,
        parts: Parts,
        seeds: Sequence[int],
    ) -> None:
        self.seeds = seeds
        self._parts = parts
        # All steps are one epoch.
        self._streams = StreamSeeds(seeds, 0)
        self._phase = AskTell(
            space,
            parts.strategy,
            evaluator,
            parts.reward,
            0,
            parts.batch,
            self._streams,
            len(seeds),
        )

    def restart(self, seeds: Sequence[int]) -> None:
        """Begins with other seeds, equally many."""
        self.seeds = seeds
        restarted: Any = self._parts
        restarted.strategy.restart(seeds)
        restarted.reward.restart()
        self._streams.restart(seeds)
        self._phase.state["evaluated"].assign(0)

    def run(self, queries: int) -> Found:
        """Searches from the beginning to the end.

        Raises:
          RunStopped: a number is not finite.
        """
        runs, batch = len(self.seeds), self._parts.batch
        steps = -(-queries // batch)
        columns = self._phase.run(0, 0, steps)
        sick = np.flatnonzero(~np.asarray(columns["healthy"]))
        if len(sick):
            row = {name: values[sick[0]] for name, values in columns.items()}
            seed = self.seeds[sick[0] % (runs * batch) // batch]
            what, mend = self._phase.explain(row)
            raise RunStopped(f"seed {seed}: {what}. {mend}")
        rows = np.asarray(columns["row"], np.int8)
        by_step = rows.reshape(-1, runs, batch, rows.shape[-1])
        by_run = by_step.transpose(1, 0, 2, 3).reshape(runs, -1, rows.shape[-1])
        return Found(self.seeds, by_run[:, :queries])
