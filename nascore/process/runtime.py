"""How this process computes: devices, precision, what is compiled once."""

from collections.abc import Callable
from typing import Any

import keras
import psutil
import tensorflow as tf


def make_deterministic() -> None:
    """Lets TensorFlow take only kernels that give the same bits each time.

    Where it has none it raises an error. For the whole process, and to be
    called before anything is built.
    """
    tf.config.experimental.enable_op_determinism()


def configure(deterministic: bool = False) -> None:
    """Turns off a graph optimization that costs more than it gives here.

    It copies every function for every caller; with the hundreds of calls of
    a supernet that doubles the time to the first step, and the steps
    themselves do not get faster. Results do not change.

    Args:
      deterministic: whether to call `make_deterministic`, too.
    """
    if deterministic:
        make_deterministic()
    tf.config.optimizer.set_experimental_options(
        {"function_optimization": False}
    )


def device_names() -> list[str]:
    """What TensorFlow computes on."""
    names = []
    for device in tf.config.list_physical_devices():
        details = tf.config.experimental.get_device_details(device)
        names.append(details.get("device_name", device.device_type))
    return names


def use_one_thread() -> None:
    """Runs every operation on one thread, for processes side by side.

    Small matrices gain nothing from more threads, and a sum that is split
    among threads can differ in its last bits. Once TensorFlow has run
    something, it is too late and nothing changes.
    """
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        pass


def count_threads() -> int:
    """Threads that an operation of this process may run on."""
    own = tf.config.threading.get_intra_op_parallelism_threads()
    return own or len(psutil.Process().cpu_affinity())


def use_threads(count: int) -> None:
    """Runs operations on so many threads; before TensorFlow runs anything.

    Afterwards it is too late and nothing changes.
    """
    try:
        tf.config.threading.set_intra_op_parallelism_threads(count)
    except RuntimeError:
        pass


def set_precision(precision: str) -> None:
    """Sets the type that layers made from now on compute in."""
    keras.config.set_dtype_policy(
        precision if precision == "float32" else f"mixed_{precision}"
    )


def once(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiles a function that is called, never copied into its callers.

    Without this TensorFlow inlines every branch of every edge of every
    layer, tens of thousands of graph nodes, and spends a minute on them
    before the first step.
    """
    return tf.function(
        function, experimental_attributes={"_noinline": True}, autograph=False
    )
