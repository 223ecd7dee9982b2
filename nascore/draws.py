"""Random draws that are the same compiled by XLA and not.

TensorFlow's kernels and XLA make the same integers of a seed that is not
negative (see `nascore.seeds`), but not the same floating-point numbers, and
XLA has no shuffle. So everything here comes from integers.
"""

from collections.abc import Callable

import tensorflow as tf

_LEAST, _COUNT = -(2**31), 2**32
# What float32 holds exactly.
_MANTISSA_BITS = 24


def integers(shape: object, seed: tf.Tensor) -> tf.Tensor:
    """Full-range integers.

    Args:
      shape: of the result.
      seed: int32 `[2]`, not negative; likewise below.

    Returns:
      int32, each value from -2**31 to 2**31 - 1 equally likely.
    """
    return tf.random.stateless_uniform(shape, seed, None, None, tf.int32)


def uniform(shape: object, seed: tf.Tensor) -> tf.Tensor:
    """Multiples of 2**-24 from 0 up to below 1, float32."""
    low_bits = tf.bitwise.bitwise_and(
        integers(shape, seed), 2**_MANTISSA_BITS - 1
    )
    return tf.cast(low_bits, tf.float32) * 2.0**-_MANTISSA_BITS


def below(limits: tf.Tensor, shape: object, seed: tf.Tensor) -> tf.Tensor:
    """Integers from 0 up to below `limits`.

    Args:
      limits: int32, broadcast to `shape`; far fewer than 2**31, so that the
        remainders are as good as equally likely.
      shape: of the result.
      seed: int32 `[2]`.
    """
    positive = tf.bitwise.bitwise_and(integers(shape, seed), 2**31 - 1)
    return positive % limits


def happens(
    probability: float | tf.Tensor, shape: object, seed: tf.Tensor
) -> tf.Tensor:
    """Whether each of many events happens, bool.

    Args:
      probability: of each, from 0 up to below 1.
      shape: of the result.
      seed: int32 `[2]`.
    """
    share = tf.cast(probability, tf.float64)
    threshold = tf.cast(tf.round(share * _COUNT) + _LEAST, tf.int32)
    return integers(shape, seed) < threshold


def order(size: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """The numbers from 0 to `size - 1` in random order, int32 `[size]`."""
    # Ties stay in order, here as there.
    return tf.argsort(integers([size], seed), stable=True)


def dropout(
    x: tf.Tensor, rate: float | tf.Tensor, seed: tf.Tensor
) -> tf.Tensor:
    """Sets each value to 0 with chance `rate`, and scales the others up.

    Args:
      x: of any shape.
      rate: from 0 up to below 1.
      seed: int32 `[2]`.
    """
    dropped = happens(rate, tf.shape(x), seed)
    scale = 1 / (1 - tf.cast(rate, x.dtype))
    return tf.where(dropped, tf.zeros_like(x), x * scale)


def categorical(logits: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """One choice of each row, by the Gumbel-max trick.

    Args:
      logits: float32 `[n, k]`.
      seed: int32 `[2]`, or `[runs, 2]` of n / runs rows each.

    Returns:
      int32 `[n]`.
    """
    n, k = tf.unstack(tf.shape(logits))
    each = n // (tf.size(seed) // 2)
    return choose(logits, of_each(lambda one: uniform([each, k], one), seed))


def choose(logits: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """The choices of `categorical`, of what was drawn before.

    Args:
      logits: float32 `[n, k]`.
      places: of `uniform`, `[n, k]`.

    Returns:
      int32 `[n]`.
    """
    # In the middle of each step, since the logarithms of 0 and 1 would make
    # noise that no logit outweighs; the last middle would be rounded to 1.
    places += 2.0 ** -(_MANTISSA_BITS + 1)
    places = tf.minimum(places, 1 - 2.0**-_MANTISSA_BITS)
    noise = -tf.math.log(-tf.math.log(places))
    return tf.argmax(logits + noise, axis=1, output_type=tf.int32)


def of_each(
    draw: Callable[[tf.Tensor], tf.Tensor],
    seeds: tf.Tensor,
    dtype: tf.DType = tf.float32,
) -> tf.Tensor:
    """What is drawn with each of many seeds, one after the other.

    Args:
      draw: makes of a seed `[2]` a tensor, always of one shape `[k, ...]`.
      seeds: int32 `[2]`, or `[runs, 2]`.
      dtype: of what is drawn.

    Returns:
      `[runs * k, ...]`, run by run.
    """
    seeds = tf.convert_to_tensor(seeds, tf.int32)
    if seeds.shape.rank == 1:
        return draw(seeds)
    drawn = tf.map_fn(
        draw, seeds, fn_output_signature=tf.TensorSpec(None, dtype)
    )
    return tf.reshape(drawn, tf.concat([[-1], tf.shape(drawn)[2:]], 0))
