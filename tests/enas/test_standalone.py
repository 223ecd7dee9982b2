"""What standalone training measures on; the training itself is left out."""

from types import SimpleNamespace

import numpy as np

from enas.child import Child
from enas.config import EnasConfig
from enas.standalone import train_standalone
from nascore.data.config import DataConfig
from nascore.data.images import load
from nascore.networks.config import SupernetConfig
from nascore.spaces.cells import CellSpace

CONFIG = EnasConfig(
    data=DataConfig(validation_fraction=0.2, search_test_fraction=0.1),
    child=SupernetConfig(
        filters=4, num_normal_cells=1, num_reduction_cells=1, num_nodes=2
    ),
)


def test_accuracies_are_of_images_that_did_not_rank(monkeypatch):
    data = load(CONFIG.data)
    seen = []

    def accuracy_on(child, images, architectures):
        seen.append((images.labels.numpy(), architectures.numpy()))
        return 0.25 * len(seen)

    healthy = SimpleNamespace(healthy=np.array([True]))
    monkeypatch.setattr(Child, "train", lambda *arguments: healthy)
    monkeypatch.setattr(Child, "accuracy_on", accuracy_on)
    space = CellSpace(num_nodes=2)
    chosen = [
        space.decode(row) for row in space.sample(np.random.default_rng(0), 2)
    ]
    assert list(train_standalone(CONFIG, data, chosen, 1)) == [0.25, 0.5]
    assert len(data.search_test) != len(data.validation)
    for (labels, array), architecture in zip(seen, chosen, strict=True):
        np.testing.assert_array_equal(labels, data.search_test.labels)
        np.testing.assert_array_equal(array, architecture.to_array()[None])
