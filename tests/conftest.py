import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import nascore  # noqa: F401  As in every script, before TensorFlow.
from nascore.process.imports import spare

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
spare()

ROOT = Path(__file__).parent.parent


def pytest_collection_modifyitems(config, items):
    """Begins with the files that have slow tests.

    So that no process works at a long file when all others have finished.
    Files that are named one by one keep their order.
    """
    if all(Path(argument).is_dir() for argument in config.args):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish(session):
    """Looks no more through what was imported, whenever garbage is sought."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def official_files() -> Path:
    """The folder of the data sets' official files."""
    if "IENAS_DATA" not in os.environ:
        pytest.skip("IENAS_DATA does not name a folder of official data files")
    return Path(os.environ["IENAS_DATA"])


@pytest.fixture(scope="session")
def forked():
    """Runs a script in a fork of a warm process; returns as `subprocess.run`.

    For scripts that refuse something, and for those of which one like it is
    started as a user starts it: there, what libraries print is seen, too.
    `packages` are folders to find more packages in.
    """
    server = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("fork_server.py")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def run(name, *arguments, folder=ROOT, packages=()):
        words = [folder, packages, name, [str(word) for word in arguments]]
        server.stdin.write(json.dumps(words, default=str) + "\n")
        server.stdin.flush()
        code, out, error = json.loads(server.stdout.readline())
        return subprocess.CompletedProcess(name, code, out, error)

    yield run
    server.stdin.close()
    server.wait()
