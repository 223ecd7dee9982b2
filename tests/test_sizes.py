"""Small rooms: files, functions, classes and folders have limits."""

import ast
from pathlib import Path

from tests.rooms import ROOMS

ROOT = Path(__file__).parent.parent
FILE, FUNCTION, CLASS, FOLDER = 350, 60, 250, 15


def sizes():
    """All sizes over their limits, by what they are of."""
    for room in ROOMS:
        folders = {path.parent for path in (ROOT / room).rglob("*.py")}
        for folder in sorted(folders):
            place = folder.relative_to(ROOT).as_posix()
            files = sorted(folder.glob("*.py"))
            # Scripts are commands, and __init__.py is a rule of Python.
            rooms = [path for path in files if path.name != "__init__.py"]
            if len(rooms) > FOLDER and place != "experiments":
                yield place, len(rooms)
            for path in files:
                yield from sizes_in(path, f"{place}/{path.name}")


def sizes_in(path, place):
    text = path.read_text(encoding="utf-8")
    lines = len(text.splitlines())
    if lines > FILE:
        yield place, lines
    for node in ast.walk(ast.parse(text)):
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        if isinstance(node, kinds):
            limit = CLASS if isinstance(node, ast.ClassDef) else FUNCTION
            lines = node.end_lineno - node.lineno + 1
            if lines > limit:
                yield f"{place} {node.name}", lines


def test_nothing_is_larger_than_its_limit():
    assert dict(sizes()) == {}
