import numpy as np
import pytest

from mlpnas.config import PolicyConfig
from mlpnas.rewards import BaselineReward
from nascore.protocols import Measured
from tests.mlpnas.toys import Toy, rows, search


def test_constant_baseline_counts_without_normalisation():
    measured = Measured(np.array([0.2, 0.6]))
    for normalize, expected in ((True, [-1, 1]), (False, [-0.3, 0.1])):
        reward = BaselineReward(PolicyConfig(normalize_rewards=normalize))
        np.testing.assert_allclose(reward(measured), expected, atol=1e-6)


def test_rewards_are_z_scores_of_the_epoch(tmp_path):
    search(tmp_path / "run", pool=Toy())
    written = rows(tmp_path / "run")["evaluations"]
    for epoch in range(3):
        own = [row for row in written if int(row["epoch"]) == epoch]
        scores = np.array([float(row["score"]) for row in own])
        expected = (scores - scores.mean()) / scores.std()
        rewards = [float(row["reward"]) for row in own]
        np.testing.assert_allclose(rewards, expected, atol=1e-3)


@pytest.mark.parametrize("normalize", [True, False])
def test_equal_scores_are_rewarded_alike(normalize):
    reward = BaselineReward(PolicyConfig(normalize_rewards=normalize))
    found = np.asarray(reward(Measured(np.full(4, 0.75))))
    assert np.isfinite(found).all() and len(set(found.tolist())) == 1
