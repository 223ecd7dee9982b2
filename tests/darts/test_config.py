import numpy as np
import pytest

from darts.config import (
    AlphasConfig,
    MixedWeightsConfig,
    StopConfig,
    check_fit,
)
from flags import method_settings, methods
from nascore.errors import InputError


def test_defaults_are_the_published_constants():
    weights, alphas = MixedWeightsConfig(), AlphasConfig()
    assert (weights.weights_momentum, weights.weights_decay) == (0.9, 3e-4)
    assert (weights.clip_norm, weights.batch_size) == (5.0, 64)
    assert (alphas.alpha_lr, alphas.alpha_decay) == (3e-4, 1e-3)
    assert (alphas.alpha_beta_1, alphas.alpha_beta_2) == (0.5, 0.999)


def test_the_learning_rate_is_half_a_cosine_over_the_epochs():
    config = MixedWeightsConfig()
    rates = [config.learning_rate(epoch, 50) for epoch in range(50)]
    assert rates[0] == 0.025
    assert rates[25] == pytest.approx(0.013)
    # As PyTorch's CosineAnnealingLR goes from each to the next.
    for epoch, (now, then) in enumerate(zip(rates, rates[1:], strict=False)):
        change = 1 + np.cos(np.pi * np.array([epoch, epoch + 1]) / 50)
        step = (then - 0.001) / (now - 0.001)
        assert step == pytest.approx(change[1] / change[0])
    assert MixedWeightsConfig(weights_lr_min=0.0).learning_rate(
        50, 50
    ) == pytest.approx(0)


def test_a_quarter_of_the_channels_passes_in_pc_darts_alone():
    assert AlphasConfig().channel_groups == 1
    assert AlphasConfig(variant="pc").channel_groups == 4
    on_imagenet = AlphasConfig(variant="pc", partial_channels=2)
    assert on_imagenet.channel_groups == 2


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        (MixedWeightsConfig, {"weights_lr_min": 0.1}, "--weights_lr_min=0.1"),
        (MixedWeightsConfig, {"clip_norm": -1.0}, "--clip_norm=-1.0"),
        (AlphasConfig, {"order": "third"}, "--order=third"),
        (AlphasConfig, {"variant": "plus"}, "--variant=plus"),
        (AlphasConfig, {"alpha_beta_1": 1.0}, "--alpha_beta_1=1.0"),
        (AlphasConfig, {"partial_channels": 2}, "--variant=pc"),
        (StopConfig, {"stop_eigenvalue": 0.75}, "more than 1, such as 1.3"),
        (StopConfig, {"stop_skips": -1}, "--stop_skips=-1"),
    ],
)
def test_bad_settings_are_named_in_one_line(kind, settings, words):
    with pytest.raises(InputError) as error:
        kind(**settings)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("alphas", "network", "words"),
    [
        ({"order": "second"}, {"precision": "bfloat16"}, "--order=first"),
        ({"alpha_from": 15}, {"epochs": 15}, "--alpha_from=15"),
        ({"variant": "pc"}, {"filters": 12}, "multiple of 8"),
    ],
)
def test_what_does_not_fit_is_named_in_one_line(alphas, network, words):
    fitting = {"filters": 16, "precision": "float32", "epochs": 50}
    check_fit(AlphasConfig(**alphas), **fitting)
    with pytest.raises(InputError) as error:
        check_fit(AlphasConfig(**alphas), **{**fitting, **network})
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name", ["darts", "darts_second", "pc_darts", "darts_minus"]
)
def test_a_search_is_called_as_the_method_that_it_is(name):
    config = method_settings.with_settings(name, methods.find(name).config)
    assert config.alphas.method == name
