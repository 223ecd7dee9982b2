"""Shared weights, and settings that are refused."""

import dataclasses

import pytest

from nascore.errors import InputError
from nascore.evaluators.config import InheritanceConfig
from nascore.search.config import SearchConfig
from renas.search import make_search
from tests.nascore.search.toy import read_rows
from tests.renas.small import CONFIG, search


def test_over_shared_weights(tmp_path):
    config = dataclasses.replace(
        CONFIG,
        inheritance=InheritanceConfig(inherit="shared"),
        search=SearchConfig(epochs=1, epoch_samples=2, derive_samples=2),
    )
    ranked, machine = search(tmp_path / "shared", config)
    rows = read_rows(tmp_path / "shared", "evaluations")
    assert len(rows) == 4 and "inherited" not in rows[0]
    assert float(rows[3]["parent"]) >= 0
    living = machine.strategy.population.rows[0].numpy()
    texts = {machine.space.format(machine.space.decode(r)) for r in living}
    assert {machine.space.format(e.architecture) for e in ranked} <= texts


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--sample=30"], "cannot be drawn from --population=20"),
        (["--population=1"], "--population=1 must be a number from 2"),
        (["--slot_init=code"], "is for weights that are shared"),
        (["--child_lr_max=0.1"], "is for weights that are shared"),
        (["--epoch_samples=9"], "is for weights that are shared"),
        (
            ["--inherit=shared", "--derive_epochs=5"],
            "--derive_epochs=5 means nothing with --inherit=shared",
        ),
        (["--epoch_models=3", "--num_aggregate=2"], "must be a multiple"),
    ],
)
def test_bad_input_is_one_clear_line(forked, words, said):
    done = forked("search", "--method=renas", *words)
    assert done.returncode == 2
    assert said in done.stderr and done.stderr.count("\n") == 1


def test_a_table_has_no_weights_to_inherit(forked):
    done = forked("search", "--method=bench201_renas", "--inherit=parent")
    assert done.returncode == 2
    assert "inherit" in done.stderr and done.stderr.count("\n") == 1


def test_a_batch_that_is_too_large_is_refused():
    weights = dataclasses.replace(CONFIG.weights, batch_size=500)
    config = dataclasses.replace(CONFIG, weights=weights)
    with pytest.raises(InputError, match="more than the 160 training images"):
        make_search(config, None)
