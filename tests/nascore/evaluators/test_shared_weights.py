import numpy as np
import pytest
import tensorflow as tf

from nascore.protocols import Proposals
from tests.nascore.evaluators.small import (
    DATA,
    draw_rows,
    make_weights,
    measure,
)


def test_measuring_is_traced_once_for_a_number_of_rows():
    shared = make_weights().shared
    compiled = tf.function(
        lambda rows, seed: shared.measure(Proposals(rows), seed).score,
        autograph=False,
    )
    rows, seed = draw_rows(100), tf.constant([1, 2])
    first = compiled(rows, seed)
    compiled(draw_rows(100, 1), tf.constant([3, 4]))
    assert compiled.experimental_get_tracing_count() == 1
    # Compiled or not, for itself or among others.
    np.testing.assert_array_equal(
        first[:4], shared.measure(Proposals(rows[:4]), seed).score
    )


def test_accuracy_on_a_split_counts_every_image_once():
    shared = make_weights().shared
    split = shared.validation_images
    assert split.size % shared.reward_batch_size
    row = draw_rows(1)
    cell = shared.as_cells(row)[0]
    size, total = shared.reward_batch_size, split.size
    starts = [*range(0, total - size, size), total - size]
    hits = np.zeros(total, bool)
    for start in starts:
        part = slice(start, start + size)
        images = tf.cast(split.images[part], tf.float32) / 255
        logits, _ = shared.supernet(images, cell)
        right = np.argmax(logits, 1) == split.labels[part].numpy()
        fresh = slice(0 if start % size == 0 else -(total % size), None)
        hits[part][fresh] = right[fresh]
    found = shared.validate(row.numpy())
    assert found["validation_accuracy"] == pytest.approx(hits.mean(), abs=1e-6)


def test_several_rows_take_the_batches_by_turns():
    shared = make_weights().shared
    rows = draw_rows(2).numpy()
    whole = np.array([shared.validate(row[None])[NAME] for row in rows])
    turns = [shared.validate(rows[[n, 1 - n]])[NAME] for n in (0, 1)]
    # Each batch is run by one row in the one order, by the other in the other.
    assert np.mean(turns) == pytest.approx(whole.mean(), abs=1e-6)
    assert len({*turns, *whole}) > 1


NAME = "validation_accuracy"


def test_a_ranking_measures_both_sets_and_the_validation_set_ranks():
    shared = make_weights().shared
    found = shared.validate(draw_rows(1).numpy())
    assert list(found) == [NAME, "search_test_accuracy"]


def test_a_score_is_the_accuracy_of_one_random_batch():
    shared = make_weights().shared
    row = draw_rows(1)
    values = [float(measure(shared, row, [5, n])[0]) for n in range(8)]
    again = [float(measure(shared, row, [5, n])[0]) for n in range(8)]
    assert values == again
    assert len(set(values)) > 1
    counts = np.array(values) * shared.reward_batch_size
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-4)


def test_rows_of_a_step_have_batches_of_their_own():
    shared = make_weights().shared
    same = tf.repeat(draw_rows(1), 8, axis=0)
    assert len(set(measure(shared, same, [5, 0]).tolist())) > 1


def test_a_reward_has_a_batch_size_of_its_own():
    total = len(DATA.validation)
    for wanted, expected in ((0, 32), (100, 100), (10_000, total)):
        shared = make_weights(reward_batch_size=wanted).shared
        assert shared.reward_batch_size == expected
    # On all of the validation set the random batch is the set itself.
    row = draw_rows(1)
    whole = shared.validate(row.numpy())[NAME]
    (reward,) = measure(shared, row, [3, 4])
    assert float(reward) == pytest.approx(whole, abs=1e-6)


def test_dropout_in_rewards_only_on_request():
    images = tf.constant(DATA.validation.images[:32])
    outputs = []
    for wanted in (False, True):
        shared = make_weights(reward_dropout=wanted).shared
        cell = shared.as_cells(draw_rows(1))[0]
        outputs.append(
            [
                shared._logits(cell, images, tf.constant([0, n])).numpy()
                for n in (1, 2)
            ]
        )
    np.testing.assert_array_equal(*outputs[0])
    assert np.abs(outputs[1][0] - outputs[1][1]).max() > 0


def test_logits_that_are_not_finite_pass_for_no_guess():
    shared = make_weights().shared
    kernel = shared.supernet.classifier.kernel
    kernel.assign(kernel * np.nan)
    assert np.isnan(measure(shared, draw_rows(2), [1, 2])).all()
