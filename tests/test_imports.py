"""Who may import whom; the direction that keeps the rooms apart."""

import ast
import graphlib
from pathlib import Path

import pytest

from tests.rooms import ROOMS

ROOT = Path(__file__).parent.parent
# What lies loose in nascore/ and is open to all rooms above it.
BASE = {"nascore/errors", "nascore/config", "nascore/paths", "nascore/stats"}
# These are TensorFlow.
DRAWS = {"nascore/seeds", "nascore/draws", "nascore/schedules"}
# One file puts such parts together.
ASSEMBLES = "nascore.search.assemble"
PARTS = {
    "nascore/data",
    "nascore/evaluators",
    "nascore/networks",
    "nascore/strategies",
}
INSIDE = {
    "nascore": {"nascore/process"},
    "nascore/errors": set(),
    "nascore/config": {"nascore/errors"},
    "nascore/paths": {"nascore/errors"},
    "nascore/stats": set(),
    "nascore/seeds": set(),
    "nascore/draws": {"nascore/seeds"},
    "nascore/schedules": set(),
    "nascore/spaces": {"nascore/errors", "nascore/config"},
    "nascore/runs": BASE | {"nascore/spaces"},
    "nascore/process": BASE | {"nascore/runs"},
    "nascore/data": BASE | DRAWS | {"nascore/process", "nascore/runs"},
    "nascore/networks": BASE | DRAWS | {"nascore/spaces", "nascore/process"},
    "nascore/protocols": {"nascore/runs"},
    # Never networks, evaluators or data: they work with any.
    "nascore/strategies": BASE
    | DRAWS
    | {"nascore/protocols", "nascore/spaces", "nascore/runs"},
    # Never strategies or the search.
    "nascore/evaluators": BASE
    | DRAWS
    | {
        "nascore/data",
        "nascore/networks",
        "nascore/process",
        "nascore/protocols",
        "nascore/runs",
        "nascore/spaces",
    },
    # No strategy, evaluator or network that one could name.
    "nascore/search": BASE
    | DRAWS
    | {
        "nascore/drawing",
        "nascore/process",
        "nascore/protocols",
        "nascore/runs",
        "nascore/spaces",
    },
    # Puts parts of all of them together, and is no part itself.
    "nascore/baselines": BASE
    | DRAWS
    | PARTS
    | {
        "nascore/process",
        "nascore/protocols",
        "nascore/runs",
        "nascore/search",
        "nascore/spaces",
    },
    "nascore/drawing": BASE | {"nascore/spaces", "nascore/networks"},
    "nascore/training": BASE
    | DRAWS
    | {
        "nascore/data",
        "nascore/networks",
        "nascore/process",
        "nascore/runs",
        "nascore/spaces",
    },
}
# Of rooms outside nascore; `nascore` stands for all that is in it.
ALLOWED = {
    "darts": {"nascore"},
    "enas": {"nascore"},
    "mlpnas": {"nascore"},
    "ienas": {"nascore", "enas"},
    "l2nas": {"nascore"},
    "nases": {"nascore"},
    "renas": {"nascore"},
    "experiments": set(ROOMS),
}
# What people import is called as the project is; it finds its classes when
# they are asked for.
DOOR, OPENS = "ienas", "experiments"
FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in FILES}


def room_of(module):
    """The room of a module: a top-level package, or one inside nascore."""
    return "/".join(module.split(".")[: 2 if module[:7] == "nascore" else 1])


def imports(path):
    """What a file imports anywhere, for types alone too: modules of ours by
    their full names, and the others."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else node.module


@pytest.mark.parametrize("module", MODULES)
def test_rooms_import_only_what_they_may(module):
    room = room_of(module)
    for name in imports(MODULES[module]):
        if name.startswith("absl.flags") or name == "absl.app":
            assert room in ("flags", "experiments"), f"imports {name}"
        other = room_of(name)
        if other.split("/")[0] not in ROOMS or other == room:
            continue
        if room == "flags":
            # Flags know the configurations and nothing that runs.
            last = name.split(".")[-1]
            open_to_all = ("nascore.paths", "nascore.errors")
            assert last == "config" or name in open_to_all, name
        elif room in INSIDE:
            parts = PARTS if module == ASSEMBLES else set()
            assert other in INSIDE[room] | parts, f"imports {name}"
        elif module == DOOR and other == OPENS:
            continue
        else:
            assert {other, other.split("/")[0]} & ALLOWED[room], name


def test_no_module_imports_itself_by_way_of_others():
    ours = {
        module: {name for name in imports(path) if name in MODULES}
        for module, path in MODULES.items()
    }
    graphlib.TopologicalSorter(ours).prepare()


@pytest.mark.parametrize(
    "name",
    [
        *(name for name in MODULES if name.endswith(".config")),
        *(name for name in MODULES if name.startswith("nascore.spaces.")),
        "mlpnas.candidates.worker",
    ],
)
def test_configurations_and_spaces_do_not_import_tensorflow(name):
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
