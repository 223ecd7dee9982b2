"""Early ends on histories that were made up."""

import numpy as np
import pytest

from darts.config import StopConfig
from darts.layout import OPERATIONS, AlphaLayout, Alphas
from darts.stops import AlphaHistory, find_stop, warn

LAYOUT = AlphaLayout()
SKIP = OPERATIONS.index("skip_connect")
CONVOLUTION = OPERATIONS.index("sep_conv_3x3")


def alphas_with(*skips):
    """A mixture of epochs with so many skips in the normal cell each."""
    epochs = np.zeros((len(skips), *LAYOUT.shape))
    epochs[..., CONVOLUTION] = 1
    # In the derived cell the two edges from the inputs lead into each node.
    kept = [n for n, (source, _) in enumerate(LAYOUT.edges) if source < 2]
    for epoch, count in enumerate(skips):
        epochs[epoch, 0, kept[:count], SKIP] = 2
        # Those of the reduction cell do not count.
        epochs[epoch, 1, :, SKIP] = 3
    # Skips must not make their edges the only strong ones.
    epochs[:, 0, kept] += np.array([4.0] + [0] * 7) * -1
    return Alphas(epochs)


def stop(config, alphas, eigenvalues=None, alpha_from=0):
    values = None if eigenvalues is None else np.array(eigenvalues)
    return find_stop(config, LAYOUT, AlphaHistory(alphas, values), alpha_from)


def test_nothing_ends_a_search_that_asks_for_no_end():
    alphas = alphas_with(*[8] * 40)
    assert stop(StopConfig(), alphas, 2.0 ** np.arange(40)) is None


def test_skips_end_a_search_when_they_are_as_many():
    config = StopConfig(stop_skips=2, stop_from=3)
    counts = [5, 5, 0, 1, 2]
    found = [stop(config, alphas_with(*counts[:n])) for n in range(1, 6)]
    # Not before three epochs, whatever noise says.
    assert found[:4] == [None] * 4
    assert found[4].epoch == 4
    assert found[4].reason == (
        "early stop after 5 epochs: 2 of the 8 edges of the derived normal "
        "cell are skips"
    )


def test_epochs_without_learning_alphas_do_not_count():
    skips = StopConfig(stop_skips=2, stop_from=3)
    assert stop(skips, alphas_with(*[8] * 7), alpha_from=5) is None
    assert stop(skips, alphas_with(*[8] * 8), alpha_from=5).epoch == 7
    # Nothing has changed since nothing could.
    stable = StopConfig(stop_stable=4, stop_from=0)
    assert stop(stable, alphas_with(*[1] * 9), alpha_from=5) is None
    assert stop(stable, alphas_with(*[1] * 10), alpha_from=5).epoch == 9


def test_a_ranking_that_does_not_change_ends_a_search():
    config = StopConfig(stop_stable=3, stop_from=0)
    assert stop(config, alphas_with(1, 2, 2, 2)) is None
    found = stop(config, alphas_with(1, 2, 2, 2, 2))
    assert found.epoch == 4
    assert "has changed for 3 epochs" in found.reason
    # Stronger, but the same: no change. Any edge of any cell: one.
    alphas = alphas_with(2, 2, 2, 2).operations
    alphas[2] *= 5
    assert stop(config, Alphas(alphas)) is not None
    alphas[1, 1, 13, 0] = 99
    assert stop(config, Alphas(alphas)) is not None, "none is in no cell"
    alphas[1, 1, 13, 7] = 99
    assert stop(config, Alphas(alphas)) is None


def published_stop(eigenvalues, factor, start):
    """RobustDARTS's rule, one epoch after the other: (now, taken) or None."""
    means = {}
    for epoch in range(4, len(eigenvalues)):
        means[epoch - 2] = sum(eigenvalues[epoch - 4 : epoch + 1]) / 5
        earlier = epoch - 2 - 4
        if earlier >= start and means[epoch - 2] / means[earlier] > factor:
            return epoch, earlier
    return None


@pytest.mark.parametrize("seed", range(6))
def test_a_growing_eigenvalue_ends_a_search_as_published(seed):
    rng = np.random.default_rng(seed)
    eigenvalues = 0.2 + 0.02 * rng.random(40)
    eigenvalues[rng.integers(8, 25) :] *= 2
    # A jump in the beginning that may not count.
    eigenvalues[:5] /= 10
    config = StopConfig(stop_eigenvalue=1.3)
    alphas = alphas_with(*[0] * 40)
    found = None
    for epochs in range(1, 41):
        part = Alphas(alphas.operations[:epochs])
        found = stop(config, part, eigenvalues[:epochs])
        if found:
            break
    assert (epochs - 1, found.epoch) == published_stop(eigenvalues, 1.3, 10)
    assert f"that of epoch {found.epoch + 1}" in found.reason


def test_eigenvalues_that_stay_or_are_none_end_nothing():
    config = StopConfig(stop_eigenvalue=1.3, stop_from=0)
    alphas = alphas_with(*[0] * 20)
    for eigenvalues in (
        np.full(20, 0.4),
        np.full(20, np.nan),
        np.linspace(0.5, 0.1, 20),
        # From a maximum to a minimum: no growth that means anything.
        np.linspace(-1, 1, 20)[:15],
    ):
        assert stop(config, alphas, eigenvalues) is None


def test_the_warning_comes_once_when_half_of_the_edges_are_skips():
    counts = [1, 3, 4, 6, 3, 5]
    lines = [
        warn(LAYOUT, alphas_with(*counts[:n]), 0)
        for n in range(1, len(counts) + 1)
    ]
    assert [bool(line) for line in lines] == [n == 2 for n in range(6)]
    assert lines[2].startswith(
        "warning: 4 of the 8 edges of the derived normal"
    )
    assert "\n" not in lines[2]
    # Alphas that are only drawn may have any.
    assert warn(LAYOUT, alphas_with(8, 8), 2) == ""
    assert warn(LAYOUT, alphas_with(8, 8, 8), 2) != ""
