"""The Python of the pages is run as it stands, and their links hold."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def examples(name):
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def run(code, folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_example_of_a_network_runs(tmp_path):
    (line,) = run(*examples("training.md"), tmp_path)
    assert int(line.removesuffix(" weights")) > 1000


# What the five lines take for granted; and what makes them short.
GIVEN = """
import numpy as np, pandas as pd
rng = np.random.default_rng(0)
y = np.arange(200) % 2
x = rng.integers(0, 128, (200, 8, 8), np.uint8) + (127 * y)[:, None, None]
x_new, y_new = x[:20], y[:20]
frame = pd.DataFrame({"age": rng.normal(size=200), "income": y})
"""
SHORTER = {
    'method="ienas", max_hours=1': 'operations="avg_pool_3x3,identity", '
    "epochs=1, filters=4, num_nodes=1, num_normal_cells=1, train_steps=1, "
    "num_reduction_cells=0, batch_size=32",
    "best_model()": 'best_model(preset="", epochs=1)',
    "y_new)": 'y_new, preset="", epochs=1)',
    "max_hours=0.5": 'epochs=1, architectures=2, compare="none"',
}


def test_the_five_lines_run(tmp_path):
    cells, table, operation, *_ = examples("python.md")
    for long, short in SHORTER.items():
        assert long in cells + table
        cells = cells.replace(long, short)
    table = table.replace("max_hours=0.5", SHORTER["max_hours=0.5"])
    lines = run(f"{GIVEN}{cells}{table}{operation}print(model)", tmp_path)
    assert any("'accuracy': " in line for line in lines)
    assert "Functional" in lines[-1]


def test_the_example_of_a_search_runs(tmp_path):
    lines = run(examples("python.md")[3], tmp_path)
    assert "normal cell" in lines
    assert 0 <= float(lines[-1]) <= 1


def test_the_example_of_a_strategy_climbs(tmp_path):
    *_, first, _, _ = run(examples("python.md")[4], tmp_path)
    with (tmp_path / "runs/climber/evaluations.csv").open() as file:
        rows = list(csv.DictReader(file))
    best = rows[0]
    for row in rows[1:]:
        cells = (row["architecture"], best["architecture"])
        pairs = zip(
            *(re.findall(r"[^|+]+", cell) for cell in cells), strict=True
        )
        assert sum(a != b for a, b in pairs) == 1
        best = max(best, row, key=lambda row: float(row["accuracy"]))
    assert len(rows) == 1000
    assert f"'accuracy': {best['accuracy'].rstrip('0')}" in first


def test_every_preset_has_a_row():
    pages = "".join(
        (ROOT / "docs" / name).read_text(encoding="utf-8")
        for name in ("searching.md", "training.md")
    )
    for preset in (ROOT / "flags" / "presets").rglob("*.flags"):
        assert f"`{preset.stem}`" in pages


def test_links_lead_somewhere():
    texts = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
    links = [
        (path, link)
        for path in texts
        for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text("utf-8"))
    ]
    assert len(links) > 15
    for path, link in links:
        assert (path.parent / link).exists(), (path, link)


def test_places_to_add_something_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    places = set(re.findall(r"`((?:\w+/)+[\w.]+)`", text))
    assert len(places) > 10
    for place in places:
        assert (ROOT / place).exists(), place
