"""Searches of DARTS and its variants on digits, whole and stopped."""

import dataclasses

import numpy as np
import pytest

from darts.config import (
    AlphasConfig,
    DartsConfig,
    DartsSearchConfig,
    MixedWeightsConfig,
    StopConfig,
)
from darts.derive import derive
from darts.layout import AlphaLayout
from darts.search import load, make_search
from darts.stops import at_epoch
from nascore.data.config import DataConfig
from nascore.errors import InputError
from nascore.networks.config import MixedSupernetConfig
from nascore.runs.interrupts import Interrupted
from nascore.runs.json_files import read_object
from nascore.runs.reader import read_run
from tests.nascore.search.toy import (
    interrupt_at,
    open_run,
    read_rows,
    values_of,
)

CONFIG = DartsConfig(
    # 70 images to train on and some 58 to validate.
    data=DataConfig(
        train_examples=70,
        image_size=8,
        validation_fraction=0.04,
        pad_crop=1,
        standardize=True,
    ),
    child=MixedSupernetConfig(
        operations="none,avg_pool_3x3,skip_connect,dil_conv_3x3",
        filters=4,
        num_normal_cells=1,
        num_reduction_cells=1,
        num_nodes=1,
    ),
    # Twice what is published, so that alphas move in a few steps.
    alphas=AlphasConfig(alpha_lr=0.1),
    weights=MixedWeightsConfig(batch_size=16),
    search=DartsSearchConfig(epochs=2),
)
DATA = load(CONFIG)
LAYOUT = AlphaLayout(CONFIG.child.names, 1)


def with_alphas(**settings):
    alphas = dataclasses.replace(CONFIG.alphas, **settings)
    return dataclasses.replace(CONFIG, alphas=alphas)


def same(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], name)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "whole"
    with open_run(path) as run:
        search = make_search(CONFIG, run, DATA)
        ranked = search.run()
    return path, search, ranked


def test_a_run_holds_what_was_learned(whole):
    path, search, ranked = whole
    rows = read_rows(path, "evaluations")
    assert [row["epoch"] for row in rows] == ["0", "1"]
    alphas = LAYOUT.from_rows(rows)
    # The last row holds the alphas as they are, and its cell is theirs.
    now = search.phases[0].bilevel.alphas[0].numpy()
    np.testing.assert_array_equal(alphas.operations[-1], now)
    assert np.abs(alphas.operations[-1] - alphas.operations[0]).max() > 0.05
    space = LAYOUT.derived
    cells = derive(LAYOUT, at_epoch(alphas, -1))
    assert space.parse_columns(rows[-1]) == cells
    # One finalist: the derived cell.
    assert [entry.architecture for entry in ranked] == [cells]
    accuracy = float(rows[-1]["accuracy"])
    assert ranked[0].measured["validation_accuracy"] == accuracy
    steps = read_rows(path, "mixture")
    assert len(steps) == 2 * -(-len(DATA.train) // 16)
    losses = [float(row["loss"]) for row in steps]
    assert np.mean(losses[-3:]) < np.mean(losses[:3])
    # The cosine, epoch by epoch: (0.025 + 0.001) / 2 in the second of two.
    assert float(steps[0]["learning_rate"]) == pytest.approx(0.025)
    assert float(steps[-1]["learning_rate"]) == pytest.approx(0.013)
    settings = read_object(path / "config.json")
    assert settings["method"] == "darts"
    assert settings["space"]["kind"] == "darts"


def test_its_weights_are_not_taken_for_shared_ones(whole):
    with pytest.raises(InputError, match="a search of DARTS, whose mixed"):
        _ = read_run(whole[0]).shared_cells


def test_the_entropy_is_that_of_the_shares(whole):
    path, *_ = whole
    row = read_rows(path, "evaluations")[-1]
    alphas = LAYOUT.from_rows([row]).operations[0]
    shares = np.exp(alphas) / np.exp(alphas).sum(axis=-1, keepdims=True)
    expected = -(shares * np.log(shares)).sum(axis=-1).mean(axis=-1)
    for number, name in enumerate(LAYOUT.cell_types):
        found = float(row[f"entropy_{name}"])
        assert found == pytest.approx(expected[number])


@pytest.mark.parametrize("place", [("mixture", 0), ("evaluations", 0)])
def test_a_stopped_search_goes_on_bit_for_bit(
    whole, tmp_path, monkeypatch, place
):
    path = tmp_path / "run"
    with open_run(path) as run:
        search = make_search(CONFIG, run, DATA)
        interrupt_at(monkeypatch, f"epoch 1/2 {place[0]}", place[1])
        with pytest.raises(Interrupted):
            search.run()
    monkeypatch.undo()
    with open_run(path, resume=True) as run:
        again = make_search(CONFIG, run, DATA)
        assert again.resumed
        ranked = again.run()
    first, search, expected = whole
    assert ranked == expected
    for table in ("mixture", "evaluations", "epochs"):
        assert read_rows(path, table) == read_rows(first, table)
    same(values_of(again._state()), values_of(search._state()))


@pytest.mark.parametrize(
    "config",
    [
        with_alphas(order="second"),
        with_alphas(variant="pc", partial_channels=2, alpha_from=1),
        with_alphas(variant="minus"),
    ],
    ids=["second", "pc", "minus"],
)
def test_variants_search(tmp_path, config):
    with open_run(tmp_path / "run") as run:
        search = make_search(config, run, DATA)
        search.run()
        training = search.phases[0]
        traced = (
            training._learn.experimental_get_tracing_count(),
            training._warm.experimental_get_tracing_count(),
        )
    assert traced == (1, int(config.alphas.alpha_from > 0))
    rows = read_rows(tmp_path / "run", "mixture")
    ours, theirs = rows[0], rows[-1]
    if config.alphas.order == "second":
        assert float(ours["second_order_norm"]) > 0
    if config.alphas.alpha_from:
        # The alphas, those of edges too, were frozen for an epoch.
        assert ours["alpha_loss"] in ("", "nan")
        assert np.isfinite(float(theirs["alpha_loss"]))
        alphas = LAYOUT.from_rows(read_rows(tmp_path / "run", "evaluations"))
        assert alphas.edges is not None
        assert np.abs(alphas.edges[0]).max() < 0.01
        assert np.abs(alphas.edges[1]).max() > 0.02
    assert training.fade(0) == float(config.alphas.variant == "minus")


def test_a_search_ends_early_and_ranks_the_cell_of_then(tmp_path):
    config = dataclasses.replace(
        CONFIG,
        stop=StopConfig(stop_stable=1, stop_from=1),
        search=DartsSearchConfig(epochs=30),
    )
    with open_run(tmp_path / "run") as run:
        ranked = make_search(config, run, DATA).run()
    rows = read_rows(tmp_path / "run", "evaluations")
    assert 2 <= len(rows) < 30
    cells = LAYOUT.derived.parse_columns(rows[-1])
    assert ranked[0].architecture == cells
    end = read_object(tmp_path / "run" / "derived_architectures.json")
    assert end["stopped_early"]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (with_alphas(variant="pc"), "--filters=4 must be a multiple of 8"),
        (with_alphas(alpha_from=2), "--alpha_from=2 leaves no epoch"),
        (
            dataclasses.replace(
                CONFIG, weights=MixedWeightsConfig(batch_size=64)
            ),
            "--batch_size=64 is more than the",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(tmp_path, config, said):
    with open_run(tmp_path / "run") as run:
        with pytest.raises(InputError, match=said):
            make_search(config, run, DATA)
