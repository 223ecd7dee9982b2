"""The reward of ENAS: the accuracy as it was measured."""

import tensorflow as tf


class AccuracyReward(tf.Module):
    """Turns a measured accuracy into a reward, inside the graph.

    A reward that remembers earlier accuracies keeps them in variables of its
    own; the search saves and restores them with everything else.
    """

    def __call__(self, accuracy: tf.Tensor) -> tf.Tensor:
        """Maps an accuracy in [0, 1] to a reward, both float32 scalars."""
        return accuracy
