"""The mixed network against plain automatic differentiation and by hand."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from nascore.networks.config import MixedSupernetConfig
from nascore.networks.layouts import Wiring
from nascore.networks.mixed_edge import Mixture
from nascore.networks.mixed_supernet import MixedSupernet, describe_layers
from nascore.spaces.cells import CELL_INPUTS

SMALL = MixedSupernetConfig(filters=8, num_layers=3, num_nodes=2)


def wire(nodes):
    ends = range(CELL_INPUTS, CELL_INPUTS + nodes)
    return Wiring(CELL_INPUTS, tuple((s, e) for e in ends for s in range(e)))


def make(config=SMALL, groups=1, image=(8, 8, 1), classes=3):
    tf.keras.utils.set_random_seed(3)
    return MixedSupernet(
        config,
        wire(config.num_nodes),
        config.names,
        image,
        classes,
        groups,
    )


def test_the_search_network_of_darts_has_its_parameters():
    config = MixedSupernetConfig()
    network = make(config, image=(32, 32, 3), classes=10)
    # 8 cells of 16 channels on CIFAR-10.
    assert network.count_params() == 1_930_618
    listed = describe_layers(network)
    assert sum(row["parameters"] for row in listed) == 1_930_618


def test_the_search_network_of_pc_darts_has_its_parameters():
    network = make(MixedSupernetConfig(), 4, (32, 32, 3), 10)
    assert network.count_params() == 299_578


class Plain(Mixture):
    """The same sums, differentiated by TensorFlow, every edge for itself."""

    def mix(self, x, shares, weights):
        total = tf.zeros([])
        start = 0
        for place, operation in enumerate(self.operations):
            count = len(operation.weight_specs(x.shape[-1]))
            if count:
                slot = weights[start : start + count]
                total += shares[place] * operation.apply(x, slot)
                start += count
        return total

    def plain(self, x, place):
        return self.operations[place].apply(x, [])


def differentiate(network, shares, bypass=None, seed=0):
    rng = np.random.default_rng(seed)
    images = tf.constant(rng.random((4, 8, 8, 1)), tf.float32)
    labels = tf.constant([0, 1, 2, 1])
    sources = [v.value for v in network.trainable_variables]
    given = [tf.constant(g) for g in (shares, bypass) if g is not None]
    with tf.GradientTape() as tape:
        tape.watch(given)
        logits = network(images, *given)
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        )
    return [logits, *tape.gradient(loss, [*given, *sources])]


@pytest.mark.parametrize("padding", ["same", "torch"])
@pytest.mark.parametrize("groups", [1, 2])
def test_gradients_are_those_of_plain_sums(monkeypatch, padding, groups):
    config = dataclasses.replace(SMALL, padding=padding)
    rng = np.random.default_rng(1)
    shares = rng.random((2, 5, 8)).astype(np.float32)
    bypass = None
    if groups > 1:
        bypass = rng.random((2, 5)).astype(np.float32)
    network = make(config, groups)
    ours = differentiate(network, shares, bypass)
    for cell in network.cells:
        for mixture in cell.mixtures.values():
            mixture.__class__ = Plain
    theirs = differentiate(network, shares, bypass)
    for our, their in zip(ours, theirs, strict=True):
        scale = np.abs(their).max() + 1e-6
        np.testing.assert_allclose(our / scale, their / scale, atol=2e-4)


def test_no_share_is_no_operation():
    """A derived cell: one operation on two edges of each node, no others."""
    network = make(dataclasses.replace(SMALL, operations="skip_connect,none"))
    cell = network.cells[0]
    x = [tf.random.stateless_normal([2, 8, 8, 8], (s, 0)) for s in (1, 2)]
    shares = np.zeros((5, 2), np.float32)
    shares[[0, 1, 2, 4], 0] = 1
    first, second = cell(x, tf.constant(shares))
    np.testing.assert_allclose(first, x[0] + x[1])
    np.testing.assert_allclose(second, x[0] + first, rtol=1e-6)


def test_first_kernels_are_as_asked_and_no_two_alike():
    for init, deviation in (("torch", 3**-0.5), ("he", 2**0.5)):
        config = dataclasses.replace(SMALL, kernel_init=init)
        network = make(config)
        spreads, firsts = [], []
        for cell in network.cells:
            for variable in cell.slots:
                values = variable.numpy()
                # [edges, k, k, c, 1] or [edges, 1, 1, c, c].
                fan_in = np.prod(values.shape[1:3]) * (
                    values.shape[3] if values.shape[4] > 1 else 1
                )
                spreads.append((values * fan_in**0.5).ravel())
                firsts += values.reshape(len(values), -1)[:, 0].tolist()
        spread = np.concatenate(spreads).std()
        assert spread == pytest.approx(deviation, rel=0.03)
        assert len(set(firsts)) == len(firsts)


def test_half_precision_gives_nearly_the_same():
    shares = np.full((2, 5, 8), 1 / 8, np.float32)
    half = make(dataclasses.replace(SMALL, precision="bfloat16"))
    logits, grad, *_ = differentiate(half, shares)
    assert logits.dtype == tf.float32
    whole = differentiate(make(), shares)
    np.testing.assert_allclose(logits, whole[0], atol=0.1)
    assert grad.dtype == tf.float32
