"""The phase in which weights and alphas learn."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from darts.bilevel import Bilevel
from darts.config import AlphasConfig, MixedWeightsConfig
from darts.cures import auxiliary_skip
from darts.layout import AlphaLayout
from darts.mixture import shares
from nascore import draws
from nascore.data.augment import batch_places
from nascore.data.config import DataConfig
from nascore.data.images import ImageData
from nascore.evaluators.batches import Images, to_device
from nascore.evaluators.mixed_weights import MixedWeights
from nascore.evaluators.shared_weights import accuracy
from nascore.evaluators.weights import cross_entropy
from nascore.process.runtime import once
from nascore.protocols import Columns
from nascore.runs.checkpoints import State
from nascore.runs.tables import Row
from nascore.search import loops
from nascore.seeds import Stream, fold

MIXTURE = "mixture"
# Streams of the alphas' batches, see `nascore.seeds.fold`; and of the batch
# that curvature is measured on.
_BATCH, _AUGMENT, CURVATURE = 102, 103, 104
TAME = "Lower --weights_lr_max or --alpha_lr, in a new run"


class MixedBatch(NamedTuple):
    """What a loss is taken of.

    Attributes:
      images: float `[n, h, w, c]`.
      labels: int32 `[n]`.
      fade: share of DARTS-'s second skip, a scalar.
    """

    images: tf.Tensor
    labels: tf.Tensor
    fade: tf.Tensor


class TrainMixture(tf.Module):
    """Steps of DARTS: alphas on validation images, weights on the others.

    See `nascore.protocols.Phase`.

    Its rows, a step each: `loss` and `accuracy` of the weights' batch,
    `alpha_loss` and `alpha_accuracy` of the alphas' batch before they learn
    (NaN while they do not), `learning_rate`, norms of gradients.

    Args:
      mixed: the weights.
      alphas: see `darts.bilevel.start_alphas`.
      layout: of the alphas.
      data: images.
      augmentation: how the images of both halves are changed.
      weights: training of the weights.
      config: training of the alphas.
      seed: of the run.
      epochs: of the search.
    """

    name = MIXTURE
    stretch = 0
    weight = 1
    timed = False
    _COLUMNS = (
        "loss",
        "accuracy",
        "alpha_loss",
        "alpha_accuracy",
        "gradient_norm",
        "alpha_gradient_norm",
        "second_order_norm",
        "healthy",
    )

    def __init__(
        self,
        mixed: MixedWeights,
        alphas: list[tf.Variable],
        layout: AlphaLayout,
        data: ImageData,
        augmentation: DataConfig,
        weights: MixedWeightsConfig,
        config: AlphasConfig,
        seed: int,
        epochs: int,
    ) -> None:
        super().__init__(name="train_mixture")
        self.mixed = mixed
        self.layout = layout
        self.augmentation = augmentation
        self.weights = weights
        self.config = config
        self.seed = seed
        self.epochs = epochs
        self.images = to_device(data.train)
        self.steps_per_epoch = -(-self.images.size // weights.batch_size)
        self.bilevel = Bilevel(
            once(self._loss), mixed.weights, alphas, weights, config
        )

    @property
    def state(self) -> State:
        """Weights, alphas and what their optimizers remember."""
        return {**self.mixed.state, **self.bilevel.state}

    def fade(self, epoch: int) -> float:
        """Share of DARTS-'s second skip."""
        if self.config.variant != "minus":
            return 0.0
        return auxiliary_skip(epoch, self.epochs)

    def shares(self, epoch: int) -> tf.Tensor:
        """Of the mixture as it is."""
        return shares(
            self.layout,
            self.config,
            self.bilevel.alphas,
            tf.constant(self.fade(epoch)),
        )

    def steps(self, epoch: int) -> int:
        """See `Phase.steps`."""
        return self.steps_per_epoch

    def run(self, epoch: int, start: int, stop: int) -> Columns:
        """See `Phase.run`."""
        rate = self.weights.learning_rate(epoch, self.epochs)
        learn = self._learn if self.learns(epoch) else self._warm
        found = learn(
            *(tf.constant(n) for n in (epoch, start, stop)),
            tf.constant(rate),
            tf.constant(self.fade(epoch)),
        )
        columns = {name: value.numpy() for name, value in found.items()}
        sick = np.flatnonzero(~columns["healthy"])
        count = int(sick[0]) + 1 if len(sick) else stop - start
        columns = {name: value[:count] for name, value in columns.items()}
        healthy = columns.pop("healthy")
        columns["learning_rate"] = np.full(count, rate)
        return {**columns, "healthy": healthy}

    def learns(self, epoch: int) -> bool:
        """Whether the alphas do, or only the weights."""
        return epoch >= self.config.alpha_from

    @tf.function(autograph=False)
    def _learn(
        self,
        epoch: tf.Tensor,
        start: tf.Tensor,
        stop: tf.Tensor,
        rate: tf.Tensor,
        fade: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        return self._steps(epoch, start, stop, rate, fade, True)

    @tf.function(autograph=False)
    def _warm(
        self,
        epoch: tf.Tensor,
        start: tf.Tensor,
        stop: tf.Tensor,
        rate: tf.Tensor,
        fade: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        return self._steps(epoch, start, stop, rate, fade, False)

    def _steps(
        self,
        epoch: tf.Tensor,
        start: tf.Tensor,
        stop: tf.Tensor,
        rate: tf.Tensor,
        fade: tf.Tensor,
        learns: bool,
    ) -> dict[str, tf.Tensor]:
        """Steps `start` to `stop` of an epoch; ends after one that is sick."""
        order = draws.order(
            self.images.size, fold(self.seed, Stream.SHUFFLE, epoch)
        )

        def step(number: tf.Tensor, _: tf.Tensor) -> dict[str, tf.Tensor]:
            places = batch_places(order, number, self.weights.batch_size)
            seed = fold(self.seed, Stream.AUGMENT, epoch, number)
            ours = self._batch(self.images, places, seed, fade)
            if learns:
                found = self.bilevel.step(
                    ours, self.alphas_batch(epoch, number, fade), rate
                )
            else:
                found = self.bilevel.learn_weights(ours, rate)
            values = {
                name: found.get(name, tf.constant(np.nan, tf.float32))
                for name in self._COLUMNS
            }
            return {name: values[name][None] for name in self._COLUMNS}

        return loops.run_in_graph(
            step,
            {name: [1] for name in self._COLUMNS},
            start,
            stop,
            tf.constant(0),
        )

    def alphas_batch(
        self,
        epoch: tf.Tensor,
        step: tf.Tensor,
        fade: tf.Tensor,
        stream: int = _BATCH,
    ) -> MixedBatch:
        """Validation images, drawn anew in each step, as in DARTS's code."""
        images = self.mixed.validation_images
        order = draws.order(images.size, fold(self.seed, stream, epoch, step))
        seed = fold(self.seed, _AUGMENT, epoch, step)
        places = order[: self.weights.batch_size]
        return self._batch(images, places, seed, fade)

    def _batch(
        self,
        images: Images,
        places: tf.Tensor,
        seed: tf.Tensor,
        fade: tf.Tensor,
    ) -> MixedBatch:
        taken, labels = images.take(
            places, self.mixed.scaling, self.augmentation, seed
        )
        return MixedBatch(taken, labels, fade)

    def _loss(
        self,
        weights: Sequence[tf.Variable],
        alphas: Sequence[tf.Variable],
        batch: MixedBatch,
    ) -> tuple[tf.Tensor, Mapping[str, tf.Tensor]]:
        """See `darts.bilevel.Loss`; the network reads its own weights."""
        mixture = shares(self.layout, self.config, list(alphas), batch.fade)
        logits = self.mixed.logits(batch.images, mixture)
        return cross_entropy(batch.labels, logits), {
            "accuracy": accuracy(batch.labels, logits)
        }

    def summary(self, epoch: int, rows: Sequence[Row]) -> Mapping[str, float]:
        """See `Phase.summary`."""

        def mean(name: str) -> float:
            return float(np.mean([float(row[name]) for row in rows]))

        return {
            "learning_rate": float(rows[-1]["learning_rate"]),
            "mixture_loss": mean("loss"),
            "mixture_train_accuracy": mean("accuracy"),
            "alpha_loss": mean("alpha_loss"),
        }

    def line(self, summary: Mapping[str, float]) -> str:
        """See `Phase.line`."""
        return f"mixture's loss {summary['mixture_loss']:.3f}"

    def ended(self, epoch: int) -> str:
        """See `Phase.ended`."""
        return ""

    def explain(self, row: Row) -> tuple[str, str]:
        """See `Phase.explain`."""
        loss, norm = row["loss"], row["gradient_norm"]
        what = (
            f"the mixture's loss is {loss:g} and its gradient's norm {norm:g}"
        )
        if math.isfinite(loss) and math.isfinite(norm):
            what += ", beyond --loss_limit, or the alphas' loss is not finite"
        return what, TAME
