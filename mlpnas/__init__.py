"""Neural architecture search of multilayer perceptrons."""

import nascore  # noqa: F401  Sets up the process: before TensorFlow.
