"""Who may import whom; the direction that keeps the rooms apart."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("nascore", "enas", "ienas", "mlpnas", "flags", "experiments")
ALLOWED = {
    "nascore": {"nascore"},
    "enas": {"nascore", "enas"},
    "mlpnas": {"nascore", "mlpnas"},
    "ienas": {"nascore", "enas", "ienas"},
    "experiments": set(ROOMS),
}
FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_rooms_import_only_what_they_may(path):
    room = path.relative_to(ROOT).parts[0]
    for name in imports(path):
        top = name.split(".")[0]
        if top in ROOMS and room == "flags":
            # Flags know the configurations and nothing that runs.
            parts = name.split(".")
            allowed = top == "flags" or "config" in parts or len(parts) == 1
            allowed = allowed or name in ("nascore.training", "nascore.paths")
            allowed = allowed or name.startswith("nascore.paths.")
            assert allowed, f"{path} imports {name}"
        elif top in ROOMS:
            assert top in ALLOWED[room], f"{path} imports {name}"
        if name.startswith("absl.flags") or name == "absl.app":
            assert room in ("flags", "experiments"), f"{path} imports {name}"


@pytest.mark.parametrize(
    "name",
    [
        "nascore.config",
        "enas.config",
        "nascore.spaces.cells",
        "mlpnas.config",
        "mlpnas.worker",
    ],
)
def test_configurations_do_not_import_tensorflow(name):
    import subprocess
    import sys

    code = f"import sys, {name}; sys.exit('tensorflow' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
    )


def test_scripts_do_not_import_tensorflow_before_their_arguments_are_checked():
    import subprocess
    import sys

    scripts = [
        f"experiments.{path.stem}"
        for path in sorted((ROOT / "experiments").glob("*.py"))
        if "def cli(" in path.read_text(encoding="utf-8")
    ]
    assert len(scripts) > 10
    code = (
        "import importlib, sys\n"
        f"for name in {scripts}:\n"
        "    importlib.import_module(name)\n"
        "    assert 'tensorflow' not in sys.modules, name\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-300:]
