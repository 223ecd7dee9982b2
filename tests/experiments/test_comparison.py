"""The report's numbers, against plain Python over made-up runs."""

import csv
import html
import json
import shutil

import numpy as np
import pytest
from scipy import stats

from experiments.comparison import files as report_files
from experiments.comparison import page, page_tables
from experiments.comparison.gathering import gather
from experiments.comparison.report import ROWS, write_report
from experiments.comparison.tables import make_tables
from experiments.comparison.verdicts import verdicts
from experiments.reports.scores import ACCURACY
from experiments.reports.tables import to_markdown
from nascore.errors import InputError
from nascore.spaces.cells import CellSpace

SPACE = CellSpace(num_nodes=2)
EPOCHS, PER_EPOCH = 3, 8


def make_run(folder, method, seed, accuracies, dataset="mnist", **settings):
    """Writes the files that a finished search leaves, from accuracies."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng([seed, len(method)])
    rule = {"ienas": "paper"}.get(method, "")
    config = {
        "dataset": dataset,
        "seed": seed,
        "epochs": EPOCHS,
        "filters": 8,
        "split_seed": 1,
        "controller": "random" if method == "random" else "lstm",
        **({"reward_rule": rule} if rule else {}),
        **settings,
    }
    start = {
        "time": "2026-01-01T00:00:00",
        "versions": {"tensorflow": "2.21.0"},
        "git_commit": "0123e456" * 5,
        "host": "x86_64, 2 cores",
        "command": ["search"],
    }
    content = {
        "method": method,
        "config": config,
        "data": {"fingerprint": "f"},
        "space": {
            "operations": list(SPACE.operations),
            "num_nodes": SPACE.num_nodes,
            "cell_types": list(SPACE.cell_types),
        },
        "devices": ["CPU"],
        "starts": [start],
    }
    (folder / "config.json").write_text(json.dumps(content))
    accuracies = np.reshape(accuracies, (-1, PER_EPOCH))
    evaluations, epochs = [], []
    for epoch, row in enumerate(accuracies):
        for step, accuracy in enumerate(row):
            cells = SPACE.draw(rng).cells
            evaluations.append(
                {
                    "epoch": epoch,
                    "step": step,
                    "normal_cell": str(cells[0]),
                    "reduction_cell": str(cells[1]),
                    "accuracy": accuracy,
                    "reward": accuracy,
                    "baseline": 0.5,
                    "entropy": 10.0,
                    "log_prob": -10.0,
                    "seconds": 0.1,
                }
            )
        epochs.append(
            {
                "epoch": epoch,
                "accuracy_mean": row.mean(),
                "accuracy_std": row.std(),
                "accuracy_max": row.max(),
                "validation_accuracy": 0.5,
                "search_test_accuracy": 0.5,
                "seconds": 2.0,
            }
        )
    for name, table in (("controller", evaluations), ("epochs", epochs)):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(table[0]))
            writer.writeheader()
            writer.writerows(table)
    ranking = [
        {
            "rank": rank + 1,
            "architecture": str(SPACE.draw(rng)),
            "validation_accuracy": 0.6 - rank / 100 + seed / 1000,
            "search_test_accuracy": 0.5,
        }
        for rank in range(4)
    ]
    (folder / "derived_architectures.json").write_text(
        json.dumps(
            {
                "epochs": len(epochs),
                "stopped_early": len(epochs) < EPOCHS,
                "architectures": ranking,
            }
        )
    )
    return folder


def draw(seed, shift=0.0):
    rng = np.random.default_rng(seed)
    trend = np.repeat([0.2, 0.4, 0.6], PER_EPOCH)
    noise = rng.integers(-10, 11, EPOCHS * PER_EPOCH) / 128
    return np.round((trend + noise + shift) * 128) / 128


@pytest.fixture
def folders(tmp_path):
    """ENAS, I-ENAS (better by about 0.1) and random, six seeds each."""
    shifts = {"enas": 0.0, "ienas": 0.1, "random": -0.05}
    return [
        make_run(
            tmp_path / f"{method}-{seed}",
            method,
            seed,
            draw(10 * seed + place, shift),
        )
        for seed in range(1, 7)
        for place, (method, shift) in enumerate(shifts.items())
    ]


def accuracies_of(folders, method):
    """By seed, `[epochs, evaluations]`, read without the code under test."""
    values = {}
    for folder in folders:
        name, seed = folder.name.split("-")
        if name == method:
            with (folder / "controller.csv").open() as file:
                column = [float(r["accuracy"]) for r in csv.DictReader(file)]
            values[int(seed)] = np.reshape(column, (EPOCHS, PER_EPOCH))
    return values


def row_of(table, **wanted):
    for name, value in wanted.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def lines_of(table):
    """The cells of a table, as its Markdown has them."""
    _, _, *lines = to_markdown(table).splitlines()
    return [[cell.strip() for cell in x[1:-1].split(" |")] for x in lines]


def test_table_1_equals_plain_python(folders):
    tables = make_tables(gather(folders))
    ours = accuracies_of(folders, "ienas")
    anchor = {
        seed: int(np.argmax(values)) // PER_EPOCH
        for seed, values in ours.items()
    }
    for method, name in (("enas", "enas"), ("ienas", "ienas_paper")):
        values = accuracies_of(folders, method)
        row = row_of(
            tables.table_1,
            method=name,
            scope="epoch of I-ENAS's first maximum",
        )
        chosen = [values[seed][anchor[seed]] for seed in values]
        assert row["mean"] == pytest.approx(np.mean(chosen))
        assert row["std"] == pytest.approx(np.mean([v.std() for v in chosen]))
        every = row_of(tables.table_1, method=name, scope="all epochs")
        assert every["mean"] == pytest.approx(
            np.mean([v.mean() for v in values.values()])
        )
        assert every["std"] == pytest.approx(
            np.mean([v.std(axis=1).mean() for v in values.values()])
        )
    # The paper's table I, typed in anew.
    row = row_of(
        tables.table_1, method="enas", scope="epoch of I-ENAS's first maximum"
    )
    assert (row["published_mean"], row["published_std"]) == (0.860, 0.066)
    assert row["published_epoch"] == 28


def test_metrics_and_times_equal_plain_python(folders):
    tables = make_tables(gather(folders), [0.35, 0.99])
    values = accuracies_of(folders, "ienas")
    for seed, own in values.items():
        row = row_of(tables.metrics, method="ienas_paper", seed=seed)
        assert row["curve_mean"] == pytest.approx(own.mean())
        assert row["last_epoch_mean"] == pytest.approx(own[-1].mean())
        assert row["best_score"] == own.max()
        assert row["best_at_evaluation"] == int(np.argmax(own)) + 1
        assert row["evaluations"] == own.size
        assert row["seconds"] == pytest.approx(6.0)
    first = [
        int(np.argmax(own.mean(axis=1) >= 0.35)) + 1 for own in values.values()
    ]
    row = row_of(tables.reached, method="ienas_paper", target=0.35)
    assert row["reached"] == 6
    assert row["epochs"] == np.median(first)
    assert row["evaluations"] == np.median(first) * PER_EPOCH
    assert row["seconds"] == np.median(first) * 2
    never = row_of(tables.reached, method="enas", target=0.99)
    assert never["reached"] == 0 and np.isnan(never["epochs"])


def test_differences_are_paired_by_seed(folders):
    tables = make_tables(gather(folders))
    enas, ienas = (accuracies_of(folders, name) for name in ("enas", "ienas"))
    expected = [ienas[seed].mean() - enas[seed].mean() for seed in enas]
    row = row_of(
        tables.differences,
        first="ienas_paper",
        second="enas",
        metric="curve_mean",
    )
    assert row["mean"] == pytest.approx(np.mean(expected))
    assert row["effect_size"] == pytest.approx(
        np.mean(expected) / np.std(expected, ddof=1)
    )
    assert row["p_value"] == pytest.approx(2 / 64)
    interval = stats.ttest_1samp(expected, 0).confidence_interval()
    assert (row["low"], row["high"]) == pytest.approx(tuple(interval))
    # Three pairs of methods by this measure, each with the least p.
    assert row["comparisons"] == 3 and row["cut_pairs"] == 0
    assert row["p_holm"] == row["least_holm"] == pytest.approx(3 * 2 / 64)


def test_the_verdict_says_what_the_seeds_allow(folders, tmp_path):
    def said(chosen):
        tables = make_tables(gather(chosen))
        return verdicts(tables, "mnist")[0]

    # Six seeds have p = 0.03125 at least, which three comparisons treble.
    assert said(folders).endswith(
        "undecided: these 6 seeds cannot give a corrected p below 0.0938; 7 "
        "could give one below 0.05."
    )
    assert "sign-flip p = 0.0312, by Holm 0.0938 for 3 comparisons" in said(
        folders
    )
    two = [f for f in folders if not f.name.startswith("random")]
    assert said(two).endswith("; supported: I-ENAS is ahead.")
    every = verdicts(make_tables(gather(folders)), "mnist")
    for text, first, second in zip(
        every,
        ("I-ENAS", "ENAS", "I-ENAS"),
        ("ENAS", "random", "random"),
        strict=True,
    ):
        assert f"that {first} sampled" in text
        assert f"accurate than those of {second} (" in text
    few = [f for f in two if int(f.name.split("-")[1]) <= 5]
    assert "these 5 seeds cannot give a corrected p below 0.0625" in said(few)
    one = [f for f in folders if f.name.endswith("-1")]
    assert "one pair of runs says nothing about chance" in said(one)
    assert "nothing can be said" in said(
        [f for f in folders if f.name.startswith("enas")]
    )
    same = [
        make_run(tmp_path / "same" / f"{method}-{seed}", method, seed, values)
        for seed in range(1, 9)
        for place, method in enumerate(("enas", "ienas"))
        for values in [draw(100 * seed + place)]
    ]
    assert said(same).endswith("undecided: the interval includes 0.")


def paired_runs(folder, shift=0.0, stop=None):
    """ENAS and I-ENAS, six seeds; I-ENAS of seed 3 stops early."""
    runs = []
    for seed in range(1, 7):
        values = draw(seed)
        runs.append(make_run(folder / f"enas-{seed}", "enas", seed, values))
        cut = stop * PER_EPOCH if stop and seed == 3 else None
        ienas = (values + shift)[:cut]
        runs.append(make_run(folder / f"ienas-{seed}", "ienas", seed, ienas))
    return runs


@pytest.mark.parametrize("stop", [1, 2, None])
def test_equal_curves_cut_at_different_epochs_do_not_differ(tmp_path, stop):
    rows = gather(paired_runs(tmp_path, 0.0, stop))
    tables = make_tables(rows)
    for metric in ("curve_mean", "last_epoch_mean", "best_score"):
        row = row_of(tables.differences, metric=metric)
        assert row["mean"] == 0 and row["count"] == 6
        assert np.isnan(row["p_value"]) and np.isnan(row["low"])
        assert row["cut_pairs"] == (1 if stop else 0)
        assert tables.summary.query("metric == @metric")["mean"].nunique() == 1
    # Table I takes the same epochs of both.
    means = tables.table_1.groupby("scope")[["mean", "std", "seeds"]]
    assert (means.nunique() == 1).all().all()
    (text,) = verdicts(tables, "mnist")
    assert text.endswith("undecided: no pair differs.")
    assert ("1 of the 6 pairs over the epochs that both" in text) is bool(stop)


def test_a_cut_pair_is_named_and_measured_over_its_first_epochs(tmp_path):
    rows = gather(paired_runs(tmp_path, 1 / 16, 2))
    tables = make_tables(rows)
    (text,) = page.warnings(rows, tables)
    assert text.startswith(
        "mnist, seed 3: the runs have unequal numbers of epochs (ENAS 3, "
        "I-ENAS 2); methods are compared over the first epochs that all"
    )
    row = row_of(tables.differences, metric="curve_mean")
    assert row["mean"] == pytest.approx(1 / 16)
    # All alike: a width of zero would be no certainty.
    assert np.isnan(row["low"])
    line, *_ = lines_of(page_tables.differences(tables.differences, ACCURACY))
    assert line[2:5] == ["6", "+6.25%", "not known"]
    # What a run came to by itself is still its whole length.
    assert row_of(tables.metrics, method="enas", seed=3)["epochs"] == 3


def test_a_run_that_misses_a_target_counts_as_later(tmp_path):
    """Two of three reach it, in epochs 1 and 3: the median is 3, not 2."""
    curves = {1: [0.6, 0.6, 0.6], 2: [0.1, 0.1, 0.6], 3: [0.1, 0.1, 0.1]}
    folders = [
        make_run(
            tmp_path / f"enas-{seed}", "enas", seed, np.repeat(curve, PER_EPOCH)
        )
        for seed, curve in curves.items()
    ]
    tables = make_tables(gather(folders), [0.5])
    row = row_of(tables.reached, target=0.5)
    assert (row["reached"], row["seeds"]) == (2, 3)
    assert row["epochs"] == 3
    assert row["evaluations"] == 3 * PER_EPOCH
    assert row["seconds"] == 6
    # One of two: half of the runs are later than any epoch.
    half = make_tables(gather(folders[1:]), [0.5])
    (line,) = lines_of(page_tables.reached(half.reached, ACCURACY))
    assert line[2:] == ["1 of 2", *["not reached"] * 3]


def test_operations_and_diversity(folders):
    rows = gather(folders)
    tables = make_tables(rows)
    shares = tables.operations.groupby(["method", "cell"])["share"].sum()
    np.testing.assert_allclose(shares, 1)
    last = rows.evaluations[
        (rows.evaluations["method"] == "enas")
        & (rows.evaluations["epoch"] == EPOCHS - 1)
    ]
    words = " ".join(last["normal_cell"]).split()[1::2]
    row = row_of(
        tables.operations,
        method="enas",
        cell="normal",
        operation="max_pool_3x3",
    )
    assert row["share"] == pytest.approx(words.count("3") / len(words))
    assert (tables.diversity["collapsed_runs"] == 0).all()
    # ln(2 * 5 * 2 * 5 * 3 * 5 * 3 * 5) for each cell.
    assert row_of(tables.diversity, method="enas")[
        "entropy_uniform"
    ] == pytest.approx(2 * np.log(100 * 225))


def test_a_collapsed_controller_is_named(folders, tmp_path):
    folder = next(f for f in folders if f.name == "ienas-1")
    with (folder / "controller.csv").open() as file:
        table = list(csv.DictReader(file))
    for row in table[-PER_EPOCH:]:
        for name in ("normal_cell", "reduction_cell"):
            row[name] = table[0][name]
    with (folder / "controller.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    out = tmp_path / "report"
    report_files.save(gather(folders), out / ROWS)
    _, warnings, page = write_report(out)
    (text,) = [w for w in warnings if "collapsed" in w]
    assert "I-ENAS collapsed in 1 of 6 runs" in text
    assert html.escape(text, quote=False) in page.read_text().replace(
        "&#39;", "'"
    )


def write_rank_check(folder, shared, alone, measured_on=None):
    with (folder / "rank_check.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        names = ["architecture", "shared_accuracy", "standalone_accuracy"]
        writer.writerow(names + ["measured_on"] * bool(measured_on))
        for place in range(len(shared)):
            row = [f"a{place}", shared[place], alone[place]]
            writer.writerow(row + [measured_on] * bool(measured_on))


def test_rank_check_is_kendalls_tau(folders):
    shared, alone = [0.9, 0.8, 0.7, 0.6], [0.5, 0.6, 0.4, 0.3]
    write_rank_check(folders[0], shared, alone, "search_test")
    write_rank_check(folders[3], shared, alone[::-1], "search_test")
    tables = make_tables(gather(folders))
    row = row_of(tables.rank_check, method="enas")
    # Of six pairs one is the wrong way round: (5 - 1) / 6; then (1 - 5) / 6.
    assert row["runs"] == 2 and row["tau"] == pytest.approx(0)
    # Two runs say nothing: wider than tau can be, and cut there.
    assert (row["low"], row["high"]) == (-1, 1)
    assert row["p_value"] == 1 and row["least_p"] == 0.5
    assert row["standalone_mean"] == pytest.approx(0.45)
    assert row["measured_on"] == "search_test"


def test_old_rank_checks_say_that_their_images_had_ranked(folders, tmp_path):
    for folder, images in ((folders[0], None), (folders[1], "search_test")):
        write_rank_check(folder, [0.9, 0.8], [0.5, 0.6], images)

    def saved_and_read(chosen):
        report_files.save(gather(chosen), tmp_path)
        return report_files.load(tmp_path)

    def remarks(rows):
        return page.warnings(rows, make_tables(rows))

    (text,) = remarks(saved_and_read(folders[:3]))
    assert text.startswith(
        "mnist: the standalone accuracies were measured on the validation "
        "images, which had ranked the proposals"
    )
    # Rows that were saved before know nothing of images, either.
    path = tmp_path / "rank_check.csv"
    lines = path.read_text().splitlines()
    assert lines[0].endswith(",measured_on")
    cut = [line.rpartition(",")[0] for line in lines]
    path.write_text("\n".join(cut) + "\n")
    assert remarks(report_files.load(tmp_path)) == [text]
    assert remarks(saved_and_read(folders[1:3])) == []


def test_a_report_is_made_again_from_its_csv_alone(folders, tmp_path):
    out = tmp_path / "report"
    report_files.save(gather(folders), out / ROWS)
    write_report(out)
    first = {
        path.relative_to(out): path.read_bytes()
        for path in out.rglob("*")
        if path.suffix in (".csv", ".json", ".html", ".md", ".png", ".pdf")
    }
    assert len(first) > 15
    for folder in folders:
        shutil.rmtree(folder)
    for place in ("tables", "figures"):
        shutil.rmtree(out / place)
    for name in ("report.html", "report.md"):
        (out / name).unlink()
    write_report(out)
    for path, content in first.items():
        assert (out / path).read_bytes() == content, path


def test_the_page_needs_no_other_file(folders, tmp_path):
    out = tmp_path / "report"
    report_files.save(gather(folders), out / ROWS)
    found, _, page = write_report(out)
    text = page.read_text()
    assert text.count("data:image/png;base64,") == 5
    assert 'src="http' not in text and "<link" not in text
    assert found[0] in text
    assert "0123e45601" in text
    assert "0.860" in text and "paper, epoch 28" in text
    words = " ".join(text.split())
    assert "split_seed of mnist: 1" in words
    assert "same architectures on every data set at equal seed" in words
    assert "must count seeds, not pairs" in words
    for strong in ("bootstrap", "Wilcoxon", "beforehand", "as good"):
        assert strong not in words
    assert (
        "nan"
        not in text.replace("nanos", "")
        .lower()
        .split("<body>")[1]
        .split("data:image")[0]
    )


def test_unfair_and_unfinished_runs_are_named(folders, tmp_path):
    make_run(tmp_path / "enas-7", "enas", 7, draw(7), filters=16, epochs=EPOCHS)
    unfinished = make_run(tmp_path / "enas-8", "enas", 8, draw(8))
    (unfinished / "derived_architectures.json").unlink()
    rows = gather([*folders, tmp_path / "enas-7", unfinished])
    assert any("filters: 8 -> 16" in note for note in rows.notes)
    assert any("enas-8 is not finished" in note for note in rows.notes)
    assert 8 not in set(rows.runs["seed"])


def test_two_runs_of_one_seed_are_refused(folders, tmp_path):
    twin = make_run(tmp_path / "twin", "enas", 1, draw(1))
    with pytest.raises(InputError, match="both runs of enas on mnist"):
        gather([*folders, twin])
    (twin / "derived_architectures.json").unlink()
    with pytest.raises(InputError, match="none of the 1 run folders"):
        gather([twin])


@pytest.mark.parametrize("name", ["epochs.csv", "evaluations.csv.gz"])
@pytest.mark.parametrize("damage", ["missing", "garbage", "columns"])
def test_damaged_rows_are_named(folders, tmp_path, name, damage):
    out = tmp_path / "report"
    report_files.save(gather(folders), out)
    if damage == "missing":
        (out / name).unlink()
    elif damage == "garbage":
        (out / name).write_bytes(b"\x1f\x8b\xff\xfe")
    else:
        import pandas as pd

        pd.DataFrame({"a": [1]}).to_csv(out / name)
    with pytest.raises(InputError, match=name.partition(".")[0]):
        report_files.load(out)


def test_a_setting_that_came_later_makes_no_unfair_opponent(folders, tmp_path):
    changed = []
    for place, folder in enumerate(folders[:2]):
        copy = tmp_path / "later" / folder.name
        shutil.copytree(folder, copy)
        settings = json.loads((copy / "config.json").read_text())
        if place:
            settings["config"]["a_new_flag"] = "its default"
        (copy / "config.json").write_text(json.dumps(settings))
        changed.append(copy)
    assert gather(changed).notes == []
    settings["config"]["filters"] = 7
    (changed[1] / "config.json").write_text(json.dumps(settings))
    (note,) = gather(changed).notes
    assert "filters: 8 -> 7" in note and "a_new_flag" not in note
