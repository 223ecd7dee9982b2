import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from l2nas.config import L2nasCellsConfig, L2nasConfig, L2nasStepsConfig
from l2nas.search import make_search
from nascore.data import images
from nascore.data.config import DataConfig
from nascore.errors import InputError
from nascore.evaluators.config import SharedWeightsConfig
from nascore.networks.config import SupernetConfig
from nascore.runs.atomic import write_json
from nascore.runs.json_files import read_object
from nascore.search.config import SearchConfig
from tests.nascore.search.toy import open_run, read_rows, values_of

CONFIG = L2nasCellsConfig(
    data=DataConfig(train_examples=160, image_size=8),
    child=SupernetConfig(
        filters=4,
        num_normal_cells=1,
        num_reduction_cells=0,
        num_nodes=1,
        # Each operation is traced in each slot, which takes most of the time.
        operations="max_pool_3x3,identity",
    ),
    strategy=L2nasConfig(
        top_k=6,
        hidden_units=6,
        hidden_layers=1,
        replay_batch=4,
        max_updates=1,
        random_steps=6,
        epsilon_start=0.0,
        epsilon_end=0.0,
        actor_lr=1e-2,
        critic_lr=1e-2,
    ),
    weights=SharedWeightsConfig(batch_size=16),
    asking=L2nasStepsConfig(num_aggregate=2, train_steps=5),
    search=SearchConfig(epochs=2, epoch_samples=3, derive_samples=2),
)


DATA = images.load(CONFIG.data)


@pytest.fixture(autouse=True)
def not_compiled(monkeypatch):
    """Compilation is tested in test_actor_critic.py."""
    monkeypatch.setattr(tf.test, "is_built_with_xla", lambda: False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "whole"
    with pytest.MonkeyPatch.context() as patch, open_run(path) as run:
        patch.setattr(tf.test, "is_built_with_xla", lambda: False)
        machine = make_search(CONFIG, run, DATA)
        return path, machine.run(), machine


def test_a_run_holds_what_l2nas_did(whole):
    path, ranked, machine = whole
    rows = read_rows(path, "evaluations")
    assert len(rows) == 2 * 10
    assert [row["explored"] for row in rows] == ["1.0"] * 6 + ["0.0"] * 14
    for row in rows:
        power = 100 ** float(row["accuracy"])
        assert float(row["reward"]) == pytest.approx(power, rel=1e-4)
    # From the fourth on, one update each.
    assert int(values_of(machine._state())["strategy_updates"]) == 17
    # What is ranked and scored comes from the best that were found.
    columns = machine.space.column_names
    found = {tuple(row[name] for name in columns) for row in rows}
    scored = read_rows(path, "samples")
    assert {tuple(row[name] for name in columns) for row in scored} <= found
    for entry in ranked:
        texts = machine.space.columns(entry.architecture)
        assert tuple(texts.values()) in found


def make(path, config, resume=False):
    with open_run(path, resume) as run:
        return make_search(config, run, DATA)


def with_asking(**changed):
    asking = dataclasses.replace(CONFIG.asking, **changed)
    return dataclasses.replace(CONFIG, asking=asking)


def test_networks_go_on_from_another_run(whole, tmp_path):
    path, _, machine = whole
    config = with_asking(init_strategy_from=str(path))
    other = values_of(make(tmp_path / "other", config)._state())
    for name, value in values_of(machine._state()).items():
        if not name.startswith("strategy_"):
            continue
        learned = name.removeprefix("strategy_") in (
            "actor",
            "critic",
            "updates",
        )
        assert np.array_equal(other[name], value) == learned, name
    assert other["strategy_step"] == 0


def test_networks_of_other_sizes_are_refused(whole, tmp_path):
    path, _, _ = whole
    config = with_asking(init_strategy_from=str(path))
    larger = dataclasses.replace(
        config, strategy=dataclasses.replace(CONFIG.strategy, hidden_units=9)
    )
    with pytest.raises(InputError, match="has --hidden_units=6, not 9"):
        make(tmp_path / "one", larger)
    child = dataclasses.replace(CONFIG.child, num_nodes=3)
    with pytest.raises(InputError, match="searched another space"):
        make(tmp_path / "two", dataclasses.replace(config, child=child))
    with pytest.raises(InputError, match="is not a folder"):
        make(
            tmp_path / "three",
            with_asking(init_strategy_from=str(tmp_path / "none")),
        )


def test_a_run_that_goes_on_needs_no_other(tmp_path):
    """The networks are in its own checkpoint; the other may be gone."""
    config = with_asking(init_strategy_from=str(tmp_path / "gone"))
    path = tmp_path / "own"
    make(path, CONFIG).lifecycle.save()
    settings = read_object(path / "config.json")
    settings["config"]["init_strategy_from"] = str(tmp_path / "gone")
    write_json(path / "config.json", settings)
    assert make(path, config, resume=True).resumed


def test_a_relative_reward_needs_its_reference():
    strategy = dataclasses.replace(CONFIG.strategy, reward_form="relative")
    with pytest.raises(InputError, match="needs --reference_accuracy"):
        dataclasses.replace(CONFIG, strategy=strategy)
