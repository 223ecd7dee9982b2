"""What TensorFlow and Keras read from the environment when first imported."""

import os
import platform


def prepare() -> None:
    """Sets what the user has not; too late once TensorFlow was imported.

    TensorFlow takes oneDNN's kernels by itself only on processors with
    AVX-512. On those with AVX2, too, they are several times faster than its
    own for the depthwise convolutions of a search (benchmarks/NOTES.md).
    """
    if platform.machine() in ("x86_64", "AMD64"):
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
