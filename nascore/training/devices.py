"""Where a network is trained: one device, several, several machines."""

import functools

import tensorflow as tf

from nascore.errors import InputError
from nascore.networks.layers import (
    Normalization,
    fused_moving_norm,
    moving_norm,
)
from nascore.training.config import TrainingConfig


def make_strategy(config: TrainingConfig) -> tf.distribute.Strategy:
    """Makes the strategy that the configuration names.

    Raises:
      InputError: a precision that the device lacks, or settings that do not
        go with several devices.
    """
    if config.distribute != "none" and config.accumulate > 1:
        raise InputError(
            f"--accumulate={config.accumulate} works on one device only; "
            f"leave --distribute={config.distribute} out, or give it more "
            "devices instead"
        )
    if config.distribute == "multiworker":
        # Before anything asks for devices, or TensorFlow refuses.
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    elif config.distribute == "mirrored":
        devices = _gpus() or tf.config.list_logical_devices("CPU")
        strategy = tf.distribute.MirroredStrategy([d.name for d in devices])
    else:
        strategy = tf.distribute.get_strategy()
    if config.precision == "float16" and not _gpus():
        raise InputError(
            "--precision=float16 needs a GPU and this machine shows none; "
            "use --precision=bfloat16 or float32"
        )
    replicas = strategy.num_replicas_in_sync
    if config.batch_size % replicas:
        raise InputError(
            f"--batch_size={config.batch_size} must be a multiple of the "
            f"{replicas} devices that share it"
        )
    return strategy


def _gpus() -> list[tf.config.LogicalDevice]:
    return tf.config.list_logical_devices("GPU")


def normalization_for(strategy: tf.distribute.Strategy) -> Normalization:
    """Normalization over the batches of all devices together.

    So that the number of devices changes the result by rounding only.
    """
    if strategy.num_replicas_in_sync == 1:
        return fused_moving_norm
    return functools.partial(moving_norm, synchronized=True)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes the run; the others only compute."""
    resolver = strategy.cluster_resolver
    return resolver is None or not resolver.task_id
