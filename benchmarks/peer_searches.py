"""The searches that benchmarks.mlpnas_peer compares, each of the same kind."""

import contextlib
import dataclasses
import io
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from mlpnas.candidates.pool import CandidatePool
from mlpnas.candidates.trainer import Trainer
from mlpnas.config import (
    CandidateConfig,
    LengthConfig,
    MlpnasConfig,
    PolicyConfig,
    SpaceConfig,
)
from mlpnas.data.load import MlpData
from mlpnas.perceptrons import make_task, trainer_settings
from mlpnas.search import make_search
from nascore.runs.folder import RunFolder
from nascore.search.phases import EVALUATIONS


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is alike in all runs.

    Attributes:
      epochs: of the controller.
      architectures: in each of them.
      child_epochs: of a candidate's training.
      batch_size: of it.
      max_layers: most layers of MLPNAS, as its flag.
      peer_layers: most hidden layers of KerasTuner.
    """

    epochs: int = 3
    architectures: int = 10
    child_epochs: int = 10
    batch_size: int = 256
    max_layers: int = 10
    peer_layers: int = 4

    @property
    def candidates(self) -> int:
        """How many each method trains."""
        return self.epochs * self.architectures

    def config(self, method: str, seed: int) -> MlpnasConfig:
        """The settings of MLPNAS."""
        return MlpnasConfig(
            space=SpaceConfig(max_layers=self.max_layers),
            policy=PolicyConfig(controller=method),
            training=CandidateConfig(
                child_epochs=self.child_epochs, batch_size=self.batch_size
            ),
            search=LengthConfig(
                seed=seed, epochs=self.epochs, architectures=self.architectures
            ),
        )


class Found(NamedTuple):
    """The best of a search.

    Attributes:
      validation_accuracy: the highest of any epoch of any candidate.
      test_accuracy: of the weights of that epoch.
      seconds: until these weights were there.
      candidates: trained.
      architecture: which it is.
    """

    validation_accuracy: float
    test_accuracy: float
    seconds: float
    candidates: int
    architecture: str


def search_ours(plan: Plan, data: MlpData, method: str, seed: int) -> Found:
    """Runs MLPNAS, `lstm` or `random`."""
    config = plan.config(method, seed)
    begin = time.perf_counter()
    space = config.space.space(data.classes)
    settings = trainer_settings(config, space.outputs)
    pool = CandidatePool(
        settings,
        # Nothing that an earlier run has compiled is of use to this one.
        f"{data.fingerprint} {method} {seed}",
        data.train,
        data.validation,
        jobs=1,
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        RunFolder.create(Path(folder) / "run") as run,
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        make_search(config, run, data, pool=pool).run()
        rows = run.read(EVALUATIONS)
    # Of equals the first one, as KerasTuner takes it.
    best = max(rows, key=lambda row: float(row["best_accuracy"]))
    accuracies = np.array(best["accuracies"].split(), float)
    architecture = space.parse(best["architecture"])
    # A search keeps last weights. To the same epoch, training is the same.
    task = make_task(config, data, architecture, int(best["number"]))
    task = task._replace(epochs=1 + int(accuracies.argmax()))
    [(_, trained)] = pool.train([task])
    seconds = time.perf_counter() - begin
    trainer = Trainer(settings, data.train, data.validation)
    trainer.start(architecture, trained.weights)
    _, test = trainer.evaluate(data.test, trained.weights)
    return Found(
        float(trained.accuracies[-1]),
        test,
        seconds,
        len(rows),
        best["architecture"],
    )


def search_peer(plan: Plan, data: MlpData, method: str, seed: int) -> Found:
    """Runs KerasTuner's random search; `method` is `tuner`."""
    import keras_tuner

    own = plan.config("random", seed)
    space = own.space.space(data.classes)

    def build(choices: Any) -> keras.Model:
        layers = [keras.Input((data.features,))]
        for place in range(choices.Int("layers", 1, plan.peer_layers)):
            units = choices.Choice(f"units_{place}", list(space.units))
            name = choices.Choice(
                f"activation_{place}", list(space.activations)
            )
            layers.append(keras.layers.Dense(units, name))
        layers.append(keras.layers.Dense(data.classes, "softmax"))
        model = keras.Sequential(layers)
        model.compile(
            keras.optimizers.Adam(own.training.child_lr),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
            # Compiling with XLA takes longer than such a training.
            jit_compile=False,
        )
        return model

    begin = time.perf_counter()
    keras.utils.set_random_seed(seed)
    with tempfile.TemporaryDirectory() as folder:
        tuner = keras_tuner.RandomSearch(
            build,
            objective="val_accuracy",
            max_trials=plan.candidates,
            seed=seed,
            directory=folder,
            overwrite=True,
        )
        tuner.search(
            *data.train,
            validation_data=tuple(data.validation),
            batch_size=plan.batch_size,
            epochs=plan.child_epochs,
            verbose=0,
        )
        # With the weights of its best epoch. Those of the optimizer, which
        # is not needed any more, are not found: Keras warns.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            [model] = tuner.get_best_models(1)
    seconds = time.perf_counter() - begin
    trials = tuner.oracle.get_best_trials(plan.candidates)
    chosen = np.argmax(model.predict(data.test.features, verbose=0), 1)
    layers = [
        f"{layer.units} {layer.activation.__name__}" for layer in model.layers
    ]
    return Found(
        float(trials[0].score),
        float(np.mean(chosen == data.test.labels)),
        seconds,
        len(trials),
        " | ".join([*layers[:-1], "softmax"]),
    )


SEARCHES: dict[str, Callable[[Plan, MlpData, str, int], Found]] = {
    "lstm": search_ours,
    "random": search_ours,
    "tuner": search_peer,
}
