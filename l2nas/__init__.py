"""L2NAS: an actor and a critic that learn to propose architectures."""

import nascore  # noqa: F401  Sets up the process: before TensorFlow.
