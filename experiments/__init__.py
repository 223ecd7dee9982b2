"""The scripts people run."""

import nascore  # noqa: F401  Sets up the process: before TensorFlow.
