"""A space, an evaluator and strategies that cost nothing to search with."""

import dataclasses
import signal

import numpy as np
import pytest
import tensorflow as tf

from ienas.config import RewardConfig
from ienas.reward import RelativeReward
from nascore.protocols import Measured, Proposals
from nascore.runs.folder import RunFolder
from nascore.runs.interrupts import Interrupted
from nascore.runs.lifecycle import Lifecycle
from nascore.search.config import SearchConfig
from nascore.search.phases import AskTell, StepSeeds
from nascore.search.score import Score
from nascore.search.search import Search
from nascore.seeds import Stream, fold, fold_in
from nascore.spaces.space import Place, Space, table_of_choices
from nascore.strategies.random import RandomStrategy
from nascore.strategies.rewards import ScoreReward


@dataclasses.dataclass(frozen=True)
class Words(Space):
    """Words of numbers."""

    kind = "words"

    letters: int = 4
    values: int = 3

    @property
    def places(self):
        return tuple(Place(0, n, "layer") for n in range(self.letters))

    @property
    def allowed(self):
        return table_of_choices(np.full(self.letters, self.values))

    def encode(self, architecture):
        return np.array(architecture, np.int32)

    def decode(self, row):
        return tuple(np.asarray(row).tolist())

    def parse(self, text):
        return tuple(map(int, text.split()))

    def format(self, architecture):
        return " ".join(map(str, architecture))

    describe = format


SPACE = Words()


class Ones(tf.Module):
    """An evaluator: the part of a row that is 1, and noise of the seed."""

    in_graph = True
    columns = ()
    measures = "accuracy"
    texts = ()
    loses = False
    budgets = ()
    measured_on = "a guess"
    decimals = 1
    ranked_on = "all of it"
    fault = ("the score is not a number", "Take another evaluator")
    ranked = {}

    def __init__(self):
        super().__init__()
        self.lifecycle = None
        self.calls = []

    @property
    def state(self):
        return {}

    def measure(self, proposals, seed):
        share = tf.reduce_mean(tf.cast(proposals.rows == 1, tf.float32), axis=1)
        count = tf.shape(share)[0]
        noise = tf.map_fn(
            lambda n: tf.random.stateless_uniform([], fold_in(seed, n)),
            tf.range(count),
            fn_output_signature=tf.float32,
        )
        return Measured(share + 0.01 * noise)

    def validate(self, rows):
        self.calls.append(rows)
        return {"validation": float(np.mean(np.asarray(rows) == 1))}


class HostedOnes(Ones):
    """The same without a graph, with a note."""

    in_graph = False
    columns = ("ones", "note")
    ranked = {"score": "accuracy", "number": "number"}

    def measure(self, proposals, seed):
        score = super().measure(proposals, seed).score.numpy()
        ones = np.sum(np.asarray(proposals.rows) == 1, axis=1)
        notes = {"ones": ones, "note": np.full(len(ones), "")}
        return Measured(score, {**notes, "most_ones": ones.max()})


class Hosted:
    """A strategy that is TensorFlow alone, used as one that is not."""

    in_graph = False

    def __init__(self, strategy):
        self.strategy = strategy
        self.columns = strategy.columns
        self.lasting = strategy.lasting
        self.state = strategy.state
        self._ask = tf.function(strategy.ask, autograph=False)
        self._tell = tf.function(strategy.tell, autograph=False)

    def ask(self, count, seed):
        proposals = self._ask(count, seed)
        notes = {n: v.numpy() for n, v in proposals.notes.items()}
        return proposals._replace(rows=proposals.rows.numpy(), notes=notes)

    def tell(self, proposals, measured, rewards):
        # Strings, and what the graph has no use for, stay outside.
        asked = Proposals(proposals.rows, proposals.notes)
        told = self._tell(asked, Measured(measured.score), rewards)
        return {name: value.numpy() for name, value in told.items()}

    def finalists(self, count, seed):
        return self.strategy.finalists(count, seed)

    def explain(self, row):
        return self.strategy.explain(row)


class Unseen:
    """A host strategy: rows in order, until there are no more.

    Its state is what it was told.
    """

    in_graph = False
    columns = ("guess", "sum")
    lasting = ()

    def __init__(self, space=SPACE, limit=None):
        self.rows = np.array(list(space.enumerate()))[:limit]
        self.told = tf.Variable(0, trainable=False)
        self.best = tf.Variable(0.0, trainable=False)
        self.heard = []

    @property
    def state(self):
        return {"told": self.told, "best": self.best}

    def ask(self, count, seed):
        start = int(self.told)
        rows = self.rows[start : start + int(count)]
        return Proposals(
            rows, {"guess": rows.mean(1).astype(np.float32)}, memo=len(rows)
        )

    def tell(self, proposals, measured, rewards):
        self.heard.append((proposals, measured, np.asarray(rewards)))
        # What was lost is as done as the rest.
        self.told.assign_add(proposals.memo)
        self.best.assign(max(float(self.best), float(np.max(rewards))))
        sums = proposals.rows.sum(1).astype(np.float32)
        return {"sum": sums, "told": int(self.told), "healthy": True}

    def finalists(self, count, seed):
        return None

    def explain(self, row):
        return "the update failed", "Take another strategy"


def seeds(epoch, step):
    return StepSeeds(
        fold(1, Stream.CONTROLLER_ARCHITECTURES, epoch, step),
        fold(1, Stream.REWARD_BATCH, epoch, step),
    )


def ask_tell(
    strategy=None, evaluator=None, reward=None, steps=4, batch=3, space=SPACE
):
    return AskTell(
        space,
        strategy or RandomStrategy(space),
        evaluator or Ones(),
        reward or ScoreReward(),
        steps,
        batch,
        seeds,
    )


def score(strategy, evaluator, count=3, space=SPACE):
    return Score(space, strategy.sample, evaluator, count, 1)


def make_search(run, phases, strategy, evaluator, space=SPACE, **schedule):
    config = SearchConfig(
        **{"epochs": 3, "best_count": 5, "derive_samples": 4, **schedule}
    )
    about = {"method": "toy", "data": {"fingerprint": "f"}}
    return Search(
        run, space, phases, strategy, evaluator, config, config, about
    )


def open_run(path, resume=False):
    return (RunFolder.open if resume else RunFolder.create)(path)


def values_of(state):
    """The variables of a state, as NumPy has them."""
    return {
        name: value.numpy()
        for name, value in state.items()
        if hasattr(value, "numpy")
    }


def read_rows(path, table):
    """All rows, without the column that measures time."""
    with RunFolder.open(path) as run:
        return [
            {name: value for name, value in row.items() if name != "seconds"}
            for row in run.read(table)
        ]


def interrupt_at(monkeypatch, label, epoch, then=lambda: None):
    """Asks a search to stop when it has advanced to a label in an epoch."""
    advance = Lifecycle.advance

    def stop(self, steps, at, **values):
        advance(self, steps, at, **values)
        if at in (label, f"epoch {epoch + 1}/3 {label}"):
            self._stop.signum = signal.SIGINT
            then()

    monkeypatch.setattr(Lifecycle, "advance", stop)


def check_goes_on(search, whole, target, monkeypatch, place, tables):
    """Checks that a search that is stopped ends as if it had not been.

    Args:
      search: of a folder, and whether it resumes; returns the ranking and
        the machine.
      whole: folder, ranking and machine of one that was never stopped.
      target: folder of the one that is stopped.
      monkeypatch: pytest's.
      place: label and epoch, see `interrupt_at`.
      tables: that are compared; of the first it had not all rows yet.

    Returns:
      The machine that went on.
    """
    path, ranked, machine = whole
    with monkeypatch.context() as patch:
        interrupt_at(patch, *place)
        with pytest.raises(Interrupted):
            search(target)
    begun = len(read_rows(target, tables[0]))
    assert 0 < begun < len(read_rows(path, tables[0]))
    again, resumed = search(target, resume=True)
    assert again == ranked
    for table in tables:
        assert read_rows(target, table) == read_rows(path, table)
    ours, theirs = (values_of(one._state()) for one in (resumed, machine))
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        np.testing.assert_array_equal(ours[name], value, name)
    return resumed


def search(path, make_parts, resume=False, **schedule):
    """Searches; returns the ranking and the machine."""
    strategy, evaluator, phases = make_parts()
    with open_run(path, resume) as run:
        machine = make_search(run, phases, strategy, evaluator, **schedule)
        return machine.run(), machine


def in_graph():
    """Strategy, evaluator and phases; the reward remembers."""
    strategy, evaluator = RandomStrategy(SPACE), Ones()
    reward = RelativeReward(ScoreReward(), RewardConfig())
    phases = [ask_tell(strategy, evaluator, reward), score(strategy, evaluator)]
    return strategy, evaluator, phases


def hosted(limit=None, evaluator=None, steps=4):
    """Likewise without a graph; the strategy remembers."""
    strategy = Unseen(limit=limit)
    evaluator = evaluator or HostedOnes()
    return strategy, evaluator, [ask_tell(strategy, evaluator, steps=steps)]
