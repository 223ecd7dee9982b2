"""What an operation of a cell is, in its shared and its discrete form.

Its shared form is what a supernet needs: the weights of one slot, and a pure
function of an input and one slot's weights, normalized by the statistics of
the batch. Its discrete form is an ordinary Keras layer with weights and
moving statistics of its own. It also says what it costs.
"""

import abc
import copy
import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from nascore.networks.layers import Normalization


@dataclasses.dataclass(frozen=True)
class WeightSpec:
    """One weight of one slot.

    Args:
      name: unique inside its operation.
      shape: shape of one slot.
      fan_in: inputs that each output sums over, for a kernel; None for a
        scale or an offset.
      start: what a scale or an offset starts at.
    """

    name: str
    shape: tuple[int, ...]
    fan_in: int | None = None
    start: float = 0.0

    @property
    def size(self) -> int:
        """Numbers in one slot."""
        return math.prod(self.shape)


@dataclasses.dataclass(frozen=True)
class Options:
    """How an operation is made, where papers differ.

    The first three are of the shared form; a discrete one has its strides
    where it is made, a scale and an offset in every normalization, and none
    after a pool.

    Args:
      strides: 1, or 2 to halve height and width.
      affine: whether a normalization has a scale and an offset; DARTS's
        search has none, so that no edge can grow but by its own number.
      norm_after_pool: whether a pool is normalized, likewise.
      padding: where a stride begins, in both forms. same: TensorFlow's, whose
        padding lies to the right and below; torch: PyTorch's, of which half
        lies on each side.
    """

    strides: int = 1
    affine: bool = True
    norm_after_pool: bool = False
    padding: str = "same"


# Those of a search over NAS-Bench-201's cells, as in the code of its authors.
BENCH201_OPTIONS = Options(affine=False)


def norm_specs(channels: int, end: str = "") -> tuple[WeightSpec, ...]:
    """Scale and offset of a normalization.

    Args:
      channels: that it normalizes.
      end: of their names.
    """
    return (
        WeightSpec(f"scale{end}", (channels,), start=1.0),
        WeightSpec(f"offset{end}", (channels,)),
    )


class Forward(NamedTuple):
    """What an operation's forward pass leaves for its gradient.

    Attributes:
      output: `[n, h, w, c]`.
      maps: tensors of that shape, `kept_maps` of them.
      statistics: small float32 tensors, `kept_statistics` of them.
    """

    output: tf.Tensor
    maps: Sequence[tf.Tensor] = ()
    statistics: Sequence[tf.Tensor] = ()


class Backward(NamedTuple):
    """Backward of an operation, and how its output lies to them.

    Attributes:
      x: of the input.
      weights: of each weight.
      along: inner product of the upstream gradient and the output, a float32
        scalar: the gradient of a factor on the output.
    """

    x: tf.Tensor
    weights: Sequence[tf.Tensor]
    along: tf.Tensor


class Operation(abc.ABC):
    """Base of the operations: keeps shape at stride 1, has no weights."""

    options = Options()
    is_convolution = False
    # Whether it passes its input on; a drop path spares it.
    is_skip = False
    # What the shared form keeps for its gradient, besides its input.
    kept_maps = 0
    kept_statistics = 0

    @property
    def _written_out(self) -> bool:
        """Whether `gradients` is a computation of its own, made for speed."""
        return False

    def with_options(self, options: Options) -> "Operation":
        """The same operation, made otherwise."""
        made = copy.copy(self)
        made.options = options
        return made

    def weight_specs(self, channels: int) -> tuple[WeightSpec, ...]:
        """Returns the weights of one slot at this width."""
        return ()

    @abc.abstractmethod
    def apply(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> tf.Tensor:
        """The shared form: maps `[n, h, w, c]` to the same shape.

        With strides, to that of every second pixel.

        Args:
          x: the input, any float type.
          weights: one slot, in the order of `weight_specs`.
        """

    def forward(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> Forward:
        """`apply`, with what `gradient` cannot cheaply make again."""
        return Forward(self.apply(x, weights))

    def gradient(
        self,
        x: tf.Tensor,
        weights: Sequence[tf.Tensor],
        kept: Forward,
        upstream: tf.Tensor,
    ) -> list[tf.Tensor]:
        """Backward of the input and of each weight, by running it again.

        Args:
          x: the input.
          weights: one slot.
          kept: what `forward` has kept; its output is not to be used.
          upstream: the gradient of the output.
        """
        if not self._written_out:
            return self._differentiate(x, weights, upstream)[1]
        found = self.gradients(x, weights, kept, upstream)
        return [found.x, *found.weights]

    def gradients(
        self,
        x: tf.Tensor,
        weights: Sequence[tf.Tensor],
        kept: Forward,
        upstream: tf.Tensor,
    ) -> Backward:
        """`gradient`, and that of a factor on the output.

        Args:
          x: the input.
          weights: one slot.
          kept: what `forward` has kept; its output is not to be used.
          upstream: the gradient of the output.
        """
        output, found = self._differentiate(x, weights, upstream)
        along = tf.reduce_sum(tf.cast(output * upstream, tf.float32))
        return Backward(found[0], found[1:], along)

    def _differentiate(
        self, x: tf.Tensor, weights: Sequence[tf.Tensor], upstream: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """The output, made again, and the gradients of input and weights."""
        sources = [x, *weights]
        with tf.GradientTape() as tape:
            tape.watch(sources)
            output = self.apply(x, weights)
        return output, tape.gradient(
            output, sources, upstream, unconnected_gradients="zero"
        )

    @abc.abstractmethod
    def discrete(
        self, channels: int, strides: int, normalization: Normalization
    ) -> list[keras.layers.Layer]:
        """The discrete form: Keras layers for `[n, h, w, channels]`.

        They run one after the other and are Keras's own, so that a saved
        network loads without this package. Their trainable weights are
        those of `discrete_specs`, in that order, if there are any.
        """

    def discrete_specs(
        self, channels: int, strides: int
    ) -> tuple[WeightSpec, ...]:
        """Returns the weights of the discrete form."""
        return self.weight_specs(channels)

    def discrete_maps(self, strides: int) -> tuple[int, int]:
        """Maps that the discrete form keeps for its gradient.

        Returns:
          How many of the input's size, and how many of the output's.
        """
        return 0, 0

    def multiply_adds(self, channels: int, strides: int = 1) -> int:
        """Multiply-adds of either form for one pixel of the output.

        Those of kernels, each number of which is used once; normalizations,
        activations, poolings and sums do not count, as is usual, nor does
        what TensorFlow pads or throws away for dilated kernels.
        """
        return sum(
            spec.size
            for spec in self.discrete_specs(channels, strides)
            if spec.fan_in is not None
        )
