import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from nascore import draws
from nascore.data.augment import augment
from nascore.seeds import Stream, fold, fold_in

SEED = tf.constant([3, 4])
IMAGES = tf.reshape(tf.range(4 * 8 * 8 * 3, dtype=tf.float32), [4, 8, 8, 3])
LOGITS = tf.math.log([[0.1, 0.2, 0.7]])


def everything(seed):
    """One draw of each kind."""
    return (
        draws.integers([50], seed),
        draws.uniform([50], seed),
        draws.below(tf.constant([2, 3, 7]), [50, 3], seed),
        draws.happens(0.3, [50], seed),
        draws.order(50, seed),
        draws.dropout(tf.ones([50]), 0.1, seed),
        draws.categorical(tf.repeat(LOGITS, 50, axis=0), seed),
        augment(IMAGES, seed, pad_crop=2, flip=True, cutout=4),
    )


@pytest.mark.parametrize("step", range(4))
def test_a_compiled_draw_equals_an_uncompiled_one(step):
    def draw(step):
        return everything(fold(7, Stream.DROPOUT, 1, step))

    plain = tf.function(draw)(tf.constant(step))
    compiled = tf.function(draw, jit_compile=True)(tf.constant(step))
    for one, other in zip(plain, compiled, strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_seed_is_negative():
    for step in range(100):
        seed = fold(2**31 - 1, Stream.SHUFFLE, step, 5)
        assert (seed.numpy() >= 0).all()
        assert (fold_in(seed, step).numpy() >= 0).all()


def test_seeds_of_different_places_differ():
    seeds = {
        tuple(fold(seed, stream, epoch, step).numpy().tolist())
        for seed in (1, 2)
        for stream in (Stream.SHUFFLE, Stream.DROPOUT)
        for epoch in range(5)
        for step in range(5)
    }
    assert len(seeds) == 100


def test_orders_are_permutations_and_follow_their_seed():
    first = draws.order(100, SEED).numpy()
    assert sorted(first) == list(range(100))
    np.testing.assert_array_equal(first, draws.order(100, SEED))
    assert np.any(first != draws.order(100, [3, 5]).numpy())


def test_every_place_is_as_likely():
    firsts = [int(draws.order(4, [1, n])[0]) for n in range(400)]
    counts = np.bincount(firsts, minlength=4)
    assert stats.chisquare(counts).pvalue > 1e-4


def test_uniform_numbers():
    numbers = draws.uniform([20_000], SEED).numpy()
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert stats.kstest(numbers, "uniform").pvalue > 1e-3


def test_bounded_integers_are_as_likely_up_to_each_bound():
    limits = [2, 3, 7]
    numbers = draws.below(tf.constant(limits), [20_000, 3], SEED).numpy()
    for column, limit in zip(numbers.T, limits, strict=True):
        counts = np.bincount(column)
        assert len(counts) == limit
        assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.999])
def test_events_happen_as_often_as_asked(share):
    happened = draws.happens(share, [40_000], SEED).numpy().sum()
    assert stats.binomtest(int(happened), 40_000, share).pvalue > 1e-3


def test_dropout_keeps_the_mean_and_no_dropout_keeps_all():
    x = tf.fill([40_000], 2.0)
    dropped = draws.dropout(x, 0.25, SEED).numpy()
    assert set(np.unique(dropped)) == {0.0, np.float32(2 / 0.75)}
    # Three and a half deviations of a mean of 40,000.
    reach = 3.5 * 2 * (0.25 / 0.75 / 40_000) ** 0.5
    assert dropped.mean() == pytest.approx(2.0, abs=reach)
    np.testing.assert_array_equal(draws.dropout(x, 0.0, SEED), x)


def test_dropout_takes_a_rate_that_is_known_only_when_it_runs():
    rate = tf.constant(0.25)
    np.testing.assert_array_equal(
        draws.dropout(tf.ones([1000]), rate, SEED),
        draws.dropout(tf.ones([1000]), 0.25, SEED),
    )


def test_choices_are_as_likely_as_their_logits_say():
    logits = tf.repeat(LOGITS, 30_000, axis=0)
    counts = np.bincount(draws.categorical(logits, SEED).numpy())
    expected = 30_000 * np.array([0.1, 0.2, 0.7])
    assert stats.chisquare(counts, expected).pvalue > 1e-3


@pytest.mark.parametrize("bits", [0, -1])
def test_the_rarest_noise_outweighs_no_impossible_choice(monkeypatch, bits):
    def extreme(shape, seed):
        return tf.constant([[bits, 2**23], [2**23, bits]])

    monkeypatch.setattr(draws, "integers", extreme)
    logits = tf.constant([[-1e9, 0.0], [0.0, -1e9]])
    assert draws.categorical(logits, SEED).numpy().tolist() == [1, 0]


def test_an_impossible_choice_is_never_made():
    logits = tf.repeat(tf.constant([[0.0, -1e9]]), 10_000, axis=0)
    assert not draws.categorical(logits, SEED).numpy().any()
