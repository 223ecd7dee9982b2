"""The ENAS search: epochs of child training and of controller training.

Pham et al. (2018), section 2.2. The search is a machine whose whole state is
a set of variables and a position (epoch, child step, controller step); it
can be saved between any two stretches of steps and continued from there.
"""

import time
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from enas.child import Child
from enas.config import EnasConfig
from enas.controller import make_controller
from enas.early_stop import is_exhausted
from enas.policy import PolicyTrainer
from enas.ranking import Ranking
from enas.records import Records
from enas.reward import AccuracyReward
from enas.scoring import Scored, score, weight_names
from nascore.data.images import ImageData, load
from nascore.errors import InputError
from nascore.networks.supernet import Supernet, describe_layers
from nascore.process import runtime
from nascore.runs.checkpoints import Checkpoints, State
from nascore.runs.folder import RunFolder
from nascore.runs.interrupts import Interrupted, StopRequest
from nascore.runs.progress import Progress, next_stretch
from nascore.runs.stopwatch import Stopwatch
from nascore.schedules import CosineRestarts
from nascore.seeds import Stream, fold
from nascore.spaces.cells import Architecture


class Search:
    """An ENAS search in a run folder.

    Args:
      config: decides the result, together with the reward.
      run: where everything is written; an earlier part of the same search
        in it is continued.
      reward: maps an accuracy to a reward inside the graph; the accuracy
        itself if None.
      data: the images; loaded as the configuration says if None.
      method: what the run is called in its files.
      checkpoint_minutes: saves at least this often.

    Raises:
      InputError: settings that do not fit the data or the run folder.
    """

    def __init__(
        self,
        config: EnasConfig,
        run: RunFolder,
        reward: tf.Module | None = None,
        data: ImageData | None = None,
        method: str = "enas",
        checkpoint_minutes: float = 10.0,
    ) -> None:
        self.config = config
        self.data = load(config.data) if data is None else data
        self.checkpoint_seconds = 60 * checkpoint_minutes
        check_sizes(config, self.data)
        runtime.configure(config.schedule.deterministic)
        keras.utils.set_random_seed(config.schedule.seed)
        self.supernet = Supernet(
            config.child, self.data.image_shape, self.data.classes
        )
        self.space = config.child.space
        self.child = Child(self.supernet, self.data, config)
        self.controller = make_controller(self.space, config.controller)
        self.reward = AccuracyReward() if reward is None else reward
        self.policy = PolicyTrainer(
            self.controller, self.child, self.reward, config
        )
        self._sample = tf.function(
            lambda count, seed: self.controller(count, seed).architectures,
            autograph=False,
        )
        self._learning_rate = CosineRestarts(
            config.schedule.child_lr_max,
            config.schedule.child_lr_min,
            config.schedule.child_lr_period,
            config.schedule.child_lr_restart == "half",
        )
        self._position = {
            name: tf.Variable(0, trainable=False, name=name)
            for name in ("epoch", "child_step", "train_step")
        }
        self._stopwatch = Stopwatch()
        self.records = Records(run, config, method, self.data)
        self.ranking = Ranking(run, self.space)
        self.checkpoints = Checkpoints(
            run.path / "checkpoints",
            self._variables(),
            check=self.records.ledger.check,
        )
        self.resumed = self.checkpoints.restore()
        self._stopwatch.go_on()
        self._saved = time.monotonic()
        self.records.rewind(self.epoch)
        self.records.write_layers(describe_layers(self.supernet))

    @property
    def epoch(self) -> int:
        """The epoch that is under way, from 0."""
        return int(self._position["epoch"])

    @property
    def child_step(self) -> int:
        """Training steps done in this epoch."""
        return int(self._position["child_step"])

    @property
    def train_step(self) -> int:
        """Controller updates done in this epoch."""
        return int(self._position["train_step"])

    def _variables(self) -> State:
        """Every variable of the state under a name of its own."""
        groups = {
            "momentum": self.child.momenta,
            "controller": self.controller.variables_to_train,
            "optimizer": [v.value for v in self.policy.optimizer.variables],
            "baseline": list(self.policy.baseline.variables),
            "reward": list(self.reward.variables),
            "stopwatch": list(self._stopwatch.variables),
        }
        variables = {
            f"{group}_{number}": variable
            for group, members in groups.items()
            for number, variable in enumerate(members)
        }
        weights = weight_names(self.child.weights)
        ledger = {"tables": self.records.ledger}
        return {**weights, **variables, **self._position, **ledger}

    def run(self) -> list[Scored]:
        """Searches to the last epoch; returns the proposals, best first.

        Raises:
          Interrupted: a signal came; the state was saved.
          RunStopped: a number is not finite, or the loss exploded.
        """
        schedule = self.config.schedule
        epochs = schedule.epochs
        evaluations = (
            self.config.controller.train_steps
            * self.config.controller.num_aggregate
        )
        per_epoch = (
            self.child.steps_per_epoch + evaluations + schedule.epoch_samples
        )
        done = (
            self.epoch * per_epoch
            + self.child_step
            + self.train_step * self.config.controller.num_aggregate
        )
        total = epochs * per_epoch + schedule.derive_samples
        self._progress = Progress(total, done, "architectures")
        with StopRequest() as self._stop:
            while self.epoch < epochs and not self._is_exhausted():
                self._run_epoch()
            self._progress.line(
                f"ranking {schedule.derive_samples} architectures on the "
                "whole validation set"
            )
            derived = self._derive()
            self._progress.close()
        return derived

    def _is_exhausted(self) -> bool:
        """Whether the early stop is on and its time has come."""
        if not self.config.schedule.early_stop:
            return False
        best, recent_mean = self.records.progress()
        if not is_exhausted(best, recent_mean):
            return False
        self._progress.line(
            f"early stop after {self.epoch} epochs: no better accuracy than "
            f"{max(best):.1%} since epoch {best.index(max(best)) + 1}"
        )
        return True

    def _run_epoch(self) -> None:
        epoch = self.epoch
        self.ranking.forget()
        self._train_child(epoch)
        self._train_controller(epoch)
        measured = self._evaluate(epoch)
        measured["seconds"] = self._stopwatch.seconds
        row = self.records.end_epoch(epoch, measured)
        self._position["epoch"].assign(epoch + 1)
        self._position["child_step"].assign(0)
        self._position["train_step"].assign(0)
        self._stopwatch.restart()
        self._save()
        self._progress.line(
            f"epoch {epoch + 1}/{self.config.schedule.epochs}: "
            f"child loss {row['child_loss']:.3f}, sampled architectures "
            f"{row['accuracy_mean']:.1%} +- {row['accuracy_std']:.1%}, "
            f"best {self.records.best[0][0]:.1%} on a batch, shared weights "
            f"{row['validation_accuracy']:.1%} on validation"
        )

    def _train_child(self, epoch: int) -> None:
        """The rest of the epoch's training steps."""
        total = self.child.steps_per_epoch
        # The controller stands still meanwhile: sample them all at once.
        architectures = self._sample(
            tf.constant(total),
            fold(self.config.schedule.seed, Stream.CHILD_ARCHITECTURES, epoch),
        )
        # The first stretch of an epoch is its first step alone, which may
        # have a learning rate of its own.
        stretch = 1
        while self.child_step < total:
            start = self.child_step
            stop = min(start + stretch, total)
            learning_rate = float(self._learning_rate(epoch, start))
            begin = time.monotonic()
            rows = self.child.train(
                architectures,
                *(tf.constant(n) for n in (epoch, start, stop)),
                tf.constant(learning_rate),
            )
            self.records.add_child(
                epoch,
                start,
                architectures[start:stop].numpy(),
                learning_rate,
                rows,
            )
            self._position["child_step"].assign(stop)
            self._after_stretch(stop - start, "child")
            stretch = next_stretch(stop - start, time.monotonic() - begin)

    def _train_controller(self, epoch: int) -> None:
        """The rest of the epoch's controller updates."""
        count = self.config.controller.num_aggregate
        stretch = 1
        while self.train_step < self.config.controller.train_steps:
            start = self.train_step
            stop = min(start + stretch, self.config.controller.train_steps)
            begin = time.monotonic()
            rows = self.policy.train(
                *(tf.constant(n) for n in (epoch, start, stop))
            )
            rows.accuracy.numpy()  # Waits, so that the time is right.
            seconds = time.monotonic() - begin
            self.records.add_controller(epoch, start * count, rows, seconds)
            self._position["train_step"].assign(stop)
            self._after_stretch((stop - start) * count, "controller")
            stretch = next_stretch(stop - start, seconds)

    def _evaluate(self, epoch: int) -> dict[str, float]:
        """Scores fresh architectures, then the shared weights."""
        schedule = self.config.schedule
        architectures = self._sample(
            tf.constant(schedule.epoch_samples),
            fold(schedule.seed, Stream.SAMPLE_ARCHITECTURES, epoch),
        )
        accuracies = self.child.score_on_batches(
            architectures, fold(schedule.seed, Stream.SAMPLE_BATCH, epoch)
        )
        self._progress.advance(schedule.epoch_samples, "samples")
        # Each batch of a split is run by another of these.
        fresh = self._sample(
            tf.constant(schedule.epoch_samples),
            fold(schedule.seed, Stream.EVALUATION_ARCHITECTURES, epoch),
        )
        measured = {
            "validation_accuracy": self.child.accuracy_on(
                self.child.validation_images, fresh, self._stop_if_asked
            ),
            "search_test_accuracy": self.child.accuracy_on(
                self.child.search_test_images, fresh, self._stop_if_asked
            ),
        }
        # Nothing of an evaluation is written before all of it is done.
        self.records.add_samples(
            epoch, architectures.numpy(), accuracies.numpy()
        )
        return measured

    def _derive(self) -> list[Scored]:
        """Samples architectures, ranks them on the whole validation set."""
        schedule = self.config.schedule
        values = self._sample(
            tf.constant(schedule.derive_samples),
            fold(schedule.seed, Stream.DERIVE_ARCHITECTURES, self.epoch),
        )
        return self.ranking.rank(
            self._in_sight(values.numpy()),
            lambda architecture: score(
                self.child, architecture, self._stop_if_asked
            ),
            self.epoch,
            stopped_early=self.epoch < schedule.epochs,
        )

    def _in_sight(self, values: np.ndarray) -> Iterator[Architecture]:
        """The architectures, with progress."""
        for row in values:
            yield self.space.from_array(row)
            self._progress.advance(1, "ranking")

    def score(self, architecture: Architecture) -> Scored:
        """Measures one architecture with the shared weights as they are."""
        return score(self.child, architecture)

    def _after_stretch(self, count: int, phase: str) -> None:
        """Shows progress, saves when it is time, stops when asked to."""
        best = self.records.best
        self._progress.advance(
            count,
            f"epoch {self.epoch + 1}/{self.config.schedule.epochs} {phase}",
            best=f"{best[0][0]:.1%}" if best else "-",
        )
        self._stop_if_asked()
        if time.monotonic() - self._saved > self.checkpoint_seconds:
            self._stopwatch.note()
            self._save()

    def _stop_if_asked(self) -> None:
        """Saves and raises Interrupted if a signal came."""
        if self._stop.signum is None:
            return
        self._stopwatch.note()
        self._save()
        self._progress.close()
        raise Interrupted(
            self._stop.signum,
            f"interrupted after {self.epoch} epochs; everything is saved",
        )

    def _save(self) -> None:
        self.checkpoints.save()
        self._saved = time.monotonic()


def check_sizes(config: EnasConfig, data: ImageData) -> None:
    """Checks the settings that depend on the data.

    Raises:
      InputError: fewer training images than a batch.
    """
    if len(data.train) < config.schedule.batch_size:
        raise InputError(
            f"--batch_size={config.schedule.batch_size} is more than the "
            f"{len(data.train)} training images; lower it"
        )


def make_search(
    config: EnasConfig,
    run: RunFolder,
    data: ImageData | None = None,
    checkpoint_minutes: float = 10.0,
) -> Search:
    """Makes an ENAS search, or its random baseline if so configured."""
    method = "enas" if config.controller.controller == "lstm" else "random"
    return Search(config, run, None, data, method, checkpoint_minutes)
