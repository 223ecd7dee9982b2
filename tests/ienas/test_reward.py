import numpy as np
import pytest
import tensorflow as tf

from ienas.config import RewardConfig
from ienas.reward import RelativeReward
from nascore.protocols import Measured
from nascore.strategies.rewards import ScoreReward


def reference(accuracies, rule, window=10, threshold=0.7):
    """Plain Python, float32 where the comparison could turn."""
    history, rewards = [], []
    for accuracy in np.float32(accuracies):
        counted = [a for a in history if a > 0 or rule != "code"]
        mean = np.float32(np.sum(history, dtype=np.float32)) / np.float32(
            max(1, len(counted))
        )
        if not history or mean == 0 or rule == "identity":
            rewards.append(accuracy)
        elif rule == "twice":
            rewards.append(2 * accuracy)
        else:
            s = accuracy / mean
            if rule == "paper":
                low = s <= np.float32(threshold)
                rewards.append(0.01 if low else accuracy * s)
            else:
                low = s < np.float32(threshold)
                rewards.append(accuracy * (0.01 if low else s))
        history = [*history, accuracy][-window:]
    return rewards


def run(accuracies, **fields):
    """Rewards of accuracies that come in steps of one, two, ..."""
    reward = RelativeReward(ScoreReward(), RewardConfig(**fields))
    step = tf.function(lambda scores: reward(Measured(scores)))
    rewards, size = [], 1
    while len(rewards) < len(accuracies):
        part = accuracies[len(rewards) : len(rewards) + size]
        rewards += step(tf.constant(part, tf.float32)).numpy().tolist()
        size = size % 4 + 1
    return rewards


def one(reward, accuracy):
    """The reward of a step of one."""
    return float(reward(Measured(tf.constant([accuracy])))[0])


@pytest.mark.parametrize("rule", ["paper", "code", "identity", "twice"])
@pytest.mark.parametrize("window", [1, 3, 10])
def test_random_sequences_equal_plain_python(rule, window):
    rng = np.random.default_rng(window)
    accuracies = rng.integers(0, 129, 200) / 128
    ours = run(accuracies, reward_rule=rule, reward_window=window)
    expected = reference(accuracies, rule, window)
    np.testing.assert_allclose(ours, expected, rtol=2e-6)


def test_the_first_accuracy_is_its_own_reward():
    for rule in ("paper", "code"):
        assert run([0.25], reward_rule=rule) == [0.25]


def test_exactly_at_the_threshold_the_rules_differ():
    # 0.5 / 1 is the threshold to the last bit.
    fields = {"reward_threshold": 0.5}
    paper = run([1.0, 0.5], reward_rule="paper", **fields)[1]
    code = run([1.0, 0.5], reward_rule="code", **fields)[1]
    assert paper == pytest.approx(0.01)
    assert code == pytest.approx(0.25)


def test_zeros_never_make_a_reward_that_is_not_finite():
    accuracies = [0.0, 0.0, 0.5, 0.0, 0.5]
    for rule in ("paper", "code"):
        rewards = run(accuracies, reward_rule=rule)
        assert np.isfinite(rewards).all()
        # Nothing but zeros before it: nothing to be compared with.
        assert rewards[:3] == [0.0, 0.0, 0.5]


def test_the_code_leaves_zeros_out_of_the_mean():
    # Means before the last: 0.25 with the zero, as equation 1 has it; 0.5
    # without, as the public code. 0.3 is above 0.7 of one, not of the other.
    paper = run([0.5, 0.0, 0.3], reward_rule="paper")[-1]
    code = run([0.5, 0.0, 0.3], reward_rule="code")[-1]
    assert paper == pytest.approx(0.3 * 0.3 / 0.25)
    assert code == pytest.approx(0.3 * 0.01)


def test_it_wraps_any_reward():
    class Double(ScoreReward):
        def __call__(self, measured):
            return 2 * measured.score

    reward = RelativeReward(Double(), RewardConfig())
    values = [one(reward, a) for a in (0.5, 0.5, 1.0)]
    assert values == pytest.approx([1.0, 1.0, 4.0])


def test_its_state_holds_that_of_what_it_wraps():
    class Counting(ScoreReward):
        def __init__(self):
            super().__init__()
            self.count = tf.Variable(0)

        @property
        def state(self):
            return {"count": self.count}

    wrapped = Counting()
    reward = RelativeReward(wrapped, RewardConfig())
    for accuracy in (0.5, 0.75):
        one(reward, accuracy)
    assert set(reward.state) == {"history", "seen", "wrapped_count"}
    assert reward.state["wrapped_count"] is wrapped.count
    copy = RelativeReward(Counting(), RewardConfig())
    for name, value in copy.state.items():
        value.assign(reward.state[name])
    assert one(copy, 0.6) == one(reward, 0.6)


def test_scores_of_a_table_are_of_twice_the_precision():
    reward = RelativeReward(ScoreReward(), RewardConfig())
    found = reward(Measured(np.array([0.5, 0.75])))
    assert found.dtype == tf.float32
    np.testing.assert_allclose(found, [0.5, 0.75 * 0.75 / 0.5])


@pytest.mark.parametrize("rule", ["paper", "code", "identity", "twice"])
@pytest.mark.parametrize("window", [1, 3, 10, 17])
def test_stacked_it_equals_single_ones_to_the_bit(rule, window):
    config = RewardConfig(reward_rule=rule, reward_window=window)
    runs, batch = 5, 3
    stacked = RelativeReward(ScoreReward(), config, runs)
    singles = [RelativeReward(ScoreReward(), config) for _ in range(runs)]
    step = tf.function(lambda scores: stacked(Measured(scores)))
    rng = np.random.default_rng(window)
    for _ in range(8):
        scores = np.float32(rng.integers(0, 129, (runs, batch)) / 128)
        ours = step(tf.constant(scores.ravel())).numpy()
        for single, own, found in zip(
            singles, scores, np.split(ours, runs), strict=True
        ):
            alone = single(Measured(tf.constant(own)))
            np.testing.assert_array_equal(found, alone)
    for run, single in enumerate(singles):
        np.testing.assert_array_equal(stacked.history[run], single.history)


@pytest.mark.parametrize("runs", [None, 2])
def test_begun_again_it_is_as_newly_made(runs):
    class Counting(ScoreReward):
        def restart(self):
            self.restarts = getattr(self, "restarts", 0) + 1

    wrapped = Counting()
    used = RelativeReward(wrapped, RewardConfig(reward_window=3), runs)
    fresh = RelativeReward(ScoreReward(), RewardConfig(reward_window=3), runs)
    scores = Measured(tf.constant([0.5, 0.25, 0.75, 0.125]))
    used(scores)
    used.restart()
    assert wrapped.restarts == 1
    np.testing.assert_array_equal(used(scores), fresh(scores))
    np.testing.assert_array_equal(used.history, fresh.history)
    assert int(used.seen) == int(fresh.seen)
