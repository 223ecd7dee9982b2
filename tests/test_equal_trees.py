"""The comparison of source trees must see differences."""

import numpy as np
import pytest
import tensorflow as tf

from nascore.runs.checkpoints import Checkpoints
from tests import equal_trees


@pytest.fixture
def make_run(tmp_path):
    def make(name, loss="0.5", weight=2.0, seconds="1.0"):
        run = tmp_path / name
        run.mkdir()
        (run / "epochs.csv").write_text(
            f"epoch,loss,seconds\n0,{loss},{seconds}\n"
        )
        state = {"a": tf.Variable([1.0, weight]), "step": tf.Variable(3)}
        Checkpoints(run / "checkpoints", state).save()
        return run

    return make


def test_times_may_differ(make_run):
    one, other = make_run("one"), make_run("other", seconds="2.0")
    assert equal_trees.compare_runs(one, other) == []


def test_a_number_of_a_table_may_not(make_run):
    one, other = make_run("one"), make_run("other", loss="0.50000001")
    assert equal_trees.compare_runs(one, other) == ["epochs.csv: loss differs"]


def test_a_bit_of_a_weight_may_not(make_run):
    one = make_run("one")
    other = make_run("other", weight=np.nextafter(np.float32(2), np.float32(3)))
    (said,) = equal_trees.compare_runs(one, other)
    assert said.startswith("no equal of an array")


def test_a_missing_column_is_named(make_run):
    one, other = make_run("one"), make_run("other")
    (other / "epochs.csv").write_text("epoch\n0\n")
    assert equal_trees.compare_runs(one, other) == [
        "epochs.csv: loss is missing"
    ]


def test_renamed_columns_are_found(make_run, monkeypatch):
    one, other = make_run("one"), make_run("other")
    (other / "epochs.csv").rename(other / "rows.csv")
    (other / "rows.csv").write_text("epoch,child_loss\n0,0.5\n")
    monkeypatch.setattr(
        equal_trees, "RENAMED", {"epochs": "rows", "loss": "child_loss"}
    )
    assert equal_trees.compare_runs(one, other) == []
