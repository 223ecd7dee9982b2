"""The README's Python is run as it stands."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


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
    (line,) = run(EXAMPLES[0], tmp_path)
    assert int(line.removesuffix(" weights")) > 1000


def test_the_example_of_a_search_runs(tmp_path):
    lines = run(EXAMPLES[-1], tmp_path)
    assert "normal cell" in lines
    assert 0 <= float(lines[-1]) <= 1


def test_every_flag_that_the_readme_names_exists():
    code = (
        "from absl import flags; from flags import base, comparison, methods;"
        "from experiments import plot_comparison;"
        "from nascore.runs.config import RunConfig;"
        "comparison.define(); plot_comparison.define_targets();"
        "[base.define(config) for method in methods.METHODS.values()"
        " for config in (method.config, method.work) if config];"
        "base.define(RunConfig()); print(*flags.FLAGS)"
    )
    final = (
        "from absl import flags; from experiments import train_final;"
        "train_final.define(); print(*flags.FLAGS)"
    )
    known = {"input", "convert", "out", "wine_file", "speakers_file"}
    known |= {"trust_saved_model", "kills", "method", "output"}
    for lines in (code, final):
        done = subprocess.run(
            [sys.executable, "-c", lines],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        known |= set(done.stdout.split())
    known |= {"flagfile", "help", "source", "format", "window", "top"}
    known |= {"nthreads"}  # Of Dask's own worker command.
    named = set(re.findall(r"--([a-z_]+)", README))
    assert len(named) > 20
    assert named <= known, named - known


def test_every_preset_is_in_the_readme():
    for preset in (ROOT / "flags" / "presets").rglob("*.flags"):
        assert f"`{preset.stem}`" in README
