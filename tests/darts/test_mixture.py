import numpy as np
import pytest
import tensorflow as tf

from darts import mixture
from darts.derive import mix
from darts.layout import AlphaLayout, Alphas


def test_the_second_skip_fades_in_a_line():
    weights = [mixture.auxiliary_skip(epoch, 50) for epoch in range(50)]
    assert weights[0] == 1
    assert weights[49] == pytest.approx(1 / 50)
    np.testing.assert_allclose(np.diff(weights), -1 / 50)


def test_shares_of_edges_are_those_that_cells_are_derived_with():
    layout = AlphaLayout()
    rng = np.random.default_rng(0)
    edges = rng.standard_normal(layout.shape[:2])
    shares = mixture.edge_shares(layout, tf.constant(edges))
    uniform = Alphas(np.zeros(layout.shape), edges)
    np.testing.assert_allclose(8 * mix(layout, uniform)[..., 0], shares)
    # By hand, the edges into the second node: from tensors 0, 1 and 2.
    powers = np.exp(edges[1, 2:5])
    np.testing.assert_allclose(shares[1, 2:5], powers / powers.sum())
