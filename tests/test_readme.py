"""The Python of the pages is run as it stands, and their links hold."""

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


def test_the_example_of_a_search_runs(tmp_path):
    lines = run(*examples("python.md"), tmp_path)
    assert "normal cell" in lines
    assert 0 <= float(lines[-1]) <= 1


def test_every_preset_has_a_row():
    pages = "".join(
        (ROOT / "docs" / name).read_text(encoding="utf-8")
        for name in ("searching.md", "training.md")
    )
    for preset in (ROOT / "flags" / "presets").rglob("*.flags"):
        assert f"`{preset.stem}`" in pages


def test_links_lead_somewhere():
    texts = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    links = [
        (path, link)
        for path in texts
        for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text("utf-8"))
    ]
    assert len(links) > 15
    for path, link in links:
        assert (path.parent / link).exists(), (path, link)
