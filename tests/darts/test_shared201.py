"""DARTS on NAS-Bench-201's cells."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from darts.config import (
    AlphasConfig,
    DartsSearchConfig,
    MixedWeightsConfig,
    Shared201DartsConfig,
)
from darts.derive import count_skips, derive
from darts.layout import Alphas
from darts.layout201 import Bench201Layout
from darts.parts import make_weights
from darts.shared201 import load, make_search
from darts.stops import at_epoch, warn
from nascore.data.config import DataConfig
from nascore.errors import InputError
from nascore.evaluators.nasbench201.names import TRUTH
from nascore.evaluators.nasbench201.table import accuracies
from nascore.networks.bench201.config import Bench201SupernetConfig
from nascore.networks.bench201.supernet import Bench201Supernet
from nascore.runs.json_files import read_object
from nascore.spaces.bench201 import EDGES, OPERATIONS, Bench201Space, codes_of
from tests.nascore.search.toy import (
    check_goes_on,
    open_run,
    read_rows,
)

SPACE = Bench201Space()
LAYOUT = Bench201Layout()
CONFIG = Shared201DartsConfig(
    data=DataConfig(
        train_examples=70,
        image_size=8,
        validation_fraction=0.04,
        standardize=True,
    ),
    child=Bench201SupernetConfig(filters=2, num_layers=1),
    # So that alphas move in a few steps.
    alphas=AlphasConfig(alpha_lr=0.1),
    weights=MixedWeightsConfig(batch_size=20),
    search=DartsSearchConfig(epochs=2),
)
DATA = load(CONFIG)


def with_alphas(**settings):
    alphas = dataclasses.replace(CONFIG.alphas, **settings)
    return dataclasses.replace(CONFIG, alphas=alphas)


def search(path, config=CONFIG, resume=False):
    with open_run(path, resume=resume) as run:
        machine = make_search(config, run, DATA)
        return machine.run(), machine


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "whole"
    return path, *search(path)


def test_every_edge_keeps_its_strongest_operation_none_among_them():
    rng = np.random.default_rng(0)
    alphas = rng.standard_normal((20, *LAYOUT.shape)).astype(np.float32)
    assert LAYOUT.shape == (1, 6, 5) and LAYOUT.edges == EDGES
    cells = [derive(LAYOUT, Alphas(one)) for one in alphas]
    for one, cell in zip(alphas, cells, strict=True):
        assert cell.operations == tuple(one[0].argmax(axis=1))
        skips = sum(name == "skip_connect" for name in cell.names)
        assert count_skips(LAYOUT, cell) == [skips]
    assert any("none" in cell.names for cell in cells)
    # Of equal ones the first, which is none.
    assert set(derive(LAYOUT, Alphas(np.zeros((1, 6, 5)))).names) == {"none"}
    found = LAYOUT.from_rows([LAYOUT.to_row(Alphas(alphas[0]))])
    np.testing.assert_array_equal(found.operations[0], alphas[0])
    assert "alpha_cell_1_3_avg_pool_3x3" in LAYOUT.operation_columns


def test_a_line_says_when_skips_take_over():
    alphas = np.zeros((2, *LAYOUT.shape))
    alphas[:, 0, :, 2] = 1
    alphas[1, 0, :3, OPERATIONS.index("skip_connect")] = 2
    said = warn(LAYOUT, Alphas(alphas), 0)
    assert "3 of the 6 edges of the derived cell are skips" in said
    assert not warn(LAYOUT, Alphas(alphas[:1]), 0)


def test_the_derived_cell_of_each_epoch_is_looked_up(whole):
    path, ranked, machine = whole
    rows = read_rows(path, "evaluations")
    alphas = LAYOUT.from_rows(rows)
    for epoch, row in enumerate(rows):
        cell = derive(LAYOUT, at_epoch(alphas, epoch))
        assert SPACE.parse_columns(row) == cell
        code = codes_of(SPACE.encode(cell))
        for name, column in TRUTH.items():
            assert float(row[name]) == accuracies(column)[code]
    now = machine.phases[0].bilevel.alphas[0].numpy()
    np.testing.assert_array_equal(alphas.operations[-1], now)
    assert [entry.architecture for entry in ranked] == [cell]
    assert list(ranked[0].measured) == [
        *("validation_accuracy", "search_test_accuracy"),
        *TRUTH,
    ]
    epochs = read_rows(path, "epochs")
    assert epochs[-1]["table_cifar100"] == rows[-1]["table_cifar100"]
    settings = read_object(path / "config.json")
    assert settings["method"] == "shared201_darts"


def test_a_cell_is_the_mixture_of_its_operations_alone(whole):
    *_, machine = whole
    mixed = machine.evaluator
    # The same kernels, cell by cell, where one operation is chosen.
    chosen = Bench201Supernet(CONFIG.child, DATA.image_shape, DATA.classes)
    assert len(chosen.weights) == len(mixed.supernet.weights)
    for ours, theirs in zip(
        chosen.weights, mixed.supernet.weights, strict=True
    ):
        ours.assign(theirs)
    images = tf.random.stateless_normal([5, *DATA.image_shape], [1, 2])
    rows = np.array([[3, 1, 2, 4, 0, 3], [0, 3, 4, 2, 1, 0]], np.int32)
    for row, shares in zip(
        rows, mixed.as_cells(tf.constant(rows)), strict=True
    ):
        expected, _ = chosen(images, tf.constant(row))
        found = mixed.logits(images, shares)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_stopped_search_goes_on_bit_for_bit(whole, tmp_path, monkeypatch):
    tables, place = (
        ("mixture", "evaluations", "epochs"),
        ("epoch 1/2 mixture", 0),
    )
    target = tmp_path / "run"
    check_goes_on(search, whole, target, monkeypatch, place, tables)


def test_part_of_the_channels_passes_the_operations(tmp_path):
    config = dataclasses.replace(
        with_alphas(variant="pc", partial_channels=2),
        search=DartsSearchConfig(epochs=1),
    )
    ranked, machine = search(tmp_path / "run", config)
    steps = read_rows(tmp_path / "run", "mixture")
    assert np.isfinite([float(row["loss"]) for row in steps]).all()
    alphas = LAYOUT.from_rows(read_rows(tmp_path / "run", "evaluations"))
    assert ranked[0].architecture == derive(LAYOUT, at_epoch(alphas, -1))
    assert alphas.edges.shape == (1, 1, 6)
    assert np.abs(alphas.edges).max() > 0.02
    # An edge without an operation passes no channel at all.
    cells = machine.evaluator.as_cells(tf.constant([[0, 1, 2, 3, 4, 0]]))
    assert cells[0, 0, :, -1].numpy().tolist() == [0, 1, 1, 1, 1, 0]


def test_partial_channels_divide_the_filters():
    config = with_alphas(variant="pc")
    with pytest.raises(InputError, match="--filters=2 must be a multiple of 4"):
        load(config)
    # There is no factorized reduction that would halve them.
    child = dataclasses.replace(CONFIG.child, filters=4)
    mixed, _ = make_weights(dataclasses.replace(config, child=child), DATA)
    assert mixed.supernet.groups == 4
