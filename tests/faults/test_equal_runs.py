"""The comparison of runs that the fault tests rely on must see differences."""

import shutil

import pytest
import tensorflow as tf

from nascore.runs.atomic import write_json
from nascore.runs.checkpoints import Checkpoints
from tests.faults.equal_runs import differences


@pytest.fixture
def run(tmp_path):
    path = tmp_path / "one"
    (path / "plots").mkdir(parents=True)
    (path / "plots" / "a.png").write_bytes(b"png")
    (path / "rows.csv").write_text("epoch,loss,seconds\n0,0.5,1.0\n")
    write_json(path / "end.json", {"best": [{"seconds": 1, "accuracy": 0.5}]})
    Checkpoints(path / "checkpoints", {"a": tf.Variable([1.0, 2.0])}).save()
    shutil.copytree(path, tmp_path / "other")
    return path, tmp_path / "other"


def test_times_may_differ(run):
    one, other = run
    (other / "rows.csv").write_text("epoch,loss,seconds\n0,0.5,9.0\n")
    write_json(other / "end.json", {"best": [{"seconds": 9, "accuracy": 0.5}]})
    assert differences(one, other) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: (p / "plots" / "a.png").unlink(), "only in one: plots"),
        (lambda p: (p / ".part-x").write_text(""), "only in one: .part-x"),
        (
            lambda p: (p / "rows.csv").write_text("epoch,loss\n0,0.6\n"),
            "differs: rows.csv",
        ),
        (
            lambda p: write_json(p / "end.json", {"best": []}),
            "differs: end.json",
        ),
        (
            lambda p: Checkpoints(
                p / "checkpoints", {"a": tf.Variable([1.0, 2.1])}
            ).save(),
            "differs: checkpoints: a/",
        ),
        (
            lambda p: (p / "checkpoints" / "ckpt-2_temp").mkdir(),
            "left over: checkpoints/ckpt-2_temp",
        ),
    ],
)
def test_everything_else_may_not(run, change, said):
    one, other = run
    change(other)
    (found,) = differences(one, other)
    assert found.startswith(said)
