"""The model of language: its size, its dropout, its state."""

import numpy as np
import pytest
import tensorflow as tf

from nascore.networks.recurrent.config import (
    LanguageModelConfig,
    SharedLanguageModelConfig,
    count_parameters,
)
from nascore.networks.recurrent.model import LanguageModel
from nascore.seeds import fold

OFF = {
    f"{name}_dropout": 0.0
    for name in ("word", "embedding", "input", "node", "output")
}


# DARTS searching and final, `enas_lm`; 10,000 words, 8 matrices.
@pytest.mark.parametrize(
    ("units", "millions"), [(300, 4.81), (850, 22.96), (800, 20.81)]
)
def test_published_sizes(units, millions):
    assert round(count_parameters(10_000, units, 8) / 1e6, 2) == millions


@pytest.mark.parametrize("sharing", ["choice", "node"])
def test_the_count_is_that_of_the_variables(sharing):
    config = SharedLanguageModelConfig(
        hidden_units=4, num_nodes=3, sharing=sharing
    )
    model = LanguageModel(config, 7, fold(1, 1))
    count = sum(weight.shape.num_elements() for weight in model.weights)
    matrices = 3 if sharing == "node" else 24
    assert count == count_parameters(7, 4, matrices)
    assert all(np.abs(w).max() <= 0.04 for w in model.weights)


def read(model, tokens, state, seed=None):
    cell = model.config.space.parse("0 0 1 1")
    return model.read(tokens, state, model.cell.fixed(cell), seed)


def make(**rates):
    config = LanguageModelConfig(
        hidden_units=64, num_nodes=2, weight_init=1.0, **{**OFF, **rates}
    )
    return LanguageModel(config, 9, fold(1, 1))


TOKENS = tf.constant(np.random.default_rng(1).integers(0, 9, (6, 4)), tf.int32)


def test_a_state_carries_a_text_on():
    model = make()
    whole = read(model, TOKENS, model.zero_state(4))
    half = read(model, TOKENS[:3], model.zero_state(4))
    rest = read(model, TOKENS[3:], half.state)
    np.testing.assert_allclose(
        tf.concat([half.raw, rest.raw], 0), whole.raw, rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(rest.state, whole.raw[-1], rtol=1e-4, atol=1e-5)


def test_one_mask_holds_for_all_steps():
    model = make(output_dropout=0.5)
    found = read(model, TOKENS, model.zero_state(4), fold(2, 1))
    dropped = np.asarray(found.hidden == 0)
    assert (dropped == dropped[:1]).all()
    assert 0.35 < dropped[0].mean() < 0.65
    kept = np.asarray(found.hidden)[~dropped]
    np.testing.assert_allclose(kept, 2 * found.raw.numpy()[~dropped], rtol=1e-5)
    other = read(model, TOKENS, model.zero_state(4), fold(2, 2))
    assert (np.asarray(other.hidden == 0) != dropped).any()
    # Another mask for each stream.
    assert (dropped[0, 0] != dropped[0, 1]).any()


@pytest.mark.parametrize("name", ["embedding_dropout", "input_dropout"])
def test_inputs_have_one_mask_too(name):
    model = make(**{name: 0.5})
    model.cell.first.assign(
        np.vstack([np.eye(64, 128), np.zeros((64, 128))]).astype(np.float32)
    )
    seen = []

    def spy(products, state, mask):
        seen.append(products.numpy()[..., :64])
        return products[..., :64], state

    model.read(TOKENS, model.zero_state(4), spy, fold(3, 1))
    dropped = seen[0] == 0
    assert (dropped == dropped[:1]).all() and 0.3 < dropped[0].mean() < 0.7


def test_a_word_that_is_left_out_is_so_everywhere():
    model = make(word_dropout=0.5)
    seen = []

    def spy(products, state, mask):
        seen.append(products.numpy())
        return products[..., :64], state

    model.read(TOKENS, model.zero_state(4), spy, fold(4, 1))
    out = (seen[0] == 0).all(axis=-1)
    words = set(TOKENS.numpy()[out])
    assert words and (np.isin(TOKENS, list(words)) == out).all()
