"""A Keras layer as an operation, beside the same one of this package."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from nascore.errors import InputError
from nascore.networks.operations.catalogue import OPERATIONS
from nascore.networks.operations.keras_layer import (
    KerasOperation,
    register_operation,
)
from nascore.networks.operations.plain import PlainConvolution

layers = keras.layers


def relu_conv_norm(channels, strides):
    return keras.Sequential(
        [
            layers.ReLU(),
            layers.Conv2D(channels, 3, strides, "same", use_bias=False),
            layers.BatchNormalization(epsilon=1e-5),
        ]
    )


@pytest.fixture
def drawn():
    rng = np.random.default_rng(0)
    x, upstream = rng.normal(size=(2, 3, 6, 6, 4)).astype(np.float32)
    kernel = rng.normal(size=(3, 3, 4, 4)).astype(np.float32)
    scale, offset = rng.normal(size=(2, 4)).astype(np.float32)
    return tuple(map(tf.constant, (x, upstream, kernel, scale, offset)))


def test_it_computes_what_the_written_out_operation_does(drawn):
    x, upstream, *weights = drawn
    ours, theirs = PlainConvolution(3), KerasOperation("k", relu_conv_norm)
    made = [
        operation.gradients(x, weights, operation.forward(x, weights), upstream)
        for operation in (ours, theirs)
    ]
    np.testing.assert_allclose(
        ours.apply(x, weights), theirs.apply(x, weights), atol=2e-4
    )
    for one, other in zip(
        (made[0].x, *made[0].weights, made[0].along),
        (made[1].x, *made[1].weights, made[1].along),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, atol=2e-3, rtol=2e-3)


def test_it_counts_what_the_written_out_operation_does():
    ours, theirs = PlainConvolution(3), KerasOperation("k", relu_conv_norm)
    for strides in (1, 2):
        one, other = (o.discrete_specs(6, strides) for o in (ours, theirs))
        assert [s.shape for s in one] == [s.shape for s in other]
        assert [s.fan_in for s in one] == [s.fan_in for s in other]
        assert [s.start for s in one] == [s.start for s in other]
        assert ours.multiply_adds(6, strides) == theirs.multiply_adds(
            6, strides
        )


def test_it_is_made_anew_for_each_place_of_a_network():
    operation = KerasOperation("k", relu_conv_norm)
    one, other = (operation.discrete(4, 2, None)[0] for _ in range(2))
    x = tf.ones([1, 8, 8, 4])
    assert one(x).shape == other(x).shape == (1, 4, 4, 4)
    assert not np.array_equal(*(m.trainable_variables[0] for m in (one, other)))


def test_half_precision_stays():
    operation = KerasOperation("k", relu_conv_norm)
    weights = [
        tf.ones(spec.shape, tf.bfloat16) for spec in operation.weight_specs(4)
    ]
    x = tf.ones([1, 8, 8, 4], tf.bfloat16)
    assert operation.apply(x, weights).dtype == tf.bfloat16


def conv(channels, strides=1, **others):
    return layers.Conv2D(channels, 3, strides, "same", **others)


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("a b", conv, "give letters, digits and _"),
        ("identity", conv, "is an operation already"),
        ("mine", lambda c, s: conv(c), r"strides 2 makes \[2, 8, 8, 4\]"),
        ("mine", lambda c, s: conv(c + 1, s), r"strides 1 makes \[2, 8, 8, 5"),
        ("mine", lambda c, s: "conv", "must return a Keras layer"),
        ("mine", lambda c: conv(c), "takes 1 positional argument"),
        (
            "mine",
            lambda c, s: keras.Sequential([conv(c, s), layers.Dropout(0.5)]),
            "draws random numbers",
        ),
    ],
)
def test_one_line_for_what_is_no_operation(name, make, message):
    before = dict(OPERATIONS)
    with pytest.raises(InputError, match=message):
        register_operation(name, make)
    assert before == OPERATIONS


def test_a_layer_that_does_not_ask_whether_it_is_training(monkeypatch):
    monkeypatch.setattr(
        "nascore.networks.operations.catalogue.OPERATIONS", dict(OPERATIONS)
    )
    register_operation("mine", conv)
