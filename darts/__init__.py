"""DARTS: architectures as continuous weights, learned by gradients."""

import nascore  # noqa: F401  Sets up the process: before TensorFlow.
