import keras
import numpy as np
import pytest
import tensorflow as tf

from nascore.strategies.policy_gradient import (
    MovingBaseline,
    discounted_returns,
    policy_gradient_loss,
    standardize,
)


def test_baseline_is_updated_before_it_is_used():
    baseline = MovingBaseline(0.9)
    rng = np.random.default_rng(0)
    expected = 0.0
    for reward in rng.random(20):
        expected = 0.9 * expected + 0.1 * reward
        assert float(baseline(tf.constant(reward, tf.float32))) == (
            pytest.approx(expected, abs=1e-6)
        )


def test_loss_and_its_gradient_by_hand():
    log_probs = tf.Variable([-1.0, -2.0, -3.0])
    advantages = tf.Variable([0.5, -1.0, 2.0])
    with tf.GradientTape() as tape:
        loss = policy_gradient_loss(log_probs, advantages)
    gradients = tape.gradient(loss, [log_probs, advantages])
    assert float(loss) == pytest.approx((0.5 - 2.0 + 6.0) / 3)
    np.testing.assert_allclose(gradients[0], [-0.5 / 3, 1 / 3, -2 / 3])
    assert gradients[1] is None


def test_reinforce_finds_the_rewarded_arm():
    logits = tf.Variable(tf.zeros([1, 5]))
    optimizer = keras.optimizers.Adam(0.05)
    baseline = MovingBaseline(0.95)
    for step in range(200):
        arms = tf.random.stateless_categorical(logits, 8, [0, step])[0]
        rewards = tf.cast(tf.equal(arms, 3), tf.float32)
        advantages = tf.stack([r - baseline(r) for r in tf.unstack(rewards)])
        with tf.GradientTape() as tape:
            log_probs = tf.gather(tf.nn.log_softmax(logits)[0], arms)
            loss = policy_gradient_loss(log_probs, advantages)
        optimizer.apply(tape.gradient(loss, [logits]), [logits])
    assert float(tf.nn.softmax(logits)[0, 3]) > 0.9


def test_discounted_returns_by_the_recursion():
    """G_t = r_t + discount * G_(t+1), with one reward at the end."""
    rewards, lengths, steps = [1.0, -2.0, 0.5], [4, 1, 2], 4
    expected = np.zeros((3, steps))
    for row, (reward, length) in enumerate(zip(rewards, lengths, strict=True)):
        later = 0.0
        for step in reversed(range(length)):
            now = reward if step == length - 1 else 0.0
            later = expected[row, step] = now + 0.9 * later
    ours = discounted_returns(
        tf.constant(rewards), tf.constant(lengths), steps, 0.9
    )
    np.testing.assert_allclose(ours, expected, rtol=1e-6)
    without = discounted_returns(
        tf.constant(rewards), tf.constant(lengths), steps, 0.0
    )
    np.testing.assert_allclose(without[0], [0, 0, 0, 1])


def test_standardized_rewards_are_z_scores():
    values = np.random.default_rng(0).random(10).astype(np.float32)
    expected = (values - values.mean()) / values.std()
    np.testing.assert_allclose(standardize(values), expected, rtol=1e-4)
    same = tf.constant([0.7] * 5)
    np.testing.assert_array_equal(standardize(same), np.zeros(5))


def test_loss_of_steps_is_the_sum_over_steps_and_the_mean_over_sequences():
    log_probs = tf.Variable([[-1.0, -2.0], [-3.0, 0.0]])
    returns = tf.constant([[0.5, 1.0], [2.0, 0.0]])
    with tf.GradientTape() as tape:
        loss = policy_gradient_loss(log_probs, returns)
    assert float(loss) == pytest.approx((0.5 + 2.0 + 6.0) / 2)
    gradient = tape.gradient(loss, log_probs)
    np.testing.assert_allclose(gradient, -returns / 2)
