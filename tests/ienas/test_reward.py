import numpy as np
import pytest
import tensorflow as tf
from enas.reward import AccuracyReward

from ienas.config import RewardConfig
from ienas.reward import RelativeReward


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
    reward = RelativeReward(AccuracyReward(), RewardConfig(**fields))
    step = tf.function(reward)
    return [float(step(tf.constant(a, tf.float32))) for a in accuracies]


@pytest.mark.parametrize("rule", ["paper", "code", "identity"])
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
    class Double(tf.Module):
        def __call__(self, accuracy):
            return 2 * accuracy

    reward = RelativeReward(Double(), RewardConfig())
    values = [float(reward(tf.constant(a))) for a in (0.5, 0.5, 1.0)]
    assert values == pytest.approx([1.0, 1.0, 4.0])


def test_its_state_is_in_variables():
    reward = RelativeReward(AccuracyReward(), RewardConfig())
    for accuracy in (0.5, 0.75):
        reward(tf.constant(accuracy))
    assert len(reward.variables) == 2
    copy = RelativeReward(AccuracyReward(), RewardConfig())
    for ours, theirs in zip(copy.variables, reward.variables, strict=True):
        ours.assign(theirs)
    assert float(copy(tf.constant(0.6))) == float(reward(tf.constant(0.6)))
