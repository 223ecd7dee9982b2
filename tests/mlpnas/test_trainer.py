"""The compiled trainer against plain Keras, and what it compiles."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mlpnas.candidates.dense import drop, initial_weights
from mlpnas.candidates.tasks import Examples, TrainerSettings
from mlpnas.candidates.trainer import Trainer, batch_order
from nascore.spaces.perceptrons import HiddenLayer, MlpSpace

SEED = tf.constant([3, 4])
SPACE = MlpSpace()


def examples(count, classes, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, 12)).astype(np.float32)
    scores = np.random.default_rng(9).normal(size=(12, classes))
    return Examples(features, np.argmax(features @ scores, 1).astype(np.int32))


def settings(outputs, **changes):
    values = {
        "batch_size": 32,
        "learning_rate": 0.005,
        "patience": 3,
        "dropout_rate": 0.2,
    }
    return TrainerSettings(outputs, **{**values, **changes})


class StatelessDropout(keras.layers.Layer):
    """Plain Keras around the same random masks."""

    def __init__(self, place, step):
        super().__init__()
        self.place, self.step = place, step

    def call(self, x, training=False):
        if not training:
            return x
        return drop(x, tf.constant(0.2), SEED, self.step, self.place)


class CountSteps(keras.callbacks.Callback):
    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        self.step.assign_add(1)


def keras_model(architecture, weights, outputs):
    step = tf.Variable(0)
    layers = [keras.Input((12,))]
    for place, layer in enumerate(architecture):
        layers.append(keras.layers.Dense(layer.units, layer.activation))
        if layer.dropout:
            layers.append(StatelessDropout(place, step))
    final = "sigmoid" if outputs == 1 else "softmax"
    layers.append(keras.layers.Dense(outputs, final))
    model = keras.Sequential(layers)
    model.set_weights([array for layer in weights for array in layer])
    return model, step


def keras_fit(architecture, weights, outputs, train, validation, epochs):
    """`Sequential.fit`, epoch by epoch with the same order of examples."""
    model, step = keras_model(architecture, weights, outputs)
    binary = outputs == 1
    model.compile(
        keras.optimizers.Adam(0.005),
        "binary_crossentropy" if binary else "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    rows = []
    for epoch in range(epochs):
        order = batch_order(SEED, epoch, len(train.labels)).numpy()
        history = model.fit(
            train.features[order],
            train.labels[order],
            batch_size=32,
            shuffle=False,
            validation_data=tuple(validation),
            verbose=0,
            callbacks=[CountSteps(step)],
        ).history
        names = ("loss", "val_loss", "val_accuracy")
        rows.append([history[name][0] for name in names])
    return np.array(rows), model.get_weights()


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("16 relu | dropout | 8 sigmoid | 32 tanh | 8 elu | softmax", 3),
        ("32 elu | sigmoid", 2),
    ],
)
def test_training_equals_plain_keras(text, classes):
    train, validation = examples(150, classes), examples(60, classes, 1)
    space = MlpSpace(classes=classes)
    architecture = space.parse(text)
    weights = initial_weights(architecture, 12, space.outputs, SEED)
    trainer = Trainer(settings(space.outputs), train, validation)
    trainer.start(architecture, weights)
    rows = np.stack(trainer.run(SEED, 4), axis=1)
    expected, expected_weights = keras_fit(
        architecture, weights, space.outputs, train, validation, 4
    )
    np.testing.assert_allclose(rows, expected, rtol=2e-4, atol=1e-5)
    ours = [array for layer in trainer.weights() for array in layer]
    for mine, theirs in zip(ours, expected_weights, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=2e-5)
    # Training must have changed something for this to say anything.
    assert np.abs(ours[0] - weights[0][0]).max() > 0.01


def test_initial_weights_are_those_of_keras_dense():
    architecture = (HiddenLayer(512, "relu"),)
    (kernel, bias), (last, _) = initial_weights(architecture, 256, 10, SEED)
    assert kernel.shape == (256, 512) and last.shape == (512, 10)
    reference = np.asarray(keras.initializers.GlorotUniform(1)((256, 512)))
    assert kernel.std() == pytest.approx(reference.std(), rel=0.01)
    assert abs(kernel).max() == pytest.approx(abs(reference).max(), rel=0.01)
    assert not bias.any()


def test_one_graph_for_each_depth_and_no_more():
    train, validation = examples(64, 3), examples(32, 3, 1)
    trainer = Trainer(settings(3), train, validation)
    texts = (
        "8 relu | softmax",
        "64 tanh | dropout | softmax",
        "16 elu | softmax",
        "8 relu | 16 relu | softmax",
        "32 sigmoid | dropout | 8 elu | dropout | softmax",
    )
    for text in texts:
        architecture = SPACE.parse(text)
        trainer.start(architecture, initial_weights(architecture, 12, 3, SEED))
        trainer.run(SEED, 1)
    assert trainer.run_graph.experimental_get_tracing_count() == 2


def test_stops_as_keras_early_stopping_and_keeps_the_best_weights():
    train, validation = examples(40, 3), examples(40, 3, 1)
    # Labels without reason: the validation loss must rise in the end.
    labels = np.random.default_rng(5).integers(0, 3, 40).astype(np.int32)
    validation = Examples(validation.features, labels)
    architecture = SPACE.parse("64 relu | 64 relu | softmax")
    weights = initial_weights(architecture, 12, 3, SEED)
    trainer = Trainer(settings(3, keep_best=True), train, validation)
    trainer.start(architecture, weights)
    losses = trainer.run(SEED, 60).validation_loss
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 3 < 60
    assert trainer.stopped_early
    loss, accuracy = trainer.evaluate(validation, trainer.weights())
    assert loss == pytest.approx(losses[best], rel=1e-5)
    model, _ = keras_model(architecture, trainer.weights(), 3)
    chosen = np.argmax(model.predict(validation.features, verbose=0), 1)
    assert accuracy == pytest.approx(np.mean(chosen == labels))


def test_in_pieces_equals_at_once():
    train, validation = examples(64, 3), examples(32, 3, 1)
    architecture = SPACE.parse("16 relu | dropout | 8 elu | softmax")
    weights = initial_weights(architecture, 12, 3, SEED)
    trainer = Trainer(settings(3), train, validation)
    trainer.start(architecture, weights)
    whole = trainer.run(SEED, 4).loss
    at_once = trainer.weights()
    trainer.start(architecture, weights)
    pieces = [trainer.run(SEED, stop).loss for stop in (1, 3, 4)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    for mine, theirs in zip(trainer.weights(), at_once, strict=True):
        np.testing.assert_array_equal(mine[0], theirs[0])
