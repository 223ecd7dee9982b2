"""Trains shared weights on two virtual devices and, for itself, on one.

Run in a process of its own, because devices are set before TensorFlow
starts. Prints what `test_data_parallel.py` checks, as JSON.
"""

import json

import keras
import numpy as np
import tensorflow as tf

from enas.child import Child, cross_entropy
from enas.config import EnasConfig, ScheduleConfig
from enas.data_parallel import DataParallelChild
from nascore import draws
from nascore.data.config import DataConfig
from nascore.data.images import load
from nascore.errors import InputError
from nascore.networks.config import SupernetConfig
from nascore.networks.supernet import Supernet
from nascore.process.runtime import configure
from nascore.seeds import Stream, fold, fold_in

STEPS, RATE, SIZE = 6, 0.05, 32
CONFIG = EnasConfig(
    data=DataConfig(validation_fraction=0.21, pad_crop=2),
    child=SupernetConfig(filters=4, num_layers=2, num_nodes=2),
    # The gradients are longer than this.
    schedule=ScheduleConfig(
        batch_size=SIZE, clip_norm=1.0, momentum=0.8, weight_decay=1e-3
    ),
)
DATA = load(CONFIG.data)


def make_supernet():
    keras.utils.set_random_seed(7)
    return Supernet(CONFIG.child, DATA.image_shape, 10)


def train_by_hand(child, architectures):
    """Means of two half batches' gradients, one device; update in NumPy."""
    schedule = CONFIG.schedule
    zero = tf.constant(0)
    order = draws.order(child.train_images.size, fold(1, Stream.SHUFFLE, zero))
    velocities = [
        np.zeros(weight.shape, np.float32) for weight in child.weights
    ]
    losses, norms = [], []

    @tf.function(autograph=False)
    def half(architecture, images, labels, seed):
        with tf.GradientTape() as tape:
            logits, aux_logits = child.supernet(
                images, architecture, training=True, seed=seed
            )
            loss = cross_entropy(labels, logits)
            total = loss + 0.4 * cross_entropy(labels, aux_logits)
        gradients = tape.gradient(total, child.weights)
        return loss, [tf.convert_to_tensor(value) for value in gradients]

    for step in range(STEPS):
        images, labels = child._batch(order, zero, tf.constant(step))
        seed = fold(1, Stream.DROPOUT, zero, tf.constant(step))
        parts = []
        for part in (0, 1):
            rows = slice(part * SIZE // 2, (part + 1) * SIZE // 2)
            parts.append(
                half(
                    architectures[step],
                    images[rows],
                    labels[rows],
                    fold_in(seed, part),
                )
            )
        losses.append(np.mean([loss for loss, _ in parts]))
        means = [
            (one.numpy() + other.numpy()) / 2
            for one, other in zip(parts[0][1], parts[1][1], strict=True)
        ]
        norm = np.sqrt(sum(np.sum(np.square(value)) for value in means))
        norms.append(norm)
        scale = min(1.0, schedule.clip_norm / norm)
        for weight, mean, velocity in zip(
            child.weights, means, velocities, strict=True
        ):
            gradient = scale * mean + 2 * schedule.weight_decay * weight.numpy()
            velocity *= schedule.momentum
            velocity += gradient
            weight.assign_sub(RATE * (gradient + schedule.momentum * velocity))
    return losses, norms


def largest_difference(ours, theirs):
    return max(
        float(np.abs(one.numpy() - other.numpy()).max())
        for one, other in zip(ours, theirs, strict=True)
    )


def main():
    (cpu,) = tf.config.list_physical_devices("CPU")
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)
    configure()
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        supernet = make_supernet()
    child = DataParallelChild(supernet, DATA, CONFIG, strategy)
    alone = Child(make_supernet(), DATA, CONFIG)
    rng = np.random.default_rng(0)
    space = CONFIG.child.space
    architectures = tf.constant(
        space.sample(rng, STEPS).reshape(-1, *space.array_shape)
    )
    start_difference = largest_difference(child.weights, alone.weights)
    first = [weight.numpy() for weight in alone.weights]
    rows = []
    for span in ((0, 1), (1, 3), (3, STEPS)):
        numbers = (tf.constant(n) for n in (0, *span))
        rows.append(child.train(architectures, *numbers, tf.constant(RATE)))
    losses, norms = train_by_hand(alone, architectures)
    copies = [
        [part.numpy() for part in strategy.experimental_local_results(value)]
        for value in (*child.weights, *child.momenta)
    ]
    seed = tf.constant([1, 2])
    try:
        odd = EnasConfig(schedule=ScheduleConfig(batch_size=33))
        DataParallelChild(supernet, DATA, odd, strategy)
        refusal = ""
    except InputError as error:
        refusal = str(error)
    print(
        json.dumps(
            {
                "start_difference": start_difference,
                "moved": max(
                    float(np.abs(old - new.numpy()).max())
                    for old, new in zip(first, alone.weights, strict=True)
                ),
                "difference": largest_difference(child.weights, alone.weights),
                "copies": [len(parts) for parts in copies],
                "copies_equal": all(
                    np.array_equal(parts[0], other)
                    for parts in copies
                    for other in parts[1:]
                ),
                "losses": np.concatenate([r.loss for r in rows]).tolist(),
                "norms": np.concatenate(
                    [r.gradient_norm for r in rows]
                ).tolist(),
                "healthy": bool(np.all([r.healthy[-1] for r in rows])),
                "expected_losses": [float(loss) for loss in losses],
                "expected_norms": [float(norm) for norm in norms],
                "traces": child.train.experimental_get_tracing_count(),
                "scores": child.score_on_batches(architectures, seed)
                .numpy()
                .tolist(),
                "expected_scores": alone.score_on_batches(architectures, seed)
                .numpy()
                .tolist(),
                "refusal": refusal,
            }
        )
    )


if __name__ == "__main__":
    main()
