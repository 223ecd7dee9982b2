import sys

import numpy as np
import pytest

from nascore.errors import InputError
from nascore.spaces.bench201 import Bench201Space
from nascore.strategies import named
from nascore.strategies.config import OptunaConfig
from nascore.strategies.optuna_sampler import OptunaStrategy
from tests.nascore.strategies import asking

SPACE = Bench201Space()


@pytest.mark.parametrize("sampler", ["RandomSampler", "NSGAIISampler"])
def test_other_samplers_go_on_after_a_restart(sampler):
    # NSGA-II notes of a trial to which generation it belongs.
    config = OptunaConfig(sampler)
    whole, first = (OptunaStrategy(SPACE, config) for _ in "ab")
    # A generation of NSGA-II has 50.
    rows = asking.search(whole, range(7), 10)
    asking.search(first, range(6), 10)
    again = OptunaStrategy(SPACE, config)
    asking.copy_state(first, again)
    rest = asking.search(again, range(6, 7), 10)
    np.testing.assert_array_equal(rest, rows[60:])


def test_it_is_optuna_that_proposes():
    import optuna

    strategy = OptunaStrategy(SPACE, OptunaConfig())
    rows = asking.search(strategy, range(15))
    study = optuna.create_study(direction="maximize")
    for number, row in enumerate(rows):
        seed = np.random.default_rng(asking.seed_of(number)).integers(2**31)
        study.sampler = optuna.samplers.TPESampler(seed=int(seed))
        trial = study.ask()
        own = [
            trial.suggest_categorical(f"place {place}", list(range(5)))
            for place in range(6)
        ]
        assert own == row.tolist()
        study.tell(trial, float(asking.worth(row[None])[0]))


def test_it_finds_better_ones_than_chance_does():
    strategy = OptunaStrategy(SPACE, OptunaConfig())
    worth = asking.worth(asking.search(strategy, range(60)))
    assert worth[-20:].mean() > worth[:20].mean() + worth[:20].std()


@pytest.mark.parametrize(
    "name, says",
    [
        ("CmaEsSampler", "is for numbers"),
        ("TpeSampler", "no sampler of Optuna; there are: .*TPESampler"),
        ("GridSampler", "wants a grid"),
    ],
)
def test_samplers_that_do_not_fit_are_refused(name, says):
    with pytest.raises(InputError, match=f"--sampler={name} .*{says}"):
        named.check(OptunaConfig(name))


def test_where_optuna_is_missing_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InputError, match=r"pip install 'ienas\[optuna\]'"):
        named.check(OptunaConfig())


def test_a_library_that_a_sampler_needs_later_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="needs torch"):
        named.check(OptunaConfig("GPSampler"))
