"""Searches of the table with each strategy: in a run folder, and many."""

import dataclasses
import itertools

import numpy as np
import pytest

from flags import methods
from nascore.baselines.table import make_parts, make_search
from nascore.errors import RunStopped
from nascore.evaluators.nasbench201.tabular import Tabular
from nascore.runs.folder import RunFolder
from nascore.runs.interrupts import Interrupted
from nascore.search.many import search_many
from nascore.spaces.bench201 import Bench201Space
from tests.nascore.search.toy import interrupt_at, read_rows

# Others are tested in packages of their own.
NAMES = [
    name
    for name, method in methods.METHODS.items()
    if method.module == make_parts.__module__
]
SEEDS, EPOCHS, QUERIES = (3, 4), 3, 8


def config_of(name, seed):
    config = methods.find(name).config
    strategy = config.strategy
    if name == "bench201_evolution":
        strategy = dataclasses.replace(strategy, population=5)
    search = dataclasses.replace(
        config.search, seed=seed, epochs=EPOCHS, epoch_queries=QUERIES
    )
    return dataclasses.replace(config, strategy=strategy, search=search)


def run(path, config, resume=False):
    with (RunFolder.open if resume else RunFolder.create)(path) as folder:
        return make_search(config, folder).run()


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_was_interrupted_is_one_of_many(name, tmp_path, monkeypatch):
    space = Bench201Space()
    config = config_of(name, SEEDS[1])
    with monkeypatch.context() as patch:
        interrupt_at(patch, "evaluations", 1)
        with pytest.raises(Interrupted):
            run(tmp_path / "run", config)
    ranked = run(tmp_path / "run", config, resume=True)
    rows = read_rows(tmp_path / "run", "evaluations")
    texts = [row["architecture"] for row in rows]
    found = search_many(
        space,
        Tabular(config.table),
        lambda seeds: make_parts(config, seeds),
        SEEDS,
        EPOCHS * QUERIES,
    )
    every = np.concatenate([part.rows for part in found])
    assert [space.format(space.decode(row)) for row in every[1]] == texts
    # The best that were seen are ranked, by what the table says.
    best = max(rows, key=lambda row: float(row["accuracy"]))
    assert space.format(ranked[0].architecture) == best["architecture"]
    scores = [entry.score for entry in ranked]
    assert all(a >= b for a, b in itertools.pairwise(scores))
    assert scores[0] == pytest.approx(float(best["accuracy"]), abs=1e-6)


def test_many_name_the_seed_whose_update_failed():
    config = config_of("bench201_reinforce", 1)

    def make(seeds):
        parts = make_parts(config, seeds)
        logits = parts.strategy.logits
        sick = np.arange(len(seeds)) == 1
        logits.assign(np.where(sick[:, None, None, None], np.nan, logits))
        return parts

    searches = search_many(
        Bench201Space(), Tabular(config.table), make, [5, 6], 4
    )
    with pytest.raises(RunStopped, match="seed 6: the policy"):
        list(searches)
