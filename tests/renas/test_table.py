"""RENAS over the table: in run folders, stacked, and in the study."""

import dataclasses
import importlib
import json

import numpy as np
import pytest

from experiments.evolution import course, tables
from experiments.evolution.searches import Searches
from flags import method_settings, methods
from nascore.baselines.config import TableSearchConfig
from nascore.evaluators.nasbench201.config import TableConfig
from nascore.evaluators.nasbench201.tabular import Tabular
from nascore.runs.interrupts import Interrupted
from nascore.search.many import search_many
from nascore.spaces.bench201 import Bench201Space, codes_of
from nascore.stats import fisher_exact
from nascore.strategies.rewards import TangentReward
from renas import table
from renas.config import EACH_NODE, MutationConfig, RenasTableConfig
from tests.nascore.search.toy import (
    interrupt_at,
    open_run,
    read_rows,
    values_of,
)

CONFIG = RenasTableConfig(
    strategy=MutationConfig(
        population=4,
        sample=2,
        embedding_units=3,
        lstm_units=2,
        controller_lr=0.01,
    ),
    search=TableSearchConfig(epochs=3, epoch_queries=6, derive_samples=2),
)
RANDOM = dataclasses.replace(
    CONFIG, strategy=MutationConfig(population=4, sample=2, mutator=EACH_NODE)
)


def search(path, resume=False):
    with open_run(path, resume) as run:
        machine = table.make_search(CONFIG, run)
        return machine.run(), machine


def many(config, seeds, queries, noise=0.0, columns=()):
    looked_up = TableConfig(noise=noise)
    return next(
        search_many(
            Bench201Space(),
            Tabular(looked_up),
            lambda some: table.make_parts(config, some),
            seeds,
            queries,
            columns=columns,
        )
    )


def test_stopped_in_the_middle_and_resumed_equals_uninterrupted(
    tmp_path, monkeypatch
):
    ranked, machine = search(tmp_path / "whole")
    with monkeypatch.context() as patch:
        interrupt_at(patch, "evaluations", 1)
        with pytest.raises(Interrupted, match="everything is saved"):
            search(tmp_path / "parts")
    again, resumed = search(tmp_path / "parts", resume=True)
    assert resumed.resumed and again == ranked
    rows = read_rows(tmp_path / "whole", "evaluations")
    assert len(rows) == 18 and set(machine.strategy.columns) <= set(rows[0])
    assert read_rows(tmp_path / "parts", "evaluations") == rows
    ours, theirs = (values_of(m._state()) for m in (machine, resumed))
    assert {"strategy_controller_recurrent", "strategy_baseline"} <= set(ours)
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], name)
    settings = json.loads((tmp_path / "whole" / "config.json").read_text())
    assert settings["method"] == "bench201_renas"
    # Searches at once are those of run folders, but for rounding.
    found = many(CONFIG, [1, 2], 18)
    space = Bench201Space()
    own = [space.encode(space.parse_columns(row)) for row in rows]
    assert np.mean(found.rows[0] == own) > 0.9


@pytest.fixture(scope="module")
def noisy():
    """Random mutations of three searches, whose fitness has noise."""
    columns = ["removed", "parent", "accuracy", "population_mean"]
    return many(RANDOM, [1, 2, 3], 60, 0.5, columns)


def test_the_population_follows_from_who_left(noisy):
    fitness = noisy.columns["accuracy"]
    living = course.follow(fitness, noisy.columns["removed"])
    np.testing.assert_allclose(
        living.mean, noisy.columns["population_mean"], atol=1e-5
    )
    # A reference in plain lists, of the first search.
    alive = []
    for number, left in enumerate(noisy.columns["removed"][0].astype(int)):
        if left >= 0:
            alive.remove(left)
        alive.append(number)
        values = fitness[0][alive].astype(np.float64)
        assert living.mean[0, number] == pytest.approx(values.mean(), abs=1e-6)
        assert living.deviation[0, number] == pytest.approx(
            values.std(), abs=1e-4
        )
    # Noise is drawn once for each: without it the fitness is another.
    exact = Tabular(TableConfig()).scores(noisy.rows)
    assert 0.002 < np.std(fitness - exact) < 0.008


def test_outcomes_keep_to_their_rule():
    start = np.full(20, 0.5)
    rising = np.concatenate([start, np.full(80, 0.9)])
    falling = np.concatenate([start, np.full(80, 0.4)])
    level = np.concatenate([start, np.full(80, 0.6)])
    # High on average, but one window of five is below the first mean.
    shaking = rising.copy()
    shaking[90:95] = 0.3
    found = course.outcomes(
        np.stack([rising, falling, level, shaking]), 20, best=1.0
    )
    assert found.tolist() == [
        course.SUCCESS,
        course.FAILURE,
        course.UNSTABLE,
        course.UNSTABLE,
    ]


def test_fishers_test_of_the_papers_counts():
    assert fisher_exact((24, 30), (12, 30)) == pytest.approx(0.003, abs=5e-4)
    assert fisher_exact((17, 20), (8, 20)) == pytest.approx(0.008, abs=5e-4)
    assert fisher_exact((7, 10), (4, 10)) == pytest.approx(0.37, abs=5e-3)


def test_tables_say_what_was_found(noisy):
    from nascore.evaluators.nasbench201.table import accuracies

    searched = accuracies(TableConfig().searched)
    codes = codes_of(noisy.rows)
    removed = noisy.columns["removed"].astype(int)
    other = Searches("other", np.roll(codes, 1, axis=0), None, 0)
    courses = [
        tables.make_course(each, searched, searched, 4)
        for each in (Searches("first", codes, removed, 4), other)
    ]
    told = tables.accuracies(courses).set_index(["method", "measure"])
    best = 100 * searched[codes].max(axis=1)
    assert told.loc[("first", tables.BEST), "mean"] == pytest.approx(
        best.mean()
    )
    assert (("other", tables.POPULATION) in told.index) is False
    pairs = tables.differences(courses)
    same = pairs[pairs["measure"] == tables.BEST].iloc[0]
    # The same searches in another order.
    assert same["difference"] == pytest.approx(0, abs=1e-9)
    ends = tables.successes(courses)
    assert ends.loc[1, "success_p"] == 1
    lines = tables.verdicts(pairs, ends)
    assert any("Fisher's exact p 1" in line for line in lines)


def test_the_tangent_reward():
    from nascore.protocols import Measured

    scores = np.array([0.5, 0.7, 0.9, 0.95, 0.99, 1.0])
    found = TangentReward()(Measured(scores))
    expected = [1.0, 1.963, 6.314, 12.706, 63.657, 636.62]
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    assert found.dtype == np.float32


def test_methods_name_what_runs():
    for name in ("", "_blind", "_node", "_one"):
        method = methods.find(f"bench201_renas{name}")
        assert importlib.import_module(method.module) is table
    config = method_settings.with_settings(
        "bench201_renas_node", methods.find("bench201_renas").config
    )
    assert config.strategy.mutator == EACH_NODE
    assert (
        method_settings.name_with("bench201_renas", config) == "bench201_renas"
    )


def test_the_study_is_searched_once_and_reported(forked, tmp_path):
    out = tmp_path / "out"
    words = [
        "--methods=renas_node,aging=renas_one:removal=oldest",
        "--seeds=2",
        "--models=30",
        f"--out={out}",
    ]
    for _ in range(2):
        done = forked("evolution_study", *words)
        assert done.returncode == 0, done.stderr
    report = (out / "report.md").read_text()
    assert "Fisher" in report and "aging" in report
    for name in ("population", "children", "outcomes"):
        assert (out / "figures" / f"{name}.png").stat().st_size > 5000
    assert len(list((out / "searches").iterdir())) == 2
    refused = forked("evolution_study", "--methods=nonsense", f"--out={out}")
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1
