"""`final/`, `memory/`, `faults/` and the logs of searches."""

import csv
import json
import re

import numpy as np
import pytest
from scipy.stats import binomtest, kendalltau

from nascore.networks import costs
from nascore.networks.config import NetworkConfig
from nascore.networks.stack import plan

TRAINING, SEARCHING = "docs/training.md", "docs/searching.md"
RUNS = "docs/runs.md"
FAULTS = "results/faults/README.md"
FINAL = "results/final/README.md"
FIRST = "results/first_run/README.md"
MEMORY = "results/memory/README.md"
CELLS = {
    "ENAS": "0 2 0 0 0 4 0 1 0 4 1 1 1 0 0 1 0 2 1 1 "
    "1 0 1 0 0 3 0 2 1 1 3 1 1 0 0 4 0 3 1 1",
    "CIFAR-10": "1 0 1 1 1 1 0 0 1 1 0 0 0 3 0 3 1 3 1 1 "
    "1 1 0 3 0 3 0 3 1 3 0 1 1 3 0 2 0 3 1 0",
    "MNIST": "1 2 1 3 0 1 0 4 1 1 1 1 0 1 0 1 1 0 0 1 "
    "0 1 0 4 1 0 2 0 0 3 1 1 0 0 0 0 4 1 1 0",
}


@pytest.mark.parametrize(
    "name, title",
    [
        ("fashion_mnist", "Fashion-MNIST"),
        ("mnist", "MNIST"),
        ("cifar10", "CIFAR-10"),
    ],
)
def test_final_trainings(results, name, title):
    card = json.loads(results.read(f"final/{name}/model_card.json"))
    words = list(
        csv.reader(results.read(f"final/{name}/confusion.csv").splitlines())
    )
    counts = np.array([row[1:] for row in words[1:]], int)
    hits, images = int(np.trace(counts)), int(counts.sum())
    interval = binomtest(hits, images).proportion_ci(0.95, "wilson")
    percent = [100 * part for part in (hits / images, *interval)]
    epochs = results.table(f"final/{name}/epochs.csv")
    results.quote(
        FINAL,
        f"| {title} | # | #M | # | #% (# to #) | # |",
        card["parameters"],
        card["multiply_adds"] / 1e6,
        len(epochs),
        *percent,
        results.column(epochs, "seconds").sum() / 60,
    )
    results.quote(
        TRAINING,
        f"| {title} | #M | # | #% (# to #)",
        card["parameters"] / 1e6,
        len(epochs),
        *percent,
    )
    if name == "fashion_mnist":
        results.quote(
            "flags/presets/final/quick.flags",
            "#% on Fashion-MNIST with --flip --image_size=28, in # minutes",
            percent[0],
            results.column(epochs, "seconds").sum() / 60,
        )
    if name == "cifar10":
        curve = 100 * results.column(epochs, "validation_accuracy")
        assert (np.diff(curve) > 0).all()
        results.quote(
            FINAL,
            "validation accuracy rose in each of them (#% to #%)",
            *curve[[0, -1]],
        )


def parameters(cell, layout, filters):
    """Without and with the auxiliary head."""
    config = NetworkConfig(layout=layout, filters=filters)
    architecture = config.space.parse(CELLS[cell])
    parts = costs.count(plan(config, (32, 32, 3), 10, architecture))
    for head in (False, True):
        yield costs.total(parts, head).parameters


def test_published_cells(results):
    for cell, title, layout, filters in (
        ("ENAS", "CIFAR-10, ENAS authors' script", "enas", 36),
        ("CIFAR-10", "CIFAR-10, I-ENAS code", "ienas", 36),
        ("CIFAR-10", "the same", "enas", 36),
        ("MNIST", "MNIST, I-ENAS code", "ienas", 16),
    ):
        part = f"| {title} | `{layout}`, 17 layers, {filters} | # | # |"
        results.quote(FINAL, part, *parameters(cell, layout, filters))
    enas = list(parameters("ENAS", "enas", 36))
    results.quote(
        FINAL,
        "#% below the published one without and #% below with the auxiliary",
        *(100 * (1 - number / 4.6e6) for number in enas),
    )
    mnist, _ = parameters("MNIST", "enas", 36)
    results.quote(FINAL, "#M for the MNIST cell in the same", mnist / 1e6)
    results.quote(
        TRAINING,
        "cell has #M parameters at its published size (#M with the auxiliary",
        *(number / 1e6 for number in enas),
    )


def test_memory(results):
    errors, differences = {}, {}
    for row in results.table("memory/rows.csv"):
        estimate, peak = (
            int(row[name]) / 2**20 for name in ("estimate_bytes", "peak_bytes")
        )
        run, error = row["run"], 100 * (estimate / peak - 1)
        part = f"| {run} | … | … | # | # | #% |"
        results.quote(MEMORY, part, estimate, peak, error)
        errors[run], differences[run] = abs(error), peak - estimate
    results.quote(
        SEARCHING,
        "in the ten runs of `results/memory` they differ by #% and less, but "
        "for #% after CIFAR-10 was read and made smaller, and for #% where "
        "MLPNAS had other processes",
        max(errors[run] for run in errors if run not in ("s6", "m2")),
        *(errors["s6"], errors["m2"]),
    )
    assert len(errors) == 10
    results.quote(
        MEMORY, "s6 takes # MiB more than is estimated", differences["s6"]
    )
    imported = results.column(results.table("memory/rows.csv"), "process_bytes")
    results.quote(
        MEMORY,
        "Importing TensorFlow, Keras and the scripts takes # to # GiB",
        *(f(imported) / 2**30 for f in (min, max)),
    )


def test_kills(results):
    rows = results.table("faults/kills.csv")
    runs = {"0": set(), "-9": set()}
    for script, title in (
        ("final", "train_final"),
        ("mlpnas", "search_mlpnas"),
        ("enas", "search_enas"),
        ("ienas", "search_ienas"),
        ("compare", "compare"),
    ):
        own = [row for row in rows if row["script"] == script]
        for row in own:
            runs[row["exit_code"]].add((script, row["run"]))
        ended = [row for row in own if row["exit_code"] == "0"]
        unequal = [row for row in ended if row["differences"]]
        counts = (len(own) - len(ended), len(ended), len(unequal))
        results.quote(FAULTS, f"| `{title}` | # | # | # |", *counts)
    results.quote(
        FAULTS,
        "Of these # runs # were killed at least once",
        len(runs["0"]),
        len(runs["0"] & runs["-9"]),
    )


def test_time_to_stop(results):
    pairs = re.findall(
        r"after +([\d.]+) s: +([\d.]+) s", results.read("faults/notice.txt")
    )
    for part, compiling in (
        ("on two CPU cores it took # to # s, so", False),
        ("while the graph is compiled, # to # s", True),
    ):
        took = [float(b) for a, b in pairs if (float(a) < 30) == compiling]
        results.quote(RUNS, part, min(took), max(took))


def sampled(results, name, epoch, last):
    """Mean accuracy of an epoch's architectures and the best batch, %."""
    values = results.line(name, f"epoch {epoch}/{last}: child loss ")
    return values[1], values[3]


def test_presets(results):
    results.quote(
        "flags/presets/digits.flags",
        "from #% in the first epoch to #% in the last",
        *(sampled(results, "digits.log", n, 70)[0] for n in (1, 70)),
    )
    name = "fashion_mnist_full_child.log"
    results.quote(
        "flags/presets/fashion_mnist_quick.flags",
        "from #% to #%, single batches up to #%",
        sampled(results, name, 1, 3)[0],
        *sampled(results, name, 3, 3),
    )


def test_readme_shows_the_search_as_it_was_printed(results):
    (shown,) = re.findall(
        r"```\n(memory: .*?)```", results.read("../README.md"), re.DOTALL
    )
    lines = [row for row in shown.splitlines() if row != "..."]
    assert len(lines) > 8
    # Without the time in the folder's name.
    log = re.sub(r"(ienas-digits)-[-\d]+", r"\1", results.read("digits.log"))
    printed = iter(log.splitlines())
    for row in lines:
        # In the log's order; `in` goes on where the last row was found.
        assert row in printed, row


def test_first_runs(results):
    epochs = results.table("first_run/epochs.csv")
    trained = results.table("first_run/trained.csv")
    names = ("best cell found", "random cell", "logistic regression")
    for run in results.table("first_run/runs.csv"):
        seed = run["seed"]
        last = [row for row in epochs if row["seed"] == seed][-1]
        by_name = {row["name"]: row for row in trained if row["seed"] == seed}
        for row in by_name.values():
            images = int(row["images"])
            hits = round(float(row["accuracy"]) * images)
            interval = binomtest(hits, images).proportion_ci(0.95, "wilson")
            ends = [float(row["low"]), float(row["high"])]
            np.testing.assert_allclose(ends, interval, atol=1e-9)
        results.quote(
            FIRST,
            f"| {seed} | # | # |{3 * ' # (# to #) |'} # | # |",
            100 * float(last["accuracy_mean"]),
            100 * float(last["validation_accuracy"]),
            *(
                100 * float(by_name[name][part])
                for name in names
                for part in ("accuracy", "low", "high")
            ),
            float(run["user_seconds"]) + float(run["system_seconds"]),
            float(run["wall_seconds"]),
        )


def test_ranks_of_the_first_runs(results):
    rows = results.table("first_run/rank_check.csv")
    taus = []
    for seed in "123":
        own = [row for row in rows if row["seed"] == seed]
        shared, alone = (
            results.column(own, f"{name}_accuracy")
            for name in ("shared", "standalone")
        )
        taus.append(kendalltau(shared, alone).statistic)
    results.quote(
        FIRST, "Kendall's tau between the two accuracies is #, # and #", *taus
    )
    alone = 100 * results.column(rows, "standalone_accuracy")
    results.quote(
        FIRST, "all have #% to #% of 144 images", alone.min(), alone.max()
    )
    seconds = [
        float(run["user_seconds"]) + float(run["system_seconds"])
        for run in results.table("first_run/runs.csv")
    ]
    results.quote(
        FIRST,
        "divided by 1.6, are # to #: at",
        min(seconds) / 1.6,
        max(seconds) / 1.6,
    )
