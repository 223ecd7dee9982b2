"""The table of RENAS in the docs, computed from the study's tables."""

import re
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parent.parent.parent
TEXT = " ".join((ROOT / "docs" / "renas.md").read_text("utf-8").split())
LINES = (ROOT / "docs" / "renas.md").read_text("utf-8")
TABLES = ROOT / "results" / "renas" / "noise05" / "tables"
NAMES = {"renas_one:removal=oldest": "aging"}


def test_the_table_of_mutations():
    means = pd.read_csv(TABLES / "accuracies.csv")
    means = means.set_index(["method", "measure", "models"])["mean"]
    ends = pd.read_csv(TABLES / "successes.csv").set_index("method")
    assert set(ends["runs"]) == {200}
    rows = re.findall(
        r"^\| `([a-z_:=]+)`[^|]* \| (.+) \| ([\d.]+) \| ([\d.]+) \| "
        r"([\d–]+) \|$",
        LINES,
        re.M,
    )
    assert len(rows) == 7
    for name, population, best, test, converged in rows:
        method = NAMES.get(name, name)
        assert best == f"{means[method, 'best so far', 1000]:.2f}"
        assert test == f"{means[method, 'test of the best', 1000]:.2f}"
        for number, models in zip(
            population.split(" | "), (100, 300, 1000), strict=True
        ):
            key = method, "population mean", models
            assert (number == "–") == (key not in means.index)
            assert number in ("–", f"{means.get(key, 0):.2f}")
        if converged != "–":
            assert int(converged) == ends.loc[method, "converged"]


def test_differences_of_the_population():
    table = pd.read_csv(TABLES / "differences.csv")
    table = table[table["measure"] == "population mean"]
    table = table.set_index(["other", "models"])
    quoted = {
        ("renas_node", 1000): "1.09 points (1.00 to 1.18) above the paper",
        ("renas_one", 1000): "0.31 (0.28 to 0.34) above single changes",
        ("renas_one", 100): "0.32 below those (0.23 to 0.41)",
        ("renas_blind", 1000): "+0.00 points (-0.01 to +0.02)",
    }
    for key, words in quoted.items():
        assert words in TEXT
        row = table.loc[key]
        numbers = [float(n) for n in re.findall(r"-?\d\.\d\d", words)]
        own = [row["difference"], row["low"], row["high"]]
        if "below" in words:
            own = [-own[0], -own[2], -own[1]]
        assert numbers == [round(value, 2) + 0.0 for value in own]
