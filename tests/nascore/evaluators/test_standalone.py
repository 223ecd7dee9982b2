"""What standalone training measures on; the training itself is left out."""

import numpy as np

from nascore.data.config import DataConfig
from nascore.data.images import load
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.shared_weights import SharedWeights
from nascore.evaluators.standalone import train_standalone
from nascore.evaluators.weights import TrainWeights
from nascore.networks.config import SupernetConfig

IMAGES = DataConfig(validation_fraction=0.2, search_test_fraction=0.1)
CHILD = SupernetConfig(
    filters=4, num_normal_cells=1, num_reduction_cells=1, num_nodes=2
)


def run(data, rows):
    return list(
        train_standalone(CHILD, SharedWeightsConfig(), IMAGES, data, rows, 1, 1)
    )


def test_accuracies_are_of_images_that_did_not_rank(monkeypatch):
    data = load(IMAGES)
    seen = []

    def accuracy_on(shared, images, cells):
        seen.append((images.labels.numpy(), cells.numpy()))
        return 0.25 * len(seen)

    healthy = {"healthy": np.array([True])}
    monkeypatch.setattr(TrainWeights, "train", lambda *arguments: healthy)
    monkeypatch.setattr(SharedWeights, "_accuracy_on", accuracy_on)
    space = CHILD.space
    rows = space.sample(np.random.default_rng(0), 2)
    found = run(data, rows)
    assert len(data.search_test) != len(data.validation)
    of_search_test = [
        (0.25 * number, *what)
        for number, what in enumerate(seen, 1)
        if len(what[0]) == len(data.search_test)
    ]
    assert found == [accuracy for accuracy, _, _ in of_search_test]
    for (_, labels, cells), row in zip(of_search_test, rows, strict=True):
        np.testing.assert_array_equal(labels, data.search_test.labels)
        np.testing.assert_array_equal(cells, row.reshape(1, *space.array_shape))


def test_what_diverged_has_no_accuracy(monkeypatch):
    sick = {"healthy": np.array([True, False])}
    monkeypatch.setattr(TrainWeights, "train", lambda *arguments: sick)
    rows = CHILD.space.sample(np.random.default_rng(0), 1)
    assert np.isnan(run(load(IMAGES), rows)).all()
