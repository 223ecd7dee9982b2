"""One life of a run: restored, saved when due, stopped when asked."""

import json
import os
import signal
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import tensorflow as tf

from nascore.runs import progress
from nascore.runs.folder import RunFolder
from nascore.runs.interrupts import Interrupted, Limit, TimeUp
from nascore.runs.lifecycle import Lifecycle, Workers
from nascore.runs.progress import Outlook, Pace, Terms, duration


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
    monkeypatch.setattr("nascore.runs.progress.time", time)
    monkeypatch.setattr("nascore.runs.interrupts.time", time)
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

        def line(self, text, left):
            shown.append((text, left))

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
        ("text", None),
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


def work(run, clock, total, seconds, terms=None, end=0.0, done=0):
    """Does steps that take so long each, the first one ten times that."""
    outlook = Outlook(lambda: {"steps": total - int(run.count)}, lambda: end)
    with run.life.working(total, done, "steps", outlook, terms or Terms()):
        for first, stop in run.life.stretches(done, total, 1, "steps"):
            clock[0] += seconds * (10 if first == done else 1)
            run.step(first, stop)


def told(capsys):
    out = capsys.readouterr().out.splitlines()
    return [line for line in out if line.startswith("cost: ")]


def test_what_it_takes_is_said_once_and_without_the_warm_up(
    start, clock, capsys
):
    run = start()
    work(run, clock, 40, 6, Terms(memory="1.1 GiB", after=", then tea"))
    # 60 seconds for the first step and 39 times 6.
    assert told(capsys) == [
        "cost: about 5 minutes in all on this machine and 1.1 GiB of memory, "
        "then tea"
    ]
    cost = json.loads((run.folder.path / "cost.json").read_text())
    assert cost == {"unit": "seconds", "seconds": 294, "share": 1}


def test_what_is_left_is_said_when_it_goes_on(start, clock, capsys):
    run = start()
    run.count.assign(30)
    work(run, clock, 40, 6, done=30)
    # 60 seconds, and 9 times 6.
    assert told(capsys) == [
        "cost: about 2 minutes for what is left on this machine"
    ]


@pytest.mark.parametrize(
    "terms, end",
    [
        (Terms(shorter="take less"), "; take less"),
        (Terms(), ""),
        (
            Terms(Limit(2.0, 100.0), shorter="take less"),
            "; --max_hours ends it before",
        ),
    ],
)
def test_long_work_names_what_is_shorter(start, clock, capsys, terms, end):
    run = start()
    clock[0] = 100.0
    with pytest.raises(TimeUp) if terms.limit.hours else nullcontext():
        work(run, clock, 300, 60, terms)
    assert told(capsys) == [
        f"cost: about 5.2 hours in all on this machine{end}"
    ]


def test_it_ends_in_time_for_its_end_and_goes_on(start, clock):
    run = start()
    with pytest.raises(TimeUp):
        work(run, clock, 40, 6, Terms(Limit(0.05, clock[0])), end=50)
    # Of 180 seconds 60 go to the first step, 66 to eleven more, 50 to the
    # end, and the 4 that are left are too few for a step.
    assert int(run.count) == 12 and run.rows() == list(range(12))
    run = start()
    assert int(run.count) == 12
    work(run, clock, 40, 6, Terms(Limit(0.1, clock[0])), done=12)
    assert run.rows() == list(range(40))


def test_the_last_stretch_is_no_reason_to_stop(start, clock):
    run = start()
    work(run, clock, 3, 60, Terms(Limit(0.2, clock[0])))
    assert run.rows() == [0, 1, 2]


def test_machines_agree_when_time_is_up(start, clock):
    """One whose clock is ahead ends all; no one else's is asked for."""
    asked = []

    def agree(own):
        asked.append(own)
        return signal.SIGTERM if len(asked) == 2 else own

    run = start(workers=Workers(True, None, agree))
    with run.life.working(9, 0, "steps", terms=Terms(Limit(1.0, clock[0]))):
        run.life.stop_in_time()
        with pytest.raises(TimeUp):
            run.life.stop_in_time()
    assert asked == [None, None]


def test_time_without_units_tells_no_pace():
    pace = Pace()
    pace.add("evaluations", 1, 3.0)
    # Its row took long to write.
    pace.add("evaluations", 0, 60.0)
    assert not pace.is_known({"evaluations": 9.0})
    pace.add("evaluations", 1, 3.0)
    assert pace.is_known({"evaluations": 9.0})
    assert pace.seconds({"evaluations": 9.0}) == pytest.approx(9 * 63.0)


def test_a_pace_takes_the_new_for_as_fast_as_the_rest():
    pace = Pace()
    assert pace.seconds({"steps": 4.0}) == 0
    pace.add("steps", 1, 30.0)
    pace.add("steps", 4, 8.0)
    left = {"steps": 10.0, "scores": 5.0}
    assert pace.seconds(left) == 30.0 and not pace.is_known(left)
    # One kind is enough after a while.
    pace.add("steps", 8, 16.0)
    assert pace.is_known(left)
    pace.add("scores", 1, 9.0)
    pace.add("scores", 2, 2.0)
    assert pace.seconds(left) == 25.0
    # What took time and finished nothing belongs to its kind.
    pace.add("scores", 0, 2.0)
    assert pace.seconds(left) == 30.0


@pytest.mark.parametrize(
    "seconds, text",
    [
        (0.4, "0 seconds"),
        (1, "1 second"),
        (89, "89 seconds"),
        (90, "2 minutes"),
        (5300, "88 minutes"),
        (5400, "1.5 hours"),
        (7200, "2 hours"),
        (147600, "41 hours"),
        (172800, "2 days"),
        (2_250_000, "26 days"),
    ],
)
def test_times_are_written_for_people(seconds, text):
    assert duration(seconds) == text


def test_a_cost_that_is_known_at_the_last_unit_is_what_it_took(
    tmp_path, monkeypatch
):
    """Nothing is left then, which is no reason not to know."""
    clock = iter([0.0, 100.0, 300.0, 300.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    left = [2]
    outlook = Outlook(lambda: {"epochs": left[0]})
    cost = progress.Cost(tmp_path / "cost.json", outlook, Terms(), 1.0)
    texts = []
    for _ in range(2):
        left[0] -= 1
        cost.add("epochs", 1)
        texts.append(cost.tell())
    assert texts == ["", "cost: about 5 minutes in all on this machine"]
