import numpy as np
import pytest
import tensorflow as tf

from l2nas.actor_critic import ActorCritic, Batches, check_loss
from l2nas.config import L2nasConfig
from l2nas.networks import Layers
from tests.l2nas import reference

SIZE, RUNS, UPDATES, BATCH = 6, 2, 4, 3
CONFIG = L2nasConfig(
    hidden_units=7,
    hidden_layers=2,
    actor_lr=2e-3,
    critic_lr=1e-2,
    replay_batch=BATCH,
    max_updates=UPDATES,
)
ACTOR, CRITIC = [SIZE, 7, 7, SIZE], [SIZE, 7, 7, 1]


def make_batches():
    rng = np.random.default_rng(3)
    shape = (UPDATES, RUNS, BATCH)
    return Batches(
        *rng.random((2, *shape, SIZE)).astype(np.float32),
        rng.uniform(0, 2, shape).astype(np.float32),
    )


def constant(batches):
    return Batches(*map(tf.constant, batches))


@pytest.fixture(
    scope="module", params=[True, False], ids=["compiled", "not compiled"]
)
def made(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tf.test, "is_built_with_xla", lambda: request.param)
        return ActorCritic(CONFIG, SIZE, [1, 2])


@pytest.fixture
def networks(made):
    made.restart([1, 2])
    return made


def weights(networks, name, run):
    return networks.state[name].numpy()[0, run].astype(float)


def learn_in_numpy(actor, critic, batches):
    """Both networks after all batches of a run, and the mean loss."""
    betas = CONFIG.beta_1, CONFIG.beta_2
    train_actor = reference.Adam(CONFIG.actor_lr, *betas)
    train_critic = reference.Adam(CONFIG.critic_lr, *betas)
    losses = []
    for states, actions, rewards in batches:
        arguments = (CRITIC, actions, rewards, CONFIG.tau)
        losses.append(reference.critic_loss(critic, *arguments))
        slope = reference.slope(reference.critic_loss, critic, *arguments)
        critic = train_critic(critic, slope)
        arguments = (ACTOR, critic, CRITIC, states)
        slope = reference.slope(reference.actor_loss, actor, *arguments)
        actor = train_actor(actor, slope)
    return actor, critic, np.mean(losses)


def test_both_networks_learn_as_in_numpy(networks):
    batches, count = make_batches(), 3
    expected = []
    for run in range(RUNS):
        start = [weights(networks, n, run) for n in ("actor", "critic")]
        own = (values[:count, run] for values in batches)
        expected.append(learn_in_numpy(*start, zip(*own, strict=True)))
    loss, finite = networks.learn(constant(batches), tf.constant(count))
    assert bool(finite)
    for run, (actor, critic, mean) in enumerate(expected):
        np.testing.assert_allclose(loss[run], mean, rtol=1e-5)
        # Where a gradient is almost zero Adam's direction is anybody's.
        for name, theirs in (("actor", actor), ("critic", critic)):
            off = np.abs(weights(networks, name, run) - theirs)
            assert np.median(off) < 1e-6 and np.mean(off > 1e-4) < 0.02
    assert int(networks.state["updates"]) == count


def test_written_out_gradients_are_those_of_the_tape():
    networks = ActorCritic(CONFIG, SIZE, [1, 2])
    batch = Batches(*(values[0] for values in constant(make_batches())))
    parts = {
        name: getattr(networks, name).part(networks.state[name][0])
        for name in ("actor", "critic")
    }
    with tf.GradientTape() as tape:
        tape.watch(parts["critic"])
        values = networks.critic(parts["critic"], batch.actions).output
        errors = batch.rewards - values[:, :, 0]
        losses = tf.maximum(CONFIG.tau * errors, (CONFIG.tau - 1) * errors)
        losses = tf.reduce_mean(losses, axis=1)
    loss, ours = networks.critic_gradients(parts["critic"], batch)
    np.testing.assert_allclose(loss, losses, rtol=1e-6)
    assert_close(ours, tape.gradient(losses, parts["critic"]))
    with tf.GradientTape() as tape:
        tape.watch(parts["actor"])
        actions = networks.actor(parts["actor"], batch.states).output
        values = networks.critic(parts["critic"], tf.sigmoid(actions)).output
        loss = -tf.reduce_mean(values, axis=1)
    ours = networks.actor_gradients(parts["actor"], parts["critic"], batch)
    assert_close(ours, tape.gradient(loss, parts["actor"]))


def assert_close(ours, theirs):
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("tau", [0.0, 0.5, 0.9])
def test_check_loss_is_least_at_the_quantile(tau):
    rewards = np.random.default_rng(0).random((1, 1001)).astype(np.float32)
    quantile = np.quantile(rewards, tau)
    candidates = np.linspace(-0.2, 1.2, 281)
    losses = [
        float(check_loss(rewards, np.full_like(rewards, value), tau)[0][0])
        for value in candidates
    ]
    least = candidates[np.argmin(losses)]
    assert least == pytest.approx(quantile, abs=0.006) or tau == 0.0
    # An error of exactly zero counts as one below: [x <= 0].
    loss, gradient = check_loss(tf.ones([1, 1]), tf.ones([1, 1]), tau)
    assert float(loss[0]) == 0
    assert float(gradient[0, 0]) == pytest.approx(1 - tau)


def test_nothing_is_learned_of_no_batches(networks):
    before = [weights(networks, name, 0) for name in ("actor", "critic")]
    loss, finite = networks.learn(constant(make_batches()), tf.constant(0))
    assert bool(finite) and np.isnan(loss).all()
    after = [weights(networks, name, 0) for name in ("actor", "critic")]
    np.testing.assert_array_equal(before[0], after[0])
    np.testing.assert_array_equal(before[1], after[1])


def test_what_is_not_finite_is_not_learned(networks):
    batches = make_batches()
    batches.rewards[1, 0, 2] = np.inf
    before = {n: v.numpy() for n, v in networks.state.items()}
    _, finite = networks.learn(constant(batches), tf.constant(UPDATES))
    assert not bool(finite)
    for name, value in networks.state.items():
        np.testing.assert_array_equal(value, before[name])


def test_initial_weights_follow_from_the_seeds_and_are_uniform():
    made = Layers([100, 50, 3])
    first, second = made.start([1, 2], 100).numpy()
    np.testing.assert_array_equal(made.start([2], 100)[0], second)
    assert np.any(first != second)
    assert np.any(made.start([1], 101)[0] != first)
    for size, (kernel, bias) in zip(
        (100, 50), reference.layers(first, [100, 50, 3]), strict=True
    ):
        reach = size**-0.5
        every = np.concatenate([kernel.ravel(), bias])
        assert np.abs(every).max() <= reach
        assert every.std() == pytest.approx(reach / 3**0.5, rel=0.1)
        assert np.abs(bias).min() > 0


def test_values_and_proposals_are_those_of_numpy(networks):
    x = np.random.default_rng(5).random((RUNS, SIZE)).astype(np.float32)
    values, proposed = networks.values(x), networks.propose(x)
    for run in range(RUNS):
        actor, critic = (weights(networks, n, run) for n in ("actor", "critic"))
        np.testing.assert_allclose(
            values[run],
            reference.forward(critic, CRITIC, x[run])[0],
            rtol=1e-5,
        )
        np.testing.assert_allclose(
            proposed[run],
            reference.sigmoid(reference.forward(actor, ACTOR, x[run])),
            rtol=1e-5,
        )
