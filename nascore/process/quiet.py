"""Importing TensorFlow without its start-up noise; no TensorFlow here."""

import gc
import logging
import os
import re
import sys
import tempfile

# TensorFlow's C++ prints these before anyone can set its log level.
_NOISE = re.compile(
    r"WARNING: All log messages before absl::InitializeLog"
    r"|[IW]0000 .*\.cc:\d+\]"
    r"|E0000 .*(cuInit|cuda_platform)"
)


def quiet_tensorflow(find_devices: bool = True) -> None:
    """Imports TensorFlow without its start-up noise.

    Whatever else it prints meanwhile still comes out, and a user who sets
    TF_CPP_MIN_LOG_LEVEL is left in charge.

    Args:
      find_devices: see `import_quietly`.
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    import_quietly(find_devices)
    # Its warnings are for who writes programs with it: a perceptron of
    # another depth is another graph, and meant to be.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def import_quietly(find_devices: bool = True) -> None:
    """Imports TensorFlow and drops the lines that it always prints.

    Args:
      find_devices: whether it may look for devices, too, which is noisy but
        must wait where machines have to find each other first.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as printed:
        stderr = os.dup(2)
        os.dup2(printed.fileno(), 2)
        # What libraries make when they are imported lives for ever: to look
        # through it for garbage, now and again later, takes a second.
        collects = gc.isenabled()
        gc.disable()
        try:
            import tensorflow as tf

            gc.freeze()
            if find_devices:
                tf.config.list_logical_devices()
        finally:
            if collects:
                gc.enable()
            os.dup2(stderr, 2)
            os.close(stderr)
            printed.seek(0)
            for line in printed.read().decode(errors="replace").splitlines():
                if not _NOISE.match(line):
                    print(line, file=sys.stderr)
