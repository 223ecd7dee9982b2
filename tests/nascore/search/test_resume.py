"""Searches that were stopped, killed or damaged go on as if nothing was."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nascore.runs.interrupts import Interrupted
from nascore.search.score import Score
from nascore.strategies.random import RandomStrategy
from tests.nascore.search.toy import (
    SPACE,
    Ones,
    ask_tell,
    hosted,
    in_graph,
    interrupt_at,
    open_run,
    read_rows,
    search,
    values_of,
)

ROOT = Path(__file__).parents[3]
TABLES = ("evaluations", "samples", "epochs")


def assert_equal(path, machine, other_path, other):
    """Rows and state of two searches, bit for bit."""
    for table in TABLES:
        assert read_rows(path, table) == read_rows(other_path, table)
    ours, theirs = (values_of(m._state()) for m in (machine, other))
    assert set(ours) == set(theirs)
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], name)


def test_stopped_in_every_phase_and_resumed_equals_uninterrupted(
    whole, tmp_path, monkeypatch
):
    path, make_parts, ranked, machine = whole
    target = tmp_path / "run"
    places = {
        in_graph: [("evaluations", 0), ("samples", 1), ("ranking", 2)],
        hosted: [("evaluations", 0), ("evaluations", 2)],
    }[make_parts]
    validate = Ones.validate

    def pausing(self, rows):
        # As an evaluator that is long at it.
        self.lifecycle.stop_if_asked()
        return validate(self, rows)

    monkeypatch.setattr(Ones, "validate", pausing)
    for number, (place, epoch) in enumerate(places):
        with monkeypatch.context() as patch:
            interrupt_at(patch, place, epoch)
            with pytest.raises(Interrupted, match="everything is saved"):
                search(target, make_parts, resume=number > 0)
    again, resumed = search(target, make_parts, resume=True)
    assert resumed.resumed
    assert_equal(target, resumed, path, machine)
    assert again == ranked
    for name in ("best_architectures.json", "derived_architectures.json"):
        assert (target / name).read_text() == (path / name).read_text()


def test_what_was_ranked_before_an_interrupt_is_not_measured_again(
    tmp_path, monkeypatch
):
    class Pausing(Ones):
        def validate(self, rows):
            found = super().validate(rows)
            self.lifecycle.stop_if_asked()
            return found

    def make_parts():
        strategy, evaluator = RandomStrategy(SPACE), Pausing()
        return strategy, evaluator, [ask_tell(strategy, evaluator)]

    with monkeypatch.context() as patch:
        interrupt_at(patch, "ranking", 0)
        with pytest.raises(Interrupted):
            search(tmp_path / "run", make_parts, epochs=1)
    ranked, machine = search(
        tmp_path / "run", make_parts, resume=True, epochs=1
    )
    assert len(ranked) == 4
    # One was written, one was given up.
    assert len(machine.evaluator.calls) == 3


def test_a_search_that_ended_and_was_stopped_there_ends_again(
    tmp_path, monkeypatch, capsys
):
    """The checkpoint is in the middle of an epoch that is none."""
    path = tmp_path / "run"

    def make_parts():
        return hosted(limit=12)

    with monkeypatch.context() as patch:
        interrupt_at(patch, "evaluations", 1)
        with pytest.raises(Interrupted):
            search(path, make_parts)
    assert len(read_rows(path, "epochs")) == 1
    ranked, machine = search(path, make_parts, resume=True)
    assert machine.epoch == 1 and len(ranked) == 4
    assert "ended after 1 epochs: no new" in capsys.readouterr().out


def test_a_resumed_epoch_keeps_its_seconds(tmp_path, monkeypatch):
    """By a clock that only the test moves."""
    now = [1000.0]
    monkeypatch.setattr("nascore.runs.stopwatch.monotonic", lambda: now[0])
    path = tmp_path / "run"
    run = Score.run

    def pass_a_minute():
        now[0] += 63

    def take_time(self, epoch, start, stop):
        now[0] += 26
        return run(self, epoch, start, stop)

    with monkeypatch.context() as patch:
        interrupt_at(
            patch, "evaluations", 0, lambda: now.append(now.pop() + 63)
        )
        with pytest.raises(Interrupted):
            search(path, in_graph)
    # What passes while nothing runs is not the epoch's.
    now[0] += 5000
    monkeypatch.setattr(Score, "run", take_time)
    search(path, in_graph, resume=True)
    with open_run(path, resume=True) as folder:
        seconds = [float(row["seconds"]) for row in folder.read("epochs")]
    assert seconds == [63 + 26, 26, 26]


def test_a_corrupt_checkpoint_falls_back_to_the_one_before(
    whole, tmp_path, capsys
):
    path, make_parts, _, machine = whole
    target = tmp_path / "run"
    shutil.copytree(path, target)
    (target / "derived_architectures.json").unlink()
    newest = sorted((target / "checkpoints").glob("*.data*"))[-1]
    content = bytearray(newest.read_bytes())
    content[: len(content) // 2] = bytes(len(content) // 2)
    newest.write_bytes(content)
    _, resumed = search(target, make_parts, resume=True)
    warning = capsys.readouterr().err
    assert "ckpt-3 cannot be used" in warning
    assert "going back to the one before" in warning
    assert_equal(target, resumed, path, machine)


def test_a_finished_search_can_be_given_more_epochs(whole, tmp_path):
    path, make_parts, _, _ = whole
    target = tmp_path / "run"
    shutil.copytree(path, target)
    search(target, make_parts, resume=True, epochs=4)
    for table in TABLES:
        old, more = read_rows(path, table), read_rows(target, table)
        assert more[: len(old)] == old
        assert len(more) == len(old) // 3 * 4


@pytest.mark.parametrize("place", ["before", "after"])
def test_killed_without_warning_and_resumed(place, whole, tmp_path):
    """A process that dies between two writes loses nothing."""
    path, make_parts, _, machine = whole
    script = f"""
import os, pathlib, sys
from nascore.runs.checkpoints import Checkpoints
from tests.nascore.search import toy
save = Checkpoints.save
saved = []
def die(self):
    saved.append(self)
    {"save(self)" if place == "after" else "pass"}
    if len(saved) == 2:
        os._exit(9)
    {"save(self)" if place == "before" else "pass"}
Checkpoints.save = die
toy.search(pathlib.Path(sys.argv[1]), toy.{make_parts.__name__})
"""
    target = tmp_path / "run"
    died = subprocess.run(
        [sys.executable, "-c", script, str(target)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert died.returncode == 9
    _, resumed = search(target, make_parts, resume=True)
    assert resumed.resumed
    assert_equal(target, resumed, path, machine)
