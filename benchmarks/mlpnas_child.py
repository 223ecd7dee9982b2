"""Times the training of MLPNAS candidates against plain Keras.

  python -m benchmarks.mlpnas_child --data_dir=DATA [--images=6000]

In one run, on the same architectures of random search and the same examples:
  keras      a `Sequential` for each, compiled and fitted with early stopping,
  one        ours, in this process,
  processes  ours, in a process for each core, their start included.
Each way starts cold, as a search does: compilation counts.
"""

import argparse
import platform
import time

import joblib
import numpy as np

from nascore.paths import expand
from nascore.process.quiet import quiet_tensorflow

quiet_tensorflow()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from mlpnas.candidates.dense import initial_weights  # noqa: E402
from mlpnas.candidates.pool import CandidatePool  # noqa: E402
from mlpnas.candidates.tasks import Task, epoch_weighted_mean  # noqa: E402
from mlpnas.config import MlpnasConfig, SpaceConfig  # noqa: E402
from mlpnas.controller import LayerPolicy  # noqa: E402
from mlpnas.data.config import MlpDataConfig  # noqa: E402
from mlpnas.data.load import MlpData, load  # noqa: E402
from mlpnas.perceptrons import trainer_settings  # noqa: E402
from nascore.spaces.perceptrons import MlpArchitecture  # noqa: E402

# The paper's prior over depths, as in all that was measured so far: most
# networks have nine or ten layers.
CONFIG = MlpnasConfig(space=SpaceConfig(depth_prior="paper"))


def fit_keras(
    data: MlpData, architectures: list[MlpArchitecture]
) -> tuple[list[float], list[float]]:
    """Scores and seconds of `Sequential.fit` for each architecture."""
    scores, seconds = [], []
    training = CONFIG.training
    for architecture in architectures:
        begin = time.perf_counter()
        layers = [keras.Input((data.features,))]
        for layer in architecture:
            layers.append(keras.layers.Dense(layer.units, layer.activation))
            if layer.dropout:
                layers.append(keras.layers.Dropout(CONFIG.space.dropout_rate))
        layers.append(keras.layers.Dense(data.classes, "softmax"))
        model = keras.Sequential(layers)
        model.compile(
            keras.optimizers.Adam(training.child_lr),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        history = model.fit(
            *data.train,
            batch_size=training.batch_size,
            epochs=training.child_epochs,
            validation_data=tuple(data.validation),
            callbacks=[keras.callbacks.EarlyStopping(patience=3)],
            verbose=0,
        ).history
        seconds.append(time.perf_counter() - begin)
        scores.append(epoch_weighted_mean(np.array(history["val_accuracy"])))
    return scores, seconds


def train_ours(
    data: MlpData, architectures: list[MlpArchitecture], jobs: int
) -> tuple[list[float], float]:
    """Scores, and seconds in all."""
    begin = time.perf_counter()
    tasks = [
        Task(
            architecture,
            initial_weights(
                architecture, data.features, data.classes, [number, 0]
            ),
            (number, 1),
            CONFIG.training.child_epochs,
        )
        for number, architecture in enumerate(architectures)
    ]
    pool = CandidatePool(
        trainer_settings(CONFIG, data.classes),
        f"jobs {jobs}",
        data.train,
        data.validation,
        jobs,
    )
    with pool:
        results = dict(pool.train(tasks))
    seconds = time.perf_counter() - begin
    rule = CONFIG.training.score
    return [results[n].score(rule) for n in range(len(tasks))], seconds


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data_dir", type=expand, default="")
    parser.add_argument("--images", type=int, default=6000)
    parser.add_argument("--architectures", type=int, default=20)
    arguments = parser.parse_args()
    data = load(
        MlpDataConfig(
            dataset="mnist",
            data_dir=arguments.data_dir,
            train_examples=arguments.images,
        )
    )
    space = CONFIG.space.space(data.classes)
    controller = LayerPolicy(space)
    ids = controller(arguments.architectures, [1, 1]).sequences.numpy()
    architectures = [space.decode(row) for row in ids]
    print(
        f"{len(data.train.labels)} training images, {len(architectures)} "
        f"architectures, {CONFIG.training.child_epochs} epochs, batch "
        f"{CONFIG.training.batch_size}"
    )
    print(
        f"TensorFlow {tf.__version__}, Keras {keras.__version__}, "
        f"{platform.machine()}, {joblib.cpu_count()} cores"
    )
    scores, each = fit_keras(data, architectures)
    low, middle, high = np.percentile(each, [10, 50, 90])
    print(
        f"keras, seconds for one: median {middle:.2f} (10% {low:.2f}, 90% "
        f"{high:.2f})"
    )
    print("| way | seconds | for one | keras / this | mean score |")
    print("|---|---|---|---|---|", flush=True)
    ways = {"keras": 0, "one": 1, "processes": joblib.cpu_count()}
    for name, jobs in ways.items():
        seconds = sum(each)
        if jobs:
            scores, seconds = train_ours(data, architectures, jobs)
        print(
            f"| {name} | {seconds:.1f} | {seconds / len(architectures):.2f} "
            f"| {sum(each) / seconds:.2f} | {np.mean(scores):.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
