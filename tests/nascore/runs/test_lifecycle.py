"""One life of a run: restored, saved when due, stopped when asked."""

import os
import signal
from types import SimpleNamespace

import pytest
import tensorflow as tf

from nascore.runs.folder import RunFolder
from nascore.runs.interrupts import Interrupted
from nascore.runs.lifecycle import Lifecycle, Workers


class Counting:
    """A run that counts its steps, in a variable and in a table.

    Attributes:
      folder: of the run.
      count: what is saved.
    """

    def __init__(self, path, minutes=10.0, workers=None):
        exists = (path / "config.json").exists()
        self.folder = (RunFolder.open if exists else RunFolder.create)(path)
        (path / "config.json").write_text("{}")
        self.count = tf.Variable(0)
        self.life = Lifecycle(
            self.folder,
            {"count": self.count},
            ["steps"],
            minutes,
            lambda: f"after {int(self.count)} steps",
            workers,
        )

    def step(self, start, stop):
        rows = [{"step": number} for number in range(start, stop)]
        self.folder.append("steps", rows)
        self.count.assign(stop)
        self.life.advance(stop - start, "counting")

    def rows(self):
        return [int(row["step"]) for row in self.folder.read("steps")]


@pytest.fixture
def start(tmp_path):
    """Starts a counting run, or goes on with it as after a crash."""
    open_folders = []

    def begin(name="run", **options):
        for folder in open_folders:
            folder.close()
        run = Counting(tmp_path / name, **options)
        open_folders.append(run.folder)
        return run

    yield begin
    for folder in open_folders:
        folder.close()


@pytest.fixture
def clock(monkeypatch):
    """A clock that only the test moves."""
    now = [100.0]
    time = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("nascore.runs.lifecycle.time", time)
    monkeypatch.setattr("nascore.runs.positions.monotonic", time.monotonic)
    return now


def numbers(run):
    """Of the checkpoints that there are."""
    folder = run.folder.path / "checkpoints"
    return sorted(int(p.stem.split("-")[1]) for p in folder.glob("*.index"))


def test_restores_what_was_saved_and_drops_later_rows(start):
    run = start()
    assert not run.life.resumed
    with run.life.working(9, 0, "steps"):
        run.step(0, 3)
        run.life.save()
        run.step(3, 5)
    run = start()
    assert run.life.resumed
    assert int(run.count) == 3
    assert run.rows() == [0, 1, 2]


def test_rows_that_no_checkpoint_knows_are_dropped(start):
    run = start()
    with run.life.working(9, 0, "steps"):
        run.step(0, 3)
    run = start()
    assert not run.life.resumed
    assert run.rows() == []


def test_stretches_take_two_seconds_and_leave_no_step_out(start, clock):
    run = start()
    with run.life.working(40, 3, "steps"):
        for longest, expected in (
            (0, [(3, 4), (4, 8), (8, 12), (12, 16), (16, 18)]),
            (3, [(3, 4), (4, 7), (7, 10), (10, 13), (13, 16), (16, 18)]),
        ):
            taken = []
            for first, stop in run.life.stretches(3, 18, longest):
                clock[0] += 0.5 * (stop - first)
                taken.append((first, stop))
            assert taken == expected
        assert list(run.life.stretches(4, 4)) == []


def test_saved_when_due_and_not_before(start, clock):
    run = start(minutes=1)
    # What passes before the work counts for nothing.
    clock[0] += 1000
    saved = []
    with run.life.working(8, 0, "steps"):
        for first, stop in run.life.stretches(0, 8):
            saved.append((first, numbers(run)))
            clock[0] += 25
            run.step(first, stop)
    # After 75, 150 seconds; the two newest are kept.
    expected = [[], [], [], [1], [1], [1], [1, 2], [1, 2]]
    assert saved == list(zip(range(8), expected, strict=True))


def test_an_epoch_keeps_its_seconds(start, clock):
    run = start()
    with run.life.working(2, 0, "steps"):
        clock[0] += 7
        run.life.save()
    clock[0] += 5000
    run = start()
    clock[0] += 400
    with run.life.working(2, 0, "steps"):
        clock[0] += 4
        assert run.life.stopwatch.seconds == 11
        run.life.end_epoch()
        clock[0] += 3
        assert run.life.stopwatch.seconds == 3
    # The end of an epoch is saved, and of the next one nothing yet.
    run = start()
    with run.life.working(2, 0, "steps"):
        assert run.life.stopwatch.seconds == 0


@pytest.mark.parametrize(
    "signum, code", [(signal.SIGINT, 130), (signal.SIGTERM, 0)]
)
def test_a_signal_stops_after_the_stretch_with_all_saved(start, signum, code):
    run = start()
    with pytest.raises(Interrupted) as stop:
        with run.life.working(9, 0, "steps"):
            for first, last in run.life.stretches(0, 9, longest=1):
                if first == 2:
                    os.kill(os.getpid(), signum)
                run.step(first, last)
    assert stop.value.exit_code == code
    assert str(stop.value) == ("interrupted after 3 steps; everything is saved")
    run = start()
    assert int(run.count) == 3
    assert run.rows() == [0, 1, 2]


@pytest.mark.parametrize("before", [True, False])
def test_a_signal_gives_the_work_of_others_up(start, before):
    run = start()
    reached = []
    with pytest.raises(Interrupted) as stop:
        with run.life.working(9, 0, "steps"):
            run.step(0, 2)
            if before:
                os.kill(os.getpid(), signal.SIGTERM)
            with run.life.waiting():
                reached.append("waits")
                os.kill(os.getpid(), signal.SIGTERM)
                reached.append("waits on")
    assert reached == ["waits"] * (not before)
    assert stop.value.exit_code == 0
    run = start()
    assert int(run.count) == 2
    assert run.rows() == [0, 1]


def test_the_bar_counts_every_step_once(start, monkeypatch):
    shown = []

    class Bar:
        def __init__(self, total, done, unit):
            shown.append((total, done, unit))

        def advance(self, steps, label, **values):
            shown.append((steps, label, values))

        def line(self, text):
            shown.append(text)

        def close(self):
            shown.append("closed")

    monkeypatch.setattr("nascore.runs.lifecycle.Progress", Bar)
    run = start()
    with run.life.working(9, 2, "steps"):
        run.life.advance(1, "a")
        run.life.tick(score="5%")
        run.life.tick()
        run.life.advance(5, "b", best="7%")
        run.life.advance(1, "b")
        run.life.line("text")
    assert shown == [
        (9, 2, "steps"),
        (1, "a", {}),
        (1, "a", {"score": "5%"}),
        (1, "a", {}),
        # The two of the five that were counted are not counted again.
        (3, "b", {"best": "7%"}),
        (1, "b", {}),
        "text",
        "closed",
    ]


def test_workers_stop_where_an_epoch_ends_and_nowhere_else(start, clock):
    asked = []

    def agree(own):
        asked.append(own)
        return signal.SIGTERM

    run = start(minutes=0, workers=Workers(True, None, agree))
    with pytest.raises(Interrupted) as stop:
        with run.life.working(9, 0, "steps"):
            for first, last in run.life.stretches(4, 9):
                clock[0] += 1000
                assert (first, last) == (4, 9)
            run.life.pause()
            assert asked == [] and numbers(run) == []
            run.life.end_epoch()
            run.life.stop_if_asked()
    assert asked == [None]
    assert stop.value.exit_code == 0
    assert str(stop.value).endswith("everything is saved")


def test_a_worker_goes_on_from_the_chief_and_says_who_saved(start):
    chief = start()
    with chief.life.working(9, 0, "steps"):
        chief.step(0, 3)
        chief.life.save()
    other = start(
        "scratch", workers=Workers(False, chief.folder.path, lambda own: own)
    )
    assert other.life.resumed
    # It has rows of its own only.
    assert int(other.count) == 3 and other.rows() == []
    with pytest.raises(Interrupted, match="is saved by the first machine$"):
        with other.life.working(9, 3, "steps"):
            os.kill(os.getpid(), signal.SIGINT)
            other.step(3, 5)
            other.life.stop_if_asked()
    assert other.rows() == [3, 4]
    # The chief's folder is as it was.
    assert numbers(chief) == [1] and chief.rows() == [0, 1, 2]
    fresh = start("fresh", workers=Workers(False, None, lambda own: own))
    assert not fresh.life.resumed
