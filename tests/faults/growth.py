"""Runs two hundred epochs and prints by how much the memory has grown.

  python -m tests.faults.growth KIND FOLDER

In a process of its own: what others have left in the heap is used again, and
hides or feigns growth.
"""

import sys
from pathlib import Path

import numpy as np

from enas import search as enas
from enas.config import ControllerConfig, EnasConfig
from mlpnas import search as mlpnas
from mlpnas.config import (
    CandidateConfig,
    LengthConfig,
    MlpnasConfig,
    PolicyConfig,
    SpaceConfig,
)
from mlpnas.data.config import MlpDataConfig
from mlpnas.data.load import load as load_table
from nascore.data.config import DataConfig
from nascore.data.images import ImageData, Split
from nascore.evaluators.config import SharedWeightsConfig
from nascore.networks.config import NetworkConfig, SupernetConfig
from nascore.process.memory import resident
from nascore.runs.folder import RunFolder
from nascore.search.config import SearchConfig
from nascore.training.config import FinalConfig, TrainingConfig
from nascore.training.provenance.images import FinalData
from nascore.training.run import FinalTraining

EPOCHS, SETTLED = 200, 50
MEBIBYTE = 2**20


def images(count):
    rng = np.random.default_rng(count)
    return Split(
        rng.integers(0, 256, (count, 4, 4, 1)).astype(np.uint8),
        np.arange(count, dtype=np.int32) % 2,
    )


DATA = ImageData(
    "tiny", images(16), images(8), images(8), images(8), ("a", "b")
)


def sample_after_epochs(machine):
    """Notes the memory after each save, of which every epoch ends with one."""
    sizes = []
    save = machine.lifecycle._save

    def saved():
        save()
        sizes.append(resident())

    machine.lifecycle._save = saved
    return sizes


def growth(sizes):
    """MiB from epoch `SETTLED` to the last; medians, for the heap breathes."""
    assert len(sizes) == EPOCHS
    settled = np.median(sizes[SETTLED : SETTLED + 20])
    return (np.median(sizes[-20:]) - settled) / MEBIBYTE


def enas_search(folder):
    config = EnasConfig(
        child=SupernetConfig(
            filters=2,
            num_normal_cells=1,
            num_reduction_cells=0,
            num_nodes=1,
            operations="sep_conv_3x3,identity",
        ),
        controller=ControllerConfig(num_aggregate=1, train_steps=1),
        weights=SharedWeightsConfig(batch_size=8),
        search=SearchConfig(epochs=EPOCHS, epoch_samples=1, derive_samples=1),
    )
    with RunFolder.create(folder) as run:
        machine = enas.make_search(config, run, DATA)
        sizes = sample_after_epochs(machine)
        machine.run()
    return growth(sizes)


def final_training(folder):
    config = FinalConfig(
        DataConfig(),
        NetworkConfig(
            num_nodes=1,
            filters=2,
            num_normal_cells=1,
            num_reduction_cells=0,
            aux_weight=0,
        ),
        TrainingConfig(
            architecture="0 0 1 3 0 1 1 4", epochs=EPOCHS, batch_size=8
        ),
    )
    data = FinalData(DATA, DATA.train, DATA.validation, DATA.test)
    with RunFolder.create(folder) as run:
        training = FinalTraining(config, run, data)
        sizes = sample_after_epochs(training)
        training.run()
    return growth(sizes)


def mlpnas_search(folder):
    config = MlpnasConfig(
        data=MlpDataConfig(train_examples=60),
        space=SpaceConfig(units="4,5,6,7", max_layers=4),
        policy=PolicyConfig(lstm_units=8, predictor=True, predictor_steps=1),
        training=CandidateConfig(
            child_epochs=1, batch_size=32, one_shot=True, bank_megabytes=0.02
        ),
        search=LengthConfig(epochs=EPOCHS, architectures=1),
    )
    data = load_table(config.data)
    with RunFolder.create(folder) as run:
        machine = mlpnas.make_search(config, run, data, jobs=1)
        sizes = sample_after_epochs(machine)
        machine.run()
    return growth(sizes)


if __name__ == "__main__":
    kinds = {
        "search": enas_search,
        "final_training": final_training,
        "mlpnas": mlpnas_search,
    }
    print(f"{kinds[sys.argv[1]](Path(sys.argv[2])):.2f}")
