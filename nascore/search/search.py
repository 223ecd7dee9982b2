"""The search of every method: phases, epoch after epoch, in a run folder.

Its whole state is a set of variables and a position (epoch, and the step of
each phase); it can be saved between any two stretches of steps and continued
from there.
"""

import contextlib
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nascore.errors import RunStopped
from nascore.process.runtime import device_names
from nascore.protocols import Evaluator, Phase, Strategy
from nascore.runs.checkpoints import State
from nascore.runs.folder import RunFolder
from nascore.runs.interrupts import TimeUp
from nascore.runs.json_files import read_object
from nascore.runs.lifecycle import Lifecycle
from nascore.runs.progress import NO_TERMS, Outlook, Terms
from nascore.runs.tables import Row
from nascore.runs.versions import check_continues
from nascore.search.config import SearchConfig
from nascore.search.course import Course
from nascore.search.early_stop import say_exhausted
from nascore.search.ranking import Ranked, Ranking
from nascore.search.records import Records
from nascore.search.summaries import show_score
from nascore.seeds import Stream, fold
from nascore.spaces.space import Space

# Seconds that printing, figures and files take after a ranking.
_FIGURES = 15.0


class NothingToRank(RunStopped):
    """A search is to end before its first epoch has."""

    resumable = True


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

    Attributes:
      cut: whether it was ranked before its end, from which it can go on.

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
        self.cut = False
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
        self.course = Course(phases, schedule.epochs)
        ranks = phases[-1].name
        self.records = Records(
            run,
            space,
            ranks,
            evaluator.measures,
            schedule.best_count,
            evaluator.measured_on,
            functools.partial(show_score, evaluator),
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
        state: dict[str, Any] = dict(self.course.variables)
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
        return self.course.epoch

    def step(self, phase: Phase) -> int:
        """Steps of a phase that are done in this epoch."""
        return self.course.step(phase)

    def run(
        self,
        terms: Terms = NO_TERMS,
        finish: bool = False,
        end: Callable[[], float] = lambda: 0.0,
    ) -> list[Ranked]:
        """Searches to the last epoch; returns the finalists, best first.

        Args:
          terms: of this start.
          finish: ranks what there is, without going on.
          end: seconds that what comes after ranking and figures takes.

        Raises:
          Interrupted: a signal came; the state was saved.
          NothingToRank: no epoch has ended when it is to be ranked.
          RunStopped: a number is not finite, or the loss exploded.
        """
        course, finalists = self.course, self.schedule.derive_samples
        total = course.count()
        done = total - int(sum(course.left().values()))
        if not self.evaluator.ranked:
            total += finalists

        def seconds_to_end() -> float:
            return finalists * course.validation_seconds() + _FIGURES + end()

        outlook = Outlook(course.left, seconds_to_end)
        with (
            self.lifecycle.working(
                total, done, "architectures", outlook, terms
            ),
            self._processes(),
        ):
            if finish:
                self.cut = not (course.is_over or self._ended_before())
            else:
                self._go_on()
            if self.cut and not self.epoch:
                raise NothingToRank(
                    "no epoch has ended yet, so there is nothing to rank; "
                    "everything is saved"
                )
            return self._rank()

    def _go_on(self) -> None:
        """Searches until the last epoch or another end."""
        ended = self._ended_before()
        try:
            while not self.course.is_over and not ended:
                if self.schedule.early_stop and self.epoch:
                    ended = say_exhausted(self.records)
                ended = ended or self._run_epoch()
        except TimeUp:
            self.cut = True
            self.lifecycle.say(
                f"time is up (--max_hours) after {self.epoch} of "
                f"{self.schedule.epochs} epochs"
            )
        if ended:
            self.lifecycle.line(ended)

    def _processes(self) -> contextlib.AbstractContextManager[Any]:
        """Those of an evaluator that has some."""
        if isinstance(self.evaluator, contextlib.AbstractContextManager):
            return self.evaluator
        return contextlib.nullcontext()

    def _ended_before(self) -> str:
        """Whether it had ended after the last epoch that is saved."""
        if not self.epoch or not self.course.is_between:
            return ""
        return self._ended(self.epoch - 1)

    def _ended(self, epoch: int) -> str:
        """What the phases say of the end of the search, if it has come."""
        said = "; ".join(filter(None, (p.ended(epoch) for p in self.phases)))
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
        self.course.next_epoch()
        self.lifecycle.end_epoch()
        parts = [phase.line(summary) for phase in phases]
        self.lifecycle.line(
            f"epoch {epoch + 1}/{self.schedule.epochs}: "
            + ", ".join(part for part in parts if part)
        )
        return self._ended(epoch)

    def _run_phase(self, phase: Phase, epoch: int) -> None:
        begun, total = self.step(phase), phase.steps(epoch)
        if begun < total:
            self.lifecycle.stop_in_time()
        for start, stop in self.lifecycle.stretches(
            begun, total, phase.stretch, phase.name
        ):
            begin = time.monotonic()
            columns = phase.run(epoch, start, stop)
            seconds = time.monotonic() - begin
            self.records.add(
                phase, epoch, start * phase.weight, columns, seconds
            )
            self.course.reach(phase, stop)
            best, show = self.records.best, self.records.show
            self.lifecycle.advance(
                (stop - start) * phase.weight,
                f"epoch {epoch + 1}/{self.schedule.epochs} {phase.name}",
                best=show(best[0].score) if best else "-",
            )

    def _rank(self) -> list[Ranked]:
        """Ranks the finalists on the whole validation set."""
        seed = fold(self.schedule.seed, Stream.DERIVE_ARCHITECTURES, self.epoch)
        count = self.schedule.derive_samples
        rows = None
        if not self.evaluator.ranked:
            rows = self.strategy.finalists(tf.constant(count), seed)
        early = not (self.course.is_over or self.cut)
        if rows is None:
            return self.ranking.rank_measured(
                self.records, self.evaluator, count, self.epoch, early
            )
        self.lifecycle.kind = "ranking"
        self.lifecycle.line(
            f"ranking {len(rows)} architectures on the whole validation set"
        )
        found = self._in_sight(np.asarray(rows))
        return self.ranking.rank(found, self.measure, self.epoch, early)

    def _in_sight(self, rows: np.ndarray) -> Iterator[Any]:
        """The architectures, with progress."""
        for row in rows:
            yield self.space.decode(row)
            self.lifecycle.advance(1, "ranking")

    def measure(self, architecture: Any) -> Mapping[str, float]:
        """What one architecture is worth, on whole sets."""
        return self.evaluator.validate(self.space.encode(architecture)[None])
