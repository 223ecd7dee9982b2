"""What the package needs: listed, pinned, and free for everybody."""

import ast
import re
import runpy
import sys
from importlib import metadata
from unittest import mock

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.package.conftest import ROOMS, ROOT

# Several distributions share the name that these are imported by.
SHARED = {"google.protobuf": "protobuf"}
# Their names when they are not installed; an extra may be left out.
LEFT_OUT = {"ray": "ray", "keras_tuner": "keras-tuner"}
OURS = {*ROOMS, "benchmarks", "tests"}


def read_setup():
    """What always comes and what each extra brings, as requirements."""
    caught = {}
    with mock.patch("setuptools.setup", lambda **words: caught.update(words)):
        runpy.run_path(str(ROOT / "setup.py"))
    texts = {"": caught["install_requires"], **caught["extras_require"]}
    return {kind: [*map(Requirement, list_)] for kind, list_ in texts.items()}


NEEDS = read_setup()
ALL = [need for needs in NEEDS.values() for need in needs]


def names(*kinds):
    """Of what always comes (""), or of what some extras bring."""
    listed = [need for kind in kinds for need in NEEDS[kind]]
    # The extra "distributed" of Dask is the distribution of that name.
    return {
        canonicalize_name(name)
        for need in listed
        for name in (need.name, *need.extras)
    }


def imported(folder):
    """Distributions whose modules are imported, and of each import whether
    it is one that a module makes when it is imported itself."""
    owners = metadata.packages_distributions()
    for path in sorted((ROOT / folder).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module]
            else:
                continue
            for name in names:
                top = name.partition(".")[0]
                if top in sys.stdlib_module_names or top in OURS:
                    continue
                known = [v for k, v in SHARED.items() if name.startswith(k)]
                (owner,) = known or set(owners.get(top, [LEFT_OUT.get(top)]))
                assert owner, f"{path}: nobody knows {top}"
                yield canonicalize_name(owner), node in tree.body, path


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_package_imports_is_listed(room):
    extras = names(
        *("dask", "ray", "onnx", "litert", "openvino", "optuna", "parquet")
    )
    for name, at_once, path in imported(room):
        # What an extra brings may be missing until it is asked for.
        optional = not at_once and name in extras
        assert name in names("") or optional, (name, path)


@pytest.mark.parametrize(
    "folder, extra", [("tests", "test"), ("benchmarks", "peer")]
)
def test_what_tests_and_benchmarks_import_is_listed(folder, extra):
    for name, _, path in imported(folder):
        assert name in names("", extra), (name, path)


def pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line[:1] not in ("", "#")]


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_every_need_has_one_version_that_fits(python, system):
    where = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": system,
        "os_name": "nt" if system == "win32" else "posix",
    }
    chosen = {}
    for pin in pins():
        if pin.marker is None or pin.marker.evaluate(where):
            assert pin.name not in chosen
            (chosen[canonicalize_name(pin.name)],) = pin.specifier
    for need in ALL:
        version = chosen[canonicalize_name(need.name)].version
        assert Version(version) in need.specifier, need


def closure():
    """All distributions that are installed because of the needs."""
    found = {}
    waiting = [(need, extra) for need in ALL for extra in ("", *need.extras)]
    seen = set()
    while waiting:
        need, extra = waiting.pop()
        name = canonicalize_name(need.name)
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        for inner in map(Requirement, found[name].requires or ()):
            if not inner.marker or inner.marker.evaluate({"extra": extra}):
                waiting += [(inner, kind) for kind in ("", *inner.extras)]
    return found


def test_every_version_that_is_needed_is_pinned():
    found = closure()
    assert len(found) > 60
    assert set(found) <= {canonicalize_name(pin.name) for pin in pins()}


def licence(distribution):
    """What a distribution says of its licence, in the best of its places."""
    about = distribution.metadata
    if expression := about.get("License-Expression"):
        return expression
    first = (about.get("License") or "").strip().splitlines()[:1]
    kinds = [
        kind.rpartition("::")[2].strip()
        for kind in about.get_all("Classifier") or ()
        if kind.startswith("License ::")
    ]
    # Some put the whole text there, which names other licences, too.
    if first and len(first[0]) < 40 and re.search("[A-Za-z]", first[0]):
        return first[0]
    if kinds:
        return " AND ".join(kinds)
    texts = [
        file.read_text()
        for file in distribution.files or ()
        if re.match("licen[cs]e|copying", file.name, re.IGNORECASE)
    ]
    return " AND ".join(texts)


def asks_to_share(text):
    """Whether a licence is of the GPL kind, with no other to choose.

    The LGPL counts, too: some who ship this package cannot take it.
    """
    kind = re.compile(
        r"\bA?L?GPL|(GNU )?(affero|lesser|library)? ?general public licen[cs]e",
        re.IGNORECASE,
    )
    # "WITH" names an exception, as of the compiler's own library.
    return all(
        kind.search(re.sub(r"[AL]?GPL\S* WITH \S+", "", choice))
        for choice in re.split(r"\bOR\b|\|", text)
    )


@pytest.mark.parametrize(
    "text, asks",
    [
        ("MIT", False),
        ("GPLv3+", True),
        ("LGPL-2.1-only AND MIT", True),
        ("GNU Affero General Public License v3", True),
        ("GNU Lesser General Public License v3 (LGPLv3)", True),
        ("GPL-2.0-only OR MIT", False),
        ("GPLv2 | EPLv1", False),
        ("BSD-3-Clause AND GPL-3.0-or-later WITH GCC-exception-3.1", False),
    ],
)
def test_licences_of_the_gpl_kind_are_known(text, asks):
    assert asks_to_share(text) == asks


def test_no_licence_is_of_the_gpl_kind():
    licences = {name: licence(one) for name, one in closure().items()}
    assert [name for name, text in licences.items() if not text.strip()] == []
    assert {k: v for k, v in licences.items() if asks_to_share(v)} == {}
