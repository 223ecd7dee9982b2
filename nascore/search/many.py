"""Many searches of one method over a table, each with a seed of its own.

Strategies that are TensorFlow alone search in one compiled loop, stacked;
others one after the other. There are no run folders: what is returned is
which rows were asked for. Each search is the one that a run folder would
hold for that seed (`nascore.baselines.table`): host strategies equal to the
bit, stacked networks but for rounding.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from nascore.errors import RunStopped
from nascore.protocols import Evaluator, Reward, Strategy
from nascore.runs.progress import next_stretch
from nascore.search.phases import AskTell, StepSeeds
from nascore.seeds import Stream, fold, fold_in
from nascore.spaces.space import Space

# Searches that are stacked: more take memory, and no less time each.
STACKED = 100
# Of the first stretch, which compiles the loop.
_FIRST_STEPS = 8


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
# Is told how many more rows were looked up, of all searches together.
Watch = Callable[[int], None]


class Found(NamedTuple):
    """What some searches asked for.

    Attributes:
      seeds: of the searches.
      rows: int8 `[runs, queries, length]`; fewer where nothing new was
        asked for.
      columns: float32 `[runs, queries]`, what was noted of each row, by name.
    """

    seeds: Sequence[int]
    rows: np.ndarray
    columns: Mapping[str, np.ndarray] = {}


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
    watch: Watch = lambda rows: None,
    columns: Sequence[str] = (),
) -> Iterator[Found]:
    """Searches with each seed.

    Args:
      space: to search.
      evaluator: a table.
      make: makes strategy and reward.
      seeds: of the searches.
      queries: rows that each asks for, repeated ones included.
      stacked: searches at once, where they can be.
      watch: is called every few seconds; an interrupt is answered there.
      columns: of the evaluations that are wanted, too.

    Yields:
      What the next searches found; what they are is up to the strategy.

    Raises:
      RunStopped: a number is not finite.
    """
    parts = make(seeds[:1])
    if not (parts.strategy.in_graph and evaluator.in_graph):
        for seed in seeds:
            one = _Searches(space, evaluator, make([seed]), [seed])
            yield one.run(queries, watch, columns)
        return
    searches: _Searches | None = None
    for start in range(0, len(seeds), stacked):
        some = seeds[start : start + stacked]
        if searches is None or len(some) != len(searches.seeds):
            searches = _Searches(space, evaluator, make(some), some)
        else:
            searches.restart(some)
        yield searches.run(queries, watch, columns)


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

    def run(
        self, queries: int, watch: Watch, columns: Sequence[str] = ()
    ) -> Found:
        """Searches from the beginning to the end.

        Raises:
          RunStopped: a number is not finite.
        """
        runs, batch = len(self.seeds), self._parts.batch
        steps = -(-queries // batch)
        # Python is entered between stretches only; one alone would be deaf.
        parts: list[dict[str, np.ndarray]] = []
        done, stretch = 0, _FIRST_STEPS
        while done < steps:
            stop, began = min(steps, done + stretch), time.monotonic()
            found = self._stretch(done, stop)
            parts.append({name: found[name] for name in ("row", *columns)})
            watch(count := len(found["row"]))
            if count < (stop - done) * runs * batch:
                break  # Nothing new is asked for any more.
            stretch = next_stretch(stop - done, time.monotonic() - began)
            done = stop

        def by_run(name: str) -> np.ndarray:
            values = np.concatenate([part[name] for part in parts])
            if runs == 1:  # Its last step may be short.
                return values[None, :queries]
            by_step = values.reshape(-1, runs, batch, *values.shape[1:])
            turned = by_step.swapaxes(0, 1)
            return turned.reshape(runs, -1, *values.shape[1:])[:, :queries]

        noted = {name: by_run(name) for name in columns}
        return Found(self.seeds, by_run("row"), noted)

    def _stretch(self, start: int, stop: int) -> dict[str, np.ndarray]:
        """Columns of some steps; `row` is int8 `[steps * runs * batch, ...]`.

        Raises:
          RunStopped: a number is not finite.
        """
        runs, batch = len(self.seeds), self._parts.batch
        columns = dict(self._phase.run(0, start, stop))
        sick = np.flatnonzero(~np.asarray(columns["healthy"]))
        if len(sick):
            row = {name: values[sick[0]] for name, values in columns.items()}
            seed = self.seeds[sick[0] % (runs * batch) // batch]
            what, mend = self._phase.explain(row)
            raise RunStopped(f"seed {seed}: {what}. {mend}")
        return {**columns, "row": np.asarray(columns["row"], np.int8)}
