"""RENAS: evolution whose mutations a controller learns to choose."""

import nascore  # noqa: F401  Sets up the process: before TensorFlow.
