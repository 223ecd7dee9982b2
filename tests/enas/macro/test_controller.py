"""The policy over whole networks against NumPy."""

import dataclasses

import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from enas.macro.config import MacroControllerConfig
from enas.macro.controller import MacroController, skip_divergence
from nascore.protocols import Measured
from nascore.spaces.macro import MacroSpace

SPACE = MacroSpace(("conv_3x3", "sep_conv_5x5", "max_pool_3x3"), 4)
# A policy far from uniform, so that mistakes show.
SHARP = MacroControllerConfig(
    lstm_units=6, init_range=0.8, tanh_constant=2.5, temperature=0.7
)
WEIGHTS = (
    *("start", "op_embedding", "op_kernel"),
    *("anchor_kernel", "query_kernel", "score_kernel"),
)


@pytest.fixture(scope="module")
def policy():
    return MacroController(SPACE, SHARP)


def some_rows(count, seed=0):
    return SPACE.sample(np.random.default_rng(seed), count)


def walk(policy, row, target):
    """Log-probability, entropy and penalty of a row, as the code has them."""
    config = policy.config
    kernel, recurrent = (np.array(w) for w in policy.lstm.get_weights())
    get = {name: getattr(policy, name).numpy() for name in WEIGHTS}
    h = c = np.zeros((1, config.lstm_units))
    log_prob = entropy = 0.0
    penalties, anchors = [], []
    x = get["start"]

    def lstm(x, h, c):
        i, f, g, o = np.split(x @ kernel + h @ recurrent, 4, -1)
        c = scipy.special.expit(f) * c + scipy.special.expit(i) * np.tanh(g)
        return scipy.special.expit(o) * np.tanh(c), c

    def squash(logits):
        return config.tanh_constant * np.tanh(logits / config.temperature)

    for layer in SPACE.decode(row).layers:
        h, c = lstm(x, h, c)
        log_p = scipy.special.log_softmax(squash(h @ get["op_kernel"])[0])
        log_prob += log_p[layer.operation]
        entropy -= (np.exp(log_p) * log_p).sum()
        h, c = lstm(get["op_embedding"][[layer.operation]], h, c)
        x = get["start"]
        if anchors:
            query = h @ get["query_kernel"]
            known = np.concatenate(anchors)
            scores = np.tanh(known @ get["anchor_kernel"] + query)
            q = squash(scores @ get["score_kernel"])[:, 0]
            penalty = 0.0
            for logit, bit in zip(q, layer.skips, strict=True):
                pair = scipy.special.log_softmax([-logit, logit])
                log_prob += pair[bit]
                entropy -= (np.exp(pair) * pair).sum()
                p = scipy.special.expit(logit)
                penalty += scipy.stats.entropy([1 - p, p], [1 - target, target])
            penalties.append(penalty)
            bits = np.array(layer.skips)[:, None]
            x = (bits * known).sum(0, keepdims=True) / (1 + bits.sum())
        anchors.append(h)
    return log_prob, entropy, np.mean(penalties)


def test_a_policy_equals_a_walk_by_hand(policy):
    rows = some_rows(5)
    scored = policy(architectures=tf.constant(rows))
    for place, row in enumerate(rows):
        wanted = walk(policy, row, 0.4)
        ours = (
            scored.log_prob[place],
            scored.entropy[place],
            scored.notes["skip_penalty"][place],
        )
        np.testing.assert_allclose(ours, wanted, rtol=2e-5)


def test_what_is_sampled_has_its_own_probability(policy):
    sample = policy(400, tf.constant([1, 2]))
    rows = sample.architectures.numpy()
    assert all(map(SPACE.is_legal, rows))
    again = policy(architectures=sample.architectures)
    np.testing.assert_allclose(again.log_prob, sample.log_prob, rtol=1e-5)
    # Bits of the second layer follow their chance, of rows alike before it.
    first = rows[:, 0] == 0
    rows = rows[first & (rows[:, 1] == 0)]
    chances = [
        np.exp(
            policy(
                architectures=tf.constant([[0, 0, bit, *rest] for rest in REST])
            ).log_prob.numpy()
        ).sum()
        for bit in (0, 1)
    ]
    share = chances[1] / sum(chances)
    deviation = (share * (1 - share) / len(rows)) ** 0.5
    assert abs(rows[:, 2].mean() - share) < 4 * deviation + 1e-9


REST = [row[3:].tolist() for row in SPACE.enumerate() if not row[:3].any()]


def divergence(logits, target):
    p = scipy.special.expit(logits)
    return scipy.special.rel_entr(p, target) + scipy.special.rel_entr(
        1 - p, 1 - target
    )


@pytest.mark.parametrize("target", [0.4, 0.05])
def test_the_divergence_and_its_gradient(target):
    logits = np.array([[-3.0, 0.0, 2.5], [0.3, -0.1, 40.0]])
    values = tf.constant(logits, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(values)
        found = skip_divergence(values, target)
    np.testing.assert_allclose(
        found, divergence(logits, target).sum(1), rtol=1e-5
    )
    step = 1e-5
    slopes = (
        divergence(logits + step, target) - divergence(logits - step, target)
    ) / (2 * step)
    np.testing.assert_allclose(
        tape.gradient(found, values), slopes, rtol=1e-4, atol=1e-5
    )


def test_the_penalty_draws_skips_to_the_target():
    """With rewards that are all alike only the penalty pulls."""
    config = dataclasses.replace(
        SHARP, skip_target=0.2, controller_lr=0.02, baseline_decay=0.0
    )
    policy = MacroController(SPACE, config)

    @tf.function
    def update(step):
        asked = policy.ask(16, tf.stack([step, 0]))
        ones = tf.ones([16])
        told = policy.tell(asked, Measured(ones), ones)
        return tf.reduce_mean(asked.notes["skip_penalty"]), told["healthy"]

    found = [update(tf.constant(step)) for step in range(120)]
    assert all(bool(made) for _, made in found)
    penalties = [float(value) for value, _ in found]
    assert np.mean(penalties[-10:]) < 0.1 * np.mean(penalties[:10])
    # Its chance is of the sigmoid; the draw has that of twice the logit.
    logit = scipy.special.logit(0.2)
    rows = policy(600, tf.constant([9, 9])).architectures.numpy()
    share = rows[:, SPACE.is_skip].mean()
    assert share == pytest.approx(scipy.special.expit(2 * logit), abs=0.04)


def test_the_loss_is_the_policy_gradient_and_the_penalty():
    """One plain step, against finite differences of the written loss."""
    policy = MacroController(SPACE, SHARP)
    rows, advantages = some_rows(3, 4), np.array([0.5, -1.0, 0.2])
    taken = []
    policy.optimizer.apply = lambda grads, weights: taken.extend(grads)
    assert bool(
        policy._descend(tf.constant(rows), tf.constant(advantages, tf.float32))
    )
    weight = policy.score_kernel
    names = [v is weight for v in policy.variables_to_train]
    gradient = taken[names.index(True)].numpy()[:, 0]
    start = weight.numpy()

    def loss():
        values = [walk(policy, row, SHARP.skip_target) for row in rows]
        log_probs = np.array([value[0] for value in values])
        penalty = np.mean([value[2] for value in values])
        return -(log_probs * advantages).mean() + SHARP.skip_weight * penalty

    for place in range(len(start)):
        sides = []
        for step in (1e-3, -1e-3):
            moved = start.copy()
            moved[place] += step
            weight.assign(moved)
            sides.append(loss())
        slope = (sides[0] - sides[1]) / 2e-3
        assert gradient[place] == pytest.approx(slope, rel=0.02, abs=1e-3)
    weight.assign(start)
