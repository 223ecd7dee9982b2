"""Batches of images, in a compiled step."""

from typing import NamedTuple

import tensorflow as tf

from nascore.data.augment import augment, to_float
from nascore.data.config import DataConfig
from nascore.data.images import Split


class Images(NamedTuple):
    """A split on the device: uint8 `[n, h, w, c]` and int32 `[n]`."""

    images: tf.Tensor
    labels: tf.Tensor

    @property
    def size(self) -> int:
        """Number of images."""
        return self.images.shape[0]

    def take(
        self,
        places: tf.Tensor,
        scaling: tuple[object, ...],
        augmentation: DataConfig,
        seed: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Some images, scaled and augmented, and their labels.

        Args:
          places: int32 `[batch]`.
          scaling: mean and deviation of each channel, or nothing.
          augmentation: how they are changed.
          seed: int32 `[2]`.
        """
        images = augment(
            to_float(tf.gather(self.images, places), *scaling),
            seed,
            pad_crop=augmentation.pad_crop,
            flip=augmentation.flip,
            cutout=augmentation.cutout,
        )
        return images, tf.gather(self.labels, places)


def to_device(split: Split) -> Images:
    """Copies a split to where the computing is done."""
    return Images(tf.constant(split.images), tf.constant(split.labels))
