"""The compiled training loop of a discrete network.

As in the search, batches are rows of an index and every random draw is a
function of the place in the training, so that Python is entered once for a
whole stretch of steps and a resumed training equals an uninterrupted one.
The same loop runs on one device and under a `tf.distribute` strategy: each
replica takes its part of the same batch, gradients are summed.
"""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from nascore import draws
from nascore.data.augment import augment, batch_places, to_float
from nascore.data.images import Split
from nascore.networks.discrete import LOGITS, PROGRESS
from nascore.seeds import Stream, fold
from nascore.training.averages import Averages, Kept, Scaling, Statistics
from nascore.training.config import FinalConfig
from nascore.training.gradients import Gradients, StepRows
from nascore.training.optimizers import make_optimizer, make_schedule


class Totals(NamedTuple):
    """Sums over the steps of an epoch so far.

    Attributes:
      loss: cross entropy of the main head, in nats, times images.
      hits: images whose largest logit was the label's.
      images: how many there were.
    """

    loss: tf.Tensor
    hits: tf.Tensor
    images: tf.Tensor


class Stretch(NamedTuple):
    """How a stretch of steps ended.

    Attributes:
      step: int32, the step after the last one that was made.
      healthy: bool, whether every loss was within the limit and every
        gradient finite, and the weights at the end, too.
      loss: of the last step, mean over its images, in nats.
      norm: of its gradient, see `StepRows`.
    """

    step: tf.Tensor
    healthy: tf.Tensor
    loss: tf.Tensor
    norm: tf.Tensor


class Loop(tf.Module):
    """A network with its data and its optimizer.

    Args:
      network: from `nascore.networks.discrete.build_network`, made under
        the strategy.
      split: the training images.
      scaling: mean and deviation that pixels in [0, 1] are standardized by.
      config: of the training.
      strategy: the devices.
    """

    def __init__(
        self,
        network: keras.Model,
        split: Split,
        scaling: Scaling,
        config: FinalConfig,
        strategy: tf.distribute.Strategy,
    ) -> None:
        super().__init__(name="loop")
        self.network = network
        self.config = config
        self.strategy = strategy
        self.scaling = scaling
        self.images = tf.constant(split.images)
        self.labels = tf.constant(split.labels)
        self.steps_per_epoch = -(-len(split) // config.training.batch_size)
        with strategy.scope():
            self.optimizer = make_optimizer(config.training)
            self.optimizer.build(network.trainable_variables)
        self.gradients = Gradients(
            network, self.optimizer, config, strategy.num_replicas_in_sync
        )
        self.averages = None
        if config.training.ema_decay:
            self.averages = Averages(
                network.trainable_variables,
                config.training.ema_decay,
                strategy,
            )
            self._statistics = Statistics(
                network,
                self.images,
                # An order that no epoch has.
                self.order(tf.constant(config.training.epochs)),
                scaling,
                config.training.batch_size,
            )
        self.totals = Totals(
            *(
                tf.Variable(0.0, trainable=False, dtype=tf.float64, name=name)
                for name in Totals._fields
            )
        )
        self._schedule = make_schedule(config.training)
        # None where no path is dropped, as in a network that only skips.
        self._progress = next(
            (x.progress for x in network.layers if x.name == PROGRESS), None
        )

    def order(self, epoch: tf.Tensor) -> tf.Tensor:
        """The places of the training images in an epoch, int32 `[n]`."""
        seed = fold(self.config.training.seed, Stream.SHUFFLE, epoch)
        return draws.order(self.labels.shape[0], seed)

    @property
    def state(self) -> dict[str, tf.Variable]:
        """Every variable that the rest of the training depends on."""
        groups = {
            "network": self.network.variables,
            "optimizer": self.optimizer.variables,
        }
        variables = {
            f"{group}_{number}": variable.value
            for group, members in groups.items()
            for number, variable in enumerate(members)
        }
        if self.averages is not None:
            for number, average in enumerate(self.averages.values):
                variables[f"average_{number}"] = average
        totals = {f"total_{k}": v for k, v in self.totals._asdict().items()}
        return {**variables, **totals}

    def learning_rate(self, epoch: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """The learning rate of a step, a float32 scalar."""
        training = self.config.training
        place = tf.cast(epoch, tf.float32)
        steps = float(self.steps_per_epoch)
        step = tf.cast(step, tf.float32)
        rate = self._schedule(
            place + step / steps if training.lr_by_step else place, step
        )
        if training.warmup_epochs:
            risen = (place + (step + 1) / steps) / training.warmup_epochs
            rate *= tf.minimum(1.0, risen)
        return rate

    @tf.function(autograph=False)
    def train(
        self, epoch: tf.Tensor, start: tf.Tensor, stop: tf.Tensor
    ) -> Stretch:
        """Trains steps `start` to `stop` of an epoch; adds to `totals`.

        It stops after a step that is not healthy. With float16 a gradient
        that overflows is healthy while the optimizer, which skips it, can
        still lower its loss scale; at a scale of 1 the fault is not the
        scale's, and every step to come would be skipped.

        Args:
          epoch: int32 scalar.
          start: int32 scalar, the first step.
          stop: int32 scalar, the step after the last one.
        """
        order = self.order(epoch)
        size = float(self.config.training.batch_size)

        def more(
            step: tf.Tensor, healthy: tf.Tensor, *others: tf.Tensor
        ) -> tf.Tensor:
            return tf.logical_and(step < stop, healthy)

        def body(
            step: tf.Tensor, healthy: tf.Tensor, *others: tf.Tensor
        ) -> tuple[tf.Tensor, ...]:
            self._advance_schedules(epoch, step)
            updates = tf.identity(self.optimizer.iterations.value)
            rows = self.strategy.run(self._step, (order, epoch, step))
            if self.averages is not None:
                count = tf.identity(self.optimizer.iterations.value)
                self.averages.update(count, count > updates)
            loss, hits, norm, unhealthy = (
                self.strategy.reduce(tf.distribute.ReduceOp.SUM, row, axis=None)
                for row in rows
            )
            sums = tuple(
                total + tf.cast(value, tf.float64)
                for total, value in zip(
                    others[2:], (loss, hits, tf.constant(size)), strict=True
                )
            )
            healthy = tf.equal(unhealthy, 0.0)
            return (step + 1, healthy, loss / size, norm, *sums)

        zero = tf.constant(0.0)
        sums = tuple(total.read_value() for total in self.totals)
        step, healthy, loss, norm, *sums = tf.while_loop(
            more, body, (start, tf.constant(True), zero, zero, *sums)
        )
        for total, value in zip(self.totals, sums, strict=True):
            total.assign(value)
        # No later step would show what the last update did, and the weights
        # may be saved next. One pass a stretch, not a step.
        sound = tf.math.is_finite(tf.linalg.global_norm(self._floats()))
        return Stretch(step, tf.logical_and(healthy, sound), loss, norm)

    def _advance_schedules(self, epoch: tf.Tensor, step: tf.Tensor) -> None:
        """Sets what changes with the place in the training."""
        self.optimizer.learning_rate.assign(self.learning_rate(epoch, step))
        if self._progress is not None:
            total = float(self.config.training.epochs * self.steps_per_epoch)
            done = epoch * self.steps_per_epoch + step + 1
            self._progress.assign(tf.cast(done, tf.float32) / total)

    def _floats(self) -> list[tf.Variable]:
        """All weights and moving statistics."""
        return [
            variable.value
            for variable in self.network.variables
            if "float" in variable.dtype
        ]

    def _step(
        self, order: tf.Tensor, epoch: tf.Tensor, step: tf.Tensor
    ) -> StepRows:
        """One replica's part of a step."""
        config, training = self.config, self.config.training
        batch = tf.gather(order, batch_places(order, step, training.batch_size))
        # Each replica augments the whole batch: cheap beside the network,
        # and the images do not depend on the number of replicas.
        images = augment(
            to_float(tf.gather(self.images, batch), *self.scaling),
            fold(training.seed, Stream.AUGMENT, epoch, step),
            pad_crop=config.data.pad_crop,
            flip=config.data.flip,
            cutout=config.data.cutout,
        )
        labels = tf.gather(self.labels, batch)
        rows, gradients = self.gradients(images, labels)
        if training.clip_norm:
            context = tf.distribute.get_replica_context()
            replicas = context.num_replicas_in_sync
            summed = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
            # The optimizer takes the loss scale out, after this.
            clipped, _ = tf.clip_by_global_norm(
                summed, training.clip_norm * self.gradients.loss_scale
            )
            # The optimizer adds the replicas' gradients up.
            gradients = [gradient / replicas for gradient in clipped]
        self.optimizer.apply(gradients, self.network.trainable_variables)
        return rows

    def use_averages(self, images: int) -> list[Kept]:
        """Puts the averages in the weights' place, if there are any.

        Args:
          images: training images that their statistics are taken from.

        Returns:
          What was changed, for `put_back`.
        """
        if self.averages is None:
            return []
        weights = self.network.trainable_variables
        kept = [
            (variable, variable.numpy())
            for variable in (*weights, *self._statistics.variables_to_take)
        ]
        for weight, average in zip(weights, self.averages.values, strict=True):
            weight.assign(average.numpy())
        self._statistics.take(images)
        return kept

    def put_back(self, kept: list[Kept]) -> None:
        """Undoes `use_averages`."""
        for variable, value in kept:
            variable.assign(value)

    @tf.function(autograph=False)
    def _logits(self, images: tf.Tensor) -> tf.Tensor:
        return self.network(to_float(images, *self.scaling), training=False)[
            LOGITS
        ]

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Logits of uint8 `[n, h, w, c]`, float32 `[n, classes]`."""
        size = min(self.config.training.batch_size, len(images))
        # The last batch is filled up, so that one graph serves all.
        padded = np.concatenate([images, images[: -len(images) % size]])
        parts = [
            self._logits(tf.constant(padded[first : first + size])).numpy()
            for first in range(0, len(padded), size)
        ]
        return np.concatenate(parts)[: len(images)]
