import numpy as np
import pytest

from nascore.training.evaluation import cross_entropies, evaluate

NAMES = ("a", "b", "c")


def test_measures_equal_hand_counts():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(200, 3)) * 2
    labels = rng.integers(0, 3, 200)
    result = evaluate(logits, labels, NAMES)
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    predicted = p.argmax(1)
    hits = predicted == labels
    assert result.accuracy == hits.mean()
    assert result.loss == pytest.approx(-np.log(p[range(200), labels]).mean())
    confusion = np.zeros((3, 3), int)
    for label, guess in zip(labels, predicted, strict=True):
        confusion[label, guess] += 1
    np.testing.assert_array_equal(result.confusion, confusion)
    assert list(result.confusion.index) == list(NAMES)
    row = result.per_class.iloc[1]
    assert row["recall"] == confusion[1, 1] / confusion[1].sum()
    assert row["precision"] == confusion[1, 1] / confusion[:, 1].sum()
    assert row["images"] == (labels == 1).sum()
    # Wilson's interval at 95%.
    z, n, rate = 1.959963985, 200, hits.mean()
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = rate * (1 - rate) / n + z * z / (4 * n * n)
    half = z * np.sqrt(half) / (1 + z * z / n)
    assert result.interval == pytest.approx((centre - half, centre + half))
    error = 0.0
    confidence = p.max(1)
    for k in range(15):
        inside = (confidence > k / 15) & (confidence <= (k + 1) / 15)
        if inside.any():
            gap = hits[inside].mean() - confidence[inside].mean()
            error += inside.mean() * abs(gap)
    assert result.calibration_error == pytest.approx(error)
    assert result.calibration["images"].sum() == 200


def test_large_logits_do_not_overflow():
    losses = cross_entropies(np.array([[1e4, 0.0]]), np.array([1]))
    assert losses == pytest.approx([1e4])


def test_a_class_without_images_or_predictions():
    logits = np.array([[5.0, 0, 0], [4.0, 1, 0]])
    result = evaluate(logits, np.array([0, 1]), NAMES)
    assert result.accuracy == 0.5
    assert list(result.per_class["images"]) == [1, 1, 0]
    assert np.isfinite(result.per_class["f1"]).all()
