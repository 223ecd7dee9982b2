"""Simulator, decoder and their training."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from nascore.errors import InputError, RunStopped
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.cells import CellSpace
from nascore.spaces.reals import ENCODINGS, ORDERED
from nases.autoencoder import Autoencoder, _axes_of, _draw
from nases.config import DENSE, LSTM, AutoencoderConfig, EmbeddingConfig
from nases.pretraining import Pretrain, Pretrained, rounds
from nases.strategy import EmbeddingSearch

SPACE = Bench201Space()
SMALL = AutoencoderConfig(hidden_units=12, pretrain_batch=32, pretrain_lr=0.01)


def make(seeds=(3,), space=SPACE, **changed):
    return Autoencoder(space, dataclasses.replace(SMALL, **changed), seeds)


def train(autoencoder, steps):
    return autoencoder.train(tf.constant(1), tf.constant(steps)).numpy()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_dense_networks_are_those_of_numpy(encoding):
    autoencoder = make((3, 4), encoding=encoding)
    size, width = autoencoder.reals.size, autoencoder.embedding
    assert (size, width) == ((6, 2) if encoding == ORDERED else (30, 10))
    vectors = np.random.default_rng(1).random((2, 5, size)).astype(np.float32)
    codes = autoencoder.encode(tf.constant(vectors)).numpy()
    back = autoencoder.decode(2 * tf.constant(codes) - 0.5).numpy()
    state = {name: v.numpy() for name, v in autoencoder.state.items()}
    for run in range(2):
        for part, x, found in (
            ("simulator", vectors[run], codes[run]),
            ("decoder", np.clip(2 * codes[run] - 0.5, 0, 1), back[run]),
        ):
            for layer in range(3):
                x = x @ state[f"{part}_kernel_{layer}"][run]
                x = x + state[f"{part}_bias_{layer}"][run]
                x = sigmoid(x) if layer == 2 else np.tanh(x)
            np.testing.assert_allclose(found, x, atol=1e-5)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_lstm_networks_are_those_of_numpy(encoding):
    space = CellSpace(("a", "b", "c"), 2, ("one",))
    autoencoder = make(
        (3,), space, encoding=encoding, autoencoder=LSTM, embedding=3
    )
    reals = autoencoder.reals
    vectors = np.random.default_rng(1).random((1, 4, reals.size))
    vectors = vectors.astype(np.float32)
    codes = autoencoder.encode(tf.constant(vectors)).numpy()[0]
    back = autoencoder.decode(tf.constant(codes[None])).numpy()[0]
    state = {name: v.numpy() for name, v in autoencoder.state.items()}

    def steps(part, inputs):
        hidden = cell = np.zeros((4, 12))
        for x in inputs:
            gates = x @ state[f"{part}_kernel"][0] + state[f"{part}_bias"][0]
            gates = gates + hidden @ state[f"{part}_recurrent"][0]
            into, forget, new, out = np.split(gates, 4, axis=1)
            cell = sigmoid(forget) * cell + sigmoid(into) * np.tanh(new)
            hidden = sigmoid(out) * np.tanh(cell)
            linear = hidden @ state[f"{part}_out"][0]
            yield sigmoid(linear + state[f"{part}_out_bias"][0])

    parts = [vectors[0][:, block] for block in reals.blocks]
    *_, last = steps("simulator", parts)
    np.testing.assert_allclose(codes, last, atol=1e-5)
    written = np.zeros((4, reals.size))
    outputs = list(steps("decoder", [codes] * space.length))
    for place, output in reversed([*enumerate(outputs)]):
        # Of numbers that fill up, the first is the one that counts.
        for at in reversed(range(output.shape[1])):
            written[:, reals.blocks[place, at]] = output[:, at]
    np.testing.assert_allclose(back, written, atol=1e-5)


@pytest.mark.parametrize("kind", [DENSE, LSTM])
def test_training_comes_to_what_is_linearly_possible(kind):
    """Independent numbers: n of m keep n / m of the variance, 1/12 each."""
    autoencoder = make((3,), encoding=ORDERED, autoencoder=kind)
    before = autoencoder.held_out_loss().numpy()
    for number in range(1, 6):
        autoencoder.train(tf.constant(number), tf.constant(100))
    after = autoencoder.held_out_loss().numpy()
    bound = (1 - 2 / 6) / 12
    # Nothing knows more of vectors than their mean: 1/12 is the loss then.
    assert np.all(after < 0.08) and np.all(after < before)
    # What is not linear may be a little better.
    assert np.all(after > bound / 3)
    if kind == DENSE:
        assert np.all(after < bound * 1.1)


def test_training_equals_adam_in_numpy(monkeypatch):
    """Gradients by finite differences of the loss, in float64."""
    autoencoder = make((5,), embedding=2, hidden_units=3, encoding=ORDERED)
    state = {n: v.numpy().copy() for n, v in autoencoder.state.items()}
    names = [n for n in state if not n.startswith("autoencoder")]
    seen = []

    def watched(shape, seeds):
        seen.append(_draw(shape, seeds))
        return seen[-1]

    monkeypatch.setattr("nases.autoencoder._draw", watched)
    loss = Autoencoder.train.python_function(
        autoencoder, tf.constant(1), tf.constant(1)
    )
    vectors = seen[0].numpy()[0].astype(np.float64)

    def error(weights):
        x = vectors
        for part in ("simulator", "decoder"):
            for layer in range(3):
                x = x @ weights[f"{part}_kernel_{layer}"][0]
                x = x + weights[f"{part}_bias_{layer}"][0]
                x = sigmoid(x) if layer == 2 else np.tanh(x)
        return np.mean((x - vectors) ** 2)

    weights = {n: state[n].astype(np.float64) for n in names}
    assert float(loss[0]) == pytest.approx(error(weights), rel=1e-4)
    rng = np.random.default_rng(1)
    for name in names:
        place = tuple(rng.integers(0, k) for k in weights[name].shape)
        ends = []
        for step in (1e-5, -1e-5):
            moved = {n: v.copy() for n, v in weights.items()}
            moved[name][place] += step
            ends.append(error(moved))
        gradient = (ends[0] - ends[1]) / 2e-5
        mean = autoencoder.state[f"autoencoder_{name}_mean"].numpy()[place]
        assert mean == pytest.approx(0.1 * gradient, abs=2e-6)
        moved = autoencoder.state[name].numpy()[place] - state[name][place]
        if abs(gradient) > 1e-4:  # Adam's first step is its rate.
            assert moved == pytest.approx(-0.01 * np.sign(gradient), rel=1e-2)


def test_stacked_ones_are_single_ones_and_begin_again():
    stacked = make((3, 4))
    single = make((4,))
    both = train(stacked, 20), train(single, 20)
    assert both[0][1] == pytest.approx(both[1][0], rel=1e-4)
    for name, value in single.state.items():
        if name != "autoencoder_updates":
            found = stacked.state[name].numpy()[1]
            np.testing.assert_allclose(found, value[0], atol=1e-5)
    stacked.restart((4, 3))
    again = train(stacked, 20)
    np.testing.assert_allclose(again, both[0][::-1], rtol=1e-4)


def test_reach_counts_distinct_rows_of_uniform_points():
    autoencoder = make((3,), encoding=ORDERED)
    points = autoencoder.uniform(500, 2, 165)
    assert 0 <= float(tf.reduce_min(points)) and points.shape == (1, 500, 2)
    rows = autoencoder.rows(autoencoder.decode(points)).numpy()
    found = {tuple(row) for row in rows.tolist()}
    assert autoencoder.reach(500) == [len(found)]


def test_axes_are_the_principal_components_of_codes():
    autoencoder = make((3, 4), encoding=ORDERED, embedding=3)
    vectors = autoencoder.uniform(1000, 6, 164)
    codes = autoencoder.encode(vectors).numpy().astype(np.float64)
    axes = autoencoder.axes().numpy()
    for run in range(2):
        centred = codes[run] - codes[run].mean(0)
        _, _, rows = np.linalg.svd(centred, full_matrices=False)
        for place in range(2):
            own = rows[place] * np.sign(
                rows[place][np.abs(rows[place]).argmax()]
            )
            np.testing.assert_allclose(axes[run, :, place], own, atol=2e-3)
    assert make((3,), encoding=ORDERED, embedding=1).axes().shape == (1, 1, 2)


def test_axes_of_all_that_are_alike_are_one_trace():
    _axes_of.cache_clear()
    found = [make((seed,)).axes().numpy() for seed in (3, 4, 5)]
    assert not np.array_equal(found[0], found[1])
    # The settings of a search are more, and no others of its networks.
    config = EmbeddingConfig(**dataclasses.asdict(SMALL))
    again = Autoencoder(SPACE, config, (3,)).axes().numpy()
    np.testing.assert_array_equal(again, found[0])
    assert _axes_of.cache_info().misses == 1
    find = _axes_of(SPACE, SMALL)
    assert find.experimental_get_tracing_count() == 1
    make((3,), hidden_units=6).axes()
    assert find.experimental_get_tracing_count() == 1


def test_a_larger_embedding_than_what_it_stands_for_is_refused():
    with pytest.raises(InputError, match="--embedding=7 is more than the 6"):
        make((3,), encoding=ORDERED, embedding=7)
    assert make((3,), encoding=ORDERED, embedding=6).embedding == 6


def test_rounds_end_with_the_rest():
    assert rounds(AutoencoderConfig(pretrain_steps=250)) == [100, 100, 50]
    assert rounds(AutoencoderConfig(pretrain_steps=0)) == []


def small(**changed):
    values = {**dataclasses.asdict(SMALL), **changed}
    return EmbeddingConfig(**values)


def stuck(strategy):
    """A decoder that gives the same whatever it gets."""
    for name, value in strategy.autoencoder.state.items():
        if name.startswith("decoder"):
            value.assign(tf.zeros_like(value))


def test_a_decoder_that_reaches_one_architecture_is_named():
    phase = Pretrain(strategy := EmbeddingSearch(SPACE, small(), [1]))
    stuck(strategy)
    steps = phase.steps(0)
    assert steps == 11 and phase.steps(1) == 0
    # It may come to more.
    first = phase.run(0, 0, 1)
    assert first["healthy"][0] and first["reach"][0] == 1
    phase = Pretrain(
        strategy := EmbeddingSearch(SPACE, small(pretrain_steps=0), [1])
    )
    stuck(strategy)
    columns = phase.run(0, 0, phase.steps(0))
    assert not columns["healthy"][0]
    what, mend = phase.explain({n: v[0] for n, v in columns.items()})
    assert "one architecture only" in what and "--pretrain_steps" in mend
    searches = Pretrained(SPACE, small(pretrain_steps=0), [5, 6])
    searches.autoencoder.reach = lambda count: [2, 1]
    with pytest.raises(RunStopped, match="seed 8: the decoder reaches one"):
        searches._train([7, 8])


def test_a_loss_that_is_not_finite_is_named():
    strategy = EmbeddingSearch(SPACE, small(pretrain_steps=5), [1])
    phase = Pretrain(strategy)
    weight = strategy.autoencoder.state["simulator_kernel_0"]
    weight.assign(weight * np.nan)
    columns = phase.run(0, 1, 2)
    assert not columns["healthy"][0]
    what, mend = phase.explain({n: v[0] for n, v in columns.items()})
    assert "not finite" in what and "--pretrain_lr" in mend
