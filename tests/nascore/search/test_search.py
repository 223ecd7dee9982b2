"""The machine with parts that cost nothing; whole methods have their own."""

import json

import numpy as np
import pytest
import tensorflow as tf

from nascore.errors import RunStopped
from nascore.protocols import Measured
from nascore.strategies.random import RandomStrategy
from tests.nascore.search.test_phases import Losing, Spoiled
from tests.nascore.search.toy import (
    SPACE,
    Ones,
    ask_tell,
    hosted,
    in_graph,
    open_run,
    read_rows,
    score,
    search,
)


def test_the_best_are_distinct_ranked_and_of_the_last_phase(whole):
    path, make_parts, ranked, machine = whole
    table = "samples" if make_parts is in_graph else "evaluations"
    best = machine.records.best
    scores = [entry.score for entry in best]
    assert len(best) == 5 and scores == sorted(scores, reverse=True)
    assert len({entry.architecture for entry in best}) == 5
    rows = read_rows(path, table)
    assert scores[0] == max(float(row["accuracy"]) for row in rows)
    written = json.loads((path / "best_architectures.json").read_text())
    assert written["measured_on"] == "a guess"
    assert [e["accuracy"] for e in written["architectures"]] == scores
    assert [e["rank"] for e in written["architectures"]] == [1, 2, 3, 4, 5]


def test_without_finalists_the_best_measured_are_the_ranking(tmp_path):
    path = tmp_path / "run"
    ranked, machine = search(path, hosted)
    assert machine.evaluator.calls == []
    rows = read_rows(path, "evaluations")
    chosen = sorted(rows, key=lambda row: -float(row["accuracy"]))[:4]
    assert [entry.measured for entry in ranked] == [
        {
            "accuracy": float(row["accuracy"]),
            "score": float(row["accuracy"]),
            "number": int(row["number"]),
        }
        for row in chosen
    ]
    with open_run(path, resume=True) as run:
        assert run.finished


def test_a_strategy_that_asks_nothing_ends_the_search_in_one_line(
    tmp_path, capsys
):
    path = tmp_path / "run"
    ranked, machine = search(path, lambda: hosted(limit=15))
    assert len(read_rows(path, "evaluations")) == 15
    # The second epoch got a step of three and then none.
    assert len(read_rows(path, "epochs")) == 2 and machine.epoch == 2
    lines = capsys.readouterr().out.splitlines()
    (line,) = [text for text in lines if "ended" in text]
    assert line.startswith(
        "ended after 2 epochs: no new architecture was found; 15 of 81 are "
        "measured"
    )
    assert len(ranked) == 4
    end = json.loads((path / "derived_architectures.json").read_text())
    assert (end["epochs"], end["stopped_early"]) == (2, True)


def test_an_epoch_without_a_row_is_none(tmp_path, capsys):
    path = tmp_path / "run"
    _, machine = search(path, lambda: hosted(limit=12))
    assert machine.epoch == 1 and len(read_rows(path, "epochs")) == 1
    assert "ended after 1 epochs: no new" in capsys.readouterr().out


def test_nothing_to_measure_at_all_is_said(tmp_path):
    with pytest.raises(RunStopped, match="nothing was measured") as stop:
        search(tmp_path / "run", lambda: hosted(limit=0))
    assert "\n" not in str(stop.value)


def test_a_phase_may_be_a_part_of_some_epochs_only(tmp_path):
    """Pretraining is of the first alone."""
    strategy, evaluator = RandomStrategy(SPACE), Ones()
    first = score(strategy, evaluator)
    first.name = "pretraining"
    first.steps = lambda epoch: int(epoch == 0)

    def make_parts():
        return strategy, evaluator, [first, ask_tell(strategy, evaluator)]

    path = tmp_path / "run"
    search(path, make_parts)
    assert len(read_rows(path, "pretraining")) == 3
    epochs = read_rows(path, "epochs")
    assert [row["samples_max"] == "nan" for row in epochs] == [
        False,
        True,
        True,
    ]
    # Every number stands in its own column.
    for epoch, row in enumerate(epochs):
        rows = read_rows(path, "evaluations")[12 * epoch : 12 * (epoch + 1)]
        scores = [float(other["accuracy"]) for other in rows]
        assert float(row["accuracy_mean"]) == pytest.approx(np.mean(scores))
        assert int(row["epoch"]) == epoch


def test_lost_candidates_are_written_and_ranked_nowhere(tmp_path):
    path = tmp_path / "run"
    # The first step, whose rows are then asked for again: nothing was told;
    # and the row of ones.
    lost = [0, 1, 2, 43]
    ranked, machine = search(
        path, lambda: hosted(evaluator=Losing(lost), steps=6)
    )
    rows = read_rows(path, "evaluations")
    assert len(rows) == 54
    gone = [int(row["number"]) for row in rows if row["note"]]
    assert gone == lost
    assert all(np.isnan(float(rows[number]["accuracy"])) for number in lost)
    assert tuple(int(rows[43]["architecture"][2 * n]) for n in range(4)) == (
        4 * (1,)
    )
    assert {int(entry.measured["number"]) for entry in ranked}.isdisjoint(lost)
    for row in read_rows(path, "epochs"):
        assert np.isfinite(float(row["accuracy_mean"]))
        assert int(row["epoch"]) in range(3)
    for name in ("best_architectures.json", "derived_architectures.json"):
        assert "NaN" not in (path / name).read_text()


def test_a_search_that_lost_everything_says_so(tmp_path):
    path = tmp_path / "run"
    with pytest.raises(
        RunStopped, match="all 36 architectures were lost"
    ) as stop:
        search(path, lambda: hosted(evaluator=Losing(range(99))))
    text = str(stop.value)
    assert "it fell off the table" in text and "evaluations.csv" in text
    assert "Take another evaluator" in text and "\n" not in text
    assert len(read_rows(path, "evaluations")) == 36


class Sick(Ones):
    """Evaluation 16, in the second epoch, has no score."""

    def measure(self, proposals, seed):
        measured = super().measure(proposals, seed)
        number = tf.range(tf.shape(measured.score)[0]) + proposals.first
        return Measured(tf.where(number == 16, np.nan, measured.score))


class HostedSick(Sick):
    in_graph = False


@pytest.mark.parametrize("evaluator", [Sick, HostedSick])
def test_a_score_that_is_not_finite_stops_with_its_row(tmp_path, evaluator):
    path = tmp_path / "run"
    strategy = RandomStrategy(SPACE)

    def make_parts(evaluator=evaluator):
        measures = evaluator()
        return strategy, measures, [ask_tell(strategy, measures)]

    with pytest.raises(RunStopped) as stop:
        search(path, make_parts)
    row = read_rows(path, "evaluations")[16]
    text = str(stop.value)
    assert "\n" not in text and stop.value.exit_code == 1
    assert text == (
        "stopped: the score is not a number in epoch 2, step 5 (in "
        "evaluations.csv epoch 1, step 4) with architecture "
        f"{row['architecture']}; the last checkpoint is intact. Take another "
        "evaluator"
    )
    assert row["accuracy"] == "nan"
    # Rows end with the step that failed.
    assert len(read_rows(path, "evaluations")) == 18
    # With the fault gone it goes on as if it had never been.
    search(path, lambda: make_parts(Ones), resume=True)
    search(tmp_path / "straight", lambda: make_parts(Ones))
    for table in ("evaluations", "epochs"):
        assert read_rows(path, table) == read_rows(tmp_path / "straight", table)


def test_a_reward_that_is_not_finite_stops_with_its_row(tmp_path):
    strategy, evaluator = RandomStrategy(SPACE), Ones()
    phase = ask_tell(strategy, evaluator, Spoiled(), steps=60)
    path = tmp_path / "run"
    with pytest.raises(RunStopped) as stop:
        search(path, lambda: (strategy, evaluator, [phase]))
    text = str(stop.value)
    assert "the reward is nan at accuracy 1" in text and "\n" not in text
    assert "with architecture 1 1 1 1;" in text and "Mend the reward" in text
    assert "nan" in [row["reward"] for row in read_rows(path, "evaluations")]


def test_an_early_stop_looks_at_samples_and_at_the_last_scores(
    tmp_path, monkeypatch, capsys
):
    asked = []

    def exhausted(best, mean):
        asked.append((list(best), mean))
        return len(best) == 2

    monkeypatch.setattr("nascore.search.early_stop.is_exhausted", exhausted)
    path = tmp_path / "run"
    search(path, in_graph, early_stop=True, epochs=9)
    samples, rows = read_rows(path, "samples"), read_rows(path, "evaluations")
    assert len(read_rows(path, "epochs")) == 2
    best = [
        max(float(row["accuracy"]) for row in samples[3 * n : 3 * (n + 1)])
        for n in range(2)
    ]
    last = [float(row["accuracy"]) for row in rows][-10:]
    assert asked[-1] == (best, pytest.approx(np.mean(last)))
    with open_run(path, resume=True) as run:
        assert run.finished
    first = best.index(max(best)) + 1
    assert (
        f"early stop after 2 epochs: no better accuracy than {max(best):.1%} "
        f"since epoch {first}" in capsys.readouterr().out
    )


def test_each_phase_is_traced_once(whole):
    _, _, _, machine = whole
    phase = machine.phases[0]
    traces = phase._run_graph.experimental_get_tracing_count()
    assert traces == int(phase.in_graph)
    for other in machine.phases[1:]:
        assert other._measure.experimental_get_tracing_count() == 1
