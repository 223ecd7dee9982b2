"""The comparison itself must be able to fail."""

import pytest

NAME = "results/memory/README.md"
PART = "| m1 | MLPNAS, digits, one process | … | # | # | #% |"


@pytest.mark.parametrize("error", [-4.49, -3.51])
def test_rounded_values_are_found(results, error):
    results.quote(NAME, PART, 898.4, 931.6, error)


@pytest.mark.parametrize(
    "values",
    [(898.4, 932, 4), (898.6, 932, -4), (898, 932, -4.6), (898, 932)],
)
def test_other_values_are_not(results, values):
    with pytest.raises((AssertionError, ValueError)):
        results.quote(NAME, PART, *values)


@pytest.mark.parametrize("part", ["| m3 | # |", "| check | … | # |"])
def test_what_is_missing_or_there_twice_is_named(results, part):
    with pytest.raises(AssertionError, match="times: "):
        results.quote(NAME, part, 1.0)


def test_digits_are_not_cut_out_of_longer_ones(results):
    results.quote(NAME, "# | 932 | -4% |", 898)
    with pytest.raises(AssertionError, match="898 is 98"):
        results.quote(NAME, "# | 932 | -4% |", 98)
