"""From alphas to cells: what a search ends with; NumPy only."""

from typing import Any

import numpy as np

from darts.layout import SKIPS, AlphaLayout, Alphas
from nascore.errors import InputError
from nascore.spaces.relaxation import relax


def mix(layout: AlphaLayout, alphas: Alphas) -> np.ndarray:
    """The weight of each operation in the mixed cells.

    A softmax over the operations of an edge; in PC-DARTS times one over the
    edges into a node (Xu et al., 2020, arXiv 1907.05737, equation 4).

    Args:
      layout: of the alphas.
      alphas: of one epoch or of many.

    Returns:
      Float64 `[..., cells, edges, operations]`.
    """
    weights = _softmax(alphas.operations)
    if alphas.edges is None:
        return weights
    shares = [
        _softmax(part)
        for part in np.split(alphas.edges, layout.starts[1:], axis=-1)
    ]
    return weights * np.concatenate(shares, axis=-1)[..., None]


def _softmax(logits: np.ndarray) -> np.ndarray:
    """Over the last axis, in float64."""
    logits = np.asarray(logits, np.float64)
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    # Summed in one order, so that edges with the same alphas on other
    # operations are as strong as each other to the last bit.
    return powers / np.sort(powers, axis=-1).sum(axis=-1, keepdims=True)


def derive(layout: AlphaLayout, alphas: Alphas) -> Any:
    """The cells that alphas stand for (Liu et al., 2019, section 2.4).

    Into a node lead the two edges whose strongest operation has the largest
    weight in the mixture, each with that operation; `none` is never taken,
    but has its part in the softmax. (Another layout may keep all edges, and
    take `none`.) Of equal ones the first.

    Args:
      layout: of the alphas.
      alphas: of one epoch.

    Returns:
      An architecture of `layout.derived`; the lower input of a node first.

    Raises:
      InputError: an alpha is not finite.
    """
    weights = mix(layout, alphas)
    sick = np.argwhere(~np.isfinite(weights).all(axis=-1))
    if len(sick):
        cell, edge = sick[0]
        source, node = layout.edges[edge]
        raise InputError(
            f"no cell can be derived: an alpha of the "
            f"{layout.titles[cell]}'s edge from tensor {source} to "
            f"tensor {node} is not finite; take those of an earlier epoch"
        )
    numbers = weights[..., layout.derivable].reshape(1, -1)
    return layout.derived.decode(relax(layout.derived).rows(numbers)[0])


def count_skips(layout: AlphaLayout, architecture: Any) -> list[int]:
    """How many edges of each derived cell are the identity."""
    return [
        sum(name in SKIPS for name in names.values())
        for names in layout.chosen(architecture)
    ]
