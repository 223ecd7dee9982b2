"""Which images of a final training its searches have seen."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from nascore.data.config import DataConfig
from nascore.data.images import load
from nascore.networks.config import NetworkConfig
from nascore.training.config import FinalConfig, TrainingConfig
from nascore.training.provenance import disclosure
from nascore.training.provenance.history import History, find_history
from nascore.training.provenance.images import load_final
from nascore.training.provenance.origin import NOWHERE, Origin, SearchOrigin

DIGITS = DataConfig(image_size=8)
CONFIG = FinalConfig(DIGITS, NetworkConfig(), TrainingConfig())
DATA = load_final(DIGITS, False)


def search(data=DIGITS, fingerprint=""):
    return SearchOrigin("s", fingerprint or load(data).fingerprint, data)


def found(search, config=CONFIG, data=DATA, weights=False):
    origin = Origin(None, search) if weights else Origin(search)
    return find_history(origin, config, data)


def pictures(split):
    return {image.tobytes() for image in split.images}


# The size of the search's images is not that of the training's.
@pytest.mark.parametrize("size", [8, 16])
def test_rewards_from_test_images(size):
    data = DataConfig(image_size=size, split="ienas")
    history = found(search(data))
    mask = history.rewarded_tests
    assert mask.sum() == 108  # 30% of 360, as published.
    chosen = load(dataclasses.replace(data, image_size=8)).validation
    assert pictures(DATA.test.take(mask)) == pictures(chosen)
    uses = history.architecture.test
    np.testing.assert_array_equal(uses.reported, ~mask)
    assert not uses.trained.any()
    # All official training images trained the search's weights.
    assert history.architecture.validation.counts() == {
        "trained": 144,
        "rewarded": 0,
        "reported": 0,
    }
    (line,) = disclosure.warnings(history)
    assert "108 of 360 (30.0%)" in line
    record = disclosure.record(history)["architecture"]
    assert record["test_images"]["reported"] == 252


@pytest.mark.parametrize(
    "other", [{}, {"split_seed": 2}, {"validation_fraction": 0.3}]
)
def test_a_clean_search_has_seen_validation_images_only(other):
    data = dataclasses.replace(DIGITS, **other)
    theirs = load(data)
    seen = found(search(data), weights=True).weights
    assert not any(seen.test.counts().values())
    for name, part in (
        ("trained", theirs.train),
        ("rewarded", theirs.validation),
        ("reported", theirs.search_test),
    ):
        shared = [
            image.tobytes() in pictures(part)
            for image in DATA.validation.images
        ]
        np.testing.assert_array_equal(getattr(seen.validation, name), shared)
    # The same split trains on none of them, others on some.
    assert bool(other) == seen.validation.trained.any()
    history = found(search(data), weights=True)
    assert not disclosure.warnings(history)
    told = " ".join(disclosure.notes(history))
    assert ("learned from" in told) == bool(other)


def test_what_was_chosen_by_validation_images_is_said():
    (line,) = disclosure.notes(found(search()))
    assert "architecture of s was chosen by 144 of 144 (100.0%)" in line


def test_nothing_is_said_of_what_is_not_known():
    history = find_history(NOWHERE, CONFIG, DATA)
    assert history == History()
    assert disclosure.measured_on(history) == disclosure.MEASURED_ON
    assert disclosure.record(history) == {}
    other = SearchOrigin("s", "f", DataConfig(dataset="cifar10", split="ienas"))
    assert found(other).rewarded_tests is None
    assert not disclosure.notes(found(other))


def test_images_that_are_not_found_again():
    data = dataclasses.replace(DIGITS, split="ienas")
    history = found(search(data, fingerprint="other"))
    assert history.architecture is None and history.rewarded_tests is None
    (line,) = disclosure.warnings(history)
    assert "30% of official test images; which they are is not known" in line
    assert line in disclosure.measured_on(history)
    assert disclosure.record(history)["architecture"]["test_images"] == (
        "not known"
    )


def draw(folder, count, seed):
    rng = np.random.default_rng(seed)
    for label in range(2):
        (folder / f"c{label}").mkdir(parents=True)
        for number in range(count):
            pixels = rng.integers(0, 256, (8, 8)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"c{label}" / f"{number}.png")


def test_test_pictures_that_another_folder_trained_on(tmp_path):
    draw(tmp_path / "new" / "train", 20, 1)
    draw(tmp_path / "old", 40, 2)
    draw(tmp_path / "new" / "test", 40, 2)
    old, new = (
        DataConfig(
            dataset="folder", data_dir=str(tmp_path / name), image_size=8
        )
        for name in ("old", "new")
    )
    config = dataclasses.replace(CONFIG, data=new)
    data = load_final(new, False)
    history = found(search(old), config, data, weights=True)
    # But for the fifth that the old folder's own test set took.
    theirs = load(old)
    assert history.weights.test.counts() == {
        "trained": len(theirs.train),
        "rewarded": len(theirs.validation),
        "reported": len(theirs.search_test),
    }
    (line,) = disclosure.warnings(history)
    assert f"trained on {len(theirs.train)} of 80" in line


def test_an_origin_is_read_as_it_was_written(tmp_path):
    origin = Origin(search(), None)
    content = json.loads(json.dumps({"origin": origin.to_json()}))
    assert Origin.from_json(content, tmp_path) == origin
    assert Origin.from_json({}, tmp_path) == NOWHERE
