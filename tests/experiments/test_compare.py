"""The comparison, started as a user starts it."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from enas.config import EnasConfig
from experiments.compare import plan_jobs
from experiments.jobs import SearchJob
from experiments.rank_check import missing
from flags import methods
from nascore.config import flatten, unflatten
from nascore.errors import InputError
from nascore.runs.reader import read_run

ROOT = Path(__file__).parent.parent.parent
TINY = (
    "--dataset=digits",
    "--image_size=8",
    "--train_examples=160",
    "--filters=4",
    "--num_nodes=1",
    "--operations=sep_conv_3x3,identity",
    "--num_normal_cells=1",
    "--num_reduction_cells=1",
    "--batch_size=16",
    "--train_steps=2",
    "--num_aggregate=2",
    "--epoch_samples=3",
    "--derive_samples=4",
)
# Searches that are over in seconds: what they find is looked up.
TABLE = ("--dataset=cifar100", "--epoch_queries=2")


def command(name, *arguments):
    return [sys.executable, "-m", f"experiments.{name}", *arguments]


def script(name, *arguments):
    return subprocess.run(
        command(name, *arguments), cwd=ROOT, capture_output=True, text=True
    )


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def count_rows(path):
    return len(rows_of(path)) if path.exists() else 0


@pytest.fixture(scope="module")
def looked_up(tmp_path_factory):
    """A comparison killed in its middle, then given again."""
    out = tmp_path_factory.mktemp("looked up") / "out"
    arguments = (
        *TABLE,
        "--methods=bench201_random,bench201_evolution,bench201_local_search",
        "--seeds=1",
        "--epochs=100",
        f"--out={out}",
    )
    process = subprocess.Popen(
        command("compare", *arguments),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    second = out / "runs" / "bench201_evolution-seed1"
    # Until it has come so far, or has ended before.
    while count_rows(second / "epochs.csv") < 2 and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate()
    kept = {
        path: path.read_bytes()
        for path in (out / "runs" / "bench201_random-seed1").glob("*.csv")
    }
    begun = rows_of(second / "evaluations.csv")
    again = script("compare", *arguments)
    return out, process.returncode, stderr, kept, begun, again


def test_a_killed_comparison_goes_on_without_redoing(looked_up):
    out, code, stderr, kept, begun, again = looked_up
    assert code == 1
    assert stderr.startswith("interrupted; the runs are saved")
    assert again.returncode == 0, again.stderr
    assert again.stderr == ""
    assert "1 of 3 jobs are finished already" in again.stdout
    assert len(kept) == 2
    for path, content in kept.items():
        assert path.read_bytes() == content
    second = out / "runs" / "bench201_evolution-seed1"
    whole = rows_of(second / "evaluations.csv")
    assert 0 < len(begun) < len(whole) == 100 * 2
    assert whole[: len(begun)] == begun
    config = json.loads((second / "config.json").read_text())
    assert len(config["starts"]) == 2


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A comparison of searches of cells."""
    out = tmp_path_factory.mktemp("comparison") / "out"
    done = script(
        "compare",
        *TINY,
        "--methods=enas,random",
        "--seeds=1",
        "--epochs=2",
        "--rank_check=2",
        "--rank_check_epochs=1",
        f"--out={out}",
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return out, done.stdout


def test_the_report_is_whole(compared):
    out, said = compared
    for name in ("accuracy", "mean", "differences", "entropy", "operations"):
        for suffix in ("png", "pdf"):
            path = out / "figures" / f"digits_{name}.{suffix}"
            assert path.stat().st_size > 5000
    assert (out / "report.html").stat().st_size > 50_000
    verdicts = json.loads((out / "verdicts.json").read_text())["verdicts"]
    assert verdicts[0] in said
    evaluated = rows_of(out / "tables" / "metrics.csv")
    assert [row["method"] for row in evaluated] == ["enas", "random"]
    assert {row["evaluations"] for row in evaluated} == {"8"}
    assert all(0 < float(row["standalone_mean"]) < 1 for row in evaluated)


# The settings of each method, as the comparison reads them.
READ = """
import json, sys
from absl import flags
from flags import base, comparison
from nascore.config import flatten
comparison.define()
base.peek(sys.argv)
comparison.define_searches()
flags.FLAGS.unparse_flags()
flags.FLAGS(sys.argv)
configs = comparison.read(flags.FLAGS.methods)
print(json.dumps({name: flatten(config) for name, config in configs.items()}))
"""


def test_the_methods_share_every_other_setting(compared):
    words = [*TINY, "--epochs=2", "--methods=enas,ienas,random"]
    done = subprocess.run(
        [sys.executable, "-c", READ, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    configs = json.loads(done.stdout)
    for name in ("enas", "random"):
        path = compared[0] / "runs" / f"{name}-seed1" / "config.json"
        assert json.loads(path.read_text())["config"] == configs[name]
    own = {"controller", "reward_rule", "reward_window", "reward_threshold"}
    shared = [
        {name: value for name, value in config.items() if name not in own}
        for config in configs.values()
    ]
    assert len(shared) == 3 and shared[0] == shared[1] == shared[2]


def test_other_settings_are_not_taken_for_the_same_run(compared, forked):
    out = compared[0]
    before = (out / "report.html").read_bytes()
    arguments = [*TINY, "--methods=enas", "--seeds=1", f"--out={out}"]
    done = forked("compare", *arguments, "--epochs=2", "--filters=6")
    assert done.returncode == 2
    assert "enas-seed1 holds a run of other settings" in done.stderr
    assert "filters: 4 -> 6" in done.stderr
    assert done.stderr.count("\n") == 1
    assert (out / "report.html").read_bytes() == before


def test_more_epochs_continue_finished_runs(compared):
    run = compared[0] / "runs" / "enas-seed1"
    settings = json.loads((run / "config.json").read_text())["config"]
    for epochs, finished in ((2, True), (3, False)):
        config = unflatten(EnasConfig(), {**settings, "epochs": epochs})
        job = SearchJob("job", run, epochs, "enas", config)
        assert job.finished is finished
    words = job.command()
    assert words[:2] == ["experiments.search", "--method=enas"]
    assert words[-2:] == [f"--run_dir={run}", "--resume"]
    assert "--epochs=3" in words and "--filters=4" in words
    assert job.done == 2


def test_each_seed_is_a_run_of_each_method(tmp_path):
    configs = {name: methods.find(name).config for name in ("enas", "random")}
    jobs = plan_jobs(configs, 2, tmp_path)
    assert [job.name for job in jobs] == [
        *("enas-seed1", "random-seed1", "enas-seed2", "random-seed2")
    ]
    for job in jobs:
        assert job.run_dir == tmp_path / job.name
        assert job.config.search.seed == int(job.name[-1])
        own = flatten(job.config) | {"seed": 1}
        assert own == flatten(configs[job.method])


def test_plot_comparison_redraws_from_the_rows(compared, tmp_path, forked):
    out = compared[0]
    copy = tmp_path / "copy"
    (copy / "rows").mkdir(parents=True)
    for path in (out / "rows").iterdir():
        (copy / "rows" / path.name).write_bytes(path.read_bytes())
    done = forked("plot_comparison", str(copy))
    assert done.returncode == 0, done.stderr
    table = "tables/table_1.csv"
    assert (copy / table).read_bytes() == (out / table).read_bytes()
    figure = "figures/digits_mean.png"
    assert (copy / figure).read_bytes() == (out / figure).read_bytes()


def test_run_folders_can_be_given(looked_up, tmp_path, forked):
    runs = [path for path in (looked_up[0] / "runs").iterdir() if path.is_dir()]
    assert len(runs) == 3
    done = forked("compare", *sorted(runs), f"--out={tmp_path / 'report'}")
    assert done.returncode == 0, done.stderr
    # The comparison names the runs in its own order, whatever is given.
    ours = rows_of(tmp_path / "report" / "tables" / "metrics.csv")
    theirs = rows_of(looked_up[0] / "tables" / "metrics.csv")
    assert ours == theirs


def test_rank_check_writes_what_it_trained(compared, forked):
    run = compared[0] / "runs" / "enas-seed1"
    rows = rows_of(run / "rank_check.csv")
    ranking = json.loads((run / "derived_architectures.json").read_text())
    proposals = {
        entry["architecture"]: entry["validation_accuracy"]
        for entry in ranking["architectures"]
    }
    # The first and the last of the ranking.
    assert [row["architecture"] for row in rows] == [
        list(proposals)[0],
        list(proposals)[-1],
    ]
    for row in rows:
        shared = proposals[row["architecture"]]
        assert float(row["shared_accuracy"]) == pytest.approx(shared)
        assert row["measured_on"] == "search_test"
    again = forked("rank_check", str(run), "--count=2", "--epochs=1")
    assert again.returncode == 0 and "has all its rank checks" in again.stdout
    other = forked("rank_check", str(run), "--count=2", "--epochs=2")
    assert other.returncode == 2
    assert "holds trainings of 1 epochs" in other.stderr
    assert rows_of(run / "rank_check.csv") == rows


def test_rank_checks_on_the_ranking_images_are_not_gone_on_with(
    compared, tmp_path
):
    run = tmp_path / "run"
    shutil.copytree(compared[0] / "runs" / "enas-seed1", run)
    table = pd.read_csv(run / "rank_check.csv").drop(columns="measured_on")
    table.to_csv(run / "rank_check.csv", index=False)
    with pytest.raises(InputError, match="the images that ranked"):
        missing(read_run(run), 2, 1)


def test_dask_runs_the_same_searches(looked_up, tmp_path, forked):
    """The cluster is one on this machine; its runs equal those without."""
    out = tmp_path / "out"
    name = "bench201_evolution"
    done = forked(
        "compare",
        *TABLE,
        f"--methods={name}",
        "--seeds=1",
        "--epochs=4",
        "--jobs=1",
        "--backend=dask",
        f"--out={out}",
    )
    assert done.returncode == 0, done.stderr
    ours, theirs = (
        rows_of(folder / "runs" / f"{name}-seed1" / "evaluations.csv")
        for folder in (out, looked_up[0])
    )
    for row, other in zip(ours, theirs, strict=False):
        assert row["accuracy"] == other["accuracy"]
        assert row["architecture"] == other["architecture"]
    assert len(ours) == 8


def test_a_failing_run_is_named_and_the_others_finish(tmp_path, forked):
    out = tmp_path / "out"
    broken = out / "runs" / "bench201_random-seed1"
    broken.mkdir(parents=True)
    (broken / "strange.txt").write_text("not ours")
    done = forked(
        "compare",
        *TABLE,
        "--methods=bench201_random,bench201_evolution",
        "--seeds=1",
        "--epochs=1",
        f"--out={out}",
    )
    assert done.returncode == 1
    assert "1 of 2 jobs failed: bench201_random-seed1" in done.stderr
    assert "holds other files and no run" in done.stderr
    assert done.stderr.count("\n") == 1
    assert (broken / "strange.txt").read_text() == "not ours"
    assert (out / "runs" / "bench201_evolution-seed1" / "plots").is_dir()


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("compare", ["--methods=enas,magic"], "--methods=enas,magic must be"),
        ("compare", ["--methods=enas,enas"], "must be different ones"),
        ("compare", ["--seeds=0"], "--seeds"),
        ("compare", ["--jobs=0"], "--jobs"),
        ("compare", ["--targets=0.5,high"], "--targets=0.5,high"),
        ("compare", ["--filters=3"], "--filters=3 must be even"),
        ("compare", ["/nowhere"], "/nowhere is not a folder"),
        ("compare", [str(ROOT)], "config.json does not exist"),
        ("compare", ["--backend=slurm"], "--backend"),
        ("plot_comparison", [], "name one report folder"),
        ("plot_comparison", ["/nowhere"], "/nowhere is not a folder"),
        ("plot_comparison", [str(ROOT)], "holds no rows of a comparison"),
        ("rank_check", [], "name one run folder"),
        ("rank_check", [str(ROOT)], "config.json does not exist"),
        ("rank_check", ["/nowhere", "--count=1"], "--count"),
    ],
)
def test_bad_input_is_one_clear_line(forked, name, arguments, words, tmp_path):
    if name == "compare":
        arguments = [*arguments, f"--out={tmp_path / 'out'}"]
    done = forked(name, *arguments)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_missing_cluster_package_names_the_extra(tmp_path):
    (tmp_path / "ray.py").write_text("raise ImportError(name='ray')")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = subprocess.run(
        command("compare", *TINY, "--backend=ray", f"--out={tmp_path / 'o'}"),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert re.search(
        r"needs the package ray: pip install 'ienas\[ray\]'", done.stderr
    )
