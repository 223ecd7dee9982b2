"""The shared weights on several devices, each with its part of the batch.

Each device holds all weights and momenta, runs the step's one architecture
on its part of the step's batch, and applies the mean of the gradients to its
own copy. What differs from one device is batch normalization, whose
statistics are those of the part, as if the parts were batches of their own.
"""

import tensorflow as tf

from enas.child import Child, ChildRows, accuracy
from enas.config import EnasConfig
from nascore.data.images import ImageData
from nascore.errors import InputError
from nascore.networks.supernet import Supernet
from nascore.seeds import Stream, fold, fold_in


class DataParallelChild(Child):
    """A child that a `tf.distribute.MirroredStrategy` trains.

    Training is all that is spread: accuracies are measured on the first
    device, with its copy of the weights.

    Args:
      supernet: the shared weights, made in the strategy's scope.
      data: images; they stay on the first device, which sends batches.
      config: the search's configuration.
      strategy: the devices.

    Raises:
      InputError: a batch that the devices cannot share equally.
    """

    def __init__(
        self,
        supernet: Supernet,
        data: ImageData,
        config: EnasConfig,
        strategy: tf.distribute.Strategy,
    ) -> None:
        self.strategy = strategy
        devices = strategy.num_replicas_in_sync
        if config.schedule.batch_size % devices:
            raise InputError(
                f"--batch_size={config.schedule.batch_size} must be a multiple "
                f"of the {devices} devices that share it"
            )
        # Momenta belong to their weights' devices.
        with strategy.scope():
            super().__init__(supernet, data, config)

    def _train_step(
        self,
        architecture: tf.Tensor,
        order: tf.Tensor,
        epoch: tf.Tensor,
        step: tf.Tensor,
        learning_rate: tf.Tensor,
    ) -> ChildRows:
        images, labels = self._batch(order, epoch, step)
        seed = fold(self.config.schedule.seed, Stream.DROPOUT, epoch, step)
        rows = self.strategy.run(
            self._train_part,
            (architecture, images, labels, seed, learning_rate),
        )
        # They are the same on all devices.
        copies = self.strategy.experimental_local_results
        return ChildRows(*(copies(row)[0] for row in rows))

    def _train_part(
        self,
        architecture: tf.Tensor,
        images: tf.Tensor,
        labels: tf.Tensor,
        seed: tf.Tensor,
        learning_rate: tf.Tensor,
    ) -> ChildRows:
        """What each device does in a step."""
        context = tf.distribute.get_replica_context()
        part = context.replica_id_in_sync_group
        size = labels.shape[0] // context.num_replicas_in_sync
        images, labels = (
            tf.ensure_shape(
                whole[part * size : (part + 1) * size],
                [size, *whole.shape[1:]],
            )
            for whole in (images, labels)
        )
        loss, logits, gradients = self._differentiate(
            architecture, images, labels, fold_in(seed, part)
        )
        loss, hits, *gradients = _mean(
            context, [loss, accuracy(labels, logits), *gradients]
        )
        return self._row(loss, hits, self._descend(gradients, learning_rate))


def _mean(
    context: tf.distribute.ReplicaContext,
    values: list[tf.Tensor | tf.IndexedSlices | None],
) -> list[tf.Tensor | tf.IndexedSlices | None]:
    """Means over the devices, in one exchange.

    All devices run the same architecture, so the rows of their sparse
    gradients are the same and only the rows' values travel.
    """
    sent = [
        value.values if isinstance(value, tf.IndexedSlices) else value
        for value in values
        if value is not None
    ]
    means = iter(context.all_reduce(tf.distribute.ReduceOp.MEAN, sent))
    results: list[tf.Tensor | tf.IndexedSlices | None] = []
    for value in values:
        if value is None:
            results.append(None)
        elif isinstance(value, tf.IndexedSlices):
            results.append(
                tf.IndexedSlices(next(means), value.indices, value.dense_shape)
            )
        else:
            results.append(next(means))
    return results
