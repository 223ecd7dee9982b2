"""The phase in which weights and alphas learn."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf

from darts.bilevel import Bilevel
from darts.config import AlphasConfig, MixedWeightsConfig
from darts.layout import AlphaLayout
from darts.mixture import auxiliary_skip, shares
from darts.steps import MixtureSteps
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
from nascore.seeds import Stream, fold

# Streams of the alphas' batches, see `nascore.seeds.fold`; and of the batch
# that curvature is measured on.
_BATCH, _AUGMENT, CURVATURE = 102, 103, 104


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


class TrainMixture(MixtureSteps):
    """Steps of DARTS: alphas on validation images, weights on the others.

    Its rows are those of `MixtureSteps`, with the accuracy on each batch; NaN
    of the alphas' batch while they do not learn.

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

    note = "accuracy"
    means = {
        "mixture_loss": "loss",
        "mixture_train_accuracy": "accuracy",
        "alpha_loss": "alpha_loss",
    }
    tame = "Lower --weights_lr_max or --alpha_lr, in a new run"

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
        super().__init__(mixed, layout, seed)
        self.augmentation = augmentation
        self.weights = weights
        self.config = config
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
        return self._with_rate(found, rate)

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

        def step(number: tf.Tensor) -> dict[str, tf.Tensor]:
            places = batch_places(order, number, self.weights.batch_size)
            seed = fold(self.seed, Stream.AUGMENT, epoch, number)
            ours = self._batch(self.images, places, seed, fade)
            if not learns:
                return self.bilevel.learn_weights(ours, rate)
            theirs = self.alphas_batch(epoch, number, fade)
            return self.bilevel.step(ours, theirs, rate)

        return self._loop(step, start, stop)

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

    def line(self, summary: Mapping[str, float]) -> str:
        """See `Phase.line`."""
        return f"mixture's loss {summary['mixture_loss']:.3f}"
