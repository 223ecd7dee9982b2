"""The shared weights: their training, and the accuracy of architectures.

Both run inside compiled loops. An architecture is a row of a tensor and a
batch is a row of indices, so nothing is traced again and Python is entered
once for a whole stretch of steps.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from enas.config import EnasConfig
from nascore import draws
from nascore.data.augment import augment, batch_places, to_float
from nascore.data.images import ImageData, Split
from nascore.networks.supernet import Supernet
from nascore.process.runtime import once
from nascore.runs.progress import next_stretch
from nascore.seeds import Stream, fold, fold_in


class ChildRows(NamedTuple):
    """What a stretch of training steps measured, `[steps]` each.

    Attributes:
      loss: cross entropy of the main head, in nats.
      accuracy: on the step's own training batch, in [0, 1].
      gradient_norm: of the loss with the auxiliary head's, without decay.
      healthy: bool, whether the loss is within the limit and the gradient
        finite; in the stretch's last step also whether the weights are,
        which the next step would show. All count: some kernels turn NaN
        into 0 in a relu, so that the loss of ruined weights can look like a
        guess.
    """

    loss: tf.Tensor
    accuracy: tf.Tensor
    gradient_norm: tf.Tensor
    healthy: tf.Tensor


class Images(NamedTuple):
    """A split on the device: uint8 `[n, h, w, c]` and int32 `[n]`."""

    images: tf.Tensor
    labels: tf.Tensor

    @property
    def size(self) -> int:
        """Number of images."""
        return self.images.shape[0]


def _to_device(split: Split) -> Images:
    return Images(tf.constant(split.images), tf.constant(split.labels))


def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Mean cross entropy of `[n, classes]` logits, in nats."""
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    )


def accuracy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Part of the images whose largest logit is the label's."""
    return tf.reduce_mean(tf.cast(_hits(labels, logits), tf.float32))


def _hits(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    return tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), labels)


class Child(tf.Module):
    """The supernet with its data, its optimizer and its compiled loops.

    Args:
      supernet: the shared weights.
      data: images; those of the official test set stay untouched.
      config: the search's configuration.
    """

    def __init__(
        self, supernet: Supernet, data: ImageData, config: EnasConfig
    ) -> None:
        super().__init__(name="child")
        self.supernet = supernet
        self.config = config
        self.train_images = _to_device(data.train)
        self.validation_images = _to_device(data.validation)
        self.search_test_images = _to_device(data.search_test)
        self.scaling: tuple[object, ...] = ()
        if config.data.standardize:
            self.scaling = (data.mean, data.std)
        size = config.schedule.batch_size
        self.steps_per_epoch = -(-self.train_images.size // size)
        self.weights = [
            variable.value for variable in supernet.trainable_variables
        ]
        self.momenta = [
            tf.Variable(tf.zeros_like(weight), trainable=False, name="momentum")
            for weight in self.weights
        ]
        self._logits = once(self._run_child)
        # Batches that evaluation takes between two pauses; the first call
        # compiles, and says nothing of their time.
        self._stretch = 8

    def _run_child(
        self,
        architecture: tf.Tensor,
        images: tf.Tensor,
        seed: tf.Tensor,
    ) -> tf.Tensor:
        """Logits of a batch of uint8 images, without the auxiliary head."""
        logits, _ = self.supernet(
            to_float(images, *self.scaling),
            architecture,
            seed=seed if self.config.schedule.reward_dropout else None,
        )
        return logits

    @tf.function(autograph=False)
    def train(
        self,
        architectures: tf.Tensor,
        epoch: tf.Tensor,
        start: tf.Tensor,
        stop: tf.Tensor,
        learning_rate: tf.Tensor,
    ) -> ChildRows:
        """Trains steps `start` to `stop` of an epoch, one architecture each.

        Args:
          architectures: int32 `[steps per epoch, cell types, nodes, 4]`.
          epoch: int32 scalar.
          start: int32 scalar, the first step.
          stop: int32 scalar, the step after the last one.
          learning_rate: float32 scalar.

        Returns:
          `[stop - start]` rows.
        """
        seed = self.config.schedule.seed
        order = draws.order(
            self.train_images.size, fold(seed, Stream.SHUFFLE, epoch)
        )

        def more(step: tf.Tensor, *rows: tf.TensorArray) -> tf.Tensor:
            # Whether a step was healthy does not matter here: a GPU would
            # have to be waited for to tell.
            return step < stop

        def body(
            step: tf.Tensor, *rows: tf.TensorArray
        ) -> tuple[tf.Tensor, ...]:
            values = self._train_step(
                architectures[step], order, epoch, step, learning_rate
            )
            rows = tuple(
                row.write(step - start, value)
                for row, value in zip(rows, values, strict=True)
            )
            return (step + 1, *rows)

        rows = [
            tf.TensorArray(
                tf.bool if name == "healthy" else tf.float32,
                stop - start,
                element_shape=[],
            )
            for name in ChildRows._fields
        ]
        _, *rows = tf.while_loop(more, body, (start, *rows))
        stacked = ChildRows(*(row.stack() for row in rows))
        # No later step would show what the last update did, and the weights
        # may be saved or measured next. One pass a stretch, not a step.
        sound = tf.math.is_finite(tf.linalg.global_norm(self.weights))
        others = tf.range(start, stop) != stop - 1
        return stacked._replace(
            healthy=tf.logical_and(
                stacked.healthy, tf.logical_or(others, sound)
            )
        )

    def _train_step(
        self,
        architecture: tf.Tensor,
        order: tf.Tensor,
        epoch: tf.Tensor,
        step: tf.Tensor,
        learning_rate: tf.Tensor,
    ) -> ChildRows:
        images, labels = self._batch(order, epoch, step)
        seed = fold(self.config.schedule.seed, Stream.DROPOUT, epoch, step)
        loss, logits, gradients = self._differentiate(
            architecture, images, labels, seed
        )
        norm = self._descend(gradients, learning_rate)
        return self._row(loss, accuracy(labels, logits), norm)

    def _batch(
        self, order: tf.Tensor, epoch: tf.Tensor, step: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """A step's images, augmented, and labels."""
        config = self.config
        batch = tf.gather(
            order, batch_places(order, step, config.schedule.batch_size)
        )
        labels = tf.gather(self.train_images.labels, batch)
        images = augment(
            to_float(tf.gather(self.train_images.images, batch), *self.scaling),
            fold(config.schedule.seed, Stream.AUGMENT, epoch, step),
            pad_crop=config.data.pad_crop,
            flip=config.data.flip,
            cutout=config.data.cutout,
        )
        return images, labels

    def _differentiate(
        self,
        architecture: tf.Tensor,
        images: tf.Tensor,
        labels: tf.Tensor,
        seed: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        """The main head's loss and logits, and the whole loss's gradients."""
        with tf.GradientTape() as tape:
            logits, aux_logits = self.supernet(
                images, architecture, training=True, seed=seed
            )
            loss = cross_entropy(labels, logits)
            total = loss
            if aux_logits is not None:
                aux_loss = cross_entropy(labels, aux_logits)
                total += self.config.child.aux_weight * aux_loss
        return loss, logits, tape.gradient(total, self.weights)

    def _descend(
        self, gradients: list[tf.Tensor], learning_rate: tf.Tensor
    ) -> tf.Tensor:
        """Clips if so configured, and updates; returns the gradient's norm."""
        schedule = self.config.schedule
        norm = tf.linalg.global_norm(gradients)
        if schedule.clip_norm:
            gradients, _ = tf.clip_by_global_norm(
                gradients, schedule.clip_norm, norm
            )
        self._update(gradients, learning_rate)
        return norm

    def _row(
        self, loss: tf.Tensor, hits: tf.Tensor, norm: tf.Tensor
    ) -> ChildRows:
        """The row of a step; `hits` is its accuracy."""
        # A comparison with NaN is false.
        healthy = tf.logical_and(
            loss <= self.config.schedule.loss_limit, tf.math.is_finite(norm)
        )
        return ChildRows(loss, hits, norm, healthy)

    def _update(
        self, gradients: list[tf.Tensor], learning_rate: tf.Tensor
    ) -> None:
        """Nesterov momentum with weight decay, one fused pass a weight."""
        schedule = self.config.schedule
        for weight, momentum, gradient in zip(
            self.weights, self.momenta, gradients, strict=True
        ):
            decay = 2 * schedule.weight_decay * weight
            if isinstance(gradient, tf.IndexedSlices):
                # Only the chosen slots have a gradient of the loss, but all
                # of them decay and keep their momentum.
                gradient = tf.tensor_scatter_nd_add(
                    decay, gradient.indices[:, None], gradient.values
                )
            elif gradient is None:
                gradient = decay
            else:
                gradient += decay
            tf.raw_ops.ResourceApplyMomentum(
                var=weight.handle,
                accum=momentum.handle,
                lr=learning_rate,
                grad=gradient,
                momentum=schedule.momentum,
                use_nesterov=True,
            )

    @property
    def reward_batch_size(self) -> int:
        """Images that a reward is measured on."""
        schedule = self.config.schedule
        wanted = schedule.reward_batch_size or schedule.batch_size
        return min(wanted, self.validation_images.size)

    def reward_accuracy(
        self, architecture: tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        """Accuracy on a random batch of validation images; in the graph.

        Args:
          architecture: int32 `[cell types, nodes, 4]`.
          seed: int32 `[2]`, chooses the batch.

        Returns:
          A float32 scalar; NaN where a logit is not finite, which would
          otherwise pass for a guess of the first class.
        """
        order = draws.order(self.validation_images.size, seed)
        batch = order[: self.reward_batch_size]
        images, labels = self.validation_images
        logits = self._logits(
            architecture, tf.gather(images, batch), fold_in(seed, 1)
        )
        return tf.where(
            tf.reduce_all(tf.math.is_finite(logits)),
            accuracy(tf.gather(labels, batch), logits),
            np.nan,
        )

    @tf.function(autograph=False)
    def score_on_batches(
        self, architectures: tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        """Accuracy of each architecture on a random batch of its own.

        Args:
          architectures: int32 `[n, cell types, nodes, 4]`.
          seed: int32 `[2]`.

        Returns:
          float32 `[n]`.
        """
        count = tf.shape(architectures)[0]
        return tf.map_fn(
            lambda place: self.reward_accuracy(
                architectures[place], fold_in(seed, place)
            ),
            tf.range(count),
            fn_output_signature=tf.TensorSpec([], tf.float32),
            parallel_iterations=1,
        )

    def accuracy_on(
        self,
        images: Images,
        architectures: tf.Tensor,
        pause: Callable[[], None] = lambda: None,
    ) -> float:
        """Shared-weight accuracy on a whole split.

        Args:
          images: the split.
          architectures: int32 `[n, cell types, nodes, 4]`; batch k is run by
            architecture `k mod n`.
          pause: called every two seconds or so; may raise to give up.

        Returns:
          An accuracy in [0, 1].
        """
        batches = -(-images.size // min(self.reward_batch_size, images.size))
        hits = start = 0
        while start < batches:
            stop = min(start + self._stretch, batches)
            begin = time.monotonic()
            hits += int(
                self._count_hits(
                    images.images,
                    images.labels,
                    architectures,
                    *(tf.constant(n) for n in (start, stop)),
                )
            )
            self._stretch = next_stretch(stop - start, time.monotonic() - begin)
            start = stop
            pause()
        return hits / images.size

    @tf.function(autograph=False)
    def _count_hits(
        self,
        images: tf.Tensor,
        labels: tf.Tensor,
        architectures: tf.Tensor,
        start: tf.Tensor,
        stop: tf.Tensor,
    ) -> tf.Tensor:
        """Images that batches `start` to `stop` have right."""
        total = labels.shape[0]
        size = min(self.reward_batch_size, total)

        def count(batch: tf.Tensor) -> tf.Tensor:
            # The last batch is the last `size` images: batch normalization
            # needs full batches. Each image counts once all the same.
            first = tf.minimum(batch * size, total - size)
            logits = self._logits(
                architectures[batch % tf.shape(architectures)[0]],
                tf.ensure_shape(
                    images[first : first + size], [size, *images.shape[1:]]
                ),
                tf.zeros([2], tf.int32),
            )
            hits = _hits(labels[first : first + size], logits)
            fresh = first + tf.range(size) >= batch * size
            return tf.reduce_sum(tf.cast(tf.logical_and(hits, fresh), tf.int32))

        return tf.reduce_sum(
            tf.map_fn(
                count,
                tf.range(start, stop),
                fn_output_signature=tf.TensorSpec([], tf.int32),
                parallel_iterations=1,
            )
        )
