"""Probabilities of mutations against enumeration and finite differences."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import tensorflow as tf

from nascore.errors import InputError
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.cells import CellSpace
from nascore.spaces.perceptrons import MlpSpace
from renas.config import BLIND, CONTROLLER, EACH_NODE, IN_ALL, MutationConfig
from renas.controller import MutationController
from renas.mutators import Actions, RandomMutator
from renas.plan import MutationPlan

# Two cells, so that inputs of both have candidates of their own.
CELLS = CellSpace(("a", "b", "c"), 2, ("normal", "reduction"))
ONE_CELL = CellSpace(("a", "b"), 2, ("normal",))
SMALL = MutationConfig(
    embedding_units=3, lstm_units=2, controller_init=1.0, controller_lr=0.01
)


def make(space, seeds=(1,), **changed):
    config = dataclasses.replace(SMALL, **changed)
    plan = MutationPlan(space, config.mutator)
    if config.learns:
        return MutationController(plan, config, list(seeds))
    return RandomMutator(plan, config.mask_same)


def rows_of(space, runs, count, seed=0):
    rows = space.sample(np.random.default_rng(seed), runs * count)
    return tf.constant(rows.reshape(runs, count, -1))


def every_action(mutator):
    """All that may be decided, `[n, B]` each."""
    plan = mutator.plan
    each = [
        [
            (route, value)
            for route in np.flatnonzero(plan.is_member[block])
            for value in range(plan.choices[plan.members[block, route]])
        ]
        for block in range(plan.blocks)
    ]
    found = np.array(list(itertools.product(*each)), np.int32)
    return found[..., 0], found[..., 1]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def numpy_chances(mutator, row, run, space):
    """Section 3.3 in plain loops, of a space with inputs and one cell."""
    w = {name: v.numpy()[run] for name, v in mutator.weights.items()}
    inputs, nodes = 1 + space.num_nodes, space.num_nodes
    joined = inputs + len(space.operations)
    tokens, at, sums = [joined + 1, joined + 2], {}, [0, 1]
    for node in range(nodes):
        # Integers are index, operation, index, operation.
        for part in (0, 2, 1, 3):
            place = 4 * node + part
            at[place] = len(tokens)
            tokens.append(row[place] + (inputs if part % 2 else 0))
        sums.append(len(tokens))
        tokens.append(joined)
    states = []
    for way, order in enumerate((tokens, tokens[::-1])):
        units = len(w["recurrent"][way])
        h, c, out = np.zeros(units), np.zeros(units), []
        for token in order:
            z = w["embedding"][token] @ w["kernel"][way] + w["bias"][way]
            z = z + h @ w["recurrent"][way]
            i, f, g, o = np.split(z, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            out.append(h)
        states.append(out[:: -1 if way else 1])
    h = np.concatenate(states, axis=1)

    def squash(x):
        return 2.5 * np.tanh(np.asarray(x) / 5)

    routers, values = [], {}
    for node in range(nodes):
        order = [4 * node + part for part in (0, 2, 1, 3)]
        logits = [
            h[at[p]] @ w["router"][:, 0] + w["router_bias"][0] for p in order
        ]
        routers.append(softmax(squash(logits)))
        for place in order:
            if place % 2:
                logits = h[at[place]] @ w["operation"] + w["operation_bias"]
            else:
                # One layer on both states, one after the other.
                kernel = np.concatenate([w["reader"], w["candidate"]])[:, 0]
                logits = [
                    np.concatenate([h[at[place]], h[t]]) @ kernel
                    + w["input_bias"][0]
                    for t in sums[: node + 2]
                ]
            values[place] = softmax(squash(logits))
    return routers, values


def test_chances_are_those_of_the_paper_in_plain_loops():
    mutator = make(ONE_CELL, (3, 4))
    for name in ("router_bias", "operation_bias", "input_bias", "bias"):
        weight = mutator.weights[name]
        weight.assign(tf.random.stateless_normal(weight.shape, [1, 2]))
    rows = rows_of(ONE_CELL, 2, 3)
    chances = mutator.chances(rows)
    for run, number in np.ndindex(2, 3):
        routers, values = numpy_chances(
            mutator, rows[run, number].numpy(), run, ONE_CELL
        )
        np.testing.assert_allclose(
            np.exp(chances.routers[run, number]), routers, rtol=1e-4
        )
        for place, expected in values.items():
            found = np.exp(chances.values[run, number, place])
            np.testing.assert_allclose(
                found[: len(expected)], expected, rtol=1e-4
            )
            assert not found[len(expected) :].any()


@pytest.mark.parametrize("mutator", [CONTROLLER, BLIND, EACH_NODE, IN_ALL])
def test_probabilities_sum_to_one_and_entropy_is_theirs(mutator):
    made = make(ONE_CELL, mutator=mutator)
    rows = rows_of(ONE_CELL, 1, 1)
    routes, values = every_action(made)
    count = len(routes)
    many = tf.repeat(rows, count, axis=1)
    actions = Actions(tf.constant(routes[None]), tf.constant(values[None]))
    log_prob, entropy = made.score(made.chances(many), actions)
    probabilities = np.exp(log_prob[0])
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)
    expected = -(probabilities * np.log(probabilities)).sum()
    assert float(entropy[0, 0]) == pytest.approx(expected, rel=1e-4)
    children = made.apply(many, actions).numpy()[0]
    assert all(ONE_CELL.is_legal(child) for child in children)
    changed = made.changed(actions.routes).numpy()[0]
    for child, places, new in zip(children, changed, values, strict=True):
        expected_child = rows[0, 0].numpy()
        expected_child[places] = new
        np.testing.assert_array_equal(child, expected_child)


def test_with_zero_weights_it_is_the_random_mutator():
    controller = make(CELLS, controller_init=0.0)
    rows = rows_of(CELLS, 1, 4)
    for one, other in zip(
        controller.chances(rows),
        make(CELLS, mutator=EACH_NODE).chances(rows),
        strict=True,
    ):
        np.testing.assert_allclose(np.exp(one), np.exp(other), atol=1e-6)


def test_greatest_probabilities_are_bounded_by_the_tanh():
    made = make(ONE_CELL)
    made.weights["router"].assign(1e6 * made.weights["router"])
    found = np.exp(made.chances(rows_of(ONE_CELL, 1, 9)).routers)
    # Logits from -2.5 to 2.5 of four choices.
    most = math.exp(2.5) / (math.exp(2.5) + 3 * math.exp(-2.5))
    assert found.max() <= most + 1e-6 and most == pytest.approx(0.98, abs=1e-3)


def test_the_blind_one_does_not_see_its_parent():
    rows = rows_of(CELLS, 1, 5)
    sees, blind = (
        make(CELLS, mutator=kind).chances(rows).routers.numpy()
        for kind in (CONTROLLER, BLIND)
    )
    assert np.ptp(blind, axis=1).max() < 1e-6 < np.ptp(sees, axis=1).max()


@pytest.mark.parametrize("kind", [CONTROLLER, EACH_NODE, IN_ALL])
def test_a_mask_leaves_other_values_only(kind):
    space = CellSpace(("a",), 2, ("normal",))
    made = make(space, mutator=kind, mask_same=True)
    rows = rows_of(space, 1, 3)
    values = np.exp(made.chances(rows).values)[0]
    for number, place in np.ndindex(3, space.length):
        own = rows[0, number, place]
        # An operation has no other value, and stays.
        kept = values[number, place, own]
        assert kept == pytest.approx(1.0 if place % 2 else 0.0, abs=1e-6)


@pytest.mark.parametrize("space", [ONE_CELL, Bench201Space()])
def test_gradients_are_those_of_finite_differences(space):
    made = make(space)
    rows = rows_of(space, 1, 2)
    routes = np.zeros([1, 2, made.plan.blocks], np.int32)
    actions = Actions(tf.constant(routes), tf.constant(routes))
    advantages = tf.constant([[0.7, -1.3]])

    def loss():
        log_prob, entropy = made.score(made.chances(rows), actions)
        gain = log_prob * advantages + 0.1 * entropy
        return -tf.reduce_mean(gain)

    with tf.GradientTape() as tape:
        value = loss()
    found = tape.gradient(value, list(made.weights.values()))
    for weight, gradient in zip(made.weights.values(), found, strict=True):
        direction = tf.random.stateless_normal(weight.shape, [1, 5])
        start, step = weight.numpy(), 1e-2
        ends = []
        for sign in (1, -1):
            weight.assign(start + sign * step * direction)
            ends.append(float(loss()))
        weight.assign(start)
        slope = (ends[0] - ends[1]) / (2 * step)
        expected = float(tf.reduce_sum(gradient * direction))
        assert slope == pytest.approx(expected, rel=2e-2, abs=2e-4)
    # An update is the first step of Adam: as large as the rate, downhill.
    before = {name: w.numpy() for name, w in made.weights.items()}
    assert bool(made.learn(rows, actions, advantages)[0])
    for name, gradient in zip(made.weights, found, strict=True):
        slopes = np.asarray(tf.convert_to_tensor(gradient))
        moved = made.weights[name].numpy() - before[name]
        clear = np.abs(slopes) > 1e-4
        np.testing.assert_allclose(
            moved[clear], -0.01 * np.sign(slopes[clear]), rtol=5e-3
        )


def test_an_update_that_is_not_finite_changes_nothing():
    made = make(ONE_CELL, (1, 2))
    rows = rows_of(ONE_CELL, 2, 1)
    zeros = tf.zeros([2, 1, made.plan.blocks], tf.int32)
    before = {name: v.numpy() for name, v in made.state.items()}
    advantages = tf.constant([[1.0], [math.inf]])
    finite = made.learn(rows, Actions(zeros, zeros), advantages)
    assert finite.numpy().tolist() == [True, False]
    for name, value in made.state.items():
        np.testing.assert_array_equal(value, before[name])


def test_spaces_whose_choices_depend_on_each_other_are_refused():
    with pytest.raises(InputError, match="chosen freely"):
        MutationPlan(MlpSpace(), CONTROLLER)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"population": 1}, "--population=1 must be a number from 2"),
        ({"sample": 21}, "cannot be drawn from --population=20"),
        ({"sample": 1}, "--sample=1 must be"),
        (
            {"sample": 19, "num_aggregate": 4},
            "and the 3 that leave before it cannot be drawn",
        ),
        ({"num_aggregate": 3}, "must be a multiple of --num_aggregate=3"),
        (
            {"with_replacement": True, "num_aggregate": 2},
            "needs --num_aggregate=1, not 2",
        ),
    ],
)
def test_bad_settings_are_one_clear_line(changed, said):
    with pytest.raises(InputError, match=said) as caught:
        MutationConfig(**changed)
    assert "\n" not in str(caught.value)
