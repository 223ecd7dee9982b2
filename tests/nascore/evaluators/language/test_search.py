"""Searches of recurrent cells: what is learned, measured and continued."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from enas.config import RecurrentControllerConfig
from ienas.config import RecurrentIenasConfig
from ienas.recurrent import make_search
from nascore.baselines.recurrent import load
from nascore.data.config import TextConfig
from nascore.data.text import cut, streams
from nascore.data.text_files import Texts
from nascore.errors import InputError
from nascore.evaluators.language.config import SharedWindowsConfig
from nascore.evaluators.language.shared import SharedLanguage, show_score
from nascore.evaluators.language.weights import TrainText
from nascore.networks.recurrent.config import SharedLanguageModelConfig
from nascore.networks.recurrent.learning import penalties
from nascore.networks.recurrent.model import LanguageModel
from nascore.protocols import Proposals
from nascore.search.config import SearchConfig
from nascore.seeds import fold
from tests.nascore.search.toy import (
    check_goes_on,
    open_run,
    read_rows,
    values_of,
)

LEARNING = SharedWindowsConfig(
    batch_size=4, window=6, reward_streams=3, text_lr=2.0, weight_decay=0.01
)
CONFIG = RecurrentIenasConfig(
    data=TextConfig(dataset="file", data_dir="x"),
    child=SharedLanguageModelConfig(
        hidden_units=8, num_nodes=2, functions="tanh,relu"
    ),
    weights=LEARNING,
    strategy=RecurrentControllerConfig(
        lstm_units=4, num_aggregate=2, train_steps=2
    ),
    search=SearchConfig(epochs=3, epoch_samples=2, derive_samples=2),
)
DATA = cut(Texts("the quick brown fox jumps over it. " * 12), CONFIG.data)
SPACE = CONFIG.child.space
ROWS = np.array([[0, 0, 1, 1], [0, 1, 0, 0]], np.int32)


def search(path, resume=False):
    with open_run(path, resume=resume) as run:
        machine = make_search(CONFIG, run, DATA)
        return machine.run(), machine


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "whole"
    return path, *search(path)


def parts(config=LEARNING):
    model = LanguageModel(CONFIG.child, len(DATA.vocabulary), fold(1, 1))
    shared = SharedLanguage(model, DATA, config)
    return model, shared


@pytest.fixture(scope="module")
def shared():
    return parts()[1]


def nats_of(model, row, tokens):
    """Mean nats of `[t + 1, b]`, one read from a state of zero."""
    run = model.cell.fixed(SPACE.decode(row))
    read = model.read(tokens[:-1], model.zero_state(tokens.shape[1]), run)
    logits = model.logits(read.hidden).numpy().astype(float)
    logits -= logits.max(axis=1, keepdims=True)
    log_probs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    targets = np.ravel(tokens[1:])
    return -log_probs[np.arange(len(targets)), targets].mean()


def test_one_cell_carries_its_state_through_the_whole_text(shared):
    tokens = tf.constant(streams(DATA.validation, 3))
    assert len(tokens) - 1 > LEARNING.window or len(tokens) > 5
    nats = nats_of(shared.model, ROWS[0], tokens)
    found = shared.validate(ROWS[:1])
    np.testing.assert_allclose(
        found["validation_perplexity"], np.exp(nats), rtol=1e-4
    )
    np.testing.assert_allclose(
        found["validation_score"], 80 / np.exp(nats), rtol=1e-4
    )


def test_a_reward_is_of_one_window_from_a_state_of_zero(shared):
    measured = shared.measure(Proposals(ROWS), fold(3, 1))
    tokens = streams(DATA.validation, 3)
    length = min(LEARNING.window, len(tokens) - 1)
    for row, found in zip(ROWS, measured.notes["perplexity"], strict=True):
        every = [
            np.exp(nats_of(shared.model, row, tokens[s : s + length + 1]))
            for s in range(len(tokens) - length)
        ]
        assert np.isclose(every, found, rtol=1e-4).any()
    np.testing.assert_allclose(
        measured.score * measured.notes["perplexity"], 80.0, rtol=1e-5
    )


def test_a_step_is_clipped_gradient_descent_from_the_carried_state():
    model, shared = parts()
    rows = tf.constant(np.repeat(ROWS, 100, axis=0)[:99])
    training = TrainText(shared, lambda count, seed: rows[:count], DATA, 1)
    firsts, lengths = training.windows.of(0)
    config = dataclasses.replace(LEARNING)
    for number in range(2):
        before = [weight.numpy() for weight in shared.weights]
        first, length = int(firsts[number]), int(lengths[number])
        state = training.carried.read_value()
        if not number:
            np.testing.assert_array_equal(state, 0)
        tokens = training.windows.tokens[first : first + length + 1]
        seed = fold(1, 3, 0, number)
        with tf.GradientTape() as tape:
            read = model.read(
                tokens[:-1], state, model.cell.chosen(rows[number]), seed
            )
            losses = model.cross_entropies(read.hidden, tokens[1:])
            total = tf.reduce_mean(losses) + penalties(read, config)
        gradients = [
            tf.convert_to_tensor(g).numpy()
            for g in tape.gradient(total, shared.weights)
        ]
        norm = np.sqrt(sum(np.sum(g.astype(float) ** 2) for g in gradients))
        found = training.run(0, number, number + 1)
        np.testing.assert_allclose(found["loss"][0], np.mean(losses), rtol=1e-4)
        np.testing.assert_allclose(found["gradient_norm"][0], norm, rtol=1e-3)
        rate = 2.0 * length / 6
        for weight, old, gradient in zip(
            shared.weights, before, gradients, strict=True
        ):
            wanted = old - rate * (gradient * min(1, 0.1 / norm) + 0.01 * old)
            np.testing.assert_allclose(weight, wanted, rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(
            training.carried, read.state, rtol=1e-3, atol=1e-5
        )
    # A new epoch begins with a state of zero, and is not traced again.
    training.run(1, 0, 1)
    fresh = training.carried.numpy()
    training.carried.assign(tf.ones_like(training.carried))
    assert not np.array_equal(fresh, 1)
    assert training.train.experimental_get_tracing_count() == 1


def test_stopped_in_the_middle_of_a_text_and_resumed_equals_uninterrupted(
    whole, tmp_path, monkeypatch
):
    tables, place = ("child", "evaluations", "samples"), ("child", 1)
    target = tmp_path / "run"
    resumed = check_goes_on(search, whole, target, monkeypatch, place, tables)
    assert "carried" in values_of(resumed._state())


def test_perplexity_is_in_every_table(whole):
    path, ranked, _ = whole
    for table in ("child", "evaluations", "samples"):
        row = read_rows(path, table)[0]
        assert "perplexity" in row or float(row["perplexity_score"]) > 0
    row = read_rows(path, "evaluations")[0]
    product = float(row["perplexity_score"]) * float(row["perplexity"])
    assert product == pytest.approx(80, rel=1e-4)
    epoch = read_rows(path, "epochs")[-1]
    assert float(epoch["validation_perplexity"]) > 1
    assert ranked[0].score == ranked[0].measured["validation_score"]
    assert show_score(8.0, 0.5) == "8.000 (perplexity 10.0) +- 0.500"


def test_texts_that_are_too_short_are_refused(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("abc " * 30)
    data = TextConfig(dataset="file", data_dir=str(file))
    config = dataclasses.replace(CONFIG, data=data)
    with pytest.raises(InputError, match="validation .* too few for 9 streams"):
        load(
            dataclasses.replace(
                config, weights=SharedWindowsConfig(4, reward_streams=9)
            )
        )
    with pytest.raises(InputError, match="lower --batch_size"):
        load(dataclasses.replace(config, weights=SharedWindowsConfig(99)))
    with pytest.raises(InputError, match="--early_stop is a rule"):
        load(dataclasses.replace(config, search=SearchConfig(early_stop=True)))
