"""What is said of searches on NAS-Bench-201's cells, from their rows."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "results" / "darts"
TEXT = (FOLDER / "README.md").read_text("utf-8")
NAMES = {
    "DARTS, first order": "darts",
    "ENAS": "enas",
    "I-ENAS": "ienas",
    "random cells over shared weights": "random",
}
ROWS = re.findall(
    r"^\| (.+?) \| ([\d.]+) \| ([\d.-]+) \| (\S+) \|$", TEXT, re.MULTILINE
)


@pytest.mark.parametrize(("search", "first", "best", "tau"), ROWS)
def test_the_table_is_that_of_the_rows(search, first, best, tau):
    folder = FOLDER / "bench201" / NAMES[search]
    # As the program prints it: by the validation images.
    ranking = pd.read_csv(folder / "ranking.csv").sort_values(
        "validation_accuracy", ascending=False, kind="stable"
    )
    found = 100 * ranking["table_cifar10"].to_numpy()[:3]
    assert found[0] == pytest.approx(float(first), abs=0.051)
    if best != "-":
        assert found.max() == pytest.approx(float(best), abs=0.051)
    ranks = json.loads((folder / "cell_ranks.json").read_text("utf-8"))
    own = ranks["kendall_tau"]["these weights"]["table_cifar10"]
    assert own == pytest.approx(float(tau), abs=0.0051)
    cells = pd.read_csv(folder / "cell_ranks.csv")
    assert len(cells) == ranks["cells"] == 200


def test_all_searches_are_in_the_table():
    assert [row[0] for row in ROWS] == list(NAMES)


def test_the_course_of_the_collapse():
    rows = pd.read_csv(FOLDER / "bench201" / "darts" / "evaluations.csv")
    skips, table = rows["skips_cell"], rows["table_cifar10"]
    assert table.argmax() == 2
    assert table[2] == pytest.approx(0.933, abs=5e-4)
    assert (skips[:3] == 0).all()
    assert skips[3] == 1
    assert skips.is_monotonic_increasing
    assert (skips == 6).idxmax() == 22
    assert table.iloc[-1] == pytest.approx(0.543, abs=5e-4)
    mixture = rows["mixture_accuracy"]
    assert mixture[2] == pytest.approx(0.387, abs=5e-4)
    assert mixture.iloc[-1] == pytest.approx(0.495, abs=1e-3)
    entropy = pd.read_csv(FOLDER / "bench201" / "enas" / "epochs.csv")
    assert entropy["entropy_mean"].iloc[-1] == pytest.approx(8.95, abs=0.005)
