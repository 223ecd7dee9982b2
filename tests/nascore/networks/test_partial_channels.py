"""PC-DARTS's channels, by hand."""

import numpy as np
import pytest
import tensorflow as tf

from nascore.networks.partial_channels import (
    join_channels,
    shuffle_channels,
    split_channels,
)


def test_channels_are_dealt_out_group_by_group():
    x = tf.range(8, dtype=tf.float32) * tf.ones([2, 3, 1, 1])
    dealt = shuffle_channels(x, 4)
    assert dealt.shape == x.shape
    # Two in each of four groups: the first of each, then the second.
    assert dealt[1, 2, 0].numpy().tolist() == [0, 2, 4, 6, 1, 3, 5, 7]
    back = shuffle_channels(dealt, 2)
    np.testing.assert_array_equal(back, x)


def test_channels_keep_their_shape_where_the_batch_has_any_size():
    @tf.function(
        input_signature=[tf.TensorSpec([None, 4, 4, 8])], autograph=False
    )
    def shuffle(x):
        dealt = shuffle_channels(x, 2)
        assert dealt.shape.as_list() == [None, 4, 4, 8]
        return dealt

    assert shuffle(tf.zeros([3, 4, 4, 8])).shape == (3, 4, 4, 8)


@pytest.mark.parametrize("strides", [1, 2])
def test_the_other_channels_go_around_the_operations(strides):
    x = np.random.default_rng(0).random((2, 4, 6, 8)).astype(np.float32)
    passing, others = split_channels(tf.constant(x), 4, strides)
    np.testing.assert_array_equal(passing, x[..., :2])
    mixed = -passing[:, ::strides, ::strides]
    joined = join_channels(mixed, others, 4).numpy()
    # Group g has channels 2g and 2g + 1; the first is that of the operations.
    blocks = x.reshape(2, 4 // strides, strides, 6 // strides, strides, 8)
    around = blocks.max(axis=(2, 4))
    expected = np.concatenate([mixed, around[..., 2:]], axis=-1)
    for channel in range(8):
        np.testing.assert_array_equal(
            joined[..., channel],
            expected[..., 2 * (channel % 4) + channel // 4],
        )
