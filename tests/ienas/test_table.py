"""ENAS and I-ENAS over the table: in run folders, and many at once."""

import numpy as np
import pytest

import enas.table
import ienas.table
from enas.config import OperationControllerConfig, TableEnasConfig
from flags import methods
from ienas.config import RewardConfig, TableIenasConfig
from ienas.reward import RelativeReward
from nascore.baselines.config import TableSearchConfig
from nascore.evaluators.nasbench201.tabular import Tabular
from nascore.runs.folder import RunFolder
from nascore.runs.interrupts import Interrupted
from nascore.search.many import search_many
from nascore.spaces.bench201 import Bench201Space
from nascore.strategies.config import RandomConfig
from nascore.strategies.random import RandomStrategy
from tests.nascore.search.toy import interrupt_at, read_rows, values_of

SMALL = OperationControllerConfig(
    lstm_units=8, num_aggregate=2, conv_bias=0.0, controller_lr=0.05
)
LENGTH = TableSearchConfig(epochs=3, epoch_queries=8)
ENAS = TableEnasConfig(strategy=SMALL, search=LENGTH)
IENAS = TableIenasConfig(strategy=SMALL, search=LENGTH)


def run(path, module, config, resume=False):
    """Searches in a folder; returns the rows and the state."""
    with (RunFolder.open if resume else RunFolder.create)(path) as folder:
        search = module.make_search(config, folder)
        search.run()
    return read_rows(path, "evaluations"), values_of(search._state())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(tmp_path_factory.mktemp("runs") / "whole", ienas.table, IENAS)


def test_stopped_within_an_epoch_and_resumed_equals_uninterrupted(
    whole, tmp_path, monkeypatch
):
    path = tmp_path / "run"
    with monkeypatch.context() as patch:
        interrupt_at(patch, "evaluations", 1)
        with pytest.raises(Interrupted):
            run(path, ienas.table, IENAS)
    # Of the second epoch one step was made.
    assert len(read_rows(path, "evaluations")) == 8 + 2
    rows, state = run(path, ienas.table, IENAS, resume=True)
    assert rows == whole[0]
    assert set(state) == set(whole[1])
    for name, value in state.items():
        np.testing.assert_array_equal(value, whole[1][name], name)


def test_a_run_folder_holds_the_search_of_its_seed(whole):
    seed = LENGTH.seed

    def make(seeds):
        return ienas.table.make_parts(IENAS, seeds)

    space, table = Bench201Space(), Tabular(IENAS.table)
    (alone,) = search_many(space, table, make, [seed], 24)
    texts = [row["architecture"] for row in whole[0]]
    assert [space.format(space.decode(r)) for r in alone.rows[0]] == texts
    # A stack goes on to the last step, and restarts with other seeds.
    first, second = search_many(
        space, table, make, [seed, 5, seed, 6], 24, stacked=2
    )
    np.testing.assert_array_equal(first.rows[0], second.rows[0])
    assert np.any(first.rows[1] != second.rows[1])
    np.testing.assert_array_equal(first.rows[0][:2], alone.rows[0][:2])


def test_the_rewards_are_relative_to_the_last_accuracies(whole):
    rows = whole[0]
    accuracies = np.array([float(row["accuracy"]) for row in rows])
    rewards = np.array([float(row["reward"]) for row in rows])
    assert rewards[0] == pytest.approx(accuracies[0])
    for place in range(1, len(rows)):
        ratio = (
            accuracies[place] / accuracies[max(0, place - 10) : place].mean()
        )
        low = ratio <= 0.7
        expected = 0.01 if low else accuracies[place] * ratio
        assert rewards[place] == pytest.approx(expected, rel=1e-5)


def test_enas_begins_alike_and_is_told_the_accuracies(whole, tmp_path):
    rows = run(tmp_path / "enas", enas.table, ENAS)[0]
    for row in rows:
        assert row["reward"] == row["accuracy"]
    first, other = rows[0], whole[0][0]
    assert first["architecture"] == other["architecture"]
    assert first["accuracy"] == first["reward"] == other["reward"]
    assert [r["reward"] for r in rows] != [r["reward"] for r in whole[0]]


def test_any_strategy_can_be_told_relative_rewards():
    config = TableIenasConfig(
        strategy=RandomConfig(), reward=RewardConfig(reward_rule="code")
    )
    strategy, reward, batch = ienas.table.make_parts(config, [1, 2, 3])
    assert isinstance(strategy, RandomStrategy) and batch == 1
    assert isinstance(reward, RelativeReward)
    assert reward.history.shape == (3, 10)
    assert reward.config == config.reward


def test_methods_of_the_table_have_the_published_settings():
    found = {
        name: methods.find(f"bench201_{name}") for name in ("enas", "ienas")
    }
    assert [method.title for method in found.values()] == ["ENAS", "I-ENAS"]
    for method in found.values():
        assert method.rival == "bench201_random"
    own = {n: m.config.strategy for n, m in found.items()}
    assert own["enas"] == OperationControllerConfig(num_aggregate=10)
    assert own["ienas"] == OperationControllerConfig(num_aggregate=3)
    # Compared, they differ in the reward alone.
    assert found["enas"].compared == found["ienas"].config
