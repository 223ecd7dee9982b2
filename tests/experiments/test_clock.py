"""Comparisons of equal time: what runs have left, and how they are compared."""

import csv
import datetime
import json
import os
import time

import numpy as np
import pytest

from darts.config import DartsConfig
from experiments import clock
from experiments.comparison import page
from experiments.comparison.gathering import gather
from experiments.comparison.tables import make_tables
from experiments.comparison.verdicts import verdicts
from experiments.jobs import SearchJob
from flags import comparison, methods
from nascore.config import flatten, unflatten
from nascore.errors import InputError
from nascore.spaces.bench201 import Bench201Space
from nases.config import NasesConfig

METHOD = "bench201_random"
OTHER = "bench201_evolution"
CONFIG = methods.find(METHOD).config
SPACE = Bench201Space()
SECONDS = 90.0


def make_run(folder, epochs, asked=8, ranked=None, method=METHOD, seed=1):
    """Writes what a search leaves of so many epochs, `SECONDS` each.

    Its accuracy is 0.5 in the first epoch, and 0.01 more in each.
    """
    folder.mkdir(parents=True)
    now = datetime.datetime.now(datetime.UTC)
    start = {
        "time": (now - datetime.timedelta(hours=5)).isoformat(),
        "versions": {"tensorflow": "2.21.0"},
        "git_commit": "0123e456" * 5,
        "host": "x86_64, 2 cores",
        "command": ["search"],
    }
    config = {**flatten(methods.find(method).config), "dataset": "cifar10"}
    content = {
        "method": method,
        "config": {**config, "epochs": asked, "seed": seed},
        "random_streams": 2,
        "data": {"fingerprint": "f"},
        "space": {"kind": "bench201"},
        "measures": "accuracy",
        "devices": ["CPU"],
        "starts": [start],
    }
    (folder / "config.json").write_text(json.dumps(content))
    cell = SPACE.format(SPACE.decode(np.zeros(6, np.int32)))
    scores = [0.5 + epoch / 100 + seed / 1000 for epoch in range(epochs)]
    evaluations = [
        {"epoch": epoch, "step": 0, "architecture": cell, "accuracy": score}
        for epoch, score in enumerate(scores)
    ]
    means = [
        {"epoch": epoch, "accuracy_mean": score, "seconds": SECONDS}
        for epoch, score in enumerate(scores)
    ]
    for name, rows in (("evaluations", evaluations), ("epochs", means)):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    if ranked is not None:
        entry = {"rank": 1, "architecture": cell, "accuracy": scores[-1]}
        end = {"epochs": ranked, "stopped_early": False}
        (folder / "derived_architectures.json").write_text(
            json.dumps({**end, "architectures": [entry]})
        )
    return folder


def write_clock(folder, **content):
    (folder / clock.CLOCK_FILE).write_text(json.dumps(content))


def read_clock(folder):
    return json.loads((folder / clock.CLOCK_FILE).read_text())


def make_job(folder, hours, epochs=8):
    values = {**flatten(CONFIG), "dataset": "cifar10", "epochs": epochs}
    config = unflatten(CONFIG, values)
    return SearchJob("job", folder, epochs, METHOD, config, hours=hours)


def age(folder, ends):
    """Gives all rows a time of writing, in seconds since 1970."""
    for path in folder.glob("*.csv"):
        os.utime(path, (ends, ends))


def test_a_first_start_has_all_of_its_time(tmp_path):
    job = make_job(tmp_path / "run", 0.5)
    assert "--max_hours=0.500000000" in job.command()
    assert "--resume" not in job.command()
    assert job.most_seconds == 1800
    assert not any(
        word.startswith("--max_hours")
        for word in make_job(tmp_path / "run", 0.0).command()
    )


def test_a_later_start_has_what_is_left(tmp_path):
    run = make_run(tmp_path / "run", 2)
    write_clock(run, max_hours=0.5, seconds=600.0)
    words = make_job(run, 0.5).command()
    assert "--resume" in words
    assert f"--max_hours={(1800 - 600) / 3600:.9f}" in words
    # A limit that is raised adds to what is left.
    words = make_job(run, 1.0).command()
    assert f"--max_hours={(3600 - 600) / 3600:.9f}" in words


def test_a_killed_start_counts_up_to_its_last_rows(tmp_path):
    run = make_run(tmp_path / "run", 2)
    began = time.time() - 1000
    write_clock(run, max_hours=0.5, seconds=600.0, started=began)
    age(run, began + 250)
    assert clock.used(run) == pytest.approx(850)
    # One that was the first, and whose batch was killed, too.
    (run / clock.CLOCK_FILE).unlink()
    age(run, time.time() - 4 * 3600)
    assert clock.used(run) == pytest.approx(3600, abs=60)
    # No less than its epochs took, whatever the files say.
    age(run, 0)
    assert clock.used(run) == 2 * SECONDS


def test_without_time_what_was_found_is_ranked(tmp_path):
    run = make_run(tmp_path / "run", 2)
    write_clock(run, max_hours=0.5, seconds=1801.0)
    job = make_job(run, 0.5)
    assert not job.finished
    words = job.command()
    assert "--finish" in words and "--resume" not in words
    assert not any(word.startswith("--max_hours") for word in words)


def rank(run, epochs):
    """Writes the ranking that a process of the run would."""
    path = run / "derived_architectures.json"
    end = json.loads(path.read_text()) if path.exists() else {}
    end = {"stopped_early": False, "architectures": [], **end}
    path.write_text(json.dumps({**end, "epochs": epochs}))


def test_a_search_that_its_limit_has_ended_is_finished(tmp_path):
    run = make_run(tmp_path / "run", 3)
    write_clock(run, max_hours=0.5, seconds=600.0)
    job = make_job(run, 0.5)
    with job.clock():
        assert read_clock(run)["seconds"] == 600
        assert read_clock(run)["started"] == pytest.approx(time.time(), abs=9)
        rank(run, 3)
    told = read_clock(run)
    assert told.keys() == {"max_hours", "seconds", "epochs"}
    assert 600 <= told["seconds"] < 660 and told["epochs"] == 3
    assert job.finished and job.done == 8
    assert clock.is_over(run, 0.4) and not clock.is_over(run, 0.6)
    # With more time it goes on, and then has no ranking of its end.
    more = make_job(run, 0.6)
    with more.clock():
        assert not more.finished
        make_run(tmp_path / "other", 4)
        (tmp_path / "other" / "epochs.csv").replace(run / "epochs.csv")
    assert "epochs" not in read_clock(run) and not more.finished


def test_an_old_ranking_is_no_end_of_a_new_start(tmp_path):
    run = make_run(tmp_path / "run", 3, ranked=3)
    hour_ago = time.time() - 3600
    file = run / "derived_architectures.json"
    os.utime(file, (hour_ago, hour_ago))
    write_clock(run, max_hours=0.5, seconds=600.0)
    job = make_job(run, 0.5)
    with job.clock():
        pass
    assert not job.finished
    # A search that came to its end was not ended by the limit.
    run = make_run(tmp_path / "whole", 8)
    write_clock(run, max_hours=0.5, seconds=600.0)
    with make_job(run, 0.5).clock():
        rank(run, 8)
    assert "epochs" not in read_clock(run) and make_job(run, 0.5).finished
    # Where more epochs are wanted it has time for them.
    assert not make_job(run, 0.5, epochs=9).finished


def test_a_run_that_had_more_time_is_no_fair_opponent(tmp_path):
    for name, ranked in (("whole", 8), ("cut", None)):
        run = make_run(tmp_path / name, 8, ranked=ranked)
        age(run, 0)
        with pytest.raises(InputError, match="more than --max_hours=0.1; give"):
            _ = make_job(run, 0.1).finished
        assert make_job(run, 0.3).finished is (ranked == 8)
        # Beyond its own limit by a moment.
        write_clock(run, max_hours=0.1, seconds=366.0)
        assert make_job(run, 0.1).finished is (ranked == 8)


def test_a_damaged_clock_is_named(tmp_path):
    run = make_run(tmp_path / "run", 3, ranked=3)
    write_clock(run, max_hours="long", seconds=600.0)
    with pytest.raises(InputError, match=r"time_limit.json .*max_hours"):
        _ = make_job(run, 0.5).finished
    with pytest.raises(InputError, match=r"time_limit.json .*max_hours"):
        gather([run])


def limited(folder, seeds, random, evolution, hours=0.5):
    """Runs of two methods that the limit has ended after so many epochs."""
    runs = []
    for seed in seeds:
        for method, epochs in ((METHOD, random), (OTHER, evolution)):
            run = folder / f"{method}-{seed}"
            runs.append(
                make_run(run, epochs, 20, epochs, method=method, seed=seed)
            )
            write_clock(run, max_hours=hours, seconds=1e3, epochs=epochs)
    return runs


def test_runs_of_equal_time_are_compared_as_far_as_they_came(tmp_path):
    rows = gather(limited(tmp_path, (1, 2, 3), random=4, evolution=12))
    assert rows.notes == []
    tables = make_tables(rows)
    (row,) = tables.differences.query("metric == 'last_epoch_mean'").to_dict(
        "records"
    )
    assert (row["first"], row["second"]) == (OTHER, METHOD)
    # Its twelfth epoch against the fourth, not against its own fourth.
    assert row["mean"] == pytest.approx(0.08) and row["cut_pairs"] == 0
    means = tables.summary.query("metric == 'last_epoch_mean'")
    means = means.set_index("method")["mean"]
    assert means[OTHER] == pytest.approx(0.612)
    assert means[METHOD] == pytest.approx(0.532)
    (text,) = verdicts(tables, "cifar10", rows.kind, rows.hours("cifar10"))
    assert text.startswith(
        "cifar10: over 3 seeds of at most 0.5 hours each, the architectures "
        "that regularised evolution sampled in its last epoch were on average "
        "8.00% (absolute) more accurate than those of random"
    )
    remarks = page.warnings(rows, tables)
    (told,) = [text for text in remarks if "--max_hours" in text]
    assert "they came to regularised evolution 12, random 4. Each" in told
    assert not any("unequal numbers" in text for text in remarks)


def test_a_cut_run_without_a_limit_is_left_out_as_before(tmp_path):
    runs = limited(tmp_path, (1,), 4, 5)
    (runs[0] / clock.CLOCK_FILE).unlink()
    rows = gather(runs)
    assert rows.notes == [
        f"{METHOD}-1 is not finished (4 of 20 epochs) and was left out"
    ]
    # Nor is one that went on since.
    write_clock(runs[0], max_hours=0.5, seconds=1e3, epochs=3)
    assert gather(runs).notes == rows.notes


def test_unequal_time_is_named(tmp_path):
    runs = limited(tmp_path / "some", (1,), 4, 5)
    other = limited(tmp_path / "more", (2,), 4, 50, hours=0.4)
    (note,) = gather([*runs, *other[:1]]).notes
    assert note == (
        f"cifar10: {METHOD}-2 searched for 0.1 hours of 0.4, others had 0.5: "
        "no equal time"
    )


def test_runs_that_end_by_themselves_are_counted(tmp_path):
    runs = limited(tmp_path / "some", (1,), 4, 5)
    count = len(runs)
    (runs[0] / clock.CLOCK_FILE).unlink()
    settings = json.loads((runs[0] / "config.json").read_text())
    settings["config"]["epochs"] = 4
    (runs[0] / "config.json").write_text(json.dumps(settings))
    notes = gather(runs, 0.5).notes
    assert (
        f"cifar10: 1 of {count} runs came to their last epoch before 0.5 hours "
        "were over: no equal time; more --epochs give it"
    ) in notes


def test_a_later_rank_check_takes_no_time_of_the_search(tmp_path):
    (run, *_) = limited(tmp_path, (1,), 4, 5)
    (run / clock.CLOCK_FILE).unlink()
    before = clock.used(run)
    late = run / "rank_check.csv"
    late.write_text("seconds\n")
    os.utime(late, (time.time() + 1e6,) * 2)
    assert clock.used(run) == before


def test_of_a_perceptron_a_ranking_is_not_the_end(tmp_path):
    (run, *_) = limited(tmp_path, (1,), 4, 5)
    assert gather([run]).notes == []
    settings = json.loads((run / "config.json").read_text())
    settings["method"] = "mlpnas"
    (run / "config.json").write_text(json.dumps(settings))
    with pytest.raises(InputError, match="none of the 1 run folders"):
        gather([run])


def test_unequal_numbers_of_evaluations_are_refused():
    equal = {"enas": comparison.shared_config("enas"), "darts": DartsConfig()}
    comparison._check_evaluations(equal)
    with pytest.raises(InputError, match="enas 90, nases 300"):
        comparison._check_evaluations({**equal, "nases": NasesConfig()})
    for name in ("nases", "l2nas", "evolution", "random", "shared201_enas"):
        config = comparison.shared_config(name)
        comparison._check_evaluations({**equal, name: config})


def test_a_comparison_without_time_left_ends_in_a_report(tmp_path, forked):
    """A search was cut off after two epochs of three, with no time left."""
    words = (
        f"--methods={METHOD}",
        "--seeds=1",
        "--dataset=cifar100",
        "--epoch_queries=2",
        f"--out={tmp_path / 'out'}",
    )
    done = forked("compare", *words, "--epochs=2", "--max_hours=1")
    assert done.returncode == 0, done.stderr
    run = tmp_path / "out" / "runs" / f"{METHOD}-seed1"
    write_clock(run, max_hours=1, seconds=3600.0)
    # It has come to its end, and there is no time for a third epoch.
    assert clock.is_over(run, 1)
    (run / "derived_architectures.json").unlink()
    settings = json.loads((run / "config.json").read_text())
    settings["config"]["epochs"] = 3
    (run / "config.json").write_text(json.dumps(settings))
    done = forked("compare", *words, "--epochs=3", "--max_hours=1")
    assert done.returncode == 0, done.stderr
    assert "of 3 epochs they came to random 2. Each" in done.stdout
    told = read_clock(run)
    assert told["epochs"] == 2 and told["seconds"] > 3600
    assert clock.is_over(run, 1)
