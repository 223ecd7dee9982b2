import dataclasses
import importlib
import json

import numpy as np
import pytest
import tensorflow as tf

from flags import methods
from l2nas import table
from l2nas.config import L2nasConfig, L2nasTableConfig, TransferConfig
from nascore.baselines.config import TableSearchConfig
from nascore.config import unflatten
from nascore.evaluators.nasbench201.config import TableConfig
from nascore.evaluators.nasbench201.tabular import Tabular
from nascore.protocols import Proposals
from nascore.runs.interrupts import Interrupted
from nascore.search.many import search_many
from nascore.spaces.bench201 import Bench201Space, rows_of
from tests.nascore.search.toy import (
    interrupt_at,
    open_run,
    read_rows,
    values_of,
)

SMALL = {
    "top_k": 5,
    "hidden_units": 6,
    "hidden_layers": 1,
    "replay_batch": 2,
    "max_updates": 2,
    "epsilon_steps": 10,
    "actor_lr": 1e-2,
    "critic_lr": 1e-2,
}
STRATEGY = L2nasConfig(**SMALL)
LENGTH = TableSearchConfig(
    epochs=3, epoch_queries=12, best_count=4, derive_samples=2
)
CONFIG = L2nasTableConfig(strategy=STRATEGY, search=LENGTH)
TRANSFER = dataclasses.replace(
    CONFIG,
    strategy=dataclasses.replace(STRATEGY, reward_form="relative"),
    transfer=TransferConfig("imagenet16-120", 20),
)
STATE = unflatten(methods.find("bench201_state").config, {"epsilon_steps": 10})


@pytest.fixture(autouse=True)
def not_compiled(monkeypatch):
    """Compilation is tested in test_actor_critic.py."""
    monkeypatch.setattr(tf.test, "is_built_with_xla", lambda: False)


def search(path, config, resume=False):
    with open_run(path, resume) as run:
        machine = table.make_search(config, run)
        return machine.run(), machine


def many(config, seeds, queries, stacked=100):
    def make(some):
        return table.make_parts(config, some)

    found = search_many(
        Bench201Space(), Tabular(config.table), make, seeds, queries, stacked
    )
    return np.concatenate([each.rows for each in found])


def test_stopped_in_the_middle_and_resumed_equals_uninterrupted(
    tmp_path, monkeypatch
):
    config = TRANSFER
    ranked, machine = search(tmp_path / "whole", config)
    with monkeypatch.context() as patch:
        interrupt_at(patch, "evaluations", 1)
        with pytest.raises(Interrupted, match="everything is saved"):
            search(tmp_path / "parts", config)
    again, resumed = search(tmp_path / "parts", config, resume=True)
    assert resumed.resumed and again == ranked
    rows = read_rows(tmp_path / "whole", "evaluations")
    assert len(rows) == 36 and set(machine.strategy.columns) <= set(rows[0])
    assert read_rows(tmp_path / "parts", "evaluations") == rows
    ours, theirs = (values_of(m._state()) for m in (machine, resumed))
    assert {"strategy_actor", "strategy_critic", "strategy_replay"} <= set(ours)
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], name)
    settings = json.loads((tmp_path / "whole" / "config.json").read_text())
    assert settings["method"] == "bench201_l2nas"


@pytest.mark.parametrize("config", [STATE, CONFIG])
def test_searches_at_once_are_those_of_run_folders(tmp_path, config):
    """The last two in searches that are begun again, without tracing."""
    config = dataclasses.replace(config, search=LENGTH)
    rows = many(config, [4, 2, 9, 1], 36, stacked=2)
    search(tmp_path / "run", config)
    read = read_rows(tmp_path / "run", "evaluations")
    space = Bench201Space()
    own = [space.encode(space.parse_columns(row)) for row in read]
    # Rounding may decide later ones otherwise.
    np.testing.assert_array_equal(rows[3][:15], own[:15])
    assert np.mean(rows[3] == own) > 0.9
    assert len({row.tobytes() for row in rows}) == 4


def test_pretraining_leaves_networks_and_nothing_else():
    with_it, without = (
        table.make_parts(config, [1, 2]).strategy
        for config in (TRANSFER, dataclasses.replace(CONFIG))
    )
    made = values_of(with_it.state)
    for name, value in values_of(without.state).items():
        same = np.array_equal(made[name], value)
        assert same == (name not in ("actor", "critic", "updates")), name
    # Of 20 queries the second and third make one update, later ones two.
    assert made["updates"] == 2 + 2 * 17
    with_it.restart([1, 2])
    for name, value in values_of(with_it.state).items():
        np.testing.assert_array_equal(value, made[name])


def test_rewards_are_relative_to_the_best_of_their_own_table():
    reward = table.make_parts(TRANSFER, [1]).reward
    every = Proposals(rows_of(np.arange(5**6)))
    rewards = reward(Tabular(TRANSFER.table).measure(every, None)).numpy()
    assert rewards.max() == pytest.approx(0, abs=1e-5)
    notes = table.load(TRANSFER).notes
    assert "20 queries on imagenet16-120 come first" in notes[0]
    assert "which a search without one cannot know" in notes[1]
    assert not table.load(CONFIG).notes


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tau=1.5"], "--tau=1.5 must be a number from 0 to 1"),
        (["--max_updates=0"], "--max_updates=0 must be"),
        (
            ["--replay_batch=9", "--replay_size=8"],
            "more than --replay_size=8, so nothing would ever be learned",
        ),
        (
            ["--reference_accuracy=0.5"],
            "means nothing with --reward_form=power",
        ),
        (["--pretrain_dataset=cifar10"], "mean nothing without each other"),
        (["--pretrain_queries=10"], "mean nothing without each other"),
        (
            ["--pretrain_dataset=cifar100", "--pretrain_queries=10"],
            "is what is searched afterwards",
        ),
    ],
)
def test_bad_input_is_one_clear_line(forked, words, said):
    done = forked("search", "--method=bench201_l2nas", *words)
    assert done.returncode == 2
    assert said in done.stderr and done.stderr.count("\n") == 1


def test_the_state_searches_better_than_its_first_random_draws():
    rows = many(STATE, range(5), 300)
    scores = Tabular(TableConfig()).scores(rows)
    assert scores[:, 250:].mean() > scores[:, :50].mean() + 0.05


def test_methods_name_what_runs():
    for name in ("bench201_l2nas", "bench201_state"):
        method = methods.find(name)
        assert importlib.import_module(method.module) is table
        assert method.rival == "bench201_random"
