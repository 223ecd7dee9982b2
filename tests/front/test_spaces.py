"""`--space` beside a method is the method of that space."""

import re

import pytest

from flags import methods, spaces


def named(text):
    """The flags that help lists."""
    return set(re.findall(r"^  --(\w+) ", text, re.MULTILINE))


@pytest.mark.parametrize(
    "words",
    [
        ["search", "enas"],
        ["search", "--method=enas"],
        ["-m", "experiments.search_enas"],
    ],
)
def test_a_space_makes_another_method(answer, words):
    done = answer(*words, "--space=macro", "--help")
    own = answer("search", "macro_enas", "--help")
    assert done.code == own.code == 0, done.error
    assert done.report["slow"] == []
    assert "--skip_target (default: 0.4)" in done.out
    assert "--num_nodes" not in done.out
    # The settings are the same, and so is what is to be typed again.
    ways = {"method", "space"}
    assert named(done.out) - ways == named(own.out) - ways
    assert done.out.split("\n", 1)[0].endswith(" search macro_enas")
    cells = answer(*words, "--space=micro", "--help")
    assert "--num_nodes" in cells.out and "--skip_target" not in cells.out


def test_a_preset_of_the_space_fits(answer):
    found = [
        answer(*words, "--preset=macro_small", only_read=True)
        for words in (
            ("search", "enas", "--space=macro"),
            ("search", "macro_enas"),
            # The name of the method says it already.
            ("search", "macro_enas", "--space=macro"),
        )
    ]
    first = found[0].report["flags"]
    assert first["num_layers"] == "6" and found[0].code == 0
    for other in found[1:]:
        flags = other.report["flags"]
        differ = {name for name in flags if flags[name] != first.get(name)}
        assert differ <= {"space", "method"}, differ


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["search", "enas", "--space=mini"], "it has: micro, bench201, sha"),
        (["search", "darts", "--space=macro"], "it has: micro, shared201"),
        (["search", "mlpnas", "--space=macro"], "it has one alone"),
        (["search", "--method=renas", "--space=macro"], "micro, bench201"),
        (["-m", "experiments.search_enas", "--space=x"], "--space=x is not"),
    ],
)
def test_a_space_that_a_method_does_not_have_is_refused(answer, words, said):
    done = answer(*words)
    assert done.code == 2 and done.out == ""
    (line,) = done.error.splitlines()
    assert line.startswith("error: ") and said in line, line


def test_every_method_of_another_space_is_reached():
    for name in methods.METHODS:
        space, _, own = name.partition("_")
        if space == "macro":
            assert space in spaces.of(own), name
    assert spaces.of("mlpnas") == []
