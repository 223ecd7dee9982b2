"""The search of every method: phases, epoch after epoch, in a run folder.

Its whole state is a set of variables and a position (epoch, and the step of
each phase); it can be saved between any two stretches of steps and continued
from there.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nascore.process.runtime import device_names
from nascore.protocols import Evaluator, Phase, Strategy
from nascore.runs.checkpoints import State
from nascore.runs.folder import RunFolder
from nascore.runs.json_files import read_object
from nascore.runs.lifecycle import Lifecycle
from nascore.runs.tables import Row
from nascore.runs.versions import check_continues
from nascore.search.config import SearchConfig
from nascore.search.early_stop import is_exhausted
from nascore.search.ranking import Ranked, Ranking
from nascore.search.records import Records
from nascore.search.score import SAMPLES
from nascore.seeds import Stream, fold
from nascore.spaces.space import Space


class Search:
    """A search in a run folder.

    Args:
      run: where everything is written; an earlier part of the same search
        in it is continued.
      space: of the architectures.
      phases: of an epoch, in order.
      strategy: names the finalists.
      evaluator: ranks them.
      schedule: length of the search.
      config: all settings, for `config.json`.
      about: what runs, and on what data.
      checkpoint_minutes: saves at least this often.

    Raises:
      InputError: the folder holds a run of other settings or other data.
    """

    def __init__(
        self,
        run: RunFolder,
        space: Space,
        phases: Sequence[Phase],
        strategy: Strategy,
        evaluator: Evaluator,
        schedule: SearchConfig,
        config: Any,
        about: Row,
        checkpoint_minutes: float = 10.0,
    ) -> None:
        self.run_folder = run
        self.space = space
        self.phases = phases
        self.strategy = strategy
        self.evaluator = evaluator
        self.schedule = schedule
        if (run.path / "config.json").exists():
            check_continues(run.path, read_object(run.path / "config.json"))
        run.record_start(
            {
                **about,
                "measures": evaluator.measures,
                "devices": device_names(),
            },
            config,
            space,
        )
        self._position = {
            name: tf.Variable(0, trainable=False, name=name)
            for name in ("epoch", *(f"{p.name}_step" for p in phases))
        }
        ranks = phases[-1].name
        self.records = Records(
            run,
            space,
            ranks,
            evaluator.measures,
            schedule.best_count,
            evaluator.measured_on,
        )
        self.ranking = Ranking(run, space, evaluator.ranked_on)
        tables = [phase.name for phase in phases]
        self.lifecycle = Lifecycle(
            run,
            self._state(),
            [*tables, "epochs"],
            checkpoint_minutes,
            lambda: f"after {self.epoch} epochs",
        )
        evaluator.lifecycle = self.lifecycle
        self.records.rewind(self.epoch, tables)

    def _state(self) -> State:
        """Every variable under a name of its own."""
        state: dict[str, Any] = dict(self._position)
        for phase in self.phases:
            state.update(phase.state)
        return state

    @property
    def resumed(self) -> bool:
        """Whether an earlier part of the search was restored."""
        return self.lifecycle.resumed

    @property
    def epoch(self) -> int:
        """The epoch that is under way, from 0."""
        return int(self._position["epoch"])

    def step(self, phase: Phase) -> int:
        """Steps of a phase that are done in this epoch."""
        return int(self._position[f"{phase.name}_step"])

    def run(self) -> list[Ranked]:
        """Searches to the last epoch; returns the finalists, best first.

        Raises:
          Interrupted: a signal came; the state was saved.
          RunStopped: a number is not finite, or the loss exploded.
        """
        epochs = self.schedule.epochs
        per_epoch = [
            sum(p.steps(epoch) * p.weight for p in self.phases)
            for epoch in range(epochs)
        ]
        done = sum(per_epoch[: self.epoch]) + sum(
            self.step(phase) * phase.weight for phase in self.phases
        )
        total = sum(per_epoch)
        if not self.evaluator.ranked:
            total += self.schedule.derive_samples
        with (
            self.lifecycle.working(total, done, "architectures"),
            self._processes(),
        ):
            ended = self._ended_before()
            while self.epoch < epochs and not ended:
                ended = self._exhausted() or self._run_epoch()
            if ended:
                self.lifecycle.line(ended)
            return self._rank()

    def _processes(self) -> contextlib.AbstractContextManager[Any]:
        """Those of an evaluator that has some."""
        if isinstance(self.evaluator, contextlib.AbstractContextManager):
            return self.evaluator
        return contextlib.nullcontext()

    def _exhausted(self) -> str:
        """What the early stop says, if it is on and its time has come."""
        if not self.schedule.early_stop or not self.epoch:
            return ""
        measures = self.evaluator.measures
        # Of fresh samples, where some are scored after each epoch.
        what = "samples" if self.records.ranks == SAMPLES else measures
        best = self.records.column(f"{what}_max")
        if not is_exhausted(best, self.records.column("recent_mean")[-1]):
            return ""
        return (
            f"early stop after {self.epoch} epochs: no better {measures} "
            f"than {max(best):.1%} since epoch {best.index(max(best)) + 1}"
        )

    def _ended_before(self) -> str:
        """Whether it had ended after the last epoch that is saved."""
        if not self.epoch or any(self.step(phase) for phase in self.phases):
            return ""
        return self._ended(self.epoch - 1)

    def _ended(self, epoch: int) -> str:
        """What the phases say of the end of the search, if it has come."""
        reasons = [phase.ended(epoch) for phase in self.phases]
        said = "; ".join(reason for reason in reasons if reason)
        return f"ended after {self.epoch} epochs: {said}" if said else ""

    def _run_epoch(self) -> str:
        """Runs the rest of an epoch; says why the search ends, if it does."""
        epoch = self.epoch
        self.ranking.forget()
        phases = [phase for phase in self.phases if phase.steps(epoch)]
        summary: dict[str, Any] = {"epoch": epoch}
        for phase in phases:
            self._run_phase(phase, epoch)
            rows = self.records.rows(phase.name)
            if not rows:
                # Nothing new was asked for: it is no epoch.
                return self._ended(epoch)
            summary.update(phase.summary(epoch, rows))
        best = self.records.best[0].score
        summary[f"best_{self.evaluator.measures}"] = best
        summary["seconds"] = round(self.lifecycle.stopwatch.seconds, 3)
        self.records.end_epoch(summary)
        for variable in self._position.values():
            variable.assign(0)
        self._position["epoch"].assign(epoch + 1)
        self.lifecycle.end_epoch()
        parts = [phase.line(summary) for phase in phases]
        self.lifecycle.line(
            f"epoch {epoch + 1}/{self.schedule.epochs}: "
            + ", ".join(part for part in parts if part)
        )
        return self._ended(epoch)

    def _run_phase(self, phase: Phase, epoch: int) -> None:
        position = self._position[f"{phase.name}_step"]
        total = phase.steps(epoch)
        for start, stop in self.lifecycle.stretches(
            int(position), total, phase.stretch
        ):
            begin = time.monotonic()
            columns = phase.run(epoch, start, stop)
            seconds = time.monotonic() - begin
            self.records.add(
                phase, epoch, start * phase.weight, columns, seconds
            )
            position.assign(stop)
            best = self.records.best
            self.lifecycle.advance(
                (stop - start) * phase.weight,
                f"epoch {epoch + 1}/{self.schedule.epochs} {phase.name}",
                best=f"{best[0].score:.1%}" if best else "-",
            )

    def _rank(self) -> list[Ranked]:
        """Ranks the finalists on the whole validation set."""
        seed = fold(self.schedule.seed, Stream.DERIVE_ARCHITECTURES, self.epoch)
        count = self.schedule.derive_samples
        rows = self.strategy.finalists(tf.constant(count), seed)
        stopped_early = self.epoch < self.schedule.epochs
        if rows is None:
            return self._rank_measured(count, stopped_early)
        self.lifecycle.line(
            f"ranking {len(rows)} architectures on the whole validation set"
        )
        return self.ranking.rank(
            self._in_sight(np.asarray(rows)),
            self.measure,
            self.epoch,
            stopped_early,
        )

    def _rank_measured(self, count: int, stopped_early: bool) -> list[Ranked]:
        """The best that were measured are the ranking."""
        measures = self.evaluator.measures
        evaluated = len(self.run_folder.read(self.records.ranks))
        return self.ranking.write_best(
            self.records.leaders(count, evaluated, self.evaluator.fault[1]),
            {measures: measures, **self.evaluator.ranked},
            self.epoch,
            stopped_early,
            evaluated,
        )

    def _in_sight(self, rows: np.ndarray) -> Iterator[Any]:
        """The architectures, with progress."""
        for row in rows:
            yield self.space.decode(row)
            self.lifecycle.advance(1, "ranking")

    def measure(self, architecture: Any) -> Mapping[str, float]:
        """What one architecture is worth, on whole sets."""
        return self.evaluator.validate(self.space.encode(architecture)[None])
