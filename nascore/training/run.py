"""A final training in a run folder: epochs, records, resuming.

Like a search it is a machine whose whole state is a set of variables and a
position (epoch, step), saved between any two stretches of steps.
"""

import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from nascore.data.describe import describe_data
from nascore.errors import InputError, RunStopped
from nascore.networks.discrete import build_network
from nascore.process.runtime import (
    device_names,
    make_deterministic,
    set_precision,
)
from nascore.runs.checkpoints import Checkpoints
from nascore.runs.folder import RunFolder
from nascore.runs.interrupts import Interrupted, StopRequest
from nascore.runs.json_files import look_up, read_object
from nascore.runs.positions import Ledger
from nascore.runs.progress import Progress, next_stretch
from nascore.runs.stopwatch import Stopwatch
from nascore.runs.tensorboard import Board
from nascore.training.averages import SAMPLE, Averages
from nascore.training.config import FinalConfig
from nascore.training.devices import (
    is_chief,
    make_strategy,
    normalization_for,
)
from nascore.training.evaluation import cross_entropies
from nascore.training.loop import Loop, Stretch
from nascore.training.provenance.images import FinalData, load_final
from nascore.training.provenance.origin import NOWHERE, Origin


class FinalTraining:
    """The training of one architecture.

    Args:
      config: decides the result.
      run: where everything is written; an earlier part of the same training
        in it is continued.
      data: the images; loaded as the configuration says if None.
      checkpoint_minutes: saves at least this often, and after every epoch.
      strategy: the devices; made as the configuration says if None.
      initialize: changes the weights of a network that starts afresh.
      checkpoints_of: the run folder to continue from, if not this one; so
        that several machines start from the same.
      origin: the searches that architecture and weights are from.

    Raises:
      InputError: settings that do not fit the data, the devices or the run
        folder.
    """

    def __init__(
        self,
        config: FinalConfig,
        run: RunFolder,
        data: FinalData | None = None,
        checkpoint_minutes: float = 10.0,
        strategy: tf.distribute.Strategy | None = None,
        initialize: Callable[[keras.Model], None] | None = None,
        checkpoints_of: Path | None = None,
        origin: Origin = NOWHERE,
    ) -> None:
        self.config = config
        self.origin = origin
        self.run_folder = run
        training = config.training
        architecture = config.architecture
        self.data = data or load_final(config.data, training.train_on_all)
        if len(self.data.train) < training.batch_size:
            raise InputError(
                f"--batch_size={training.batch_size} is more than the "
                f"{len(self.data.train)} training images; lower it"
            )
        self.checkpoint_seconds = 60 * checkpoint_minutes
        if training.deterministic:
            make_deterministic()
        self.strategy = strategy or make_strategy(training)
        self.chief = is_chief(self.strategy)
        keras.utils.set_random_seed(training.seed)
        set_precision(training.precision)
        try:
            with self.strategy.scope():
                self.network = build_network(
                    architecture,
                    self.data.source.image_shape,
                    self.data.source.classes,
                    config.network,
                    normalization_for(self.strategy),
                )
        finally:
            set_precision("float32")
        self.loop = Loop(
            self.network, self.data.train, self.scaling, config, self.strategy
        )
        self._position = {
            name: tf.Variable(0, trainable=False, name=name)
            for name in ("epoch", "step")
        }
        self._stopwatch = Stopwatch()
        self._start_records()
        state = {
            **self.loop.state,
            **self._position,
            "seconds": self._stopwatch.noted,
            "tables": self.ledger,
        }
        self.checkpoints = Checkpoints(
            run.path / "checkpoints", state, check=self.ledger.check
        )
        self.resumed = self.checkpoints.restore()
        if checkpoints_of and not self.chief:
            shared = Checkpoints(checkpoints_of / "checkpoints", state)
            self.resumed = shared.restore()
        if initialize is not None and not self.resumed:
            initialize(self.network)
            if self.loop.averages is not None:
                self.loop.averages.restart()
        if self.chief:
            self.ledger.rewind()
        self._saved = time.monotonic()
        self._stopwatch.go_on()

    @property
    def scaling(self) -> tuple[Any, Any]:
        """Mean and deviation that pixels in [0, 1] are standardized by."""
        if self.config.data.standardize:
            return self.data.source.mean, self.data.source.std
        return 0.0, 1.0

    @property
    def epoch(self) -> int:
        """The epoch that is under way, from 0."""
        return int(self._position["epoch"])

    @property
    def step(self) -> int:
        """Steps done in this epoch."""
        return int(self._position["step"])

    def _start_records(self) -> None:
        path = self.run_folder.path / "config.json"
        if path.exists():
            old = read_object(path)
            self._check_age(old)
            epochs = look_up(old, path, "config.epochs", int)
            if epochs != self.config.training.epochs:
                raise InputError(
                    f"{self.run_folder.path} trains for {epochs} epochs and "
                    "its learning rates follow from that; leave --epochs "
                    "out to continue it, or choose another --run_dir"
                )
        about = {
            "method": "final training",
            "data": {
                **describe_data(self.data.source),
                "trained_on": len(self.data.train),
            },
            "devices": device_names(),
            "origin": self.origin.to_json(),
        }
        if self.config.training.ema_decay:
            about["averages"] = Averages.RULE
        space = self.config.network.space
        self.run_folder.record_start(about, self.config, space)
        self.ledger = Ledger(self.run_folder, "epochs")
        self.board = Board(self.run_folder.path / "tensorboard")

    def _check_age(self, old: Mapping[str, Any]) -> None:
        """Says what an earlier version has left out or done otherwise."""
        path = self.run_folder.path
        if self.config.training.ema_decay and "averages" not in old:
            raise InputError(
                f"{path} has averages of weights (--ema_decay) of an earlier "
                "version, which keep the first weights and cannot be "
                "continued; start anew in another --run_dir"
            )
        if "test_fingerprint" not in old.get("data", {}):
            print(
                f"note: {path} was begun by an earlier version, which did not "
                "record the test images: whether they are still the same is "
                "not known",
                file=sys.stderr,
            )

    def run(self) -> None:
        """Trains to the last epoch.

        Raises:
          Interrupted: a signal came; the state was saved.
          RunStopped: the loss exploded.
        """
        epochs, steps = self.config.training.epochs, self.loop.steps_per_epoch
        self._progress = Progress(
            epochs * steps, self.epoch * steps + self.step, "steps"
        )
        with StopRequest() as self._stop:
            while self.epoch < epochs:
                self._run_epoch()
        self._progress.close()

    def _run_epoch(self) -> None:
        epoch = self.epoch
        stretch = 1
        while self.step < self.loop.steps_per_epoch:
            stretch = self._run_stretch(epoch, stretch)
            self._after_stretch()
        self._end_epoch(epoch, self._validate(epoch))

    def _run_stretch(self, epoch: int, stretch: int) -> int:
        """Trains some steps; returns how many to take next."""
        first = self.step
        steps = self.loop.steps_per_epoch
        # Several machines cannot agree to stop anywhere but at the end.
        if self.config.training.distribute == "multiworker":
            stretch = steps
        stop = min(first + stretch, steps)
        begin = time.monotonic()
        ended = self.loop.train(
            *(tf.constant(number) for number in (epoch, first, stop))
        )
        reached = int(ended.step)
        taken = reached - first
        if not bool(ended.healthy):
            raise RunStopped(self._describe_fault(epoch, ended))
        self._position["step"].assign(reached)
        self._progress.advance(taken, f"epoch {epoch + 1}")
        return next_stretch(taken, time.monotonic() - begin)

    def _describe_fault(self, epoch: int, ended: Stretch) -> str:
        """What, where, and what to do about a step that is not healthy."""
        training = self.config.training
        loss, norm = float(ended.loss), float(ended.norm)
        where = f"in epoch {epoch + 1}, step {int(ended.step)}"
        text = (
            f"stopped: the training exploded {where}: loss {loss:g}, norm of "
            f"the gradient {norm:g}"
        )
        mend = "Lower --lr_max, or set --clip_norm=5 or --warmup_epochs=1"
        if loss <= training.loss_limit and np.isfinite(norm):
            text += ", and a weight that is not finite"
        elif loss <= training.loss_limit and training.precision == "float16":
            text = (
                f"stopped: {where} the gradient overflows float16 at a loss "
                "scale of 1, after all larger ones; every step to come would "
                "be skipped"
            )
            mend = "Use --precision=bfloat16 or float32, or lower --lr_max"
        return (
            f"{text}; the last checkpoint in {self.run_folder.path} is from "
            f"before. {mend}, in a new run"
        )

    def _after_stretch(self) -> None:
        if self.config.training.distribute == "multiworker":
            return
        self._stop_if_asked()
        if time.monotonic() - self._saved > self.checkpoint_seconds:
            self._stopwatch.note()
            self._save()

    def _stop_if_asked(self) -> None:
        """Saves and raises Interrupted if a signal came."""
        signum = self._signal()
        if signum is None:
            return
        self._stopwatch.note()
        self._save()
        self._progress.close()
        where = "" if self.chief else " by the first machine"
        raise Interrupted(
            signum,
            f"interrupted in epoch {self.epoch + 1}; everything is saved"
            f"{where}",
        )

    def _signal(self) -> int | None:
        """The signal that came, to this process or to any machine."""
        own = self._stop.signum
        if self.config.training.distribute != "multiworker":
            return own
        total = self.loop.add_up(tf.constant(float(own is not None)))
        if own is None and float(total):
            return signal.SIGTERM
        return own

    def _save(self) -> None:
        self.checkpoints.save()
        self._saved = time.monotonic()

    def _validate(self, epoch: int) -> dict[str, float]:
        """Loss and accuracy on the validation images, if there are any.

        With averages of the weights they are those of the averages. Only the
        last epoch's take their statistics from all training images, as the
        network that is tested and exported has them.
        """
        validation = self.data.validation
        if validation is None:
            return {}
        images = len(self.data.train)
        if epoch + 1 < self.config.training.epochs:
            images = min(images, SAMPLE)
        kept = self.loop.use_averages(images)
        logits = self.loop.logits(validation.images)
        self.loop.put_back(kept)
        losses = cross_entropies(logits, validation.labels)
        hits = np.argmax(logits, axis=1) == validation.labels
        return {
            "validation_loss": float(losses.mean()),
            "validation_accuracy": float(hits.mean()),
        }

    def _count_skipped(self, epoch: int) -> dict[str, int]:
        """Steps so far whose gradients overflowed; float16 only."""
        if self.config.training.precision != "float16":
            return {}
        steps = (epoch + 1) * self.loop.steps_per_epoch
        return {"skipped_steps": steps - int(self.loop.optimizer.iterations)}

    def _end_epoch(self, epoch: int, validation: dict[str, float]) -> None:
        loss, hits, images = (float(total) for total in self.loop.totals)
        rate = self.loop.learning_rate(
            tf.constant(epoch), tf.constant(self.loop.steps_per_epoch - 1)
        )
        seconds = self._stopwatch.seconds
        row = {
            "epoch": epoch,
            "learning_rate": float(rate),
            "loss": loss / images,
            "accuracy": hits / images,
            **validation,
            "seconds": round(seconds, 3),
            "images_per_second": round(images / seconds, 1),
            **self._count_skipped(epoch),
        }
        self.run_folder.append("epochs", [row])
        self.board.scalars(
            epoch, {k: v for k, v in row.items() if k != "epoch"}
        )
        for total in self.loop.totals:
            total.assign(0.0)
        self._stopwatch.restart()
        self._position["epoch"].assign(epoch + 1)
        self._position["step"].assign(0)
        self._save()
        text = (
            f"epoch {epoch + 1}/{self.config.training.epochs}: loss "
            f"{row['loss']:.4f}, accuracy {row['accuracy']:.2%}"
        )
        if validation:
            text += (
                f", validation loss {row['validation_loss']:.4f}, accuracy "
                f"{row['validation_accuracy']:.2%}"
            )
        self._progress.line(text)
        self._stop_if_asked()
