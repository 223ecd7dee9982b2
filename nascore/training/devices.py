"""Where a network is trained: one device, several, several machines."""

import functools
import signal
from pathlib import Path

import tensorflow as tf

from nascore.errors import InputError
from nascore.networks.layers import (
    Normalization,
    fused_moving_norm,
    moving_norm,
)
from nascore.runs.lifecycle import Workers
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


def make_workers(
    config: TrainingConfig,
    strategy: tf.distribute.Strategy,
    source: Path | None,
) -> Workers | None:
    """This process among several machines; None on one machine.

    Args:
      config: names the strategy.
      strategy: the devices.
      source: the run folder that is continued, if one is.
    """
    if config.distribute != "multiworker":
        return None

    @tf.function(autograph=False)
    def add_up(value: tf.Tensor) -> tf.Tensor:
        """The sum of what every replica's process calls this with."""
        return strategy.reduce(
            tf.distribute.ReduceOp.SUM,
            strategy.run(lambda: value),
            axis=None,
        )

    def agree(own: int | None) -> int | None:
        total = add_up(tf.constant(float(own is not None)))
        if own is None and float(total):
            return signal.SIGTERM
        return own

    # The first one writes the run; the others only compute.
    chief = not strategy.cluster_resolver.task_id
    return Workers(chief, source, agree)
