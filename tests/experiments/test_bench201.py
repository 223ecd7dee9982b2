"""The benchmark over NAS-Bench-201, started as a user starts it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.benchmark import figures, plan, results, statistics, store
from experiments.benchmark.protocols import PROTOCOLS, Scope
from flags.benchmark import MethodVariant
from nascore.baselines.config import TableMethodConfig
from nascore.errors import InputError
from nascore.evaluators.nasbench201 import table
from nascore.evaluators.nasbench201.names import DATASETS, TableColumn
from nascore.spaces.bench201 import classes

ROOT = Path(__file__).parent.parent.parent
VALIDATION = TableColumn("cifar100", "validation")
TEST = TableColumn("cifar100", "test")


def script(folder, *arguments):
    """Runs the benchmark with the toy climber among the methods."""
    path = os.pathsep.join([str(ROOT), str(folder)])
    return subprocess.run(
        [sys.executable, "-m", "experiments.bench201", *arguments],
        env={**os.environ, "PYTHONPATH": path},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A benchmark by two processes; then one file is lost and made again."""
    folder = tmp_path_factory.mktemp("benchmark")
    about = folder / "toy-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Name: toy\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[ienas.methods]\nbench201_climb = tests.toy.benchmark:CLIMB\n"
    )
    out = folder / "out"
    arguments = (
        "--methods=random,climb,four at once=bench201_climb:together=4",
        *("--seeds=6", "--queries=30", "--datasets=cifar100"),
        *("--published_queries=9", f"--out={out}"),
    )
    first = script(folder, *arguments, "--jobs=2")
    assert first.returncode == 0, first.stderr
    files = {
        path: (path.stat().st_mtime_ns, np.load(path)["codes"])
        for path in out.glob("searches/*/*/*.npz")
    }
    report = (out / "report.md").read_text()
    lost = [path for path in files if "climb/" in str(path)][0]
    lost_too = [path for path in files if "random/" in str(path)][0]
    lost.unlink()
    lost_too.unlink()
    again = script(folder, *arguments)
    assert again.returncode == 0, again.stderr
    return out, first, files, report, (lost, lost_too), again


def test_what_is_lost_is_searched_again_and_nothing_else(searched):
    out, first, files, report, lost, again = searched
    # Three columns of three methods: validation, test, 12 epochs.
    assert len(files) == 9
    assert "2 jobs to do, 2 at a time" in first.stdout
    assert "42 searches are finished already" in again.stdout
    assert "1 jobs to do, 1 at a time" in again.stdout
    for path, (when, codes) in files.items():
        assert np.array_equal(np.load(path)["codes"], codes), path
        assert (path.stat().st_mtime_ns == when) == (path not in lost), path
    words = "seconds a search"
    assert words in report and words in (out / "report.md").read_text()


def test_files_hold_what_a_search_of_one_seed_finds(searched):
    """Random search stacked with others, against a run of its own."""
    from nascore.baselines.table import make_parts
    from nascore.evaluators.nasbench201.config import TableConfig
    from nascore.evaluators.nasbench201.tabular import Tabular
    from nascore.search.many import search_many
    from nascore.spaces.bench201 import Bench201Space, codes_of

    files = searched[2]
    (own,) = (
        codes
        for path, (_, codes) in files.items()
        if path.parts[-3:-1] == ("random", "cifar100_val_e200-30")
    )
    seen = []
    (alone,) = search_many(
        Bench201Space(),
        Tabular(TableConfig()),
        lambda seeds: make_parts(TableMethodConfig(), seeds),
        [4],
        30,
        watch=seen.append,
    )
    assert own.dtype == np.uint16 and own.shape == (6, 30)
    assert np.array_equal(own[3], codes_of(alone.rows)[0])
    assert sum(seen) == 30 and len(seen) > 1


def test_tables_and_rows_follow_from_the_files(searched):
    out, _, files, *_ = searched
    told = pd.read_csv(out / "tables" / "accuracies.csv")
    rows = pd.read_csv(out / "rows" / "runs.csv.gz", keep_default_na=False)
    cells = pd.read_csv(out / "rows" / "cells.csv.gz").set_index("cell")
    tested = 100 * table.accuracies(TEST)
    for path, (_, codes) in files.items():
        if path.parts[-2] != "cifar100_val_e200-30":
            continue
        label = json.loads((path.parents[1] / "settings.json").read_text())[
            "label"
        ]
        seen = table.accuracies(VALIDATION)
        best = [max(run.tolist(), key=lambda code: seen[code]) for run in codes]
        (row,) = told[
            (told["protocol"] == "validation")
            & (told["method"] == label)
            & (told["split"] == "test")
        ].to_dict("records")
        assert row["queries"] == 30 and row["runs"] == 6
        assert row["mean"] == pytest.approx(tested[best].mean(), rel=1e-5)
        deviation = np.std(tested[best], ddof=1)
        assert row["deviation"] == pytest.approx(deviation, rel=1e-5)
        own = rows[
            (rows["method"] == label) & (rows["searched"] == VALIDATION.key)
        ]
        assert own["cell"].tolist() == best
        assert own["seed"].tolist() == [1, 2, 3, 4, 5, 6]
        assert own["strings"].tolist() == [len(set(run)) for run in codes]
        kinds = [len(set(classes()[run])) for run in codes]
        assert own["classes"].tolist() == kinds
        assert cells.loc[best, TEST.key].tolist() == pytest.approx(
            tested[best].tolist()
        )
    assert set(told["method"]) >= {"random", "climb", "four at once"}


def test_a_leak_is_called_so_everywhere(searched):
    out, first, *_ = searched
    for name in ("report.md", "report.html"):
        text = (out / name).read_text()
        assert "Each column by itself: a leak" in text
        assert text.count("test (a leak)") > 5
    for name in ("accuracies", "ends", "differences"):
        frame = pd.read_csv(out / "tables" / f"{name}.csv")
        leaks = frame["protocol"] == "test (a leak)"
        assert leaks.any() and "test" not in set(frame["protocol"])
    rows = pd.read_csv(out / "rows" / "runs.csv.gz", keep_default_na=False)
    by_test = rows["searched"].str.contains("_test_")
    assert ((rows["leak"] == "a leak") == by_test).all() and by_test.any()
    assert "CIFAR-100, test (a leak), 30 queries" in first.stdout
    names = {path.name for path in (out / "figures").glob("*.png")}
    assert names == {
        f"{stem}_{what}.png"
        for stem in ("validation", "test_leak", "published_baselines")
        for what in ("cifar100", "differences")
    }


def test_the_report_names_what_it_is_made_of(searched):
    out, first, *_ = searched
    text = (out / "report.md").read_text()
    assert "climb: climb, four at once" not in text
    for words in (
        "random search (exact)",
        "L2NAS-1k",
        "47.03 +- 0.27",
        "12-epoch accuracy on CIFAR-10",
        "bench201_climb",
        "together=4, climb=True",
        "tensorflow 2.",
        "--methods=random,climb,",
        "published_baselines, 9 queries",
    ):
        assert words in text, words
    pairs = pd.read_csv(out / "tables" / "differences.csv")
    # Test accuracies of each protocol; searched ones, of the best and of what
    # was proposed last, but for the leak.
    assert len(pairs) == 3 * (3 + 2 * 2)
    assert (pairs["comparisons"] == 3).all()
    assert f"wrote {out}/report.html" in first.stdout
    last = first.stdout.splitlines()[-1]
    assert "python -m experiments.search --method=bench201_" in last


def test_settings_of_a_label_stay_what_they_were(searched, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(searched[0], out)
    about = MethodVariant("climb", "bench201_random", TableMethodConfig(), {})
    with pytest.raises(InputError, match="bench201_climb -> bench201_random"):
        store.register(out, about)
    path = next(out.glob("searches/random/*/*.npz"))
    path.write_bytes(path.read_bytes()[:-50])
    done = script(
        searched[0].parent,
        *("--methods=random", "--seeds=6", "--queries=30"),
        *("--datasets=cifar100", "--published_queries=9", f"--out={out}"),
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert str(path) in line and "delete it" in line
    path.unlink()
    done = script(
        searched[0].parent,
        *("--methods=random", "--seeds=2", "--queries=30"),
        *("--datasets=cifar100", "--protocols=published_baselines"),
        *("--published_queries=9", f"--out={out}"),
    )
    assert done.returncode == 0, done.stderr
    (line,) = [n for n in done.stdout.splitlines() if n[:8] == "warning:"]
    assert "climb, four at once, random cifar100_test_e200-30" in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--methods=randon"], "did you mean random?"),
        (["--methods=mlpnas"], "no method over the table"),
        (["--methods="], "names no method"),
        (["--methods=random,bench201_random"], "'random' twice"),
        (["--methods=random:size=3"], "'size=3' must be SETTING=VALUE"),
        (["--methods=random:noise=1"], "noise is the same for all"),
        (["--methods=" + "x" * 61 + "=random"], "at most 60 letters"),
        (["--seeds=0"], "--seeds=0"),
        (["--queries=0"], "--queries=0"),
        (["--datasets=mnist"], "--datasets=mnist must be different ones of"),
        (["--protocols=train"], "--protocols=train must be different ones"),
        (["more"], "unexpected argument 'more'"),
    ],
)
def test_refusals(forked, tmp_path, arguments, said):
    done = forked("bench201", *arguments, f"--out={tmp_path / 'out'}")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ") or "FATAL" in line
    assert said in line
    assert not (tmp_path / "out").exists()


def test_a_folder_of_others_is_left_alone(forked, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    done = forked("bench201", f"--out={tmp_path}")
    assert done.returncode == 2
    assert "holds other files and no benchmark" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    (tmp_path / "thesis.txt").rename(tmp_path / store.ABOUT)
    done = forked("bench201", f"--out={tmp_path}")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1


# Facts of the table: random search that sees the first column, in points.
EXPECTED = [
    (("cifar10", "validation", 200), 500, (91.34, 0.16), (94.02, 0.23)),
    (("cifar100", "validation", 200), 500, (72.42, 0.56), (72.39, 0.63)),
    (("imagenet16-120", "validation", 200), 500, (46.09, 0.38), (45.99, 0.64)),
    (("cifar10", "validation", 200), 1000, (91.44, 0.12), (94.08, 0.22)),
    (("cifar100", "validation", 200), 1000, (72.74, 0.42), (72.66, 0.49)),
    (("imagenet16-120", "validation", 200), 1000, (46.30, 0.27), (46.18, 0.58)),
    (("cifar10", "test", 200), 1000, None, (94.21, 0.13)),
    (("cifar100", "test", 200), 1000, None, (72.84, 0.41)),
    (("imagenet16-120", "test", 200), 1000, None, (46.60, 0.33)),
    (("cifar10", "validation", 12), 500, (91.23, 0.22), (94.00, 0.23)),
    (("cifar100", "validation", 12), 1000, (72.31, 0.67), (72.32, 0.63)),
]


@pytest.mark.parametrize(("column", "draws", "valid", "test"), EXPECTED)
def test_the_expectation_of_random_search(column, draws, valid, test):
    seen = TableColumn(*column)
    chance = statistics.chances(table.accuracies(seen), draws)
    assert chance.sum() == pytest.approx(1)
    for split, numbers in (("validation", valid), ("test", test)):
        if numbers:
            told = table.accuracies(TableColumn(seen.dataset, split))
            found = statistics.expect(chance, 100 * told)
            # Rounded, and without the rule for cells that are equal.
            assert found == pytest.approx(numbers, abs=0.006)


def test_the_published_random_search_saw_12_epochs_of_cifar_10():
    seen = table.accuracies(TableColumn("cifar10", "validation", 12))
    chance = statistics.chances(seen, 92)
    published = (90.93, 93.70, 70.93, 71.04, 44.45, 44.57)
    found = [
        100 * statistics.expect(chance, table.accuracies(column)).mean
        for dataset in DATASETS
        for column in (
            TableColumn(dataset, "validation"),
            TableColumn(dataset, "test"),
        )
    ]
    assert found == pytest.approx(published, abs=0.035)


def test_the_expectation_is_that_of_many_draws():
    """Brute force, with cells that are equal."""
    rng = np.random.default_rng(1)
    values = rng.integers(0, 12, 30) / 10
    told = rng.normal(size=30)
    draws = rng.integers(0, 30, (200_000, 4))
    # The first of equal ones, as argmax takes it.
    first = values[draws].argmax(axis=1)
    kept = draws[np.arange(len(draws)), first]
    chance = statistics.chances(values, 4)
    counts = np.bincount(kept, minlength=30) / len(draws)
    assert chance == pytest.approx(counts, abs=0.004)
    mean, deviation = statistics.expect(chance, told)
    assert mean == pytest.approx(told[kept].mean(), abs=0.01)
    assert deviation == pytest.approx(told[kept].std(), abs=0.01)
    sizes = np.array([5, 10, 15])
    groups = np.repeat([0, 1, 2], sizes)[draws]
    distinct = np.mean([len(set(run)) for run in groups[:20_000].tolist()])
    found = statistics.expect_distinct(sizes, 4)
    assert found == pytest.approx(distinct, abs=0.02)


def test_how_many_different_cells_random_search_meets():
    sizes = np.bincount(classes())
    for draws, strings, kinds in ((500, 492, 384), (1000, 969, 679)):
        every = statistics.expect_distinct(np.ones(table.CELLS), draws)
        assert round(every) == strings
        assert round(statistics.expect_distinct(sizes, draws)) == kinds


def test_what_a_search_came_to_after_each_query():
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 40, (5, 60)).astype(np.uint16)
    codes[1, 20:] = store.NONE
    values = rng.integers(0, 9, table.CELLS)
    best = statistics.best_so_far(codes, values)
    labels = np.where(codes == store.NONE, -1, codes.astype(int))
    distinct = statistics.distinct_so_far(labels)
    for run in range(5):
        for at in range(60):
            asked = [c for c in codes[run, : at + 1] if c != store.NONE]
            # Python's max, too, takes the first of equal ones.
            assert best[run, at] == max(asked, key=lambda c: values[c])
            assert distinct[run, at] == len(set(asked))


def test_means_of_the_last_queries():
    rng = np.random.default_rng(3)
    values = rng.random((3, 40))
    values[1, 25:] = np.nan
    found = statistics.recent_means(values, 7)
    for run in range(3):
        for at in range(40):
            last = values[run, max(0, at - 6) : at + 1]
            last = last[~np.isnan(last)]
            if len(last):
                assert found[run, at] == pytest.approx(last.mean())
            else:
                assert np.isnan(found[run, at])


def test_when_the_best_cell_was_met():
    top = int(table.accuracies(VALIDATION).argmax())
    codes = np.zeros((2, 8), np.uint16)
    codes[1, 5] = top
    found = results.look_at(
        codes, np.array([1, 2]), VALIDATION, np.array([4, 8])
    )
    assert found.met.tolist() == [np.inf, 6]
    assert found.best.tolist() == [[0, 0], [0, top]]
    assert found.strings.tolist() == [[1, 1], [1, 2]]
    every = table.accuracies(VALIDATION)
    want = [every[0], (7 * every[0] + every[top]) / 8]
    np.testing.assert_allclose(found.recent[1], want)


def test_only_missing_seeds_are_planned(tmp_path):
    variant = MethodVariant("a:b", "bench201_random", TableMethodConfig(), {})
    scope = Scope([PROTOCOLS["validation"]], ["cifar100"], 7, 5)
    for seeds in ((1, 100), (101, 150), (203, 203)):
        path = store.file_of(tmp_path, "a:b", VALIDATION, 7, seeds)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (missing,) = plan.missing_chunks(tmp_path, [variant], scope, 250)
    assert [chunk.seeds for chunk in missing] == [
        (151, 200),
        (201, 202),
        (204, 250),
    ]
    # Other queries are other searches.
    (missing,) = plan.missing_chunks(
        tmp_path, [variant], scope._replace(queries=8), 100
    )
    assert [chunk.seeds for chunk in missing] == [(1, 100)]


def test_work_is_dealt_evenly():
    def chunks(label, count):
        return [
            store.Chunk(label, VALIDATION, 5, (n, n), Path(f"{label}{n}"))
            for n in range(count)
        ]

    every = [chunks("a", 7), chunks("b", 7), chunks("c", 1)]
    for parts in (1, 2, 3):
        dealt = plan.share_out(every, parts)
        assert len(dealt) == parts
        assert sorted(c for part in dealt for c in part) == sorted(
            c for own in every for c in own
        )
        sizes = [len(part) for part in dealt]
        assert max(sizes) - min(sizes) <= 1
        # Each variant is met at the beginning.
        for part in dealt:
            labels = {chunk.label for chunk in part}
            assert {c.label for c in part[: len(labels)]} == labels
    assert len(plan.share_out(every, 0)) == 15
    assert plan.share_out([[]], 2) == []


def test_methods_of_a_figure_look_different():
    looks = figures._looks([str(number) for number in range(28)])
    drawn = {(look.color, look.dashes) for look in looks.values()}
    assert len(drawn) == 28
