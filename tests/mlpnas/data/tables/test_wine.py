import numpy as np

from mlpnas.data.config import MlpDataConfig
from mlpnas.data.load import load
from nascore.data.tfds import make_builder


def test_prepared_wine_has_the_three_classes_and_no_leak(tmp_path):
    builder = make_builder("wine_quality/white", str(tmp_path))
    names = list(builder.info.features["features"])
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(120, len(names)))
    quality = np.arange(120) % 7 + 3
    examples = (
        (
            place,
            {
                "features": dict(zip(names, row, strict=True)),
                "quality": quality[place],
            },
        )
        for place, row in enumerate(rows)
    )
    builder._split_generators = lambda manager: {"train": examples}
    builder.download_and_prepare()
    data = load(MlpDataConfig(dataset="wine_quality", data_dir=str(tmp_path)))
    assert data.features == 11
    parts = (data.train, data.validation, data.test)
    labels = np.concatenate([part.labels for part in parts])
    counts = dict(zip(data.class_names, np.bincount(labels), strict=True))
    # Qualities 3 to 5, 6 and 7, 8 and 9.
    assert counts == {
        "low": (quality <= 5).sum(),
        "medium": ((quality == 6) | (quality == 7)).sum(),
        "high": (quality >= 8).sum(),
    }
