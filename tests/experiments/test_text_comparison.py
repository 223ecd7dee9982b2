"""Comparisons of searches on a text, against NumPy and SciPy."""

import csv
import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from experiments.comparison import files as report_files
from experiments.comparison.gathering import gather
from experiments.comparison.paired import list_pairs
from experiments.comparison.report import ROWS, write_report
from experiments.comparison.tables import make_tables
from experiments.comparison.verdicts import verdicts
from experiments.reports.scores import ACCURACY, PERPLEXITY, kind_of
from flags import methods
from nascore.errors import InputError
from nascore.evaluators.language.shared import MEASURES, SCALE
from nascore.spaces.recurrent import RecurrentSpace

ROOT = Path(__file__).parent.parent.parent
SPACE = RecurrentSpace(("tanh", "relu"), num_nodes=2)
TEXT = {
    "name": "a text",
    "fingerprint": "f",
    "tokens": "characters",
    "vocabulary": 60,
    "validation": 500,
}
EPOCHS, PER_EPOCH, SEEDS = 3, 4, 8


def write_csv(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def make_run(folder, method, seed, perplexities, **text):
    """Writes what a search leaves that came to such perplexities.

    Args:
      folder: of the run.
      method: its name.
      seed: of it.
      perplexities: `[epochs, evaluations]`.
      **text: what is unlike `TEXT`.
    """
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    start = {
        "time": "2026-01-01T00:00:00+00:00",
        "versions": {"tensorflow": "2.21.0"},
        "git_commit": "0123e456" * 5,
        "host": "x86_64, 2 cores",
        "command": ["search"],
    }
    content = {
        "method": method,
        "measures": MEASURES,
        "config": {"dataset": "file", "seed": seed, "epochs": EPOCHS},
        "data": {**TEXT, **text},
        "space": {"kind": "recurrent", **dataclasses.asdict(SPACE)},
        "devices": ["CPU"],
        "starts": [start],
    }
    (folder / "config.json").write_text(json.dumps(content))
    evaluations, means = [], []
    for epoch, row in enumerate(perplexities):
        for step, perplexity in enumerate(row):
            cell = SPACE.format(SPACE.decode(SPACE.sample(rng, 1)[0]))
            known = {MEASURES: SCALE / perplexity, "entropy": 2.0}
            place = {"epoch": epoch, "step": step, "architecture": cell}
            evaluations.append({**place, **known})
        mean = {f"{MEASURES}_mean": (SCALE / np.array(row)).mean()}
        means.append({"epoch": epoch, **mean, "seconds": 20.0 + seed})
    write_csv(folder / "evaluations.csv", evaluations)
    write_csv(folder / "epochs.csv", means)
    ranking = [
        {
            "rank": rank,
            "architecture": evaluations[rank]["architecture"],
            "validation_score": SCALE / (4.0 + rank + seed / 8),
            "validation_perplexity": 4.0 + rank + seed / 8,
        }
        for rank in (1, 2)
    ]
    end = {"epochs": len(means), "stopped_early": False}
    (folder / "derived_architectures.json").write_text(
        json.dumps({**end, "architectures": ranking})
    )
    return folder


def curve(seed, factor=1.0):
    """Perplexities that fall from epoch to epoch, `[epochs, evaluations]`."""
    rng = np.random.default_rng(seed)
    noise = np.exp(rng.normal(0, 0.1, (EPOCHS, PER_EPOCH)))
    return factor * noise * np.linspace(30, 8, EPOCHS)[:, None]


# ENAS is some 10% lower than random search.
SHIFTS = {"recurrent_enas": 0.9, "recurrent_random": 1.0}


@pytest.fixture(scope="module")
def curves():
    return {
        (method, seed): curve(10 * seed + place, factor)
        for seed in range(1, SEEDS + 1)
        for place, (method, factor) in enumerate(SHIFTS.items())
    }


@pytest.fixture(scope="module")
def rows(curves, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return gather(
        [
            make_run(folder / f"{method}-{seed}", method, seed, values)
            for (method, seed), values in curves.items()
        ]
    )


def row_of(table, **wanted):
    for name, value in wanted.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def nats_of(curves, method, reduce=np.mean):
    values = [np.log(v) for (name, _), v in curves.items() if name == method]
    return np.array([reduce(value) for value in values])


def test_the_report_knows_what_the_evaluator_measures():
    assert (kind_of(MEASURES), PERPLEXITY.numerator) == (PERPLEXITY, SCALE)
    assert kind_of("accuracy") is ACCURACY
    for name in ("score", "fitness"):
        assert kind_of(name) == dataclasses.replace(
            ACCURACY, name=name, axis=""
        )
    of_text = {n for n in methods.names() if n.startswith("recurrent")}
    for name in methods.names():
        kind = kind_of(methods.find(name).measures)
        assert (kind is PERPLEXITY) == (name in of_text)


def test_means_are_e_to_the_mean_nats(rows, curves):
    tables = make_tables(rows)
    for method in SHIFTS:
        nats = nats_of(curves, method)
        ends = stats.t.interval(
            0.95, SEEDS - 1, nats.mean(), stats.sem(nats, ddof=1)
        )
        row = row_of(tables.summary, method=method, metric="curve_mean")
        assert row["mean"] == pytest.approx(np.exp(nats.mean()))
        assert (row["low"], row["high"]) == pytest.approx(np.exp(ends))
        # The least of one evaluation is the best.
        best = row_of(tables.metrics, method=method, seed=1)
        values = curves[method, 1]
        assert best["best_score"] == pytest.approx(values.min())
        assert best["best_at_evaluation"] == np.argmin(values) + 1
        assert best["top_validation"] == 5.125
        assert best["last_epoch_mean"] == pytest.approx(
            np.exp(np.log(values[-1]).mean())
        )
    assert tables.table_1.empty
    shares = tables.operations.groupby("method")["share"].sum()
    np.testing.assert_allclose(shares, 1)
    assert set(tables.operations["operation"]) == {"tanh", "relu"}


def test_differences_are_ratios_and_lower_is_ahead(rows, curves):
    tables = make_tables(rows)
    pairs = nats_of(curves, "recurrent_enas") - nats_of(
        curves, "recurrent_random"
    )
    test = stats.ttest_1samp(pairs, 0)
    row = row_of(tables.differences, metric="curve_mean")
    assert row["mean"] == pytest.approx(np.expm1(pairs.mean()))
    assert (row["low"], row["high"]) == pytest.approx(
        tuple(np.expm1(test.confidence_interval()))
    )
    assert row["effect_size"] == pytest.approx(pairs.mean() / pairs.std(ddof=1))
    assert row["high"] < 0 and row["p_value"] == 2 / 2**SEEDS
    (text,) = verdicts(tables, "file", rows.kind)
    assert text.startswith(
        "file: over 8 seeds, the architectures that ENAS sampled had on "
        f"average a {-row['mean']:.2%} lower perplexity than those of random "
        f"(95% t interval {row['low']:+.2%} to {row['high']:+.2%}, "
    )
    assert text.endswith("; supported: ENAS is ahead.")


def test_the_other_way_round_the_other_is_ahead(tmp_path):
    rows = gather(
        [
            make_run(tmp_path / f"{method}-{seed}", method, seed, values)
            for seed in range(1, SEEDS + 1)
            for method, values in (
                ("recurrent_enas", curve(seed, 1.2)),
                ("recurrent_random", curve(seed + 50)),
            )
        ]
    )
    (text,) = verdicts(make_tables(rows), "file", rows.kind)
    assert "% higher perplexity than those of random" in text
    assert text.endswith("; supported: random is ahead.")


def test_no_perplexity_is_below_one():
    # Their t interval in nats begins below 0.
    values = np.array([1.01, 1.3, 9.0])
    nats = np.log(values)
    mean, low, high = PERPLEXITY.interval(values)
    reach = stats.t.ppf(0.975, 2) * stats.sem(nats)
    assert nats.mean() - reach < 0
    assert mean == pytest.approx(np.exp(nats.mean()))
    assert low == 1 and high == pytest.approx(np.exp(nats.mean() + reach))
    # No difference is cut, and none is below -100%.
    test = PERPLEXITY.compare(values, np.array([5.0, 90.0, 2.0]))
    assert -1 < test.low < test.mean < 1 < test.high


def test_targets_are_reached_from_above(rows, curves):
    tables = make_tables(rows, [12.0, 2.0])
    first = []
    for (method, _), values in curves.items():
        means = np.exp(np.log(values).mean(1))
        if method == "recurrent_enas":
            first.append(int(np.argmax(means <= 12)) + 1)
    row = row_of(tables.reached, method="recurrent_enas", target=12.0)
    assert row["reached"] == SEEDS
    assert row["epochs"] == np.median(first)
    never = row_of(tables.reached, method="recurrent_enas", target=2.0)
    assert never["reached"] == 0 and np.isnan(never["seconds"])
    # Those that are chosen are worth 50%, 75% and 90% of ENAS's best mean.
    best = min(
        np.exp(np.log(values[-1]).mean())
        for (method, _), values in curves.items()
        if method == "recurrent_enas"
    )
    chosen = make_tables(rows).reached["target"].unique()
    np.testing.assert_allclose(chosen, best / np.array([0.5, 0.75, 0.9]), 2e-3)


@pytest.mark.parametrize("target", [1.0, -3.0, float("inf"), float("nan")])
def test_a_target_that_is_no_perplexity_is_refused(rows, tmp_path, target):
    report_files.save(rows, tmp_path / ROWS)
    with pytest.raises(InputError, match="must be perplexities above 1"):
        write_report(tmp_path, [target])
    assert [path.name for path in tmp_path.iterdir()] == [ROWS]


def test_a_report_is_made_again_from_its_rows_alone(rows, tmp_path):
    report_files.save(rows, tmp_path / ROWS)
    said, _, _ = write_report(tmp_path)
    first = {
        path.relative_to(tmp_path): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file() and path.parent.name != ROWS
    }
    assert Path("figures/file_perplexity.png") in first
    for path in first:
        (tmp_path / path).unlink()
    again, _, _ = write_report(tmp_path)
    assert again == said
    for path, content in first.items():
        assert (tmp_path / path).read_bytes() == content, path
    text = " ".join((tmp_path / "report.md").read_text().split())
    assert "All perplexities are measured with shared weights" in text
    assert "Left of zero the first method is ahead" in text
    assert "Table I" not in text and "Rank check" not in text
    # A perplexity of some ten is not written as a share.
    summary = pd.read_csv(tmp_path / "tables" / "summary.csv")
    for row in summary.to_dict("records"):
        assert f"| {row['mean']:.2f} | {row['low']:.2f} to" in text
        assert f"{row['mean']:.2%}" not in text


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"tokens": "words"}, "predicts characters of a text .* words of"),
        ({"fingerprint": "g"}, "fingerprint f, .*fingerprint g, "),
        ({"vocabulary": 70}, "60 different ones, .* 70 different ones, "),
        ({"name": "b", "validation": 9}, "characters of b .* 9 of them"),
    ],
)
def test_other_tokens_are_refused(tmp_path, other, words):
    folders = [
        make_run(tmp_path / name, name, 1, curve(1), **data)
        for name, data in (("recurrent_enas", {}), ("recurrent_random", other))
    ]
    with pytest.raises(InputError, match=words) as refused:
        gather(folders)
    assert "their perplexities cannot be compared" in str(refused.value)


def test_accuracies_are_refused_beside_perplexities(tmp_path):
    folders = [
        make_run(tmp_path / name, name, 1, curve(1))
        for name in ("recurrent_enas", "recurrent_random")
    ]
    for name in ("config.json", "evaluations.csv", "epochs.csv"):
        path = folders[1] / name
        path.write_text(path.read_text().replace(MEASURES, "accuracy"))
    with pytest.raises(InputError, match="perplexity_score and .* accuracy"):
        gather(folders)


def test_ienas_is_held_against_enas_and_random():
    names = ["recurrent_enas", "recurrent_ienas", "recurrent_random"]
    enas, ienas, random = names
    assert list_pairs(names) == [
        *((ienas, enas), (enas, random), (ienas, random))
    ]


TINY = (
    "--methods=recurrent_random,recurrent_local_search",
    "--seeds=1",
    "--train_tokens=1000",
    "--validation_fraction=0.002",
    "--test_fraction=0.002",
    "--hidden_units=4",
    "--num_nodes=1",
    "--functions=tanh,relu",
    "--batch_size=4",
    "--reward_streams=4",
    "--window=9",
    "--epochs=2",
    "--train_steps=1",
    "--num_aggregate=2",
    "--epoch_samples=2",
    "--derive_samples=2",
)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A comparison, as a user starts it, with more time than it needs."""
    out = tmp_path_factory.mktemp("compared") / "out"
    words = ["compare", *TINY, "--max_hours=2", f"--out={out}"]
    done = subprocess.run(
        [sys.executable, "-m", "experiments", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return out, done.stdout


def test_searches_on_a_text_are_compared(compared):
    out, said = compared
    assert "had on average a" in said and "perplexity than those" in said
    assert "had at most 2 hours (--max_hours)" in said
    assert "of 2 epochs they came to local search 2, random 2." in said
    names = ("perplexity", "mean", "time", "differences")
    for name in names:
        path = out / "figures" / f"python_topics_{name}.png"
        assert path.stat().st_size > 5000
    metrics = pd.read_csv(out / "tables" / "metrics.csv")
    for row in metrics.to_dict("records"):
        run = out / "runs" / f"{row['method']}-seed1"
        told = pd.read_csv(run / "evaluations.csv")
        assert row["best_score"] == pytest.approx(
            told["perplexity"].min(), rel=1e-4
        )
        assert row["last_epoch_mean"] == pytest.approx(
            np.exp(np.log(told["perplexity"][told["epoch"] == 1]).mean()),
            rel=1e-4,
        )
        clock = json.loads((run / "time_limit.json").read_text())
        # It came to its end by itself.
        assert clock.keys() == {"max_hours", "seconds"}
        seconds = pd.read_csv(run / "epochs.csv")["seconds"].sum()
        assert seconds < clock["seconds"] < 7200


def test_its_runs_and_its_rows_make_the_report_again(
    compared, tmp_path, forked
):
    out, _ = compared
    shutil.copytree(out / ROWS, tmp_path / "copy" / ROWS)
    done = forked("plot_comparison", tmp_path / "copy")
    assert done.returncode == 0, done.stderr
    for name in ("tables/summary.csv", "figures/python_topics_time.png"):
        made = (tmp_path / "copy" / name).read_bytes()
        assert made == (out / name).read_bytes(), name
    runs = [path for path in (out / "runs").iterdir() if path.is_dir()]
    done = forked("compare", *runs, f"--out={tmp_path / 'given'}")
    assert done.returncode == 0, done.stderr
    ours = (tmp_path / "given" / "tables" / "metrics.csv").read_bytes()
    assert ours == (out / "tables" / "metrics.csv").read_bytes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--methods=enas,recurrent_enas"],
            "rank architectures by different measures (enas by accuracy, "
            "recurrent_enas by perplexity_score), which cannot be compared",
        ),
        (
            ["--methods=recurrent_enas", "--targets=0.5"],
            "--targets=0.5 must be perplexities above 1, with commas",
        ),
        (
            ["--methods=enas,random", "--targets=8"],
            "--targets=8 must be accuracies above 0 and up to 1",
        ),
        (
            ["--methods=recurrent_enas,recurrent_random", "--rank_check=2"],
            "trains networks of cells and macro networks, which "
            "recurrent_enas does not search",
        ),
        (
            ["--methods=recurrent_enas,recurrent_darts", "--batch_size=8"],
            "give --hidden_units (recurrent_enas 200, recurrent_darts 300)",
        ),
        (["--max_hours=nan"], "--max_hours=nan must be a number of hours"),
        (["--max_hours=-1"], "--max_hours"),
        (["RUN", "--max_hours=1"], "no effect on runs that are there already"),
    ],
)
def test_what_cannot_be_compared_is_one_clear_line(
    forked, tmp_path, words, said
):
    done = forked("compare", *words, f"--out={tmp_path / 'out'}")
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
