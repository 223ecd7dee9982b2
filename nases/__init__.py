"""NASES: REINFORCE in the embedding space of an autoencoder."""

import nascore  # noqa: F401  Sets up the process: before TensorFlow.
