"""The strategy of MLPNAS by itself, and what a search makes of it."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from mlpnas.config import PolicyConfig
from mlpnas.search import make_search
from mlpnas.strategy import Known, MlpnasStrategy, rank_correlation
from nascore.protocols import Measured
from nascore.runs.folder import RunFolder
from nascore.spaces.perceptrons import MlpSpace
from tests.mlpnas.toys import CONFIG, DATA, Toy, rows

SPACE = MlpSpace((8, 64), ("relu", "tanh"), max_layers=5)


def strategy(space=SPACE, **changes):
    keras.utils.set_random_seed(1)
    return MlpnasStrategy(space, PolicyConfig(lstm_units=16, **changes))


def seed(*numbers):
    return tf.constant(numbers, tf.int32)


def texts(space, sequences):
    return [space.format(space.decode(row)) for row in sequences]


def test_reinforce_finds_a_known_optimum():
    """Rewards count layers of `64 tanh`: four of them is the best there is."""
    learner = strategy(controller_lr=0.02, controller_decay=0.0)
    wanted = SPACE.vocabulary.index("64 tanh") + 1
    means = []
    for epoch in range(60):
        # With repetitions, which `ask` leaves out.
        sequences = learner._draw(tf.constant(20), seed(epoch, 7))
        share = tf.reduce_mean(tf.cast(sequences == wanted, tf.float32), 1)
        means.append(float(tf.reduce_mean(share)))
        deviations = (share - tf.reduce_mean(share)) / (
            tf.math.reduce_std(share) + 1e-6
        )
        learner._update_policy(sequences, deviations)
    assert np.mean(means[:5]) < 0.25
    # 0.8 is the optimum, the last place being the final layer's.
    assert np.mean(means[-5:]) > 0.7


def test_the_predictor_learns_to_rank_a_toy_space():
    space = MlpSpace((8, 64), ("relu", "tanh"), max_layers=6)
    learner = strategy(
        space,
        predictor=True,
        predictor_steps=200,
        predictor_lr=0.01,
        # The policy, which shares the LSTM, stands still.
        controller_lr=0.0,
    )

    def accuracy(sequences):
        layers = np.array([0.0, 0.1, 0.0, 0.2, 0.1, -0.1, 0.0])
        return (0.3 + layers[sequences].sum(1)).astype(np.float32)

    fresh = learner.controller(80, [2, 2]).sequences

    def correlation():
        predicted = learner.controller(sequences=fresh).predicted
        return stats.spearmanr(predicted, accuracy(fresh.numpy())).statistic

    before = correlation()
    proposals = learner.ask(80, seed(1, 1))
    measured = Measured(accuracy(proposals.rows))
    told = learner.tell(proposals, measured, tf.zeros([80]))
    assert abs(before) < 0.6
    assert correlation() > 0.8
    assert told["healthy"] and told["predictor_error"] < 0.01


def test_asking_changes_nothing_and_repeats_nothing():
    learner = strategy(predictor=True, predictor_steps=2)
    first = learner.ask(20, seed(1, 2))
    again = learner.ask(20, seed(1, 2))
    np.testing.assert_array_equal(first.rows, again.rows)
    for name, values in first.notes.items():
        np.testing.assert_array_equal(values, again.notes[name], name)
    names = texts(SPACE, first.rows)
    assert len(set(names)) == 20
    scores = np.linspace(0.1, 0.9, 20)
    learner.tell(first, Measured(scores), tf.constant(scores, tf.float32))
    # With the seed of what is known by now.
    later = learner.ask(20, seed(1, 2))
    assert not set(names) & set(texts(SPACE, later.rows))


def test_what_is_known_outlives_a_checkpoint():
    known, other = Known(3), Known(3)
    known.add(np.arange(6, dtype=np.int32).reshape(2, 3), np.array([0.5, 0.1]))
    known.add(np.ones((1, 3), np.int32), np.array([1 / 3]))
    other.deserialize(known.serialize())
    np.testing.assert_array_equal(other.rows, known.rows)
    np.testing.assert_array_equal(other.scores, known.scores)
    assert other.rows.dtype == np.int32 and other.scores.dtype == np.float64


def test_a_space_gives_all_that_it_has_and_then_nothing():
    space = MlpSpace((8,), ("relu", "tanh"), max_layers=3)
    learner = strategy(space)
    size = space.size()
    found = []
    for turn in range(size):
        proposals = learner.ask(5, seed(turn, 1))
        count = len(proposals.rows)
        assert count == min(5, size - len(found))
        if not count:
            break
        found += texts(space, proposals.rows)
        scores = np.full(count, 0.5)
        learner.tell(proposals, Measured(scores), tf.zeros([count]))
    assert len(found) == len(set(found)) == size


def test_what_a_policy_repeats_is_drawn_uniformly_instead(tmp_path):
    config = dataclasses.replace(
        CONFIG, policy=dataclasses.replace(CONFIG.policy, sampling_rounds=3)
    )
    with RunFolder.create(tmp_path / "run") as run:
        machine = make_search(config, run, DATA, pool=Toy())
        # Nearly all of the probability on one architecture.
        bias = np.zeros(len(machine.space.vocabulary) + 1, np.float32)
        bias[[2, -1]] = 40, 50
        machine.strategy.controller.output.bias.assign(bias)
        machine.run()
    written = rows(tmp_path / "run")
    assert len(written["evaluations"]) == 12
    assert written["evaluations"][0]["architecture"] == "8 tanh | softmax"
    uniform = [int(row["drawn_uniformly"]) for row in written["epochs"]]
    assert uniform == [3, 4, 4]


def test_a_random_policy_learns_nothing():
    learner = MlpnasStrategy(SPACE, PolicyConfig(controller="random"))
    proposals = learner.ask(6, seed(1, 1))
    measured = Measured(np.linspace(0, 1, 6))
    told = learner.tell(proposals, measured, tf.zeros([6]))
    assert told["healthy"]
    for name in ("policy_loss", "predictor_error", "predictor_correlation"):
        assert np.isnan(told[name])
    assert np.isnan(proposals.notes["predicted"]).all()


@pytest.mark.parametrize(
    ("predicted", "measured", "expected"),
    [
        ([0.1, 0.2, 0.3], [0.5, 0.6, 0.7], 1.0),
        ([0.3, 0.2, 0.1], [0.5, 0.6, 0.7], -1.0),
        ([np.nan, 0.2, 0.1], [0.5, 0.6, 0.7], np.nan),
        ([0.2, 0.2, 0.2], [0.5, 0.6, 0.7], np.nan),
        ([0.1, 0.2, 0.3], [0.5, 0.5, 0.5], np.nan),
        ([0.1, 0.2], [0.5, 0.6], np.nan),
    ],
)
def test_rank_correlation_where_there_is_one(predicted, measured, expected):
    found = rank_correlation(predicted, np.array(measured))
    assert found == pytest.approx(expected, nan_ok=True)
