import numpy as np
import pytest

from nascore.protocols import Measured, Proposals
from nascore.spaces.bench201 import Bench201Space
from nascore.strategies.bohb import Bohb, Density
from nascore.strategies.config import BohbConfig
from tests.nascore.strategies import asking

SPACE = Bench201Space()


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("least", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("count", [7, 60])
def test_densities_are_those_of_statsmodels(least, count):
    from statsmodels.nonparametric.kernel_density import KDEMultivariate

    rng = np.random.default_rng(count)
    rows = rng.integers(0, [5, 5, 5, 2, 3, 4], (count, 6))
    theirs = KDEMultivariate(rows, "u" * 6, bw="normal_reference")
    theirs.bw = np.clip(theirs.bw, least, None)
    ours = Density(rows, least)
    np.testing.assert_allclose(ours.bandwidths, theirs.bw)
    points = rng.integers(0, 5, (20, 6))
    np.testing.assert_allclose(ours(points), theirs.pdf(points), rtol=1e-10)


def test_with_all_categories_and_small_bandwidths_it_is_a_distribution():
    rng = np.random.default_rng(1)
    # Hardly any deviation: bandwidths that a kernel can have.
    rows = np.where(rng.random((40, 3)) < 0.1, 1, 0)
    density = Density(rows, 0.2, np.array([3, 3, 2]))
    assert (density.bandwidths < 0.5).all()
    points = np.stack(np.meshgrid(range(3), range(3), range(2)), -1)
    values = density(points.reshape(-1, 3))
    assert (values > 0).all() and values.sum() == pytest.approx(1)


def told(strategy, rows):
    scores = asking.worth(rows)
    strategy.tell(Proposals(rows), Measured(scores), scores)
    return rows[np.argsort(-scores, kind="stable")]


def test_the_model_is_of_the_best_and_of_the_others():
    rng = np.random.default_rng(1)
    strategy = Bohb(SPACE, BohbConfig())
    assert strategy._fit() is None
    told(strategy, SPACE.sample(rng, 13))
    assert strategy._fit() is None
    strategy = Bohb(SPACE, BohbConfig())
    # At least length + 1 of each; 15 and 85 percent when there are enough.
    for count, good, bad in ((14, 7, 7), (40, 7, 33), (100, 15, 85)):
        strategy = Bohb(SPACE, BohbConfig())
        ranked = told(strategy, SPACE.sample(rng, count))
        like_good, like_bad = strategy._fit()
        np.testing.assert_array_equal(like_good.rows, ranked[:good])
        np.testing.assert_array_equal(like_bad.rows, ranked[good : good + bad])


def test_it_asks_for_the_candidate_that_is_most_like_good_ones():
    rng = np.random.default_rng(1)
    config = BohbConfig(density_samples=100, categories="all")
    strategy = Bohb(SPACE, config)
    # Good ones have operation 3 everywhere, bad ones 0, but for some noise.
    noise = rng.random((60, 6)) < 0.05
    rows = np.where(noise, rng.integers(0, 5, (60, 6)), 0)
    rows[:15] = np.where(noise[:15], rows[:15], 3)
    strategy.tell(
        Proposals(rows), Measured((rows == 3).mean(axis=1)), np.zeros(60)
    )
    asked = strategy.ask(20, asking.seed_of(1)).rows
    assert (asked == 3).mean() > 0.5 and (asked == 0).mean() < 0.05


def test_part_of_all_is_random():
    rows = SPACE.sample(np.random.default_rng(1), 30)
    always = Bohb(SPACE, BohbConfig(random_fraction=1.0, density_samples=1))
    told(always, np.repeat(rows[:2], 20, axis=0))
    asked = always.ask(400, asking.seed_of(1)).rows
    # Uniform: every operation a fifth of all.
    share = np.bincount(asked.ravel(), minlength=5) / asked.size
    np.testing.assert_allclose(share, 0.2, atol=0.04)
