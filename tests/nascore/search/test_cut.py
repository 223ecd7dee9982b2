"""Searches that are ranked before their end, and go on all the same."""

import json

import pytest

from nascore.runs.interrupts import Interrupted, Limit
from nascore.runs.lifecycle import Lifecycle
from nascore.runs.progress import Terms
from nascore.runs.reader import is_ranked
from nascore.search.search import NothingToRank
from tests.nascore.search.test_resume import assert_equal
from tests.nascore.search.toy import (
    in_graph,
    interrupt_at,
    make_search,
    open_run,
    read_rows,
    search,
)

END = "derived_architectures.json"


def go_on(path, make_parts, new=False, **how):
    strategy, evaluator, phases = make_parts()
    with open_run(path, resume=not new) as run:
        machine = make_search(run, phases, strategy, evaluator)
        return machine.run(**how), machine


def late_after(monkeypatch, label):
    """Time is up when a search has advanced to a label."""
    advance = Lifecycle.advance

    def pass_time(self, steps, at, **values):
        advance(self, steps, at, **values)
        if at == label:
            self._cost.is_late = lambda: True

    monkeypatch.setattr(Lifecycle, "advance", pass_time)


class Seen:
    """What `is_ranked` looks at."""

    def __init__(self, path):
        self.path = path
        self.epochs = read_rows(path, "epochs")


@pytest.mark.parametrize("epoch, done", [(2, 1), (3, 2)])
def test_ended_in_time_it_is_ranked_and_goes_on_to_the_same_end(
    whole, epoch, done, tmp_path, monkeypatch, capsys
):
    path, make_parts, ranked, machine = whole
    target = tmp_path / "run"
    with monkeypatch.context() as patch:
        late_after(patch, f"epoch {epoch}/3 evaluations")
        cut, stopped = go_on(target, make_parts, new=True)
    assert stopped.cut and len(cut) == 4
    assert f"time is up (--max_hours) after {done} of 3 epochs" in (
        capsys.readouterr().out
    )
    end = json.loads((target / END).read_text())
    assert (end["epochs"], end["stopped_early"]) == (done, False)
    assert is_ranked(Seen(target))
    with open_run(target, resume=True) as run:
        assert not run.finished
    # In the middle of the epoch: of a graph's four steps one is a stretch.
    assert len(read_rows(target, "evaluations")) % 12 in (3, 0)
    again, resumed = search(target, make_parts, resume=True)
    assert not resumed.cut and again == ranked
    assert_equal(target, resumed, path, machine)
    assert (target / END).read_text() == (path / END).read_text()


def test_a_stopped_search_is_ranked_as_it_stands_and_goes_on(
    whole, tmp_path, monkeypatch
):
    path, make_parts, ranked, machine = whole
    target = tmp_path / "run"
    with monkeypatch.context() as patch:
        interrupt_at(patch, "evaluations", 1)
        with pytest.raises(Interrupted):
            search(target, make_parts)
    rows = read_rows(target, "evaluations")
    cut, stopped = go_on(target, make_parts, finish=True)
    assert stopped.cut and stopped.epoch == 1 and len(cut) == 4
    assert read_rows(target, "evaluations") == rows
    assert len(read_rows(target, "epochs")) == 1
    assert is_ranked(Seen(target))
    # A second time it has the same to say.
    assert go_on(target, make_parts, finish=True)[0] == cut
    again, resumed = search(target, make_parts, resume=True)
    assert again == ranked
    assert_equal(target, resumed, path, machine)


def test_a_ranking_is_old_when_the_search_has_gone_on(tmp_path, monkeypatch):
    path = tmp_path / "run"
    for number, label in enumerate(("2/3", "3/3")):
        with monkeypatch.context() as patch:
            late_after(patch, f"epoch {label} evaluations")
            go_on(path, in_graph, new=not number)
        assert is_ranked(Seen(path))
    end = json.loads((path / END).read_text())
    (path / END).write_text(json.dumps({**end, "epochs": 1}))
    assert not is_ranked(Seen(path))


def test_before_its_first_epoch_has_ended_there_is_nothing(tmp_path):
    path = tmp_path / "run"
    terms = Terms(Limit(1e-9))
    with pytest.raises(NothingToRank, match="no epoch has ended") as stop:
        go_on(path, in_graph, new=True, terms=terms)
    assert stop.value.resumable and "\n" not in str(stop.value)
    assert not (path / END).exists()
    ranked, machine = search(path, in_graph, resume=True)
    assert len(ranked) == 4 and machine.epoch == 3


def test_time_for_the_ranking_is_kept(tmp_path, monkeypatch):
    """Of four finalists, by what one pass over the validation set took."""
    strategy, evaluator, phases = in_graph()
    phases[1].seconds = 1800.0
    kept = []

    def is_late(self):
        kept.append(self._outlook.end())
        return False

    monkeypatch.setattr("nascore.runs.progress.Cost.is_late", is_late)
    with open_run(tmp_path / "run") as run:
        machine = make_search(run, phases, strategy, evaluator)
        machine.run(end=lambda: 100.0)
    assert kept[0] == 4 * 1800.0 + 100.0 + 15.0
    # And by what it took since.
    assert 115.0 < kept[-1] < 1000.0
