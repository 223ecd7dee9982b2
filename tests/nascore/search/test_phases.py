"""Asking, measuring and telling: in one graph, and with Python between."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from enas.config import ControllerConfig
from enas.controller import LstmController
from ienas.config import RewardConfig
from ienas.reward import RelativeReward
from nascore.protocols import Measured
from nascore.spaces.cells import CellSpace
from nascore.strategies.random import RandomStrategy
from nascore.strategies.rewards import ScoreReward
from tests.nascore.search.toy import (
    SPACE,
    Hosted,
    HostedOnes,
    Ones,
    Unseen,
    ask_tell,
)

CELLS = CellSpace(("sep_conv_3x3", "identity"), 1, ("normal", "reduction"))


def controller():
    keras.utils.set_random_seed(3)
    config = ControllerConfig(lstm_units=8, controller_lr=0.05)
    return LstmController(CELLS, config)


def reward_of(name):
    plain = ScoreReward()
    return {
        "score": plain,
        "relative": RelativeReward(plain, RewardConfig(reward_window=4)),
    }[name]


def values_of(state):
    return {
        name: value.numpy()
        for name, value in state.items()
        if hasattr(value, "numpy")
    }


@pytest.fixture
def graphs_as_written():
    """Without TensorFlow's rewriting, which rounds each graph its own way."""
    name = "disable_meta_optimizer"
    tf.config.optimizer.set_experimental_options({name: True})
    yield
    tf.config.optimizer.set_experimental_options({name: False})


@pytest.mark.usefixtures("graphs_as_written")
@pytest.mark.parametrize("reward", ["score", "relative"])
def test_a_strategy_searches_alike_in_the_graph_and_outside(reward):
    """Rows, notes and the state after two epochs, bit for bit."""
    inside = controller()
    outside = Hosted(controller())
    phases = [
        ask_tell(strategy, Ones(), reward_of(reward), 5, 4, CELLS)
        for strategy in (inside, outside)
    ]
    assert [phase.in_graph for phase in phases] == [True, False]
    start = values_of(inside.state)
    for epoch in range(2):
        ours, theirs = (phase.run(epoch, 0, 5) for phase in phases)
        assert list(ours) == list(theirs)
        assert len(ours["row"]) == 20
        for name, values in ours.items():
            np.testing.assert_array_equal(values, theirs[name], name)
            assert values.dtype == theirs[name].dtype, name
        one, other = (
            phase.summary(epoch, rows_of(columns))
            for phase, columns in zip(phases, (ours, theirs), strict=True)
        )
        assert one == other
    one, other = (values_of(phase.state) for phase in phases)
    assert set(one) == set(other)
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name], name)
    assert np.any(one["strategy_weight_0"] != start["weight_0"])


def rows_of(columns, space=CELLS):
    return [
        {
            **space.columns(space.decode(row)),
            **{
                name: values[place]
                for name, values in columns.items()
                if name not in ("row", "healthy")
            },
        }
        for place, row in enumerate(columns["row"])
    ]


def test_the_loop_is_traced_once_whatever_is_asked_of_it():
    phase = ask_tell()
    phase.run(0, 0, 1)
    phase.run(0, 1, 4)
    phase.run(3, 0, 2)
    assert phase._run_graph.experimental_get_tracing_count() == 1


def test_splitting_an_epoch_into_stretches_changes_nothing():
    whole, parts = ask_tell(), ask_tell()
    columns = whole.run(0, 0, 4)
    pieces = [parts.run(0, *span) for span in ((0, 1), (1, 4))]
    for name, values in columns.items():
        others = np.concatenate([piece[name] for piece in pieces])
        np.testing.assert_array_equal(values, others, name)
    assert columns["number"].tolist() == list(range(12))


def test_columns_are_in_the_order_that_the_parts_name():
    strategy, evaluator = Unseen(), HostedOnes()
    phase = ask_tell(strategy, evaluator)
    columns = phase.run(0, 0, 1)
    assert list(columns) == [
        "row",
        "number",
        "accuracy",
        "reward",
        "ones",
        "note",
        "guess",
        "sum",
        "healthy",
    ]
    np.testing.assert_array_equal(
        columns["sum"], np.sum(columns["row"], axis=1)
    )
    # Scalars of both parts are of the epoch.
    summary = phase.summary(0, rows_of(columns, SPACE))
    assert summary["most_ones"] == columns["ones"].max()
    assert summary["told"] == 3
    assert "note_mean" not in summary


def test_the_evaluation_before_the_row_is_the_number_of_the_first():
    seen = []

    class Numbered(HostedOnes):
        def measure(self, proposals, seed):
            seen.append(int(proposals.first))
            return super().measure(proposals, seed)

    phase = ask_tell(Unseen(), Numbered())
    phase.run(0, 0, 1)
    phase.run(0, 1, 2)
    assert seen == [0, 3]


def test_nothing_is_measured_or_told_when_nothing_is_asked():
    class Never(HostedOnes):
        def measure(self, proposals, seed):
            raise AssertionError

    strategy = Unseen(limit=0)
    phase = ask_tell(strategy, Never())
    assert phase.ended(0) == ""
    columns = phase.run(0, 0, 1)
    assert [len(values) for values in columns.values()] == len(columns) * [0]
    assert strategy.heard == []
    assert (
        phase.ended(0) == "no new architecture was found; 0 of 81 are measured"
    )
    # A resumed search knows it, too.
    assert not bool(phase.state["asked"])


class Losing(HostedOnes):
    """Loses the rows of which it is told."""

    loses = True

    def __init__(self, lost):
        super().__init__()
        self.lost = lost

    def measure(self, proposals, seed):
        measured = super().measure(proposals, seed)
        numbers = int(proposals.first) + np.arange(len(proposals.rows))
        gone = np.isin(numbers, self.lost)
        note = np.where(gone, "it fell off the table", "")
        return Measured(
            np.where(gone, np.nan, measured.score),
            {**measured.notes, "note": note},
        )


def test_what_is_lost_has_a_row_with_a_note_and_is_not_told():
    strategy = Unseen()
    phase = ask_tell(strategy, Losing([1, 4]))
    columns = phase.run(0, 0, 2)
    assert len(columns["row"]) == 6 and columns["healthy"].all()
    lost = [False, True, False, False, True, False]
    for name in ("accuracy", "reward", "sum"):
        np.testing.assert_array_equal(np.isnan(columns[name]), lost, name)
    # What was asked and noted before it was lost stays.
    np.testing.assert_array_equal(columns["guess"], columns["row"].mean(1))
    assert columns["note"].tolist() == [
        "it fell off the table" if gone else "" for gone in lost
    ]
    told = [proposals.rows for proposals, _, _ in strategy.heard]
    np.testing.assert_array_equal(
        np.concatenate(told), columns["row"][np.logical_not(lost)]
    )
    for proposals, measured, rewards in strategy.heard:
        assert len(proposals.notes["guess"]) == len(rewards) == 2
        assert len(measured.notes["ones"]) == 2
        assert np.isfinite(measured.score).all()
    summary = phase.summary(0, rows_of(columns, SPACE))
    assert np.isfinite(
        [summary[f"{n}_mean"] for n in ("accuracy", "reward", "recent")]
    ).all()


def test_a_step_of_which_all_is_lost_is_told_nothing():
    strategy = Unseen()
    phase = ask_tell(strategy, Losing([0, 1, 2]))
    columns = phase.run(0, 0, 1)
    assert columns["healthy"].all() and np.isnan(columns["reward"]).all()
    assert strategy.heard == []
    phase.summary(0, rows_of(columns, SPACE))


@pytest.mark.parametrize("reward", ["score", "relative"])
def test_a_strategy_in_the_graph_works_with_what_can_be_lost(reward):
    phase = ask_tell(
        RandomStrategy(SPACE), Losing([1]), reward_of(reward), steps=2
    )
    assert not phase.in_graph
    columns = phase.run(0, 0, 2)
    assert np.isnan(columns["reward"]).tolist() == [False, True, *4 * [False]]
    # A reward that remembers has not taken it in.
    state = values_of(phase.state)
    assert all(np.isfinite(state[name]).all() for name in reward_state(state))


def reward_state(state):
    return [name for name in state if name.startswith("reward_")]


class Spoiled(ScoreReward):
    """Gives NaN for the scores of ones alone."""

    def __call__(self, measured):
        rewards = super().__call__(measured)
        return tf.where(rewards > 0.99, np.nan, rewards)


@pytest.mark.parametrize("hosted", [False, True])
def test_rows_end_with_the_step_that_failed(hosted):
    class Sick(Ones):
        def measure(self, proposals, seed):
            score = super().measure(proposals, seed).score
            here = tf.range(tf.shape(score)[0]) + proposals.first == 4
            return Measured(tf.where(here, np.nan, score))

    strategy = RandomStrategy(SPACE)
    phase = ask_tell(Hosted(strategy) if hosted else strategy, Sick())
    columns = phase.run(0, 0, 4)
    assert columns["healthy"].tolist() == [*4 * [True], False, True]
    row = {"accuracy": np.nan, "reward": np.nan}
    assert phase.explain(row) == Sick.fault


def test_a_reward_that_is_not_finite_is_named():
    phase = ask_tell(reward=Spoiled(), steps=60)
    columns = phase.run(0, 0, 60)
    (place,) = np.flatnonzero(~columns["healthy"])[:1]
    assert (columns["row"][place] == 1).all()
    what, mend = phase.explain(
        {"accuracy": 1.0, "reward": float(columns["reward"][place])}
    )
    assert what == "the reward is nan at accuracy 1"
    assert "Mend the reward" in mend


def test_an_update_that_was_not_made_marks_all_its_rows():
    class Stuck(Unseen):
        def tell(self, *arguments):
            return {**super().tell(*arguments), "healthy": False}

    phase = ask_tell(Stuck(), HostedOnes())
    columns = phase.run(0, 0, 2)
    assert columns["healthy"].tolist() == 3 * [False]
    row = {"accuracy": 1.0, "reward": 1.0}
    assert phase.explain(row) == ("the update failed", "Take another strategy")
