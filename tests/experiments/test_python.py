"""Searches in Python, beside the commands that do the same."""

import json

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from sklearn.datasets import load_digits

import ienas
from nascore.errors import InputError
from nascore.spaces.cells import CellSpace

SETTINGS = {
    "operations": ["avg_pool_3x3", "identity"],
    "num_nodes": 1,
    "num_normal_cells": 1,
    "num_reduction_cells": 0,
    "filters": 4,
    "batch_size": 32,
    "train_steps": 1,
    "then_train": 0,
}
TRAINING = {"epochs": 1, "preset": "", "num_layers": 1, "batch_size": 64}


@pytest.fixture(scope="module")
def digits():
    found = load_digits()
    return found.images[:400] / 16, found.target[:400]


@pytest.fixture(scope="module")
def search(digits, tmp_path_factory):
    """A search that was stopped after its first epoch and went on."""
    run_dir = tmp_path_factory.mktemp("python") / "run"
    one = ienas.CellSearch(run_dir=run_dir, epochs=1, **SETTINGS)
    assert one.fit(*digits) is one
    return ienas.CellSearch(run_dir=run_dir, resume=True, epochs=2).fit()


def test_the_command_searches_alike_in_the_file_of_the_run(
    search, tmp_path, forked
):
    words = {
        **SETTINGS,
        "operations": ",".join(SETTINGS["operations"]),
        "epochs": 2,
        "dataset": "arrays",
        "data_dir": search.path / "data.npz",
        "run_dir": tmp_path / "run",
    }
    done = forked(
        "search_ienas", *(f"--{name}={value}" for name, value in words.items())
    )
    assert done.returncode == 0, done.stderr
    other = ienas.read_run(tmp_path / "run")
    rows = [run.evaluations.drop(columns="seconds") for run in (search, other)]
    pd.testing.assert_frame_equal(*rows)
    pd.testing.assert_frame_equal(search.ranking, other.ranking)


def test_the_ranking_is_that_of_the_run(search):
    end = json.loads((search.path / "derived_architectures.json").read_text())
    assert search.ranking["architecture"].tolist() == [
        entry["architecture"] for entry in end["architectures"]
    ]
    assert search.describe().startswith("normal cell")
    with pytest.raises(InputError, match="rank=99 must be from 1 to"):
        search.describe(99)


def test_the_best_model_is_trained_once_and_measures_what_it_says(
    search, digits, capsys
):
    model = search.best_model(**TRAINING)
    assert "epoch 1/1" in capsys.readouterr().out
    x, y = digits
    pixels = np.round(x[..., None] * 255)
    probabilities = model.predict(pixels, verbose=0)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    found = search.evaluate(x, y, **TRAINING)
    assert "epoch 1/1" not in capsys.readouterr().out
    assert found["accuracy"] == (probabilities.argmax(1) == y).mean()
    own = probabilities[np.arange(len(y)), y]
    assert found["loss"] == pytest.approx(-np.log(own).mean(), rel=1e-4)
    assert (search.path / "final-1" / "test.json").exists()
    assert not (search.path / "final-1-2").exists()
    with pytest.raises(InputError, match="takes .8, 8, 1."):
        search.evaluate(x[:, :4], y, **TRAINING)


def test_another_training_has_a_folder_of_its_own(search):
    search.best_model(**{**TRAINING, "seed": 5})
    assert (search.path / "final-1-2" / "test.json").exists()


def test_a_report_holds_ranking_and_figures(search):
    page = search.report()
    text = page.read_text(encoding="utf-8")
    assert search.ranking["architecture"][0] in text
    assert text.count("data:image/png;base64") > 5
    assert "|" in page.with_suffix(".md").read_text(encoding="utf-8")


def test_a_dataset_is_what_its_arrays_are(digits, tmp_path):
    from experiments.door.arrays import to_parts

    x, y = digits
    arrays, names = to_parts(x, y, (x[:9], y[:9]), None, None)
    pairs = tf.data.Dataset.from_tensor_slices((x[..., None], y))
    for dataset in (pairs, pairs.batch(64)):
        parts, same = to_parts(dataset, None, pairs.take(9), None, None)
        assert same == names and parts.keys() == arrays.keys()
        for part in arrays:
            assert all(map(np.array_equal, parts[part], arrays[part]))
    for odd, message in (
        (pairs.repeat(), "never ends"),
        (pairs.take(0), "is empty"),
        (pairs.map(lambda x, y: x), "pairs of images and labels"),
    ):
        with pytest.raises(InputError, match=message):
            to_parts(odd, None, None, None, None)
    with pytest.raises(InputError, match="leave y out"):
        to_parts(pairs, y, None, None, None)


def make(**settings):
    return lambda digits, run: ienas.CellSearch(**settings)


SPACE = CellSpace(("identity", "none"), 2)


@pytest.mark.parametrize(
    ("do", "message"),
    [
        (make(method="ienass"), "did you mean ienas"),
        (make(method="mlpnas"), "MlpSearch is for tables"),
        (make(method="bench201_random"), "searches no cells for images"),
        (make(filtres=3), "no setting of this name; did you mean filters"),
        (make(filters="many"), "--filters must be a whole number"),
        (make(preset="darts_small"), "is for another method"),
        (make(preset="nothing"), "is not known"),
        (make(dataset="mnist"), "leave it out"),
        (make(resume=True), "resume=True needs run_dir"),
        (make(max_hours=-1), "--max_hours"),
        (make(space="micro"), "must be a CellSpace"),
        (make(space=SPACE, num_nodes=3), "give one"),
        (lambda d, run: ienas.CellSearch().ranking, "call fit"),
        (lambda d, run: ienas.CellSearch().fit(), "x is missing"),
        (lambda d, run: ienas.CellSearch().fit(d[0]), "y is missing"),
        (
            lambda d, run: ienas.CellSearch(run_dir=run).fit(*d),
            "already holds a run",
        ),
        (
            lambda d, run: ienas.CellSearch(run_dir=run, resume=True).fit(*d),
            "is finished after 2 epochs",
        ),
        (
            lambda d, run: ienas.CellSearch(
                run_dir=run, resume=True, epochs=3
            ).fit(d[0][1:], d[1][1:]),
            "holds other images",
        ),
        (
            lambda d, run: ienas.CellSearch(
                run_dir=run, resume=True, epochs=3, filters=6
            ).fit(),
            "another configuration",
        ),
        (lambda d, run: ienas.read_run(run / "plots"), "config.json"),
        (lambda d, run: ienas.MlpSearch("ienas"), "is not one of: mlpnas"),
        (lambda d, run: ienas.MlpSearch(data_file="a"), "leave it out"),
        (lambda d, run: ienas.MlpSearch().fit(d[0], d[1]), "must be a DataF"),
        (
            lambda d, run: ienas.MlpSearch().fit(d[0][:, 0], d[1][:3]),
            "y must be a class for each of the 400 rows",
        ),
    ],
)
def test_one_line_for_a_mistake_and_nothing_is_left(
    search, digits, do, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    before = sorted(search.path.rglob("*"))
    with pytest.raises(InputError, match=message):
        do(digits, search.path)
    assert before == sorted(search.path.rglob("*"))
    assert not list(tmp_path.rglob("*.npz"))


def test_a_space_is_its_settings():
    search = ienas.CellSearch(space=SPACE)
    assert search._values["operations"] == "identity,none"
    assert search._values["num_nodes"] == 2


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    size = rng.normal(size=90)
    frame = pd.DataFrame({"file": size, "colour": ["red", "", "blue"] * 30})
    frame.loc[4, "file"] = np.nan
    return frame, pd.Series(np.where(size > 0, "large", "small"))


def test_a_perceptron_for_a_data_frame(table, tmp_path):
    settings = {"epochs": 1, "architectures": 2, "child_epochs": 1}
    search = ienas.MlpSearch(
        run_dir=tmp_path / "run", finetune_epochs=1, compare="none", **settings
    )
    search.fit(*table, test_data=(table[0][:30], table[1][:30]))
    assert len(search.ranking) == 2
    model = search.best_model()
    frame = table[0]
    rows = model.predict(
        {
            "file": frame["file"].to_numpy(),
            "colour": tf.constant(frame["colour"].to_numpy(object)),
        },
        verbose=0,
    )
    found = search.evaluate(*table)
    guessed = np.where(np.ravel(rows) > 0.5, "small", "large")
    assert found["accuracy"] == (guessed == table[1]).mean()
    assert found["rows"] == 90
    with pytest.raises(InputError, match="y has the class 'tiny'"):
        search.evaluate(frame, ["tiny"] * 90)
    with pytest.raises(InputError, match="trained its best one only"):
        search.best_model(rank=2)
    with pytest.raises(InputError, match="holds other rows"):
        ienas.MlpSearch(run_dir=search.path, resume=True, epochs=2).fit(
            frame[1:], table[1][1:]
        )


def test_help_and_names():
    assert "search.fit(x, y)" in ienas.CellSearch.__doc__
    assert {"CellSearch", "MlpSearch", "read_run"} <= set(dir(ienas))
    with pytest.raises(AttributeError, match="no attribute 'Search'"):
        _ = ienas.Search
