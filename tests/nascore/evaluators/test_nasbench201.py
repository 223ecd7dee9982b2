"""The table in the package, and the evaluator that looks up in it."""

import io
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from nascore.config import unflatten
from nascore.errors import InputError
from nascore.evaluators.nasbench201 import table
from nascore.evaluators.nasbench201.config import TableConfig
from nascore.evaluators.nasbench201.names import DATASETS, SPLITS, TableColumn
from nascore.evaluators.nasbench201.tabular import Tabular
from nascore.protocols import Proposals
from nascore.spaces.bench201 import Bench201Space, codes_of, rows_of

SPACE = Bench201Space()
DATA = os.environ.get("IENAS_DATA")


@pytest.mark.skipif(not DATA, reason="IENAS_DATA does not say where data are")
def test_the_package_holds_every_number_of_the_sources():
    folder = Path(DATA) / "nasbench201"
    ours = pd.read_csv(folder / "nasbench201.csv.gz")
    codes = codes_of(
        np.stack([SPACE.encode(SPACE.parse(text)) for text in ours["arch"]])
    )
    found = pd.DataFrame([table.numbers_of(code) for code in codes[::50]])
    some = ours.iloc[::50].reset_index(drop=True)
    packed = table.read(table.FOLDER / "accuracy.npz")
    for name in some.columns.drop(["arch", "params_cifar10", "macs_cifar10"]):
        np.testing.assert_allclose(found[name], some[name], atol=1e-9)
        scale = 1 if name == "index" else table.PER_PERCENT
        np.testing.assert_allclose(packed[name][codes] / scale, ours[name])
    assert (table.parameters()[codes] == ours["params_cifar10"]).all()
    assert (table.multiply_adds()[codes] == ours["macs_cifar10"]).all()
    slow = pd.read_csv(folder / "nasbench201_latency.csv.gz")
    packed = table.read(table.FOLDER / "latency.npz")
    assert len(packed) == 27
    for name, values in packed.items():
        np.testing.assert_allclose(
            values[codes] / table.PER_MS, slow[f"{name}_ms"]
        )


@pytest.mark.parametrize(
    ("dataset", "split", "most", "index"),
    [
        ("cifar10", "validation", 91.607, {6111}),
        ("cifar10", "test", 94.373, {6111, 13714}),
        ("cifar100", "validation", 73.493, {9930}),
        ("cifar100", "test", 73.513, {9930}),
        # 46.77 in print.
        ("imagenet16-120", "validation", 46.733, {10676}),
        ("imagenet16-120", "test", 47.311, {857}),
    ],
)
def test_the_best_of_each_column_is_the_published_one(
    dataset, split, most, index
):
    """NAS-Bench-201, table 5, row "optimal"."""
    found = table.accuracies(TableColumn(dataset, split))
    assert found.max() == pytest.approx(most / 100, abs=1e-5)
    best = np.flatnonzero(found == found.max())
    assert {table.numbers_of(code)["index"] for code in best} == index


def test_the_cell_of_skips_is_the_published_row_of_darts():
    """39.77 54.30 15.03 15.61 16.43 16.32: DARTS in that table."""
    code = int(codes_of(np.ones(6, int)))
    found = [
        round(100 * table.accuracies(TableColumn(dataset, split))[code], 2)
        for dataset in DATASETS
        for split in SPLITS
    ]
    assert found == [39.77, 54.30, 15.03, 15.61, 16.43, 16.32]


def test_parameters_and_multiply_adds_are_those_of_the_benchmark():
    """Of the cell that issue 36 of D-X-Y/NATS-Bench quotes."""
    cell = SPACE.parse(
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+"
        "|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"
    )
    found = table.numbers_of(int(codes_of(SPACE.encode(cell))))
    assert found["parameters"] == 802_426
    assert found["multiply_adds"] == 113_951_370


def write(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_a_damaged_or_foreign_table_is_refused(tmp_path):
    short = write(tmp_path / "short.npz", index=np.arange(9))
    words = write(tmp_path / "words.npz", index=np.full(15_625, "a"))
    objects = tmp_path / "objects.npz"
    np.savez(objects, index=np.full(15_625, None))
    cut = tmp_path / "cut.npz"
    cut.write_bytes((table.FOLDER / "accuracy.npz").read_bytes()[:9999])
    other = tmp_path / "other.npz"
    other.write_bytes(b"cell,accuracy\n")
    array = tmp_path / "array.npz"
    content = io.BytesIO()
    np.save(content, np.arange(15_625))
    array.write_bytes(content.getvalue())
    missing = tmp_path / "missing.npz"
    empty = write(tmp_path / "empty.npz")
    for path in (short, words, objects, cut, other, array, missing, empty):
        with pytest.raises(InputError, match="is no table of NAS-Bench-201"):
            table.read(path)


@pytest.mark.parametrize(
    "column",
    [
        TableColumn("cifar11", "test"),
        TableColumn("cifar10", "train"),
        TableColumn("cifar10", "test", 90),
    ],
)
def test_a_column_that_is_not_there_is_named(column):
    with pytest.raises(InputError, match="there are validation and test on"):
        table.accuracies(column)


ROWS = rows_of(np.arange(0, 15_625, 61))


def evaluator(**settings):
    return Tabular(unflatten(TableConfig(), settings))


def test_the_host_and_the_graph_look_up_the_same():
    tabular = evaluator(dataset="imagenet16-120", search_epochs="12")
    ours = tabular.measure(Proposals(ROWS), np.array([1, 2]))
    theirs = tabular.measure(Proposals(tf.constant(ROWS)), tf.constant([1, 2]))
    np.testing.assert_allclose(ours.score, theirs.score, atol=1e-7)
    assert list(ours.notes) == list(theirs.notes) == list(tabular.columns)
    for name, values in ours.notes.items():
        np.testing.assert_allclose(values, theirs.notes[name], atol=1e-7)
    want = table.accuracies(TableColumn("imagenet16-120", "validation", 12))
    np.testing.assert_array_equal(ours.score, want[::61])


def test_what_is_searched_on_is_not_what_is_reported():
    tabular = evaluator(
        dataset="cifar100", search_dataset="cifar10", search_epochs="12"
    )
    found = tabular.measure(Proposals(ROWS), None)
    for values, column in (
        (found.score, TableColumn("cifar10", "validation", 12)),
        (
            found.notes["validation_accuracy"],
            TableColumn("cifar100", "validation"),
        ),
        (found.notes["test_accuracy"], TableColumn("cifar100", "test")),
    ):
        np.testing.assert_array_equal(values, table.accuracies(column)[::61])
    assert tabular.validate(ROWS[3:4]) == {
        name: values[3] for name, values in found.notes.items()
    }


def test_a_search_on_test_accuracies_is_called_a_leak():
    assert "leak" in evaluator(search_on="test").measured_on
    assert "test numbers are no estimate" in evaluator(search_on="test").caveat
    assert not evaluator().caveat


def test_noise_has_its_size_and_follows_from_the_seed():
    tabular = evaluator(noise=0.5)
    rows = np.repeat(ROWS[:1], 4000, axis=0)
    first, again, other = (
        tabular.measure(Proposals(rows), np.array(seed)).score
        for seed in ([1, 2], [1, 2], [1, 3])
    )
    np.testing.assert_array_equal(first, again)
    assert not np.any(first == other)
    differences = first - evaluator().scores(rows)
    # Four standard errors.
    assert abs(differences.mean()) < 4 * 0.005 / np.sqrt(4000)
    assert abs(differences.std() - 0.005) < 4 * 0.005 / np.sqrt(8000)
    inside = tabular.measure(Proposals(tf.constant(rows)), tf.constant([1, 2]))
    np.testing.assert_allclose(inside.score, first, atol=1e-6)


def test_many_searches_have_the_noise_of_each():
    tabular = evaluator(noise=0.5)
    rows = tf.constant(ROWS[:6])
    seeds = tf.constant([[1, 2], [1, 3]])
    both = tabular.measure(Proposals(rows), seeds).score
    for place, seed in enumerate(seeds):
        some = slice(3 * place, 3 * place + 3)
        alone = tabular.measure(Proposals(rows[some]), seed).score
        np.testing.assert_array_equal(both[some], alone)
