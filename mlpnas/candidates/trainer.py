"""Trains perceptrons of any architecture without compiling each of them.

One graph for each number of layers serves all architectures: weights are
variables of unknown shape, the activation of a layer is chosen by an index
and its dropout by a rate. The whole training runs inside the graph: epochs,
batches, Adam, validation, early stopping. No arithmetic is spent on padding.

The result is that of Keras: `Sequential.fit` with Adam, categorical (two
classes: binary) cross entropy and `EarlyStopping` on the validation loss. Only
a loss that is not finite ends a training at once: nothing can come of it.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from mlpnas.candidates.dense import DenseState, activate, drop_or_not, keep_best
from mlpnas.candidates.tasks import (
    EpochRows,
    Examples,
    LayerWeights,
    TrainerSettings,
)
from nascore import draws
from nascore.seeds import fold_in
from nascore.spaces.perceptrons import ACTIVATIONS, MlpArchitecture

# Examples that are evaluated at once.
_EVALUATION_BATCH = 2048


def batch_order(seed: tf.Tensor, epoch: tf.Tensor, count: int) -> tf.Tensor:
    """Order of the training examples in an epoch, int32 `[count]`."""
    return draws.order(count, fold_in(seed, epoch))


class Trainer(tf.Module):
    """Trains one network after the other on the same examples.

    Args:
      settings: how they are trained.
      train: what they learn from.
      validation: what decides about an early stop.
    """

    def __init__(
        self, settings: TrainerSettings, train: Examples, validation: Examples
    ) -> None:
        super().__init__(name="trainer")
        self.settings = settings
        self.train_examples = Examples(*map(tf.constant, train))
        self.validation_examples = Examples(*map(tf.constant, validation))
        self._steps = -(-len(train.labels) // settings.batch_size)
        self._layers: list[DenseState] = []
        self._epoch = tf.Variable(0, trainable=False)
        self._wait = tf.Variable(0, trainable=False)
        # The step, counted over all epochs, that went wrong; -1 if none did.
        self._diverged = tf.Variable(-1, trainable=False)
        self._best_loss = tf.Variable(np.inf, dtype=tf.float32)
        self._network: tuple = ()
        self.run_graph = tf.function(self._run_epochs, autograph=False)
        self.evaluate_graph = tf.function(
            self._evaluate, autograph=False, reduce_retracing=True
        )

    def start(
        self, architecture: MlpArchitecture, weights: Sequence[LayerWeights]
    ) -> None:
        """Begins a new training.

        Args:
          architecture: hidden layers.
          weights: of all layers, at the start.
        """
        while len(self._layers) < len(weights):
            self._layers.append(DenseState())
        for layer, arrays in zip(self._layers, weights, strict=False):
            layer.reset(arrays)
        rate = self.settings.dropout_rate
        self._network = (
            len(weights),
            tf.constant(
                [ACTIVATIONS.index(layer.activation) for layer in architecture],
                tf.int32,
            ),
            tf.constant(
                [rate * layer.dropout for layer in architecture], tf.float32
            ),
        )
        self._epoch.assign(0)
        self._wait.assign(0)
        self._diverged.assign(-1)
        self._best_loss.assign(np.inf)

    def run(self, seed: tf.Tensor, stop: int) -> EpochRows:
        """Trains on, to epoch `stop` or until the loss no longer falls.

        Args:
          seed: int32 `[2]`, of the order of examples and of dropout.
          stop: the epoch after the last one.
        """
        rows = self.run_graph(*self._network, seed, tf.constant(stop))
        return EpochRows(*(row.numpy() for row in rows))

    @property
    def stopped_early(self) -> bool:
        """Whether the loss has not fallen for too long, or is not finite."""
        return (
            int(self._wait) >= self.settings.patience
            or self.diverged_at is not None
        )

    @property
    def diverged_at(self) -> tuple[int, int] | None:
        """See `Trained`."""
        step = int(self._diverged)
        return None if step < 0 else divmod(step, self._steps)

    def weights(self) -> list[LayerWeights]:
        """The weights as they are, or the best ones if those are kept."""
        keep_best = self.settings.keep_best
        return [
            tuple(
                variable.numpy()
                for variable in (layer.best if keep_best else layer.weights)
            )
            for layer in self._layers[: self._network[0]]
        ]

    def evaluate(
        self, examples: Examples, weights: Sequence[LayerWeights]
    ) -> tuple[float, float]:
        """Loss (nats) and accuracy of weights of the started architecture."""
        loss, accuracy = self.evaluate_graph(
            *(tf.convert_to_tensor(array) for array in examples),
            [tuple(map(tf.convert_to_tensor, layer)) for layer in weights],
            self._network[1],
        )
        return float(loss), float(accuracy)

    def _run_epochs(
        self,
        depth: int,
        activations: tf.Tensor,
        rates: tf.Tensor,
        seed: tf.Tensor,
        stop: tf.Tensor,
    ) -> EpochRows:
        """Compiled once for each `depth`, the number of layers."""
        layers = self._layers[:depth]
        first = self._epoch.read_value()
        arrays = tuple(
            tf.TensorArray(tf.float32, stop - first, element_shape=[])
            for _ in EpochRows._fields
        )

        def body(epoch: tf.Tensor, *arrays: tf.TensorArray) -> tuple:
            loss, last = self._train_epoch(
                layers, activations, rates, seed, epoch
            )
            validation_loss, accuracy = self._evaluate(
                *self.validation_examples,
                [tuple(layer.weights) for layer in layers],
                activations,
            )
            finite = tf.math.is_finite(loss + validation_loss)
            self._diverged.assign(
                tf.where(finite, -1, epoch * self._steps + last)
            )
            # NaN is not lower than anything.
            is_better = validation_loss < self._best_loss
            self._wait.assign(tf.where(is_better, 0, self._wait + 1))
            self._best_loss.assign(
                tf.where(is_better, validation_loss, self._best_loss)
            )
            if self.settings.keep_best:
                tf.cond(is_better, lambda: keep_best(layers), lambda: False)
            self._epoch.assign(epoch + 1)
            values = (loss, validation_loss, accuracy)
            return (
                epoch + 1,
                *(
                    array.write(epoch - first, value)
                    for array, value in zip(arrays, values, strict=True)
                ),
            )

        epoch, *arrays = tf.while_loop(
            lambda epoch, *_: (
                (epoch < stop)
                & (self._wait < self.settings.patience)
                & (self._diverged < 0)
            ),
            body,
            (first, *arrays),
            parallel_iterations=1,
        )
        done = tf.range(epoch - first)
        return EpochRows(*(array.gather(done) for array in arrays))

    def _train_epoch(
        self,
        layers: list[DenseState],
        activations: tf.Tensor,
        rates: tf.Tensor,
        seed: tf.Tensor,
        epoch: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Trains on all batches once, or to a loss that is not finite.

        Returns:
          The mean loss, and the last step made.
        """
        features, labels = self.train_examples
        count, batch = len(labels), self.settings.batch_size
        steps = self._steps
        order = batch_order(seed, epoch, count)
        variables = [v for layer in layers for v in layer.weights]

        def body(step: tf.Tensor, total: tf.Tensor) -> tuple:
            places = order[step * batch : (step + 1) * batch]
            number = epoch * steps + step
            with tf.GradientTape() as tape:
                x = tf.gather(features, places)
                for place, layer in enumerate(layers):
                    x = tf.nn.bias_add(x @ layer.weights[0], layer.weights[1])
                    if place < len(layers) - 1:
                        x = activate(x, activations[place])
                        x = drop_or_not(x, rates[place], seed, number, place)
                losses = cross_entropies(
                    x, tf.gather(labels, places), self.settings.outputs
                )
                loss = tf.reduce_mean(losses)
            gradients = tape.gradient(loss, variables)
            for place, layer in enumerate(layers):
                own = gradients[2 * place : 2 * place + 2]
                layer.descend(own, number + 1, self.settings.learning_rate)
            return step + 1, total + tf.reduce_sum(losses)

        step, total = tf.while_loop(
            lambda step, total: (step < steps) & tf.math.is_finite(total),
            body,
            (tf.constant(0), tf.constant(0.0)),
            parallel_iterations=1,
        )
        return total / count, step - 1

    def _evaluate(
        self,
        features: tf.Tensor,
        labels: tf.Tensor,
        weights: Sequence[tuple[tf.Tensor, tf.Tensor]],
        activations: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Mean loss and accuracy, without dropout."""
        count = tf.shape(labels)[0]

        def body(start: tf.Tensor, loss: tf.Tensor, hits: tf.Tensor) -> tuple:
            stop = start + _EVALUATION_BATCH
            x, true = features[start:stop], labels[start:stop]
            for place, (kernel, bias) in enumerate(weights):
                x = tf.nn.bias_add(x @ kernel, bias)
                if place < len(weights) - 1:
                    x = activate(x, activations[place])
            if self.settings.outputs == 1:
                chosen = tf.cast(x[:, 0] > 0, tf.int32)
            else:
                chosen = tf.argmax(x, 1, tf.int32)
            losses = cross_entropies(x, true, self.settings.outputs)
            # NaN is no answer, though `argmax` makes one of it.
            right = tf.cast(
                (chosen == true) & tf.math.is_finite(losses), tf.float32
            )
            loss += tf.reduce_sum(losses)
            return stop, loss, hits + tf.reduce_sum(right)

        start = (tf.constant(0), tf.constant(0.0), tf.constant(0.0))
        _, loss, right = tf.while_loop(
            lambda start, *_: start < count, body, start, parallel_iterations=1
        )
        size = tf.cast(count, tf.float32)
        return loss / size, right / size


def cross_entropies(
    logits: tf.Tensor, labels: tf.Tensor, outputs: int
) -> tf.Tensor:
    """Cross entropy of each example, in nats.

    Args:
      logits: float32 `[n, outputs]`.
      labels: int32 `[n]`.
      outputs: one is a sigmoid's.
    """
    if outputs == 1:
        return tf.nn.sigmoid_cross_entropy_with_logits(
            tf.cast(labels, tf.float32), logits[:, 0]
        )
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
