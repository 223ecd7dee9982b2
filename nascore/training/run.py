"""A final training in a run folder: of one network on images."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from nascore.errors import InputError, RunStopped
from nascore.networks.discrete import build_network
from nascore.process.runtime import make_deterministic, set_precision
from nascore.runs.folder import RunFolder
from nascore.training.averages import SAMPLE
from nascore.training.config import FinalConfig, TrainingConfig
from nascore.training.devices import (
    make_strategy,
    make_workers,
    normalization_for,
)
from nascore.training.epochs import Epochs
from nascore.training.evaluation import cross_entropies
from nascore.training.loop import Loop, Stretch
from nascore.training.provenance.images import FinalData, load_final
from nascore.training.provenance.origin import NOWHERE, Origin
from nascore.training.start import record_start

# Seconds that tables, figures and small files take at the end.
_FILES = 15.0


class FinalTraining(Epochs):
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
        training = config.training
        # Of the first stretch, and of an image that is validated.
        self._compiling = self._image_seconds = 0.0
        self.config = config
        _ = config.architecture  # Raises if it does not fit the network.
        self.data = data or load_final(config.data, training.train_on_all)
        if len(self.data.train) < training.batch_size:
            raise InputError(
                f"--batch_size={training.batch_size} is more than the "
                f"{len(self.data.train)} training images; lower it"
            )
        if training.deterministic:
            make_deterministic()
        self.strategy = strategy or make_strategy(training)
        self.network = self._build_network()
        self.loop = Loop(
            self.network, self.data.train, self.scaling, config, self.strategy
        )
        record_start(run, config, self.data, origin)
        workers = make_workers(training, self.strategy, checkpoints_of)
        self.chief = workers is None or workers.chief
        super().__init__(
            run, self.loop.state, training.epochs, checkpoint_minutes, workers
        )
        if initialize is not None and not self.resumed:
            initialize(self.network)
            if self.loop.averages is not None:
                self.loop.averages.restart()

    def _build_network(self) -> keras.Model:
        """On the devices, in the precision and from the seed of the run."""
        keras.utils.set_random_seed(self.config.training.seed)
        set_precision(self.config.training.precision)
        try:
            with self.strategy.scope():
                return build_network(
                    self.config.architecture,
                    self.data.source.image_shape,
                    self.data.source.classes,
                    self.config.network,
                    normalization_for(self.strategy),
                )
        finally:
            set_precision("float32")

    @property
    def scaling(self) -> tuple[Any, Any]:
        """Mean and deviation that pixels in [0, 1] are standardized by."""
        if self.config.data.standardize:
            return self.data.source.mean, self.data.source.std
        return 0.0, 1.0

    @property
    def validates(self) -> bool:
        """See `Epochs.validates`."""
        return self.data.validation is not None

    def steps(self, epoch: int) -> int:
        """See `Epochs.steps`."""
        return self.loop.steps_per_epoch

    def seconds_to_end(self) -> float:
        """What validation, test, export (another graph) and files take."""
        images = len(self.data.test) + len(self.data.validation or ())
        return _FILES + self._compiling + images * self._image_seconds

    def learn(self, epoch: int, start: int, stop: int) -> None:
        """See `Epochs.learn`."""
        begin = time.monotonic()
        ended = self.loop.train(
            *(tf.constant(number) for number in (epoch, start, stop))
        )
        if not bool(ended.healthy):
            raise RunStopped(
                _describe_fault(
                    self.config.training, self.run_folder.path, epoch, ended
                )
            )
        self._compiling = self._compiling or time.monotonic() - begin

    def _validate(self, epoch: int) -> dict[str, float]:
        """Loss and accuracy on the validation images, if there are any.

        With averages of the weights they are those of the averages. Only the
        last epoch's take their statistics from all training images, as the
        network that is tested and exported has them.
        """
        validation = self.data.validation
        if validation is None:
            return {}
        begin = time.monotonic()
        images = len(self.data.train)
        if epoch + 1 < self.config.training.epochs:
            images = min(images, SAMPLE)
        kept = self.loop.use_averages(images)
        logits = self.loop.logits(validation.images)
        self.loop.put_back(kept)
        seconds = time.monotonic() - begin
        self._image_seconds = seconds / len(validation)
        self.note_validation()
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

    def measure(self, epoch: int) -> dict[str, Any]:
        """See `Epochs.measure`."""
        validation = self._validate(epoch)
        loss, hits, images = (float(total) for total in self.loop.totals)
        rate = self.loop.learning_rate(
            tf.constant(epoch), tf.constant(self.loop.steps_per_epoch - 1)
        )
        seconds = self.lifecycle.stopwatch.seconds
        return {
            "epoch": epoch,
            "learning_rate": float(rate),
            "loss": loss / images,
            "accuracy": hits / images,
            **validation,
            "seconds": round(seconds, 3),
            "images_per_second": round(images / seconds, 1),
            **self._count_skipped(epoch),
        }

    def conclude(self, row: dict[str, Any]) -> str:
        """See `Epochs.conclude`."""
        for total in self.loop.totals:
            total.assign(0.0)
        text = f"loss {row['loss']:.4f}, accuracy {row['accuracy']:.2%}"
        if not self.validates:
            return text
        return (
            f"{text}, validation loss {row['validation_loss']:.4f}, accuracy "
            f"{row['validation_accuracy']:.2%}"
        )


def _describe_fault(
    training: TrainingConfig, path: Path, epoch: int, ended: Stretch
) -> str:
    """What, where, and what to do about a step that is not healthy."""
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
        f"{text}; the last checkpoint in {path} is from "
        f"before. {mend}, in a new run"
    )
