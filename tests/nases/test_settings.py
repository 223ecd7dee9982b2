"""Rewards, settings that are refused, and memory."""

import numpy as np
import pytest
import tensorflow as tf

from nascore.errors import InputError
from nascore.protocols import Measured
from nascore.spaces.reals import ORDERED
from nases.config import (
    EmbeddingConfig,
    NasesTableConfig,
)
from nases.rewards import CubeReward, make_reward
from nases.strategy import needs
from tests.nases.steps import (
    SPACE,
)


def test_rewards():
    score = np.array([0.5, 0.9])
    np.testing.assert_allclose(
        make_reward("cube")(Measured(tf.constant(score))), score**3, rtol=1e-6
    )
    np.testing.assert_array_equal(
        make_reward("accuracy")(Measured(score)), np.float32(score)
    )
    trained = np.array([0.6, 0.9])
    margin = make_reward("margin")
    assert isinstance(margin, CubeReward)
    found = margin(Measured(score, {"train_accuracy": trained}))
    np.testing.assert_allclose(
        found, (score - (trained - score)) ** 3, rtol=1e-6
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"sigma": 0.0}, "--sigma=0 tries nothing"),
        ({"sigma": -1.0}, "--sigma"),
        ({"random_states": 0.7, "best_states": 0.4}, "more than 1 together"),
        ({"cycle": 10}, "leaves nothing"),
        ({"policy": "other"}, "is not one of"),
    ],
)
def test_refused_settings(changed, words):
    with pytest.raises(InputError, match=words) as error:
        EmbeddingConfig(**changed)
    assert "\n" not in str(error.value)


def test_a_table_refuses_what_it_cannot_have():
    with pytest.raises(InputError, match="--embedding=31 is more than the 30"):
        NasesTableConfig(strategy=EmbeddingConfig(embedding=31))
    with pytest.raises(InputError, match="training accuracies"):
        NasesTableConfig(strategy=EmbeddingConfig(reward_form="margin"))


def test_orders_are_read_with_commas_or_spaces():
    names = ["nor_conv_3x3", "none", "avg_pool_3x3", "skip_connect"]
    names.append("nor_conv_1x1")
    middles = np.full((1, 6), 0.5, np.float32)
    for between in (",", " ", ", "):
        order = between.join(names)
        config = EmbeddingConfig(encoding=ORDERED, operation_order=order)
        assert set(config.reals(SPACE).rows(middles)[0]) == {4}


def test_memory_grows_with_the_networks():
    (few,), (many,) = (
        needs(EmbeddingConfig(hidden_units=units), SPACE).values()
        for units in (64, 4096)
    )
    # Two square layers in simulator and decoder, five copies of 4 bytes.
    assert many - few > 2 * 4096**2 * 5 * 4
