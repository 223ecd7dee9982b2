"""The largest eigenvalue of the Hessian for the alphas.

It grows when DARTS is about to fail (Zela et al., 2020, arXiv 1909.09656).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from scipy.linalg import eigh_tridiagonal

from darts.bilevel import Bilevel

# Two gradients each; and the error, relative, that is good enough: averages
# of eigenvalues are compared with 1.3.
_MOST_PRODUCTS = 30
_TOLERANCE = 1e-3


class Curvature:
    """Measures it on one batch after another.

    RobustDARTS's code writes the whole Hessian down. Here it is only
    multiplied, by differences of gradients: written-out gradients need no
    gradients of their own then.

    Args:
      bilevel: whose alphas, and the loss.
    """

    def __init__(self, bilevel: Bilevel) -> None:
        self._shapes = [alpha.shape for alpha in bilevel.alphas]
        self._sizes = [shape.num_elements() for shape in self._shapes]
        self._types = [alpha.dtype.as_numpy_dtype for alpha in bilevel.alphas]
        self._product = tf.function(bilevel.curvature, autograph=False)

    def __call__(self, batch: Any) -> float:
        """The largest eigenvalue; NaN where a gradient is not finite.

        Args:
          batch: tensors, of which the loss is.
        """

        def product(direction: np.ndarray) -> np.ndarray:
            parts = np.split(direction, np.cumsum(self._sizes)[:-1])
            shaped = [
                tf.constant(np.reshape(part, shape).astype(kind))
                for part, shape, kind in zip(
                    parts, self._shapes, self._types, strict=True
                )
            ]
            found = self._product(batch, shaped)
            return np.concatenate([np.ravel(part) for part in found])

        return largest_eigenvalue(product, sum(self._sizes))


def largest_eigenvalue(
    product: Callable[[np.ndarray], np.ndarray], size: int
) -> float:
    """The largest, not the farthest from 0, of a symmetric matrix.

    By the method of Lanczos: a power iteration that forgets none of its
    vectors, and so needs some ten of them where that needs hundreds. (SciPy's
    `eigsh` has no bound on the products that it takes, and nothing to show if
    it does not come to an end.)

    Args:
      product: the matrix times a vector `[size]`.
      size: rows of the matrix.

    Returns:
      NaN if a product is not finite.
    """
    start = np.random.default_rng(0).standard_normal(size)
    basis = [start / np.linalg.norm(start)]
    diagonal: list[float] = []
    beside: list[float] = []
    for _ in range(min(size, _MOST_PRODUCTS)):
        image = np.asarray(product(basis[-1]), np.float64)
        if not np.isfinite(image).all():
            return np.nan
        diagonal.append(float(basis[-1] @ image))
        known = np.stack(basis)
        # Twice: what rounding leaves the first time would grow.
        for _ in range(2):
            image = image - known.T @ (known @ image)
        values, vectors = eigh_tridiagonal(diagonal, beside)
        left = float(np.linalg.norm(image))
        if left * abs(vectors[-1, -1]) <= _TOLERANCE * abs(values[-1]):
            break
        beside.append(left)
        basis.append(image / left)
    return float(values[-1])
