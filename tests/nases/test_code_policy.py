"""The update of the public code, against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from nases.code_policy import CodePolicy
from nases.config import (
    CODE,
)
from tests.nases.steps import (
    dense,
    make,
    of_run,
    seeds_of,
    take_step,
    values_of,
    worth,
)


def gradients_of_code(values, states, labels, weights):
    """Those of the public code's loss, by finite differences."""
    names = [n for n in values if n.startswith("controller")]

    def loss(own):
        logits = dense(own, "controller", states.astype(np.float64))
        entropy = np.log1p(np.exp(logits)) - labels * logits
        decay = sum((own[n] ** 2).sum() / 2 for n in names)
        return np.mean(entropy * weights[:, None]) + 0.002 * decay

    found = {}
    for name in names:
        gradient = np.zeros(values[name].shape)
        for place in np.ndindex(gradient.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = {n: v.copy() for n, v in values.items()}
                moved[name][place] += step
                ends.append(loss(moved))
            gradient[place] = (ends[0] - ends[1]) / 2e-6
        found[name] = gradient
    return found


def test_the_update_of_the_public_code(monkeypatch):
    """States and codes as stored, rewards standardized, the newest too."""
    strategy = make(policy=CODE, controller_lr=1e-3)
    policy = strategy.policy
    assert isinstance(policy, CodePolicy)
    states, codes, rewards = [], [], []

    def note():
        values = values_of(strategy)
        own = of_run(values, 0)
        states.append(own["state"][0])
        codes.append(dense(own, "controller", own["state"])[0])

    seen = []
    descend = policy._descend

    def watched(states, codes, weights):
        seen.append((states, codes, weights))
        return descend(states, codes, weights)

    for number in range(9):
        note()
        before = values_of(strategy)["controller_kernel_0"]
        _, score, columns = take_step(strategy, number)
        rewards.append(float(score[0]))
        assert np.isnan(columns["log_density"][0])
        np.testing.assert_array_equal(
            values_of(strategy)["controller_kernel_0"], before
        )
    # The tenth reward: the first update, on three of the past and the newest.
    note()
    before = values_of(strategy)
    asked = strategy.ask(1, seeds_of(9, (3,)))
    score = worth(asked.rows)
    rewards.append(float(score[0]))
    following, _ = strategy._following(asked.memo)
    own = of_run(before, 0)
    monkeypatch.setattr(policy, "_descend", watched)
    strategy._tell(
        asked.memo, asked.rows, tf.constant(score), tf.constant(score)
    )
    ((used, labels, weights),) = seen
    scaled = (np.array(rewards) - np.mean(rewards)) / np.std(rewards)
    stored = np.array(states)
    for place in range(3):
        gaps = np.abs(stored - used[0, place].numpy()).max(axis=1)
        at = int(gaps.argmin())
        assert gaps[at] < 1e-6
        assert float(weights[0, place]) == pytest.approx(scaled[at], rel=1e-3)
        np.testing.assert_allclose(labels[0, place], codes[at], atol=1e-5)
    np.testing.assert_allclose(used[0, 3], following[0, 0], atol=1e-6)
    assert float(weights[0, 3]) == pytest.approx(scaled[-1], rel=1e-3)
    newest = dense(own, "controller", following[0].numpy().astype(np.float64))
    np.testing.assert_allclose(labels[0, 3], newest[0], atol=1e-5)
    gradients = gradients_of_code(
        own, *(part[0].numpy() for part in (used, labels, weights))
    )
    after = values_of(strategy)
    for name in ("controller_kernel_1", "controller_bias_0"):
        np.testing.assert_allclose(
            after[f"{name}_mean"][0],
            0.1 * gradients[name],
            rtol=1e-2,
            atol=1e-7,
        )
        clear = np.abs(gradients[name]) > 1e-5
        moved = after[name][0] - own[name]
        np.testing.assert_allclose(
            moved[clear], -1e-3 * np.sign(gradients[name])[clear], rtol=5e-2
        )


def test_memory_of_the_code_keeps_the_last_steps():
    strategy = make(policy=CODE, code_updates=1)
    policy = CodePolicy(strategy.autoencoder, strategy.config, 1, steps=4)
    rewards = [0.1, 0.5, 0.2, 0.9, 0.4, 0.3]
    state = strategy._own["state"].read_value()
    for step, reward in enumerate(rewards):
        policy.learn(
            state,
            policy(state),
            tf.constant([[reward]]),
            state,
            tf.constant(step),
            seeds_of(step, (3,))[None],
        )
    # Three with rewards, and the newest without.
    found = policy._standardized(tf.constant(5), tf.constant(3)).numpy()[0]
    last = np.array(rewards[3:])
    scaled = (last - last.mean()) / last.std()
    np.testing.assert_allclose(found[[3, 0, 1]], scaled, rtol=1e-4)
