import dataclasses
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from mlpnas.config import PolicyConfig
from mlpnas.controller import LayerPolicy, LstmPolicy, make_policy
from nascore.spaces.perceptrons import MlpSpace

SPACE = MlpSpace((8, 64), ("relu", "tanh"), max_layers=5)


def controller(space=SPACE, **changes):
    keras.utils.set_random_seed(1)
    config = PolicyConfig(lstm_units=16, **changes)
    return LstmPolicy(space, config), config


def test_sampling_and_scoring_are_one_computation():
    policy, _ = controller(predictor=True)
    sample = policy(200, [1, 2])
    scored = policy(sequences=sample.sequences)
    np.testing.assert_array_equal(scored.log_probs, sample.log_probs)
    np.testing.assert_array_equal(scored.predicted, sample.predicted)
    for ids in sample.sequences.numpy():
        SPACE.decode(ids)


def test_probabilities_of_all_sequences_add_up_to_one():
    space = MlpSpace((8,), ("relu", "tanh"), max_layers=4)
    policy, _ = controller(space)
    policy.output.bias.assign(tf.random.stateless_normal([5], [1, 1]))
    sequences = np.unique(policy(20_000, [1, 2]).sequences.numpy(), axis=0)
    assert len(sequences) == space.size()
    log_probs = policy(sequences=tf.constant(sequences)).log_probs
    total = np.exp(np.sum(log_probs, axis=1)).sum()
    assert total == pytest.approx(1, abs=1e-5)


def test_sampled_as_often_as_the_probabilities_say():
    space = MlpSpace((8,), ("relu", "tanh"), max_layers=3)
    policy, _ = controller(space)
    policy.output.bias.assign([0.0, 1.0, 0.0, 0.5, 1.0])
    sample = policy(20_000, [5, 6])
    rows, counts = np.unique(sample.sequences, axis=0, return_counts=True)
    expected = np.exp(
        np.sum(
            policy(sequences=tf.constant(rows)).log_probs,
            axis=1,
            dtype=np.float64,
        )
    )
    assert len(rows) == space.size()
    assert expected.sum() == pytest.approx(1, abs=1e-5)
    expected = 20_000 * expected / expected.sum()
    assert stats.chisquare(counts, expected).pvalue > 1e-3


def test_log_probabilities_by_hand():
    """One step for each layer, from the layer before; plain NumPy."""
    policy, _ = controller()
    text = "64 relu | dropout | 8 tanh | softmax"
    ids = SPACE.encode(SPACE.parse(text))
    ours = policy(sequences=tf.constant(ids[None])).log_probs[0].numpy()
    embedding, kernel, recurrent, bias, output, output_bias = (
        variable.numpy() for variable in policy.variables_to_train
    )

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    hidden, cell = np.zeros(16), np.zeros(16)
    for place, before in enumerate([0, *ids[:-1]]):
        gates = embedding[before] @ kernel + hidden @ recurrent + bias
        i, f, c, o = np.split(gates, 4)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(c)
        hidden = sigmoid(o) * np.tanh(cell)
        logits = hidden @ output + output_bias
        # Five legal layers besides the final one, four behind dropout, and
        # `3 - place` depths beyond this one.
        if 0 < place < 4:
            others = 4 if SPACE.vocabulary[before - 1] == "dropout" else 5
            logits[-1] += np.log(others / (4 - place))
        logits = logits[SPACE.allowed[place, before]]
        chosen = np.flatnonzero(SPACE.allowed[place, before]).tolist()
        log_prob = logits - np.log(np.exp(logits).sum())
        expected = log_prob[chosen.index(ids[place])]
        assert ours[place] == pytest.approx(expected, abs=1e-5)


def test_the_random_policy_takes_each_legal_layer_equally_often():
    policy = make_policy(SPACE, PolicyConfig(controller="random"))
    assert policy.variables_to_train == []
    sample = policy(8000, [1, 2])
    first = np.bincount(sample.sequences[:, 0], minlength=5)[1:5]
    assert first.sum() == 8000
    assert stats.chisquare(first).pvalue > 1e-3
    assert np.isnan(sample.predicted).all()


def every_sequence(space):
    """All architectures as lists of words, without the table of masks."""
    for length in range(1, space.max_layers):
        for words in itertools.product(space.vocabulary[:-1], repeat=length):
            twice = ("dropout", "dropout") in itertools.pairwise(words)
            if words[0] != "dropout" and not twice:
                yield [*words, space.final]


def probability(words, space, prior):
    """Of a sequence, where all that is not the depth is alike."""
    total = 1 / (len(space.vocabulary) - 2)
    for place, word in enumerate(words[1:], 1):
        others = len(space.vocabulary) - 1 - (words[place - 1] == "dropout")
        end = {
            "uniform": 1 / (space.max_layers - place),
            "paper": 1 / (others + 1),
        }[prior]
        if place == space.max_layers - 1:
            end = 1
        total *= end if word == space.final else (1 - end) / others
    return total


@pytest.mark.parametrize("kind", ["random", "lstm"])
@pytest.mark.parametrize("prior", ["uniform", "paper"])
def test_prior_over_depths_by_enumeration(kind, prior):
    space = MlpSpace((8, 16), ("relu",), max_layers=5, depth_prior=prior)
    policy = make_policy(space, PolicyConfig(controller=kind, lstm_units=4))
    if kind == "lstm":
        for variable in policy.output.trainable_variables:
            variable.assign(np.zeros(variable.shape))
    sequences = list(every_sequence(space))
    assert len(sequences) == space.size()
    ids = np.array(
        [space.encode(space.parse(" | ".join(words))) for words in sequences]
    )
    scored = policy(sequences=tf.constant(ids))
    ours = np.exp(np.sum(scored.log_probs, axis=1, dtype=np.float64))
    expected = [probability(words, space, prior) for words in sequences]
    np.testing.assert_allclose(ours, expected, rtol=1e-5)
    if prior == "uniform":
        depths = np.array([len(words) for words in sequences])
        for depth in range(2, 6):
            assert ours[depths == depth].sum() == pytest.approx(1 / 4)


def test_depths_are_sampled_as_the_prior_says():
    histograms = {}
    for prior in ("uniform", "paper"):
        policy = LayerPolicy(MlpSpace(depth_prior=prior))
        sequences = policy(100_000, [1, 2]).sequences
        depths = np.count_nonzero(sequences, axis=1)
        histograms[prior] = np.bincount(depths, minlength=11)[2:]
    assert stats.chisquare(histograms["uniform"]).pvalue > 1e-3
    # Ending is one of 30 next layers, and three quarters are the deepest.
    assert 0.72 < histograms["paper"][-2:].sum() / 100_000 < 0.80


def test_the_papers_prior_adds_nothing_to_the_logits():
    policy = LayerPolicy(dataclasses.replace(SPACE, depth_prior="paper"))
    prior = policy.prior.numpy()
    assert (prior[SPACE.allowed] == 0).all()
    assert (prior[~SPACE.allowed] == np.float32(-1e9)).all()
