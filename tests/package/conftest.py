"""The package as others get it: built, and installed far from here."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.version import Version

from tests.rooms import ROOMS

ROOT = Path(__file__).parents[2]
FILES = (
    *("CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE"),
    *("MANIFEST.in", "README.md"),
    *("constraints.txt", "pyproject.toml", "setup.py"),
)
# Where the checkout could be found, and what a user has not set.
HIDDEN = ("PYTHONPATH", "PYTHONSAFEPATH", "TF_CPP_MIN_LOG_LEVEL")


def user_environment():
    return {k: v for k, v in os.environ.items() if k not in HIDDEN}


def files_of(*folders):
    """All that belongs to folders of the checkout."""
    return {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and not path.name.startswith(".")
    }


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The folder of an sdist, and of the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("built")
    # A copy: building leaves its own files where it works.
    source = folder / "source"
    others = ("benchmarks", "docs", "results", "tests", ".ci")
    for name in (*ROOMS, *others):
        shutil.copytree(
            ROOT / name,
            source / name,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    for name in FILES:
        shutil.copy(ROOT / name, source)
    words = [sys.executable, "-P", "-m", "build", "--outdir", folder]
    # With the tools that are here, if they are new enough: no network.
    if Version(metadata.version("setuptools")) >= Version("77"):
        words.append("--no-isolation")
    done = subprocess.run(
        [*words, source], capture_output=True, text=True, env=user_environment()
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def wheel(built):
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def distribution(wheel):
    """What the wheel says of itself."""
    name = "-".join(wheel.name.split("-")[:2])
    return metadata.PathDistribution(zipfile.Path(wheel, f"{name}.dist-info/"))


@pytest.fixture(scope="session")
def python(wheel, tmp_path_factory):
    """A Python that has the wheel, and of this environment what it needs."""
    folder = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    install = [sys.executable, "-m", "pip", f"--python={python}", "install"]
    quick = ["--quiet", "--no-deps", "--no-index", "--no-compile"]
    subprocess.run([*install, *quick, wheel], check=True)
    packages = subprocess.run(
        [
            python,
            "-c",
            "import sysconfig; print(sysconfig.get_path('purelib'))",
        ],
        capture_output=True,
        text=True,
        check=True,
        env=user_environment(),
    ).stdout.strip()
    # Folders alone: their own .pth files, such as of an editable
    # installation of the checkout, are not followed.
    needed = {sysconfig.get_path(kind) for kind in ("purelib", "platlib")}
    Path(packages, "needed.pth").write_text("\n".join(sorted(needed)))
    return python
