"""NaN and Inf at random steps of a search: caught there, named, undone."""

import functools

import numpy as np
import pytest
import tensorflow as tf

import enas.policy
from enas.config import ControllerConfig, EnasConfig
from enas.search import make_search
from nascore.data.config import DataConfig
from nascore.data.images import load
from nascore.errors import RunStopped
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.weights import TrainWeights
from nascore.networks.config import SupernetConfig
from nascore.runs.folder import RunFolder
from nascore.search.config import SearchConfig
from nascore.strategies.rewards import ScoreReward
from tests.nascore.search import toy
from tests.nascore.search.toy import values_of
from tests.nascore.search.traced import Traced

STEPS, UPDATES, COUNT, EPOCHS = 5, 3, 2, 2
CONFIG = EnasConfig(
    data=DataConfig(
        train_examples=80,
        image_size=8,
        validation_fraction=0.03,
        search_test_fraction=0.03,
    ),
    child=SupernetConfig(
        filters=4,
        num_normal_cells=1,
        num_reduction_cells=0,
        num_nodes=2,
        # Each operation is traced in each slot, which takes most of the time.
        operations="sep_conv_3x3,max_pool_3x3,identity",
    ),
    controller=ControllerConfig(num_aggregate=COUNT, train_steps=UPDATES),
    weights=SharedWeightsConfig(batch_size=16),
    search=SearchConfig(epochs=EPOCHS, epoch_samples=2, derive_samples=2),
)
DATA = load(CONFIG.data)
TABLES = ("child", "evaluations", "samples", "epochs")
WHEN = ("before", "after")
# Places among the shared weights.
WEIGHTS = {"before": 0, "after": 1}


class Faults:
    """Where the graphs of a search make a number NaN, and when: they ask.

    Nowhere, until a place is named.
    """

    def __init__(self):
        # Epoch and step of the child whose weight is ruined, before the
        # step (NaN) and after it (infinite).
        self.before, self.after = (tf.Variable([-1, -1]) for _ in range(2))
        # Number of an evaluation, and evaluations so far.
        self.numbers = {
            what: (tf.Variable(-1), tf.Variable(0))
            for what in ("reward", "loss", "logits")
        }

    def name(self, variable, value):
        self.forget()
        variable.assign(value)

    def forget(self):
        for variable in (self.before, self.after):
            variable.assign([-1, -1])
        for number, calls in self.numbers.values():
            number.assign(-1)
            calls.assign(0)

    def spoiled(self, what, values):
        """NaN for the one; of a number that is of a whole update, for that."""
        number, calls = self.numbers[what]
        places = calls + tf.range(COUNT)
        with tf.control_dependencies([places]):
            calls.assign_add(COUNT)
        here = places == number
        if values.shape.rank == 0:
            here = tf.reduce_any(here)
        return tf.where(here, np.nan, values)

    def wrap(self, what, function):
        return lambda *arguments: self.spoiled(what, function(*arguments))

    def train_step(self, original):
        """A step of training with a weight that is ruined."""

        def step(training, architecture, order, e, s, rate):
            weights = training.shared.weights
            spoil(weights[WEIGHTS["before"]], at(self.before, e, s))
            rows = original(training, architecture, order, e, s, rate)
            spoil(weights[WEIGHTS["after"]], at(self.after, e, s), np.inf)
            return rows

        return step


def at(place, epoch, step):
    return tf.logical_and(place[0] == epoch, place[1] == step)


def spoil(variable, here, value=np.nan):
    variable.assign(tf.where(here, variable + value, variable))


class Spoiled:
    """An evaluator whose scores something happens to."""

    def __init__(self, evaluator, change):
        self.evaluator = evaluator
        self.change = change

    def __getattr__(self, name):
        return getattr(self.evaluator, name)

    def measure(self, proposals, seed):
        measured = self.evaluator.measure(proposals, seed)
        return measured._replace(score=self.change(measured.score))


class Searches:
    """Searches with faults in them, all of the same graphs."""

    def __init__(self, path):
        self.faults = Faults()
        with RunFolder.create(path) as folder:
            made = make_search(CONFIG, folder, DATA)
        asking = made.phases[1]
        # Where the controller is told; the samples are another case.
        asking.evaluator = Spoiled(
            asking.evaluator,
            functools.partial(self.faults.spoiled, "logits"),
        )
        self.begin = Traced(made).begin

    def run(self, path, resume=False):
        """Tables and variables of a run without a fault."""
        self.faults.forget()
        with toy.open_run(path, resume) as folder:
            machine = self.begin(folder)
            machine.run()
        tables = {name: toy.read_rows(path, name) for name in TABLES}
        return tables, values_of(machine._state())


@pytest.fixture(scope="module")
def searches(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        made = Searches(tmp_path_factory.mktemp("made") / "run")
        faults = made.faults
        step = faults.train_step(TrainWeights._train_step)
        patch.setattr(TrainWeights, "_train_step", step)
        reward = faults.wrap("reward", ScoreReward.__call__)
        patch.setattr(ScoreReward, "__call__", reward)
        loss = faults.wrap("loss", enas.policy.policy_gradient_loss)
        patch.setattr(enas.policy, "policy_gradient_loss", loss)
        yield made


@pytest.fixture(scope="module")
def whole(searches, tmp_path_factory):
    return searches.run(tmp_path_factory.mktemp("numerics") / "run")


def assert_resumes(searches, path, whole):
    """With the fault gone, the run ends as one that never had it."""
    tables, values = searches.run(path, resume=True)
    assert tables == whole[0]
    for name, value in values.items():
        np.testing.assert_array_equal(value, whole[1][name], name)


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_ruined_weight_is_named_at_its_step(when, searches, whole, tmp_path):
    rng = np.random.default_rng(WHEN.index(when))
    epoch, step = int(rng.integers(EPOCHS)), int(rng.integers(STEPS))
    if when == "after":
        # By the last update: no later step of the epoch would show it.
        step = STEPS - 1
    path = tmp_path / "run"
    faults = searches.faults
    faults.name(getattr(faults, when), [epoch, step])
    with RunFolder.create(path) as folder:
        machine = searches.begin(folder)
        with pytest.raises(RunStopped) as stop:
            machine.run()
        row = folder.read("child")[-1]
    assert (int(row["epoch"]), int(row["step"])) == (epoch, step)
    text = str(stop.value)
    assert f"epoch {epoch + 1}, step {step + 1} " in text
    assert f"{row['normal_cell']} {row['reduction_cell']}" in text
    assert "--child_lr_max" in text and "\n" not in text
    assert_resumes(searches, path, whole)


@pytest.mark.slow
@pytest.mark.parametrize(
    "seed, what", [(0, "reward"), (1, "loss"), (2, "logits")]
)
def test_the_controller_takes_in_nothing_that_is_not_finite(
    seed, what, searches, whole, tmp_path
):
    rng = np.random.default_rng(10 + seed)
    number = int(rng.integers(EPOCHS * UPDATES * COUNT))
    epoch, step = divmod(number, UPDATES * COUNT)
    if what == "loss":
        step -= step % COUNT
    path = tmp_path / "run"
    searches.faults.name(searches.faults.numbers[what][0], number)
    with RunFolder.create(path) as folder:
        machine = searches.begin(folder)
        weights = machine.strategy.variables_to_train
        start = [v.numpy() for v in weights]
        with pytest.raises(RunStopped) as stop:
            machine.run()
        rows = folder.read("evaluations")
    text = str(stop.value)
    assert f"epoch {epoch + 1}, step {step + 1} " in text
    place = step + 1 - COUNT * (len(rows) == 0)
    row = next(
        r for r in rows if (int(r["epoch"]), int(r["step"])) == (epoch, step)
    )
    assert f"{row['normal_cell']} {row['reduction_cell']}" in text
    # Rows end with the update that was not made.
    assert int(rows[-1]["step"]) // COUNT == step // COUNT, place
    for variable, old in zip(weights, start, strict=True):
        assert np.isfinite(variable.numpy()).all()
        if number < COUNT:
            np.testing.assert_array_equal(variable.numpy(), old)
    assert_resumes(searches, path, whole)
