import pytest
from sklearn.linear_model import LogisticRegression

from mlpnas.competitors import compare, make_classifier
from mlpnas.data.config import MlpDataConfig
from mlpnas.data.load import load


def test_settings_of_the_paper():
    settings = make_classifier("mlp", 3).get_params()
    wanted = {"activation": "relu", "solver": "adam", "alpha": 0.01}
    assert settings | wanted == settings
    assert settings["random_state"] == 3


def test_a_competitor_learns_from_the_training_part_alone():
    data = load(MlpDataConfig(train_examples=200))
    result = compare("logistic", data, 1)
    other = LogisticRegression(max_iter=300).fit(*data.train)
    assert result.test_accuracy == pytest.approx(other.score(*data.test))
    assert result.validation_accuracy == pytest.approx(
        other.score(*data.validation)
    )
    assert result.remark == ""


def test_a_competitor_that_gives_up_says_so(monkeypatch):
    data = load(MlpDataConfig(train_examples=200))
    monkeypatch.setattr(
        "mlpnas.competitors.make_classifier",
        lambda name, seed: LogisticRegression(max_iter=2),
    )
    assert "before convergence" in compare("logistic", data, 1).remark
