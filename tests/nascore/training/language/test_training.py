"""Training on a text: averaged SGD, resuming, export, writing."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from nascore.data.config import TextConfig
from nascore.data.text import cut
from nascore.data.text_files import Texts
from nascore.errors import InputError
from nascore.networks.recurrent.config import (
    LanguageModelConfig,
    WindowsConfig,
    count_parameters,
)
from nascore.networks.recurrent.lstm import equal_width
from nascore.runs.interrupts import Interrupted
from nascore.training.language.config import (
    FinalLanguageConfig,
    LanguageTrainingConfig,
)
from nascore.training.language.layer import generate
from nascore.training.language.learner import Learner, starts_to_average
from nascore.training.language.model_file import load, to_keras
from nascore.training.language.run import LanguageTraining
from tests.nascore.search.toy import (
    interrupt_at,
    open_run,
    read_rows,
    values_of,
)

CONFIG = FinalLanguageConfig(
    data=TextConfig(dataset="file", data_dir="x"),
    network=LanguageModelConfig(hidden_units=8, num_nodes=2),
    windows=WindowsConfig(batch_size=4, window=8, text_lr=1.0),
    training=LanguageTrainingConfig(
        architecture="0 0 1 1", epochs=3, average_after=1, evaluation_streams=2
    ),
)
DATA = cut(Texts("pack my box with five dozen jugs. " * 9), CONFIG.data)


def train(path, resume=False):
    with open_run(path, resume=resume) as run:
        training = LanguageTraining(CONFIG, run, DATA)
        training.run()
        return training, training.finish()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "whole"
    return path, *train(path)


def test_averages_are_means_of_the_weights_since_their_start():
    learner = Learner(CONFIG, DATA)
    firsts, lengths = map(tf.constant, learner.windows.of(0))
    seen = []
    for number in range(6):
        if number == 2:
            learner.start_averaging()
        learner.train(
            firsts, lengths, *map(tf.constant, (0, number, number + 1))
        )
        if number >= 2:
            seen.append([weight.numpy() for weight in learner.weights])
    for average, values in zip(
        learner.averages, zip(*seen, strict=True), strict=True
    ):
        np.testing.assert_allclose(
            average, np.mean(values, axis=0), rtol=1e-5, atol=1e-6
        )
    assert learner.train.experimental_get_tracing_count() == 1


@pytest.mark.parametrize(
    ("losses", "after", "starts"),
    [
        ([5, 4, 3, 2], 2, False),
        # 4.5 is above 4, the best of all before the last two.
        ([5, 4, 3, 2, 4.5], 2, True),
        ([5, 4, 3, 2, 3.5], 2, False),
        ([1, 9], 1, False),
        ([1, 9, 9], 1, True),
        ([1, 9, 9], 0, False),
    ],
)
def test_averaging_starts_when_the_loss_is_stuck(losses, after, starts):
    assert starts_to_average(losses, after) == starts


def test_stopped_and_resumed_equals_uninterrupted(whole, tmp_path, monkeypatch):
    path, training, found = whole
    with monkeypatch.context() as patch:
        interrupt_at(patch, "epoch 2", 1)
        with pytest.raises(Interrupted):
            train(tmp_path / "run")
    resumed, again = train(tmp_path / "run", resume=True)
    assert resumed.lifecycle.resumed and again == found

    def rows(folder):
        timed = ("seconds", "tokens_per_second")
        return [
            {name: row[name] for name in row if name not in timed}
            for row in read_rows(folder, "epochs")
        ]

    assert rows(tmp_path / "run") == rows(path)
    ours, theirs = (values_of(t.learner.state) for t in (resumed, training))
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], name)


def test_the_test_is_of_the_best_epochs_weights(whole):
    path, training, found = whole
    losses = [
        float(row["validation_loss"]) for row in read_rows(path, "epochs")
    ]
    assert found["best_epoch"] == int(np.argmin(losses)) + 1
    training.learner.swap(training.learner.best)
    nats = training.learner.evaluate("validation")
    assert np.exp(nats) == pytest.approx(found["validation_perplexity"])
    assert found["test_bits"] == pytest.approx(found["test_nats"] / np.log(2))


def test_the_exported_model_is_the_trained_one_and_writes(whole):
    path, training, _ = whole
    model, vocabulary = load(path)
    learner = training.learner
    learner.swap(learner.best)
    tokens = DATA.test[:12].reshape(2, 6)
    read = learner._read(
        tf.constant(tokens.T), learner.model.zero_state(2), None
    )
    wanted = tf.reshape(learner.model.logits(read.hidden), [6, 2, -1])
    np.testing.assert_allclose(
        model.predict(tokens, verbose=0),
        np.transpose(wanted, [1, 0, 2]),
        rtol=1e-3,
        atol=1e-4,
    )
    assert vocabulary == DATA.vocabulary
    layer = model.get_layer("cell")
    likely = generate(layer, tokens[0], 5, 0.0, 1)
    # Token by token, from what the whole text is read as.
    text = list(tokens[0])
    for token in likely:
        logits = model.predict(np.array([text]), verbose=0)[0, -1]
        assert logits.argmax() == token
        text.append(token)
    drawn = [generate(layer, tokens[0], 30, 1.0, seed) for seed in (1, 1, 2)]
    assert (drawn[0] == drawn[1]).all() and (drawn[0] != drawn[2]).any()


def test_an_lstm_of_equal_size_learns_in_the_same_frame():
    width = equal_width(len(DATA.vocabulary), 8, 2)
    training = dataclasses.replace(CONFIG.training, architecture="LSTM")
    config = dataclasses.replace(CONFIG, training=training)
    learner = Learner(config, DATA)
    count = sum(weight.shape.num_elements() for weight in learner.weights)
    wanted = count_parameters(len(DATA.vocabulary), 8, 2)
    assert abs(count - wanted) < 8 * (2 * width + 1) + len(DATA.vocabulary)
    before = learner.evaluate("validation")
    firsts, lengths = map(tf.constant, learner.windows.of(0))
    learner.train(firsts, lengths, *map(tf.constant, (0, 0, len(firsts))))
    assert learner.evaluate("validation") < before
    model = to_keras(learner.model, config)
    assert isinstance(model.get_layer("lstm"), keras.layers.LSTM)
    tokens = DATA.test[:6]
    read = learner._read(
        tf.constant(tokens[:, None]), learner.model.zero_state(1), None
    )
    np.testing.assert_allclose(
        model.predict(tokens[None], verbose=0)[0],
        learner.model.logits(read.hidden),
        rtol=1e-3,
        atol=1e-4,
    )


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no trained model of language"):
        load(tmp_path)
    (tmp_path / "model.keras").write_text("nothing")
    (tmp_path / "card.json").write_text(
        '{"vocabulary": ["a"], "tokens": "characters"}'
    )
    with pytest.raises(InputError, match="is damaged or of another version"):
        load(tmp_path)
