"""The rule that says what a comparison supports."""

import numpy as np
import pandas as pd
import pytest

from experiments.evidence import correct, judge, measured

ROW = {
    "count": 8,
    "mean": 0.015,
    "low": 0.01,
    "high": 0.02,
    "p_value": 0.0078125,
    "least_p": 0.0078125,
    "p_holm": 0.0390625,
    "least_holm": 0.0390625,
    "comparisons": 5,
}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "supported: A is ahead"),
        ({"mean": -0.015, "low": -0.02, "high": -0.01}, "supported: B is"),
        ({"low": -0.001}, "undecided: the interval includes 0"),
        ({"low": 0.0}, "undecided: the interval includes 0"),
        ({"p_holm": 0.06}, "undecided: the corrected p is not below 0.05"),
        (
            {"count": 6, "p_value": 0.03, "p_holm": 0.16, "least_holm": 0.156},
            "undecided: these 6 seeds cannot give a corrected p below 0.156; "
            "8 could give one below 0.05",
        ),
        (
            {"count": 3, "p_holm": 0.25, "least_holm": 0.25, "comparisons": 1},
            "p below 0.25; 6 could give one below 0.05",
        ),
        ({"low": np.nan, "high": np.nan}, "spread is not known"),
        ({"p_value": np.nan, "low": np.nan}, "undecided: no pair differs"),
        ({"count": 1}, "undecided: one pair of runs says nothing"),
    ],
)
def test_no_verdict_says_more_than_interval_and_p_allow(changes, said):
    words = judge({**ROW, **changes}, "A", "B")
    assert said in words
    assert words.startswith(("supported", "undecided"))


def test_interval_and_p_values_stand_together():
    assert measured(ROW, "+.1%") == (
        "95% t interval +1.0% to +2.0%, sign-flip p = 0.00781, by Holm 0.0391 "
        "for 5 comparisons"
    )
    alone = {**ROW, "comparisons": 1}
    assert measured(alone, "+.2f", 100) == (
        "95% t interval +1.00 to +2.00, sign-flip p = 0.00781"
    )
    unknown = {**ROW, "low": np.nan, "high": np.nan, "comparisons": 1}
    assert measured(unknown, "+.1%").startswith("95% t interval not known, ")


def test_the_correction_is_inside_each_family():
    table = pd.DataFrame(
        {
            "dataset": ["a", "b", "a", "a"],
            "p_value": [0.02, 0.02, 0.01, np.nan],
            "least_p": [0.01, 0.02, 0.01, 1.0],
        }
    )
    found = correct(table, ["dataset"])
    np.testing.assert_allclose(found["p_holm"], [0.04, 0.02, 0.03, np.nan])
    np.testing.assert_allclose(found["least_holm"], [0.03, 0.02, 0.03, 1.0])
    assert found["comparisons"].tolist() == [3, 1, 3, 3]
