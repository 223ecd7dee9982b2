"""Keras layers that the supernet and the discrete networks both use.

The normalization is an argument: during a search it uses the statistics of
the current batch, in a final network moving statistics.
"""

from collections.abc import Callable

import keras
import tensorflow as tf

BATCH_NORM_EPSILON = 1e-5
BATCH_NORM_DECAY = 0.9

Normalization = Callable[[], keras.layers.Layer]


def he_normal(fan_in: float) -> keras.initializers.Initializer:
    """He et al. (2015), where Keras cannot tell the fan-in from the shape.

    It would count the slots and, for depthwise kernels, all channels.
    """
    # Truncation at two sigma shrinks the deviation by this factor.
    stddev = (2.0 / fan_in) ** 0.5 / 0.87962566103423978
    return keras.initializers.TruncatedNormal(stddev=stddev)


def batch_norm(x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor) -> tf.Tensor:
    """Normalizes `[n, h, w, c]` by the statistics of this batch alone."""
    return tf.raw_ops.FusedBatchNormV3(
        x=x,
        scale=scale,
        offset=offset,
        mean=tf.zeros([0]),
        variance=tf.zeros([0]),
        epsilon=BATCH_NORM_EPSILON,
        is_training=True,
    ).y


class BatchStatisticsNorm(keras.layers.Layer):
    """Batch normalization that always uses the current batch's statistics.

    ENAS normalizes so in training and when it measures rewards, because
    moving statistics would mix those of different architectures.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes scale and offset, `[channels]` each."""
        channels = input_shape[-1]
        self.scale = self.add_weight(
            shape=(channels,), initializer="ones", name="scale"
        )
        self.offset = self.add_weight(
            shape=(channels,), initializer="zeros", name="offset"
        )

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Normalizes `[n, h, w, c]`."""
        return batch_norm(x, self.scale.value, self.offset.value)


def moving_norm() -> keras.layers.Layer:
    """Batch normalization with moving statistics, as ENAS sets it."""
    return keras.layers.BatchNormalization(
        momentum=BATCH_NORM_DECAY, epsilon=BATCH_NORM_EPSILON
    )


def convolution(
    channels: int, kernel_size: int = 1, strides: int = 1, padding: str = "same"
) -> keras.layers.Conv2D:
    """A convolution without bias and with He-normal weights."""
    return keras.layers.Conv2D(
        channels,
        kernel_size,
        strides=strides,
        padding=padding,
        use_bias=False,
        kernel_initializer="he_normal",
    )


class ConvNorm(keras.layers.Layer):
    """An optional relu, a convolution, a normalization.

    Args:
      channels: width of the output.
      kernel_size: height and width of the kernel.
      relu: whether a relu comes first.
      normalization: makes the normalization layer.
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int,
        relu: bool,
        normalization: Normalization,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.relu = relu
        self.convolution = convolution(channels, kernel_size)
        self.norm = normalization()

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Builds the convolution and the normalization."""
        self.convolution.build(input_shape)
        self.norm.build(self.convolution.compute_output_shape(input_shape))

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Maps `[n, h, w, c]` to `[n, h, w, channels]`."""
        if self.relu:
            x = tf.nn.relu(x)
        return self.norm(self.convolution(x))


class FactorizedReduction(keras.layers.Layer):
    """Halves height and width without losing every second pixel.

    Two 1x1 convolutions of stride 2 with half the channels each, the second
    on the input shifted by one pixel, concatenated and normalized.

    Args:
      channels: width of the output; even.
      relu: whether a relu comes first.
      normalization: makes the normalization layer.

    Raises:
      ValueError: an odd number of channels.
    """

    def __init__(
        self,
        channels: int,
        relu: bool,
        normalization: Normalization,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        if channels < 2 or channels % 2:
            raise ValueError(
                "a factorized reduction needs an even number of channels. "
                f"Received: channels={channels}"
            )
        self.relu = relu
        self.channels = channels
        self.paths = [
            convolution(channels // 2, 1, strides=2, padding="valid")
            for _ in range(2)
        ]
        self.norm = normalization()

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Builds both paths and the normalization."""
        for path in self.paths:
            path.build(input_shape)
        self.norm.build((*input_shape[:-1], self.channels))

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Maps `[n, h, w, c]` to `[n, h/2, w/2, channels]`; h, w even."""
        if self.relu:
            x = tf.nn.relu(x)
        first, second = self.paths
        halves = [first(x), second(x[:, 1:, 1:, :])]
        return self.norm(tf.concat(halves, axis=-1))
