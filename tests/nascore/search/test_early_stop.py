import pytest

from nascore.search.early_stop import is_exhausted, patience


@pytest.mark.parametrize(
    ("epoch", "mean", "expected"),
    [
        # max(100, int((1 - mean) * 5 * max(10, epoch // 4))), by hand.
        (1, 0.9, 100),
        (40, 0.0, 100),
        (400, 0.5, 250),
        (400, 0.1, 450),
        (401, 0.9, 100),
        (500, 0.25, 468),
    ],
)
def test_patience_follows_the_published_rule(epoch, mean, expected):
    assert patience(epoch, mean) == expected


def test_the_first_of_equal_maxima_counts():
    # The maximum stands since epoch 0; 100 epochs after it.
    assert is_exhausted([0.9, *[0.8] * 99, 0.9], 0.9)
    assert not is_exhausted([0.9, *[0.8] * 99], 0.9)
    assert not is_exhausted([0.9, *[0.8] * 99, 0.91], 0.9)
    # Poor architectures late in a search buy time.
    assert not is_exhausted([0.9, *[0.8] * 399], 0.1)
    assert not is_exhausted([], 0.0)
