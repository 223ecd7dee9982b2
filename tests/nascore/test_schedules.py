import numpy as np
import pytest
import tensorflow as tf

from nascore.schedules import CosineRestarts

EPOCHS = 320


def published(greatest, least, period, steps):
    """The public code's loop over training steps, in float64.

    It reads the place in the period before it notices that the period is
    over, and divides it by the new period; the next step is at place 0.
    """
    rates, reset = np.zeros((EPOCHS, steps)), 0
    for epoch in range(EPOCHS):
        for step in range(steps):
            place = epoch - reset
            if place >= period:
                reset, period = epoch, 2 * period
            cosine = np.cos(np.pi * place / period)
            rates[epoch, step] = least + (greatest - least) * (1 + cosine) / 2
    return rates


def ours(schedule, steps):
    places = [(e, s) for e in range(EPOCHS) for s in range(steps)]
    rates = tf.function(
        lambda: tf.map_fn(
            lambda place: schedule(place[0], place[1]),
            tf.constant(places),
            fn_output_signature=tf.float32,
        )
    )()
    return rates.numpy().reshape(EPOCHS, steps)


@pytest.mark.parametrize("period", [10, 3])
def test_half_is_the_published_rate_of_every_step(period):
    schedule = CosineRestarts(0.05, 0.0005, period, half=True)
    expected = published(0.05, 0.0005, period, 3)
    np.testing.assert_allclose(ours(schedule, 3), expected, atol=2e-8)


def test_full_differs_in_the_first_step_of_each_restart_only():
    full = ours(CosineRestarts(0.05, 0.0005, 10), 3)
    half = ours(CosineRestarts(0.05, 0.0005, 10, half=True), 3)
    differs = [(10, 0), (30, 0), (70, 0), (150, 0), (310, 0)]
    assert np.argwhere(full != half).tolist() == [list(d) for d in differs]
    for place in differs:
        assert full[place] == pytest.approx(0.05, rel=1e-6)
        assert half[place] == pytest.approx(0.02525, rel=1e-6)
    # No step of an epoch differs from the others.
    assert (full == full[:, :1]).all()


def test_inside_of_an_epoch_nothing_restarts():
    schedule = CosineRestarts(0.05, 0.0, 10, half=True)
    assert float(schedule(9.9, 0)) < 0.0001
    assert float(schedule(10.5, 2)) == pytest.approx(
        0.025 * (1 + np.cos(np.pi / 40)), rel=1e-5
    )
