"""I-ENAS: a reward relative to the architectures evaluated before."""

import nascore  # noqa: F401  Sets up the process: before TensorFlow.
