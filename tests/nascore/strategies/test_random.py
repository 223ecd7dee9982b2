import numpy as np
import pytest
import tensorflow as tf

from nascore.spaces.cells import CellSpace
from nascore.spaces.perceptrons import MlpSpace
from nascore.strategies.random import RandomStrategy

CELLS = CellSpace(("sep_conv_3x3", "identity"), 1, ("normal", "reduction"))
# Here a place depends on the one before, and depths are not alike.
PERCEPTRONS = MlpSpace(
    units=(8, 16), activations=("relu",), max_layers=4, depth_prior="paper"
)
COUNT = 40_000


@pytest.mark.parametrize("space", [CELLS, PERCEPTRONS])
def test_probabilities_are_those_of_the_samples_and_sum_to_one(space):
    proposals = RandomStrategy(space).ask(COUNT, tf.constant([1, 2]))
    rows = list(map(tuple, proposals.rows.numpy().tolist()))
    notes = {name: v.numpy() for name, v in proposals.notes.items()}
    log_probs = dict(zip(rows, notes["log_prob"].astype(float), strict=True))
    assert set(log_probs) == {tuple(row.tolist()) for row in space.enumerate()}
    assert len(log_probs) == space.size()
    probabilities = np.exp(list(log_probs.values()))
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)
    expected = COUNT * probabilities
    counts = np.array([rows.count(row) for row in log_probs])
    chi_square = ((counts - expected) ** 2 / expected).sum()
    freedom = len(counts) - 1
    assert chi_square < freedom + 4 * np.sqrt(2 * freedom)
    # The mean of the entropies along the choices is that of the whole.
    entropy = -np.sum(probabilities * np.log(probabilities))
    assert notes["entropy"].mean() == pytest.approx(entropy, rel=0.02)


def test_where_all_is_free_every_architecture_is_as_likely():
    space = CellSpace()
    proposals = RandomStrategy(space).ask(3, tf.constant([1, 2]))
    log_size = np.log(float(space.size()))
    np.testing.assert_allclose(
        proposals.notes["log_prob"], -log_size, rtol=1e-5
    )
    np.testing.assert_allclose(proposals.notes["entropy"], log_size, rtol=1e-5)


@pytest.mark.parametrize("space", [CellSpace(), MlpSpace()])
def test_samples_are_legal_and_a_function_of_the_seed(space):
    strategy = RandomStrategy(space)
    count = tf.constant(50)
    first, again, other = (
        strategy.sample(count, tf.constant(seed)).numpy()
        for seed in ([1, 1], [1, 1], [1, 2])
    )
    assert all(space.is_legal(row) for row in first)
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)
    for rows in (
        strategy.ask(50, tf.constant([1, 1])).rows,
        strategy.finalists(count, tf.constant([1, 1])),
    ):
        np.testing.assert_array_equal(rows, first)


def test_it_learns_nothing():
    strategy = RandomStrategy(CELLS)
    proposals = strategy.ask(2, tf.constant([1, 1]))
    told = strategy.tell(proposals, None, tf.constant([0.0, 1.0]))
    assert bool(told["healthy"]) and strategy.state == {}
