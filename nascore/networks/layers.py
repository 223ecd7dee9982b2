"""Keras layers that the supernet and the discrete networks both use.

The normalization is an argument: during a search it uses the statistics of
the current batch, in a final network moving statistics.
"""

from collections.abc import Callable

import keras
import tensorflow as tf

from nascore.networks.auxiliary import (
    AUXILIARY_POOL,
    AUXILIARY_WIDTHS,
    Auxiliary,
)
from nascore.networks.operations.kernels import (
    BATCH_NORM_EPSILON,
    batch_norm,
    mix,
)

BATCH_NORM_DECAY = 0.9

Normalization = Callable[[], keras.layers.Layer]


def he_normal(fan_in: float) -> keras.initializers.Initializer:
    """He et al. (2015), where Keras cannot tell the fan-in from the shape.

    It would count the slots and, for depthwise kernels, all channels.
    """
    # Truncation at two sigma shrinks the deviation by this factor.
    stddev = (2.0 / fan_in) ** 0.5 / 0.87962566103423978
    return keras.initializers.TruncatedNormal(stddev=stddev)


class BatchStatisticsNorm(keras.layers.Layer):
    """Batch normalization that always uses the current batch's statistics.

    ENAS normalizes so in training and when it measures rewards, because
    moving statistics would mix those of different architectures.

    Args:
      affine: whether it has a scale and an offset.
    """

    def __init__(self, affine: bool = True, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.affine = affine

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes scale and offset, `[channels]` each, if it has them."""
        channels = input_shape[-1]
        if not self.affine:
            return
        self.scale = self.add_weight(
            shape=(channels,),
            initializer="ones",
            name="scale",
            # The kernel wants them in float32, whatever it normalizes.
            autocast=False,
        )
        self.offset = self.add_weight(
            shape=(channels,),
            initializer="zeros",
            name="offset",
            autocast=False,
        )

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Normalizes `[n, h, w, c]`."""
        if not self.affine:
            channels = x.shape[-1]
            return batch_norm(x, tf.ones(channels), tf.zeros(channels))
        return batch_norm(x, self.scale.value, self.offset.value)


def moving_norm(synchronized: bool = False) -> keras.layers.Layer:
    """Batch normalization with moving statistics, as ENAS sets it.

    Args:
      synchronized: whether the statistics are those of all replicas.
    """
    return keras.layers.BatchNormalization(
        momentum=BATCH_NORM_DECAY,
        epsilon=BATCH_NORM_EPSILON,
        synchronized=synchronized,
    )


@keras.saving.register_keras_serializable(package="nascore")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Keras's batch normalization, trained with TensorFlow's fused kernel.

    The same variables and values; Keras composes it of many operations,
    which takes several times as long.
    """

    def call(
        self,
        inputs: tf.Tensor,
        training: bool | None = None,
        mask: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Normalizes `[n, h, w, c]` and moves the statistics in training."""
        if not training:
            return super().call(inputs, training=False, mask=mask)
        outputs = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.cast(self.gamma.value, tf.float32),
            offset=tf.cast(self.beta.value, tf.float32),
            mean=tf.zeros([0]),
            variance=tf.zeros([0]),
            epsilon=self.epsilon,
            is_training=True,
        )
        # The kernel divides the squares by n - 1, Keras by n.
        count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:3]), tf.float32)
        variance = outputs.batch_variance * (count - 1) / count
        for moving, value in (
            (self.moving_mean, outputs.batch_mean),
            (self.moving_variance, variance),
        ):
            moving.assign(
                moving * self.momentum + value * (1.0 - self.momentum)
            )
        return outputs.y


def fused_moving_norm() -> keras.layers.Layer:
    """`moving_norm` with the fused kernel."""
    return FusedBatchNormalization(
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
        if self.convolution.kernel_size == (1, 1):
            return self.norm(mix(x, self.convolution.kernel.value))
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
        first, second = (path.kernel.value for path in self.paths)
        zeros = tf.zeros_like(first)
        # Two neighbouring pixels of a row are one of twice the channels. So
        # a path reads every second row as a whole and gives its zeros to
        # the pixels that it skips, which is faster than to pick pixels.
        _, height, width, channels = x.shape
        rows = tf.reshape(x, [-1, height // 2, 2, width // 2 * 2 * channels])
        halves = []
        for row, kernel in zip(
            tf.unstack(rows, axis=2),
            (
                tf.concat([first, zeros], axis=2),
                tf.concat([zeros, second], axis=2),
            ),
            strict=True,
        ):
            row = tf.reshape(row, [-1, height // 2, width // 2, 2 * channels])
            if self.relu:
                row = tf.nn.relu(row)
            halves.append(mix(row, kernel))
        return self.norm(tf.concat(halves, axis=-1))


def halving(have: int, channels: int) -> keras.Model:
    """The two paths of `FactorizedReduction` as a block of Keras's layers.

    Pixels are picked by a pool of one pixel, as in ENAS's code, and not by
    the convolution: oneDNN's filter gradient of a 1x1 convolution with
    stride 2 writes outside of its memory for few channels on AVX2.

    Args:
      have: channels of the input.
      channels: channels of the output; of an odd number the second path has
        one more, as in NASNet's code.
    """
    x = keras.Input((None, None, have))
    widths = channels // 2, channels - channels // 2
    paths = [convolution(width) for width in widths]
    shifted = keras.layers.Cropping2D(((1, 0), (1, 0)))(x)
    halves = [
        path(keras.layers.AveragePooling2D(1, 2)(pixels))
        for path, pixels in zip(paths, (x, shifted), strict=True)
    ]
    return keras.Model(x, keras.layers.Concatenate()(halves))


def halving_convolution(
    channels: int, padding: str
) -> list[keras.layers.Layer]:
    """A 3x3 convolution of stride 2.

    Args:
      channels: of the output.
      padding: see `nascore.networks.operations.base.Options`.
    """
    if padding == "torch":
        edge = keras.layers.ZeroPadding2D(1)
        return [edge, convolution(channels, 3, 2, "valid")]
    return [convolution(channels, 3, 2)]


def auxiliary_head(
    head: Auxiliary, classes: int, normalization: Normalization
) -> list[keras.layers.Layer]:
    """A second classifier on a middle layer, for training only.

    Args:
      head: its plan.
      classes: number of logits.
      normalization: makes the normalization layers.
    """
    first, second = AUXILIARY_WIDTHS
    return [
        keras.layers.ReLU(),
        keras.layers.AveragePooling2D(
            AUXILIARY_POOL, head.strides, head.pool_padding
        ),
        convolution(first),
        normalization(),
        keras.layers.ReLU(),
        convolution(second, head.kernel, padding=head.padding),
        *([normalization()] if head.last_norm else []),
        keras.layers.ReLU(),
        keras.layers.GlobalAveragePooling2D(),
        classifier(classes, head.bias),
    ]


def classifier(classes: int, bias: bool = False) -> keras.layers.Dense:
    """A dense layer."""
    return keras.layers.Dense(
        classes, use_bias=bias, kernel_initializer="he_normal"
    )


def chain(
    layers: list[keras.layers.Layer], x: keras.KerasTensor, name: str
) -> keras.KerasTensor:
    """Applies layers one after the other, as one named block."""
    if not layers:
        return x
    return keras.Sequential(layers, name=name)(x)


def classify(
    x: keras.KerasTensor, classes: int, keep_prob: float, bias: bool = False
) -> keras.KerasTensor:
    """The logits of the last maps: of their means, part of which are kept."""
    x = keras.layers.GlobalAveragePooling2D(name="features")(x)
    if keep_prob < 1:
        x = keras.layers.Dropout(1 - keep_prob, name="dropout")(x)
    return chain([classifier(classes, bias)], x, "classifier")
