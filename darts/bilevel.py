"""One step of DARTS: alphas learn on one batch, weights on another.

Liu et al. (2019, arXiv 1806.09055, sections 2.3 and algorithm 1), as in their
code. The network is a loss that is called; nothing here knows its layers.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from darts.config import AlphasConfig, WeightsTraining
from darts.layout import AlphaLayout
from darts.recurrent.config import RecurrentAlphasConfig
from nascore.runs.checkpoints import State
from nascore.seeds import fold
from nascore.strategies.policy_gradient import descend_if_finite

# Of weights, of alphas and of a batch: the loss, a scalar, and whatever else
# is to be noted of it. It reads the variables, which hold other values in the
# course of a step, anew in each call, and is the same function each time.
Loss = Callable[
    [Sequence[tf.Variable], Sequence[tf.Variable], Any],
    tuple[tf.Tensor, Mapping[str, tf.Tensor]],
]
Tensors = list[tf.Tensor]

# By this norm weights are moved to either side for a difference.
_REACH = 0.01
# Streams of the first alphas, see `nascore.seeds.fold`.
_OPERATIONS, _EDGES = 100, 101


def start_alphas(
    config: AlphasConfig | RecurrentAlphasConfig, layout: AlphaLayout, seed: int
) -> list[tf.Variable]:
    """The first alphas, float32.

    Args:
      config: settings.
      layout: of the alphas.
      seed: of the run.

    Returns:
      Those of the operations, `[cells, edges, operations]`; in PC-DARTS those
      of the edges, too, `[cells, edges]`.
    """

    def draw(name: str, stream: int, shape: Sequence[int]) -> tf.Variable:
        normal = tf.random.stateless_normal(shape, fold(seed, stream))
        return tf.Variable(config.alpha_init * normal, name=name)

    drawn = [draw("alphas", _OPERATIONS, layout.shape)]
    if config.variant == "pc":
        drawn.append(draw("edge_alphas", _EDGES, layout.shape[:2]))
    return drawn


class Bilevel(tf.Module):
    """How weights and alphas are learned in turns.

    Its methods may be called in a graph; nothing is compiled here. Where a
    loss or a gradient is not finite, nothing is changed.

    Args:
      loss: of the network, see `Loss`.
      weights: that it learns; float32, or float64.
      alphas: likewise.
      training: settings of the weights.
      config: settings of the alphas.
      clips_ahead: whether, in second order, the gradients that weights move
        along are clipped, too, as in DARTS's code for recurrent cells. What is
        found with them is scaled by how much the step ahead was clipped.
    """

    def __init__(
        self,
        loss: Loss,
        weights: Sequence[tf.Variable],
        alphas: Sequence[tf.Variable],
        training: WeightsTraining,
        config: AlphasConfig | RecurrentAlphasConfig,
        clips_ahead: bool = False,
    ) -> None:
        super().__init__(name="bilevel")
        self.weights = list(weights)
        self.alphas = list(alphas)
        self.training = training
        self.config = config
        self._loss = loss
        self._clips_ahead = clips_ahead
        self.momenta = [
            tf.Variable(tf.zeros_like(weight), trainable=False, name="momentum")
            for weight in self.weights
        ]
        # With the epsilon of DARTS's code: PyTorch up to 1.2 adds it where
        # Keras does, later ones after the correction of the mean square.
        self.optimizer = keras.optimizers.Adam(
            config.alpha_lr,
            config.alpha_beta_1,
            config.alpha_beta_2,
            epsilon=1e-8,
        )
        self.optimizer.build(self.alphas)

    @property
    def state(self) -> State:
        """Alphas, and what both optimizers remember; not the weights."""
        rate = self.optimizer.learning_rate
        moments = [v.value for v in self.optimizer.variables if v is not rate]
        return {
            f"{name}_{place}": variable
            for name, variables in (
                ("alphas", self.alphas),
                ("momentum", self.momenta),
                ("alphas_moment", moments),
            )
            for place, variable in enumerate(variables)
        }

    def step(
        self, weights_batch: Any, alphas_batch: Any, learning_rate: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Alphas learn, then weights.

        Args:
          weights_batch: of the half of the data that weights learn from.
          alphas_batch: of the other half.
          learning_rate: of the weights, a scalar of their type.

        Returns:
          What `learn_alphas` and `learn_weights` do.
        """
        alphas = self.learn_alphas(alphas_batch, weights_batch, learning_rate)
        weights = self.learn_weights(weights_batch, learning_rate)
        healthy = alphas.pop("healthy") & weights.pop("healthy")
        return {**alphas, **weights, "healthy": healthy}

    def learn_weights(
        self, batch: Any, learning_rate: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """One step of the weights.

        The gradient is clipped, then joined by the decay, then by the
        momentum. (`keras.optimizers.SGD` has the learning rate within the
        momentum, so that it is another rule when that rate changes.)

        Args:
          batch: that they learn from.
          learning_rate: a scalar of their type.

        Returns:
          Scalars: `loss`, `gradient_norm` of it before clipping, its notes,
          and `healthy`, bool, whether the step was made.
        """
        loss, notes, gradients = self._differentiate(self.weights, batch)
        norm = tf.linalg.global_norm(gradients)
        # A comparison with NaN is false.
        healthy = (loss <= self.training.loss_limit) & tf.math.is_finite(norm)
        if self.training.clip_norm:
            gradients, _ = tf.clip_by_global_norm(
                gradients, self.training.clip_norm, norm
            )

        def descend() -> tf.Tensor:
            for weight, momentum, gradient in zip(
                self.weights, self.momenta, gradients, strict=True
            ):
                tf.raw_ops.ResourceApplyMomentum(
                    var=weight.handle,
                    accum=momentum.handle,
                    lr=learning_rate,
                    grad=gradient + self.training.weights_decay * weight,
                    momentum=tf.cast(
                        self.training.weights_momentum, weight.dtype
                    ),
                    use_nesterov=False,
                )
            return tf.constant(True)

        healthy = tf.cond(healthy, descend, lambda: tf.constant(False))
        return {
            "loss": loss,
            "gradient_norm": norm,
            **notes,
            "healthy": healthy,
        }

    def learn_alphas(
        self, batch: Any, weights_batch: Any, ahead: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """One step of the alphas; the weights are as before, to the bit.

        Args:
          batch: that they learn from.
          weights_batch: that the weights would learn from next; only looked
            at in second order.
          ahead: in second order, the learning rate of the step that the
            alphas look ahead (xi in the paper), a scalar of the weights'
            type; DARTS's code takes that of the weights.

        Returns:
          Scalars: `alpha_loss`, in second order that of the weights ahead;
          `alpha_gradient_norm`, without decay; `second_order_norm` of the
          part that the second order has in it; the loss's notes, `alpha_`
          before their names; `healthy`, bool, whether the step was made.
        """
        if self.config.order == "second":
            found = self._look_ahead(batch, weights_batch, ahead)
            loss, notes, direct, part = found
            gradients = [g - p for g, p in zip(direct, part, strict=True)]
            part_norm = tf.linalg.global_norm(part)
        else:
            loss, notes, gradients = self._differentiate(self.alphas, batch)
            part_norm = tf.zeros_like(loss)
        decayed = [
            gradient + self.config.alpha_decay * alpha
            for gradient, alpha in zip(gradients, self.alphas, strict=True)
        ]
        healthy = descend_if_finite(self.optimizer, loss, decayed, self.alphas)
        return {
            "alpha_loss": loss,
            "alpha_gradient_norm": tf.linalg.global_norm(gradients),
            "second_order_norm": part_norm,
            **{f"alpha_{name}": note for name, note in notes.items()},
            "healthy": healthy,
        }

    def curvature(self, batch: Any, direction: Tensors) -> Tensors:
        """The Hessian for the alphas times a direction.

        It is that of the loss and of the alphas' decay, as in RobustDARTS's
        code, by a difference of gradients.

        Args:
          batch: whose loss.
          direction: a tensor for each of the alphas, of its shape.
        """
        found = _difference(
            lambda: self._differentiate(self.alphas, batch)[2],
            self.alphas,
            direction,
        )
        return [
            product + self.config.alpha_decay * along
            for product, along in zip(found, direction, strict=True)
        ]

    def _differentiate(
        self, variables: Sequence[tf.Variable], batch: Any
    ) -> tuple[tf.Tensor, Mapping[str, tf.Tensor], Tensors]:
        """Loss, notes and dense gradients of a batch."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            loss, notes = self._loss(self.weights, self.alphas, batch)
        gradients = tape.gradient(loss, variables, unconnected_gradients="zero")
        return loss, notes, [tf.convert_to_tensor(g) for g in gradients]

    def _look_ahead(
        self, batch: Any, weights_batch: Any, ahead: tf.Tensor
    ) -> tuple[tf.Tensor, Mapping[str, tf.Tensor], Tensors, Tensors]:
        """What the second order knows of a batch (equations 7 and 8).

        Returns:
          Loss and notes at the weights ahead; the alphas' gradient there; and
          what is taken from it, since those weights depend on the alphas.
        """
        before = _read(self.weights)
        _, _, gradients = self._differentiate(self.weights, weights_batch)
        gradients, scale = self._clip_ahead(gradients)
        for weight, momentum, gradient in zip(
            self.weights, self.momenta, gradients, strict=True
        ):
            # Not clipped, in DARTS's code for images.
            step = self.training.weights_momentum * momentum + gradient
            step += self.training.weights_decay * weight
            weight.assign_sub(ahead * step)
        loss, notes, found = self._differentiate(
            [*self.alphas, *self.weights], batch
        )
        _assign(self.weights, before)
        count = len(self.alphas)
        direction, _ = self._clip_ahead(found[count:])
        mixed = _difference(
            lambda: self._differentiate(self.alphas, weights_batch)[2],
            self.weights,
            direction,
        )
        parts = [ahead * scale * part for part in mixed]
        return loss, notes, found[:count], parts

    def _clip_ahead(self, gradients: Tensors) -> tuple[Tensors, tf.Tensor]:
        """Clips if it is to; and by what they were multiplied."""
        norm = tf.linalg.global_norm(gradients)
        if not (self._clips_ahead and self.training.clip_norm):
            return gradients, tf.ones_like(norm)
        bound = tf.cast(self.training.clip_norm, norm.dtype)
        scale = bound / tf.maximum(norm, bound)
        return [scale * gradient for gradient in gradients], scale


def _difference(
    gradients: Callable[[], Tensors],
    variables: Sequence[tf.Variable],
    direction: Tensors,
) -> Tensors:
    """How gradients change along a direction of variables.

    A central difference; zero along a direction of length zero, NaN along
    one that is not finite. The variables are as before, to the bit.
    """
    before = _read(variables)
    norm = tf.linalg.global_norm(direction)
    size = tf.math.divide_no_nan(tf.cast(_REACH, norm.dtype), norm)
    sides = []
    for signed in (size, -size):
        _assign(
            variables,
            [
                value + signed * along
                for value, along in zip(before, direction, strict=True)
            ],
        )
        sides.append(gradients())
    # Not by moving back, which would leave what was rounded.
    _assign(variables, before)
    flat = tf.equal(norm, 0)
    return [
        tf.where(flat, tf.zeros_like(left), (right - left) / (2 * size))
        for right, left in zip(*sides, strict=True)
    ]


def _read(variables: Sequence[tf.Variable]) -> Tensors:
    """Their values, which no later assignment changes."""
    return [variable.read_value() for variable in variables]


def _assign(variables: Sequence[tf.Variable], values: Tensors) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
