"""Speed and memory, run by hand."""

import nascore  # noqa: F401  Sets up the process: before TensorFlow.
