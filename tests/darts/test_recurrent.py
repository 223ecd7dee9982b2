"""DARTS on recurrent cells: derivation, both orders, resuming."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from darts.bilevel import start_alphas
from darts.derive import derive
from darts.layout import Alphas
from darts.recurrent.config import (
    MixedWindowsConfig,
    RecurrentAlphasConfig,
    RecurrentDartsConfig,
    RecurrentLengthConfig,
)
from darts.recurrent.layout import RecurrentLayout
from darts.recurrent.mixed import MixedLanguage
from darts.recurrent.search import load, make_search
from darts.recurrent.train import TextBatch, TrainMixedText
from nascore.data.config import TextConfig
from nascore.data.text import cut
from nascore.data.text_files import Texts
from nascore.errors import InputError
from nascore.networks.recurrent.config import SharedLanguageModelConfig
from nascore.networks.recurrent.model import LanguageModel
from nascore.runs.reader import read_run
from nascore.seeds import fold
from tests.nascore.search.toy import (
    check_goes_on,
    open_run,
    values_of,
)

LAYOUT = RecurrentLayout()
CONFIG = RecurrentDartsConfig(
    data=TextConfig(dataset="file", data_dir="x", validation_fraction=0.3),
    child=SharedLanguageModelConfig(
        hidden_units=6,
        num_nodes=2,
        functions="tanh,relu",
        sharing="node",
        normalize=True,
    ),
    alphas=RecurrentAlphasConfig(alpha_lr=0.1),
    weights=MixedWindowsConfig(
        batch_size=4, window=6, reward_streams=2, clip_norm=0.25, text_lr=1.0
    ),
    search=RecurrentLengthConfig(epochs=3),
)
DATA = cut(Texts("sphinx of black quartz, judge my vow. " * 9), CONFIG.data)


def search(path, resume=False):
    with open_run(path, resume=resume) as run:
        machine = make_search(CONFIG, run, DATA)
        return machine.run(), machine


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "whole"
    return path, *search(path)


def test_each_node_keeps_its_strongest_input_and_function():
    assert LAYOUT.shape == (1, 36, 5)
    assert LAYOUT.edges[:3] == ((0, 1), (0, 2), (1, 2))
    alphas = np.random.default_rng(1).normal(size=LAYOUT.shape)
    cell = derive(LAYOUT, Alphas(alphas))
    shares = np.exp(alphas[0])
    shares /= shares.sum(axis=1, keepdims=True)
    for node, chosen in enumerate(cell.nodes, 1):
        start = node * (node - 1) // 2
        # Without `none`, as in DARTS's code.
        own = shares[start : start + node, 1:]
        assert chosen == np.unravel_index(own.argmax(), own.shape)
    (names,) = LAYOUT.chosen(cell)
    assert names[cell.nodes[2][0], 3] in LAYOUT.derived.functions


def make_training(order, clip_norm):
    model = LanguageModel(CONFIG.child, len(DATA.vocabulary), fold(1, 1))
    layout = RecurrentLayout(("none", "tanh", "relu"), 2)
    config = RecurrentAlphasConfig(order=order, alpha_init=0.5)
    weights = dataclasses.replace(CONFIG.weights, clip_norm=clip_norm)
    return TrainMixedText(
        MixedLanguage(model, DATA, weights),
        start_alphas(config, layout, 1),
        layout,
        DATA,
        weights,
        config,
        1,
    )


def batch_of(training, tokens, number):
    state = training.mixed.model.zero_state(4)
    return TextBatch(tokens[:7], state, fold(2, 3, number))


def test_the_step_ahead_is_clipped_as_in_the_code_for_recurrent_cells():
    training = make_training("second", 0.25)
    bilevel, rate = training.bilevel, tf.constant(0.5)
    theirs = batch_of(training, training.alphas_tokens, 1)
    ours = batch_of(training, training.windows.tokens, 0)
    weights = [weight.numpy() for weight in bilevel.weights]

    def gradients(variables, batch):
        found = bilevel._differentiate(variables, batch)[2]
        return [gradient.numpy() for gradient in found]

    def clip(parts):
        norm = np.sqrt(sum(np.sum(part.astype(float) ** 2) for part in parts))
        return [part * min(1, 0.25 / norm) for part in parts], min(
            1, 0.25 / norm
        )

    def move(values):
        for weight, value in zip(bilevel.weights, values, strict=True):
            weight.assign(value)

    own, scale = clip(gradients(bilevel.weights, ours))
    decay = bilevel.training.weights_decay
    move([w - 0.5 * (g + decay * w) for w, g in zip(weights, own, strict=True)])
    direct = gradients(bilevel.alphas, theirs)[0]
    along, _ = clip(gradients(bilevel.weights, theirs))
    size = 0.01 / np.sqrt(sum(np.sum(part**2) for part in along))
    sides = []
    for sign in (1, -1):
        move([w + sign * size * v for w, v in zip(weights, along, strict=True)])
        sides.append(gradients(bilevel.alphas, ours)[0])
    move(weights)
    part = 0.5 * scale * (sides[0] - sides[1]) / (2 * size)
    _, _, found, parts = bilevel._look_ahead(theirs, ours, rate)
    np.testing.assert_allclose(found[0], direct, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(parts[0], part, atol=0.02 * np.abs(part).max())
    assert scale < 1
    for weight, value in zip(bilevel.weights, weights, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_a_cell_is_the_mixture_that_has_its_functions_alone(whole):
    _, ranked, machine = whole
    row = machine.space.encode(ranked[0].architecture)
    evaluator = machine.evaluator
    shares = tf.constant(evaluator.as_cells(row[None])[0])
    assert evaluator.cell_score(row) == evaluator.mixture_score(shares)
    # Another evaluator's way to the same weights: the cell by its row.
    model = evaluator.model
    tokens = evaluator.validation
    reads = [
        model.read(tokens[:-1], model.zero_state(2), run).raw
        for run in (
            model.cell.mixed(shares),
            model.cell.chosen(tf.constant(row)),
        )
    ]
    np.testing.assert_allclose(*reads, rtol=1e-3, atol=1e-4)


def test_stopped_within_a_text_and_resumed_equals_uninterrupted(
    whole, tmp_path, monkeypatch
):
    tables, place = ("mixture", "evaluations"), ("mixture", 1)
    target = tmp_path / "run"
    resumed = check_goes_on(search, whole, target, monkeypatch, place, tables)
    assert "carried_1" in values_of(resumed._state())
    training = whole[2].phases[0]
    assert training._steps.experimental_get_tracing_count() == 1
    run = read_run(whole[0])
    assert len(run.evaluations) == 3 and run.measures == "perplexity_score"


def test_what_cannot_be_mixed_is_refused():
    for name, value in (("sharing", "choice"), ("first_function", "chosen")):
        child = dataclasses.replace(CONFIG.child, **{name: value})
        with pytest.raises(InputError, match=f"--{name}={value} cannot be"):
            load(dataclasses.replace(CONFIG, child=child))
