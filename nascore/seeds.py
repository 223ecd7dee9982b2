"""Random seeds as functions of the run's seed and of the place in the run.

Nothing random keeps a state: every draw has a seed made of the run's seed, a
stream (what it is for) and counters (epoch, step). A resumed run therefore
continues with the numbers an uninterrupted one would have drawn.

A seed is never negative: XLA and TensorFlow's kernels make different numbers
of one that is.
"""

import enum

import tensorflow as tf


class Stream(enum.IntEnum):
    """What a random draw is for."""

    SHUFFLE = 1
    AUGMENT = 2
    DROPOUT = 3
    CHILD_ARCHITECTURES = 4
    CONTROLLER_ARCHITECTURES = 5
    REWARD_BATCH = 6
    REWARD_DROPOUT = 7
    SAMPLE_ARCHITECTURES = 8
    SAMPLE_BATCH = 9
    EVALUATION_ARCHITECTURES = 10
    DERIVE_ARCHITECTURES = 11
    MLP_ARCHITECTURES = 31
    MLP_WEIGHTS = 32
    MLP_TRAINING = 33
    MLP_FINETUNING = 34


def fold(
    seed: int | tf.Tensor, stream: int, *counters: int | tf.Tensor
) -> tf.Tensor:
    """Returns the int32 `[2]` seed of one draw; works in a graph.

    Args:
      seed: the run's seed.
      stream: what the draw is for: a `Stream`, or a number of a method's
        own from 100, which no other of its draws has.
      *counters: the place in the run, such as epoch and step.
    """
    folded = tf.stack([tf.cast(seed, tf.int32), tf.constant(0, tf.int32)])
    for number in (int(stream), *counters):
        folded = fold_in(folded, number)
    return folded


def fold_in(seed: tf.Tensor, number: int | tf.Tensor) -> tf.Tensor:
    """A seed made of another and of a number from 0, int32 `[2]`.

    Of seeds `[runs, 2]` it makes one each.
    """
    number = tf.cast(number, tf.int32)
    seed = tf.convert_to_tensor(seed, tf.int32)
    if seed.shape.rank == 2:
        folded = tf.map_fn(lambda one: tf.random.fold_in(one, number), seed)
    else:
        folded = tf.random.fold_in(seed, number)
    return tf.bitwise.bitwise_and(folded, 2**31 - 1)
