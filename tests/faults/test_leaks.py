"""Two hundred epochs hold no more memory than fifty.

What grows with a run must be on disk. The first epochs compile, fill caches
and widen the heap; after them the growth is held against `BOUND`. Measured on
two cores: 2.6 MiB for the search, 1.4 MiB for final training, while single
samples go up and down by 12 MiB. A leak of 0.11 MiB in each epoch is noticed.
"""

import numpy as np
import pytest

from enas.config import ControllerConfig, EnasConfig, ScheduleConfig
from enas.search import Search
from mlpnas.config import (
    MlpnasConfig,
    PolicyConfig,
    SearchConfig,
    SpaceConfig,
    TrainingConfig,
)
from mlpnas.data import load as load_table
from mlpnas.data_config import MlpDataConfig
from mlpnas.search import Search as MlpnasSearch
from nascore.config import DataConfig, SupernetConfig
from nascore.data import ImageData, Split
from nascore.final.config import FinalConfig, NetworkConfig
from nascore.final.config import TrainingConfig as T
from nascore.final.images import FinalData
from nascore.final.run import FinalTraining
from nascore.memory import resident
from nascore.runs import RunFolder

EPOCHS, SETTLED = 200, 50
MEBIBYTE = 2**20
BOUND = 16 * MEBIBYTE


def images(count):
    rng = np.random.default_rng(count)
    return Split(
        rng.integers(0, 256, (count, 4, 4, 1)).astype(np.uint8),
        np.arange(count, dtype=np.int32) % 2,
    )


DATA = ImageData(
    "tiny", images(16), images(8), images(8), images(8), ("a", "b")
)


def sample_after_epochs(machine, monkeypatch):
    """Notes the memory after each save, of which every epoch ends with one."""
    sizes = []
    save = machine._save

    def saved():
        save()
        sizes.append(resident())

    monkeypatch.setattr(machine, "_save", saved)
    return sizes


def assert_steady(sizes):
    assert len(sizes) == EPOCHS
    # Medians: the heap breathes.
    settled = np.median(sizes[SETTLED : SETTLED + 20])
    grown = np.median(sizes[-20:]) - settled
    print(f"grew {grown / MEBIBYTE:.1f} MiB after epoch {SETTLED}")
    assert grown < BOUND


@pytest.mark.slow
def test_search_does_not_grow(tmp_path, monkeypatch):
    config = EnasConfig(
        child=SupernetConfig(
            filters=2, num_normal_cells=1, num_reduction_cells=0, num_nodes=1
        ),
        controller=ControllerConfig(num_aggregate=1, train_steps=1),
        schedule=ScheduleConfig(
            epochs=EPOCHS, batch_size=8, epoch_samples=1, derive_samples=1
        ),
    )
    with RunFolder.create(tmp_path / "run") as run:
        machine = Search(config, run, data=DATA)
        sizes = sample_after_epochs(machine, monkeypatch)
        machine.run()
    assert_steady(sizes)


@pytest.mark.slow
def test_final_training_does_not_grow(tmp_path, monkeypatch):
    config = FinalConfig(
        DataConfig(),
        NetworkConfig(num_nodes=1, filters=2, num_layers=1, aux_weight=0),
        T(architecture="0 0 1 3 0 1 1 4", epochs=EPOCHS, batch_size=8),
    )
    data = FinalData(DATA, DATA.train, DATA.validation, DATA.test)
    with RunFolder.create(tmp_path / "run") as run:
        training = FinalTraining(config, run, data)
        sizes = sample_after_epochs(training, monkeypatch)
        training.run()
    assert_steady(sizes)


@pytest.mark.slow
def test_mlpnas_does_not_grow(tmp_path, monkeypatch):
    config = MlpnasConfig(
        data=MlpDataConfig(train_examples=60),
        space=SpaceConfig(units="4,5,6,7", max_layers=4),
        policy=PolicyConfig(lstm_units=8, predictor=True, predictor_steps=1),
        training=TrainingConfig(
            child_epochs=1, batch_size=32, one_shot=True, bank_megabytes=0.02
        ),
        search=SearchConfig(epochs=EPOCHS, architectures=1),
    )
    data = load_table(config.data)
    with RunFolder.create(tmp_path / "run") as run:
        machine = MlpnasSearch(config, run, data, None, 1)
        sizes = sample_after_epochs(machine, monkeypatch)
        machine.run()
    assert_steady(sizes)
