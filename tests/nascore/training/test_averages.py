"""Averaged weights, and the statistics of their normalizations."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from nascore.data.config import DataConfig
from nascore.data.images import Split
from nascore.networks.config import NetworkConfig
from nascore.networks.discrete import build_network
from nascore.runs.folder import RunFolder
from nascore.training.averages import Averages
from nascore.training.config import FinalConfig, TrainingConfig
from nascore.training.loop import Loop
from nascore.training.provenance.images import load_final
from nascore.training.run import FinalTraining

RNG = np.random.default_rng(0)
SPLIT = Split(
    RNG.integers(0, 256, (44, 8, 8, 1)).astype(np.uint8),
    RNG.integers(0, 3, 44).astype(np.int32),
)
NETWORK = NetworkConfig(
    num_nodes=1,
    filters=4,
    num_layers=1,
    keep_prob=1.0,
    drop_path_keep_prob=1.0,
    aux_weight=0.0,
)
# The warm-up reaches this decay at the fourth update.
TRAINING = TrainingConfig(
    architecture="0 0 1 3 0 1 1 4",
    epochs=4,
    batch_size=8,
    lr_max=0.1,
    ema_decay=0.1,
)


def make_loop(network=NETWORK, **training):
    config = FinalConfig(
        network=network, training=dataclasses.replace(TRAINING, **training)
    )
    keras.utils.set_random_seed(3)
    model = build_network(config.architecture, (8, 8, 1), 3, config.network)
    strategy = tf.distribute.get_strategy()
    return Loop(model, SPLIT, (0.4, 0.3), config, strategy)


def train(loop, start, stop):
    return loop.train(*(tf.constant(n) for n in (0, start, stop)))


def weights(loop):
    return [v.numpy() for v in loop.network.trainable_variables]


def averages(loop):
    return [v.numpy() for v in loop.averages.values]


def expected(start, seen, decay):
    """The rule, in NumPy."""
    own = [value.astype(np.float64) for value in start]
    for t, now in enumerate(seen, 1):
        d = min(decay, (1 + t) / (40 + t))
        own = [d * a + (1 - d) * w for a, w in zip(own, now, strict=True)]
    return own


def test_every_weight_is_averaged():
    loop = make_loop()
    start, seen = weights(loop), []
    for step in range(5):
        train(loop, step, step + 1)
        seen.append(weights(loop))
    for ours, theirs in zip(
        averages(loop), expected(start, seen, 0.1), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    # Steps of one call are averaged one by one, too.
    whole = make_loop()
    train(whole, 0, 5)
    for ours, theirs in zip(averages(whole), averages(loop), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.99, 0.999])
def test_weights_that_rise_evenly(decay):
    # With l(t) = (l(t - 1) + 1) (1 + t) / (40 + t) the lag is (t + 1) / 40;
    # at a decay d it becomes d / (1 - d).
    weight = keras.Variable(0.0)
    strategy = tf.distribute.get_strategy()
    average = Averages([weight], decay, strategy)
    step = tf.function(lambda t: average.update(t, tf.constant(True)))
    count = 600
    for t in range(1, count + 1):
        weight.assign(float(t))
        step(tf.constant(t))
    lag = min(decay / (1 - decay), (count + 1) / 40)
    assert count - float(average.values[0]) == pytest.approx(lag, rel=1e-3)


def test_skipped_steps_do_not_count():
    loop = make_loop(precision="float16")
    start = weights(loop)
    train(loop, 0, 1)
    seen, before = [weights(loop)], averages(loop)
    scale = loop.optimizer.dynamic_scale
    scale.assign(3e38)  # Every gradient overflows.
    assert bool(train(loop, 1, 2).healthy)
    assert int(loop.optimizer.iterations) == 1
    for ours, theirs in zip(averages(loop), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    scale.assign(1024.0)
    train(loop, 2, 3)
    seen.append(weights(loop))
    for ours, theirs in zip(
        averages(loop), expected(start, seen, 0.1), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def cumulative(loop, batches):
    """Statistics as a cumulative mean, by Keras's own momentum."""
    config = loop.config
    model = build_network(
        config.architecture, (8, 8, 1), 3, config.network.for_inference()
    )
    for layer in model.layers:
        if layer.weights:
            own = loop.network.get_layer(layer.name)
            layer.set_weights(own.get_weights())
    norms = [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    order = loop.order(tf.constant(4)).numpy()  # Of no epoch of four.
    for number in range(batches):
        for norm in norms:
            norm.momentum = number / (number + 1)
        batch = SPLIT.images[order[number * 8 : number * 8 + 8]]
        x = (batch / 255 - 0.4) / 0.3
        model(x.astype(np.float32), training=True)
    return model


# 44 images are five whole batches of 8; 20 are two.
@pytest.mark.parametrize("images, batches", [(44, 5), (20, 2), (1, 1)])
def test_statistics_are_taken_anew_from_training_images(images, batches):
    dropping = dataclasses.replace(
        NETWORK, drop_path_keep_prob=0.5, keep_prob=0.5
    )
    loop = make_loop(dropping)
    train(loop, 0, 5)
    before = [v.numpy() for v in loop.network.variables]
    kept = loop.use_averages(images)
    for ours, theirs in zip(weights(loop), averages(loop), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    changed = {id(variable) for variable, _ in kept}
    for variable, old in zip(loop.network.variables, before, strict=True):
        if id(variable) not in changed:
            # Neither the progress nor the random seeds have moved.
            np.testing.assert_array_equal(variable.numpy(), old)
        elif variable.name.startswith("moving"):
            assert np.abs(variable.numpy() - old).max() > 1e-3
    model = cumulative(loop, batches)
    count = 0
    for layer in model.layers:
        own = loop.network.get_layer(layer.name)
        for ours, theirs in zip(own.weights, layer.weights, strict=True):
            if theirs.name.startswith("moving"):
                count += 1
                np.testing.assert_allclose(
                    ours.numpy(), theirs.numpy(), rtol=1e-4, atol=1e-5
                )
    assert count >= 8
    pixels = ((SPLIT.images / 255 - 0.4) / 0.3).astype(np.float32)
    np.testing.assert_allclose(
        loop.logits(SPLIT.images),
        model(pixels, training=False)["logits"],
        atol=1e-3,
    )
    loop.put_back(kept)
    for variable, old in zip(loop.network.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), old)


def test_without_averages_nothing_changes():
    loop = make_loop(ema_decay=0.0)
    before = loop.network.get_weights()
    assert loop.use_averages(44) == []
    for ours, theirs in zip(loop.network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


# Of the 504 images; `python -m benchmarks.averages` has longer trainings.
NOISE = 5


@pytest.mark.parametrize("decay", [0.99, 0.999])
def test_averages_are_as_good_as_the_last_weights(decay, tmp_path):
    cell = "0 2 0 0 0 4 0 1"
    config = FinalConfig(
        DataConfig(image_size=8, standardize=True),
        dataclasses.replace(NETWORK, num_nodes=2, filters=8),
        TrainingConfig(
            architecture=f"{cell} {cell}",
            epochs=4,
            batch_size=64,
            lr_period=0,
            ema_decay=decay,
        ),
    )
    data = load_final(config.data, False)
    with RunFolder.create(tmp_path / "run") as run:
        training = FinalTraining(config, run, data)
        training.run()
        row = run.read("epochs")[-1]
    loop, held_out, test = training.loop, data.validation, data.test

    def hits(split):
        return (loop.logits(split.images).argmax(1) == split.labels).sum()

    last = hits(held_out) + hits(test)
    loop.use_averages(len(data.train))
    averaged = hits(held_out)
    # The last row is of the network that is tested and exported.
    assert float(row["validation_accuracy"]) * 144 == pytest.approx(averaged)
    averaged += hits(test)
    assert last > 0.85 * 504
    assert averaged >= last - NOISE
