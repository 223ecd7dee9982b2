import numpy as np
import pytest
import tensorflow as tf

from darts import cures
from darts.derive import mix
from darts.layout import AlphaLayout, Alphas


def test_the_second_skip_fades_in_a_line():
    weights = [cures.auxiliary_skip(epoch, 50) for epoch in range(50)]
    assert weights[0] == 1
    assert weights[49] == pytest.approx(1 / 50)
    np.testing.assert_allclose(np.diff(weights), -1 / 50)


def test_shares_of_edges_are_those_that_cells_are_derived_with():
    layout = AlphaLayout()
    rng = np.random.default_rng(0)
    edges = rng.standard_normal(layout.shape[:2])
    shares = cures.edge_shares(layout, tf.constant(edges))
    uniform = Alphas(np.zeros(layout.shape), edges)
    np.testing.assert_allclose(8 * mix(layout, uniform)[..., 0], shares)
    # By hand, the edges into the second node: from tensors 0, 1 and 2.
    powers = np.exp(edges[1, 2:5])
    np.testing.assert_allclose(shares[1, 2:5], powers / powers.sum())


def test_channels_are_dealt_out_group_by_group():
    x = tf.range(8, dtype=tf.float32) * tf.ones([2, 3, 1, 1])
    dealt = cures.shuffle_channels(x, 4)
    assert dealt.shape == x.shape
    # Two in each of four groups: the first of each, then the second.
    assert dealt[1, 2, 0].numpy().tolist() == [0, 2, 4, 6, 1, 3, 5, 7]
    back = cures.shuffle_channels(dealt, 2)
    np.testing.assert_array_equal(back, x)


def test_channels_keep_their_shape_where_the_batch_has_any_size():
    @tf.function(
        input_signature=[tf.TensorSpec([None, 4, 4, 8])], autograph=False
    )
    def shuffle(x):
        dealt = cures.shuffle_channels(x, 2)
        assert dealt.shape.as_list() == [None, 4, 4, 8]
        return dealt

    assert shuffle(tf.zeros([3, 4, 4, 8])).shape == (3, 4, 4, 8)


@pytest.mark.parametrize("strides", [1, 2])
def test_the_other_channels_go_around_the_operations(strides):
    x = np.random.default_rng(0).random((2, 4, 6, 8)).astype(np.float32)
    passing, others = cures.split_channels(tf.constant(x), 4)
    np.testing.assert_array_equal(passing, x[..., :2])
    mixed = -passing[:, ::strides, ::strides]
    joined = cures.join_channels(mixed, others, 4, strides).numpy()
    # Group g has channels 2g and 2g + 1; the first is that of the operations.
    blocks = x.reshape(2, 4 // strides, strides, 6 // strides, strides, 8)
    around = blocks.max(axis=(2, 4))
    expected = np.concatenate([mixed, around[..., 2:]], axis=-1)
    for channel in range(8):
        np.testing.assert_array_equal(
            joined[..., channel],
            expected[..., 2 * (channel % 4) + channel // 4],
        )
