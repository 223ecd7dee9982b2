"""Efficient neural architecture search, micro (cell) search space."""

import nascore  # noqa: F401  Sets up the process: before TensorFlow.
