"""Searches without training, and what they have left, to compare them by."""

import signal

import numpy as np

from mlpnas.candidates.tasks import EpochRows, Trained
from mlpnas.config import (
    CandidateConfig,
    FinetuneConfig,
    LengthConfig,
    MlpnasConfig,
    PolicyConfig,
    SpaceConfig,
)
from mlpnas.data.config import MlpDataConfig
from mlpnas.data.load import load
from mlpnas.search import make_search
from nascore.runs.folder import RunFolder

CONFIG = MlpnasConfig(
    data=MlpDataConfig(train_examples=300),
    space=SpaceConfig(units="8,16,32", max_layers=4),
    policy=PolicyConfig(lstm_units=16, predictor=True, predictor_steps=3),
    training=CandidateConfig(child_epochs=3, one_shot=True, batch_size=32),
    finetune=FinetuneConfig(top=3),
    search=LengthConfig(epochs=3, architectures=4),
)
DATA = load(CONFIG.data)


class Toy:
    """Stands in for training: scores count the wanted layers."""

    processes_peak = 0

    def __init__(self, stop_at=None):
        self.stop_at = stop_at
        self.seen = []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def train(self, tasks):
        # Backwards: results need not come in the order of the tasks.
        for place in reversed(range(len(tasks))):
            task = tasks[place]
            self.seen.append(task)
            share = np.mean(
                [layer.activation == "elu" for layer in task.architecture]
            )
            rows = EpochRows(*np.full((3, 2), share, np.float32))
            yield place, Trained(list(task.weights), rows, 0.0)
            if self.stop_at == len(self.seen):
                signal.raise_signal(signal.SIGINT)


def search(path, config=CONFIG, resume=False, pool=None, jobs=1):
    open_folder = RunFolder.open if resume else RunFolder.create
    with open_folder(path) as run:
        machine = make_search(config, run, DATA, pool=pool, jobs=jobs)
        machine.run()
        return machine


def rows(path):
    """All rows, without the columns that measure time."""
    with RunFolder.open(path) as run:
        return {
            name: [
                {k: v for k, v in row.items() if not k.startswith("seconds")}
                for row in run.read(name)
            ]
            for name in ("evaluations", "epochs")
        }


def assert_same_state(one, other):
    """All that a checkpoint holds, but for times."""
    theirs = other._state()
    for name, value in one._state().items():
        if hasattr(value, "numpy"):
            mine, yours = value.numpy(), theirs[name].numpy()
            np.testing.assert_array_equal(mine, yours, name)
        elif hasattr(value, "entries"):
            assert list(value.entries) == list(theirs[name].entries)
            for number, trained in value.entries.items():
                yours = theirs[name].entries[number]
                for layer, its in zip(
                    trained.weights, yours.weights, strict=True
                ):
                    np.testing.assert_array_equal(layer[0], its[0], name)
                    np.testing.assert_array_equal(layer[1], its[1], name)
        else:
            assert value.serialize() == theirs[name].serialize(), name
