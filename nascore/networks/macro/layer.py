"""One layer of the macro supernet: any operation, over shared weights.

Only the chosen operation runs, forward and backward, and one compiled graph
serves every choice.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from nascore.networks.layers import BATCH_NORM_DECAY, he_normal
from nascore.networks.macro.operations import (
    MOMENTS,
    Branch,
    entry_specs,
    normalize_with,
)
from nascore.networks.operations.base import WeightSpec
from nascore.networks.operations.edge import Edge
from nascore.networks.operations.kernels import (
    mix,
    mix_gradient,
    normalize,
    normalize_gradient,
)
from nascore.process.runtime import once

# Small, and copied into their callers: as copies they start as soon as what
# they add is there, as calls they would wait for all of it.
_copied = tf.function(autograph=False)


@_copied
def _add_if(chosen: tf.Tensor, total: tf.Tensor, part: tf.Tensor) -> tf.Tensor:
    return tf.cond(chosen, lambda: total + part, lambda: tf.identity(total))


def add_skip(
    chosen: tf.Tensor, total: tf.Tensor, tensor: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Adds a tensor to a sum if it is chosen.

    Otherwise nothing is computed, backwards either: the tensor goes through
    all layers that may read it, so that its gradients are added up one by one
    where there are any, and no zeros are made for the other layers.

    Args:
      chosen: bool scalar.
      total: `[n, h, w, c]`.
      tensor: the same shape.

    Returns:
      The sum, and the tensor for the next reader.
    """

    @tf.custom_gradient
    def add(total: tf.Tensor, tensor: tf.Tensor) -> tuple[Any, Any]:
        def grad(upstream: tf.Tensor, later: tf.Tensor) -> tuple[Any, Any]:
            return upstream, _add_if(chosen, later, upstream)

        outputs = _add_if(chosen, total, tensor), tf.identity(tensor)
        return outputs, grad

    return add(total, tensor)


class MacroSharedLayer(keras.layers.Layer):
    """A layer without its skips: 1x1 convolution, normalization, operation.

    Each operation has its own 1x1 convolution; those of all are one variable.

    Args:
      channels: width of the input and of the output.
      branches: the operations.
      edge: the compiled choice among them.
      moving: whether moving statistics are kept, and used out of training.
    """

    def __init__(
        self,
        channels: int,
        branches: Sequence[Branch],
        edge: Edge,
        moving: bool,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.channels = channels
        self.branches = tuple(branches)
        self.edge = edge
        self.moving = moving
        self._infer = once(self._run_inference)

    def build(self, input_shape: object) -> None:
        """Makes the weights; `[operations, ...]` of the 1x1 convolutions."""
        count = len(self.branches)
        self.entries = [
            self._weight(spec, spec.name, count)
            for spec in entry_specs(self.channels)
        ]
        self.slots = [
            self._weight(spec, f"{branch.name}_{spec.name}")
            for branch in self.branches
            for spec in branch.weight_specs(self.channels)
        ]
        if self.moving:
            # Of both normalizations of each operation: mean and variance.
            start = tf.constant([[0.0], [1.0]])
            self.moments = self.add_weight(
                shape=(count, 2, 2, self.channels),
                initializer=lambda shape, dtype: tf.broadcast_to(start, shape),
                trainable=False,
                name="moments",
            )

    def _weight(
        self, spec: WeightSpec, name: str, count: int = 0
    ) -> keras.Variable:
        start = keras.initializers.Constant(spec.start)
        if spec.fan_in is not None:
            start = he_normal(spec.fan_in)
        shape = (count, *spec.shape) if count else spec.shape
        return self.add_weight(shape=shape, initializer=start, name=name)

    def call(
        self, x: tf.Tensor, operation: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """Runs one operation.

        Args:
          x: `[n, h, w, channels]`.
          operation: int32 scalar, its place.
          training: whether moving statistics follow the batch instead of
            being used.

        Returns:
          The same shape.
        """
        entries = [tf.gather(w.value, operation) for w in self.entries]
        slots = [slot.value for slot in self.slots]
        if self.moving and not training:
            moments = tf.gather(self.moments.value, operation)
            return self._infer(operation, x, moments, *entries, *slots)
        output, moments = self._run(operation, x, entries, slots)
        if self.moving:
            self._follow(operation, moments, tf.shape(x))
        return output

    def _run(
        self,
        operation: tf.Tensor,
        x: tf.Tensor,
        entries: list[tf.Tensor],
        slots: list[tf.Tensor],
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The output, and the batch's statistics `[2, 2, channels]`."""
        count = len(entries)

        @tf.custom_gradient
        def run(x: tf.Tensor, *weights: tf.Tensor) -> tuple[Any, Any]:
            (kernel, scale, offset), own = weights[:count], weights[count:]
            mixed = mix(x, kernel)
            made = normalize(mixed, scale, offset)
            output, *kept = self.edge.forward(operation, made.y, *own)

            def grad(upstream: tf.Tensor, _: tf.Tensor) -> list[tf.Tensor]:
                made_grad, *own_grads = self.edge.gradient(
                    operation, upstream, made.y, list(own), kept
                )
                reserves = (
                    made.reserve_space_1,
                    made.reserve_space_2,
                    made.reserve_space_3,
                )
                back = normalize_gradient(mixed, scale, reserves, made_grad)
                x_grad, kernel_grad = mix_gradient(x, kernel, back.x_backprop)
                norm = [back.scale_backprop, back.offset_backprop]
                return [x_grad, kernel_grad, *norm, *own_grads]

            first = tf.stack([made.batch_mean, made.batch_variance])
            second = first
            if len(kept) > self._maps:
                found = kept[self._maps :][MOMENTS]
                second = tf.ensure_shape(tf.stack(found), first.shape)
            return (output, tf.stack([first, second])), grad

        return run(x, *entries, *slots)

    @property
    def _maps(self) -> int:
        """Large tensors among what an operation keeps."""
        return max(branch.kept_maps for branch in self.branches)

    def _follow(
        self, operation: tf.Tensor, moments: tf.Tensor, shape: tf.Tensor
    ) -> None:
        """Moves the statistics of one operation towards those of a batch."""
        # The kernel divides the squares by n - 1.
        pixels = tf.cast(tf.reduce_prod(shape[:3]), tf.float32)
        fair = tf.stack([1.0, (pixels - 1) / pixels])[:, None]
        before = tf.gather(self.moments.value, operation)
        after = before + (1 - BATCH_NORM_DECAY) * (moments * fair - before)
        self.moments.value.scatter_nd_update([[operation]], after[None])

    def _run_inference(
        self,
        operation: tf.Tensor,
        x: tf.Tensor,
        moments: tf.Tensor,
        kernel: tf.Tensor,
        scale: tf.Tensor,
        offset: tf.Tensor,
        *slots: tf.Tensor,
    ) -> tf.Tensor:
        """One operation with moving statistics; it has no gradient."""
        entry, own = moments[0], moments[1]
        x = normalize_with(mix(x, kernel), scale, offset, entry[0], entry[1])
        cases = []
        first = 0
        for branch in self.branches:
            count = len(branch.weight_specs(1))
            weights = slots[first : first + count]
            cases.append(
                lambda branch=branch, weights=weights: branch.infer(
                    x, weights, own[0], own[1]
                )
            )
            first += count
        return tf.switch_case(operation, cases)
