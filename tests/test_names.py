"""One name, one thing: no public class is called like another."""

import ast
import collections
from pathlib import Path

from tests.rooms import ROOMS

ROOT = Path(__file__).parent.parent


def test_no_two_classes_have_one_name():
    places = collections.defaultdict(list)
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in tree.body:
                if isinstance(node, ast.ClassDef) and node.name[0] != "_":
                    places[node.name].append(path.relative_to(ROOT).as_posix())
    # The machine of every method, its rows, and ENAS's policy.
    for name in ("Search", "Records", "Sample", "TrainingConfig"):
        assert len(places[name]) == 1, name
    assert {k: v for k, v in places.items() if len(v) > 1} == {}
