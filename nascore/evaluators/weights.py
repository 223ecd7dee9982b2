"""The training of shared weights: one architecture in each step.

A stretch of steps is one compiled loop: nothing is traced again, and Python
is entered once for all of them.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from nascore import draws
from nascore.data.augment import batch_places
from nascore.data.config import DataConfig
from nascore.data.images import Split
from nascore.evaluators.batches import to_device
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.shared_weights import TAME, SharedWeights, accuracy
from nascore.evaluators.steps import TrainShared
from nascore.protocols import Columns
from nascore.runs.checkpoints import State
from nascore.runs.tables import Row
from nascore.schedules import CosineRestarts
from nascore.seeds import Stream, fold


def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Mean cross entropy of `[n, classes]` logits, in nats."""
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    )


class TrainWeights(TrainShared):
    """The phase that trains shared weights, see `nascore.protocols.Phase`.

    Its rows, a training step each: `loss`, cross entropy of the main head in
    nats; `accuracy` on the step's own batch; `learning_rate`;
    `gradient_norm` of the loss with the auxiliary head's, without decay.
    `healthy` is whether the loss is within the limit and the gradient
    finite; in a stretch's last step also whether the weights are, which the
    next step would show. All count: some kernels turn NaN into 0 in a relu,
    so that the loss of ruined weights can look like a guess.

    Args:
      shared: the weights.
      sample: proposes the architectures, from a count and a seed; compiled.
      images: the training images.
      augmentation: how they are changed.
      seed: of the run.
    """

    _COLUMNS = ("loss", "accuracy", "gradient_norm", "healthy")
    tame = TAME

    def __init__(
        self,
        shared: SharedWeights,
        sample: Callable[..., tf.Tensor],
        images: Split,
        augmentation: DataConfig,
        seed: int,
    ) -> None:
        super().__init__(shared, sample, seed)
        self.augmentation = augmentation
        self.images = to_device(images)
        self.steps_per_epoch = -(-self.images.size // self.config.batch_size)
        self.momenta = [
            tf.Variable(tf.zeros_like(weight), trainable=False, name="momentum")
            for weight in shared.weights
        ]
        self.learning_rate = CosineRestarts(
            self.config.child_lr_max,
            self.config.child_lr_min,
            self.config.child_lr_period,
            self.config.child_lr_restart == "half",
        )

    @property
    def state(self) -> State:
        """Weights and momenta."""
        momenta = {f"momentum_{n}": m for n, m in enumerate(self.momenta)}
        return {**self.shared.state, **momenta}

    def steps(self, epoch: int) -> int:
        """See `Phase.steps`."""
        return self.steps_per_epoch

    def run(self, epoch: int, start: int, stop: int) -> Columns:
        """See `Phase.run`."""
        rows = self._rows(epoch, self.steps_per_epoch)
        # The first step of an epoch, which may have a learning rate of its
        # own, is a stretch for itself.
        learning_rate = float(self.learning_rate(epoch, start))
        columns = self.train(
            rows,
            *(tf.constant(n) for n in (epoch, start, stop)),
            tf.constant(learning_rate),
        )
        return {
            "row": rows[start:stop],
            "loss": columns["loss"],
            "accuracy": columns["accuracy"],
            "learning_rate": np.full(stop - start, learning_rate),
            "gradient_norm": columns["gradient_norm"],
            "healthy": columns["healthy"],
        }

    @tf.function(autograph=False)
    def train(
        self,
        rows: tf.Tensor,
        epoch: tf.Tensor,
        start: tf.Tensor,
        stop: tf.Tensor,
        learning_rate: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Trains steps `start` to `stop` of an epoch, one row each.

        Args:
          rows: int32 `[steps per epoch, length]`, architectures.
          epoch: int32 scalar.
          start: int32 scalar, the first step.
          stop: int32 scalar, the step after the last one.
          learning_rate: float32 scalar.

        Returns:
          Columns `[stop - start]`, see the class.
        """
        cells = self.shared.as_cells(rows)
        order = draws.order(
            self.images.size, fold(self.seed, Stream.SHUFFLE, epoch)
        )

        return self._loop(
            lambda step: self._train_step(
                cells[step], order, epoch, step, learning_rate
            ),
            start,
            stop,
        )

    def _train_step(
        self,
        architecture: tf.Tensor,
        order: tf.Tensor,
        epoch: tf.Tensor,
        step: tf.Tensor,
        learning_rate: tf.Tensor,
    ) -> tuple[tf.Tensor, ...]:
        images, labels = self._batch(order, epoch, step)
        seed = fold(self.seed, Stream.DROPOUT, epoch, step)
        loss, logits, gradients = self._differentiate(
            architecture, images, labels, seed
        )
        norm = tf.linalg.global_norm(gradients)
        if self.config.clip_norm:
            gradients, _ = tf.clip_by_global_norm(
                gradients, self.config.clip_norm, norm
            )
        self._descend(gradients, learning_rate)
        # A comparison with NaN is false.
        healthy = tf.logical_and(
            loss <= self.config.loss_limit, tf.math.is_finite(norm)
        )
        return loss, accuracy(labels, logits), norm, healthy

    def _descend(
        self,
        gradients: Sequence[tf.Tensor | tf.IndexedSlices | None],
        learning_rate: tf.Tensor,
    ) -> None:
        """Updates all weights."""
        for weight, momentum, gradient in zip(
            self.shared.weights, self.momenta, gradients, strict=True
        ):
            decayed = with_decay(weight, gradient, self.config)
            update(weight, momentum, decayed, learning_rate, self.config)

    def _batch(
        self, order: tf.Tensor, epoch: tf.Tensor, step: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """A step's images, augmented, and labels."""
        batch = tf.gather(
            order, batch_places(order, step, self.config.batch_size)
        )
        return self.images.take(
            batch,
            self.shared.scaling,
            self.augmentation,
            fold(self.seed, Stream.AUGMENT, epoch, step),
        )

    def _differentiate(
        self,
        architecture: tf.Tensor,
        images: tf.Tensor,
        labels: tf.Tensor,
        seed: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        """The main head's loss and logits, and the whole loss's gradients."""
        supernet = self.shared.supernet
        with tf.GradientTape() as tape:
            logits, aux_logits = supernet(
                images, architecture, training=True, seed=seed
            )
            loss = cross_entropy(labels, logits)
            total = loss
            if aux_logits is not None:
                aux_loss = cross_entropy(labels, aux_logits)
                total += supernet.config.aux_weight * aux_loss
        return loss, logits, tape.gradient(total, self.shared.weights)

    def summary(self, epoch: int, rows: Sequence[Row]) -> Mapping[str, float]:
        """See `Phase.summary`."""
        return {
            "learning_rate": float(rows[-1]["learning_rate"]),
            "child_loss": float(np.mean([float(r["loss"]) for r in rows])),
            "child_accuracy": float(
                np.mean([float(r["accuracy"]) for r in rows])
            ),
        }

    def line(self, summary: Mapping[str, float]) -> str:
        """See `Phase.line`."""
        return f"child loss {summary['child_loss']:.3f}"


def with_decay(
    weight: tf.Variable,
    gradient: tf.Tensor | tf.IndexedSlices | None,
    config: SharedWeightsConfig,
) -> tf.Tensor:
    """A gradient of the loss, with that of the decay."""
    decay = 2 * config.weight_decay * weight
    if isinstance(gradient, tf.IndexedSlices):
        # Only the chosen slots have a gradient of the loss, but all of them
        # decay and keep their momentum.
        return tf.tensor_scatter_nd_add(
            decay, gradient.indices[:, None], gradient.values
        )
    return decay if gradient is None else gradient + decay


def update(
    weight: tf.Variable,
    momentum: tf.Variable,
    gradient: tf.Tensor,
    learning_rate: tf.Tensor,
    config: SharedWeightsConfig,
) -> None:
    """A step of Nesterov momentum, in one fused pass."""
    tf.raw_ops.ResourceApplyMomentum(
        var=weight.handle,
        accum=momentum.handle,
        lr=learning_rate,
        grad=gradient,
        momentum=config.momentum,
        use_nesterov=True,
    )
