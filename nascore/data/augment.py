"""Conversion, augmentation and batching inside the compiled step.

Everything is a function of its inputs and a seed; nothing keeps a state.
"""

import tensorflow as tf

from nascore import draws
from nascore.seeds import fold_in


def batch_places(order: tf.Tensor, step: tf.Tensor, size: int) -> tf.Tensor:
    """Places in an epoch's order that make up a batch, int32 `[size]`.

    The last batch of an epoch is filled up from its beginning.
    """
    return (step * size + tf.range(size)) % order.shape[0]


def to_float(
    images: tf.Tensor, mean: object = 0.0, std: object = 1.0
) -> tf.Tensor:
    """Scales uint8 `[n, h, w, c]` to [0, 1], then standardizes channels.

    Args:
      images: the pixels.
      mean: per channel, `[c]` or a scalar, of pixels in [0, 1].
      std: likewise.
    """
    return (tf.cast(images, tf.float32) / 255.0 - mean) / std


def augment(
    images: tf.Tensor,
    seed: tf.Tensor,
    pad_crop: int = 0,
    flip: bool = False,
    cutout: int = 0,
) -> tf.Tensor:
    """Crops, mirrors and blanks each image of a batch at random.

    Args:
      images: float `[n, h, w, c]`.
      seed: int32 `[2]`.
      pad_crop: width of the black border that the crop may reach into.
      flip: whether half of the images are mirrored.
      cutout: side of the blanked square, whose centre may be anywhere and
        whose parts outside the image are lost (DeVries and Taylor, 2017).

    Returns:
      The same shape.
    """
    crop_seed, flip_seed, cutout_seed = (fold_in(seed, n) for n in range(3))
    if pad_crop:
        images = _crop(images, crop_seed, pad_crop)
    if flip:
        count = tf.shape(images)[0]
        heads = draws.happens(0.5, [count, 1, 1, 1], flip_seed)
        images = tf.where(heads, images[:, :, ::-1], images)
    if cutout:
        images = _cut_out(images, cutout_seed, cutout)
    return images


def _crop(images: tf.Tensor, seed: tf.Tensor, pad: int) -> tf.Tensor:
    _, height, width, _ = images.shape
    count = tf.shape(images)[0]
    padded = tf.pad(images, [[0, 0], [pad, pad], [pad, pad], [0, 0]])
    offsets = draws.below(2 * pad + 1, [2, count, 1], seed)
    rows = tf.gather(padded, offsets[0] + tf.range(height), batch_dims=1)
    crops = tf.gather(rows, offsets[1] + tf.range(width), axis=2, batch_dims=1)
    return tf.ensure_shape(crops, images.shape)


def _cut_out(images: tf.Tensor, seed: tf.Tensor, side: int) -> tf.Tensor:
    _, height, width, _ = images.shape
    count = tf.shape(images)[0]
    sizes = tf.reshape([height, width], [2, 1, 1])
    centres = draws.below(sizes, [2, count, 1], seed)

    def inside(centre: tf.Tensor, size: int) -> tf.Tensor:
        first = centre - side // 2
        pixels = tf.range(size)
        return tf.logical_and(pixels >= first, pixels < first + side)

    hole = tf.logical_and(
        inside(centres[0], height)[:, :, None],
        inside(centres[1], width)[:, None, :],
    )
    return tf.where(hole[..., None], tf.zeros_like(images), images)
