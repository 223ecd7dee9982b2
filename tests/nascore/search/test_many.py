"""Many searches at once are the searches that run folders hold."""

import numpy as np
import pytest
import tensorflow as tf

from nascore.baselines import table
from nascore.baselines.config import TableMethodConfig, TableSearchConfig
from nascore.errors import RunStopped
from nascore.evaluators.nasbench201.tabular import Tabular
from nascore.protocols import Proposals
from nascore.runs.folder import RunFolder
from nascore.search.many import Parts, StreamSeeds, search_many
from nascore.seeds import Stream, fold
from nascore.spaces.bench201 import Bench201Space
from nascore.strategies.rewards import ScoreReward

SPACE = Bench201Space()
CONFIG = TableMethodConfig()
TABLE = Tabular(CONFIG.table)


class Host:
    """A strategy on the host: near the best so far, or anywhere."""

    in_graph = False
    columns = lasting = ()

    def __init__(self):
        self.score = tf.Variable(0.0)
        self.row = tf.Variable(tf.zeros([6], tf.int32))

    @property
    def state(self):
        return {"score": self.score, "row": self.row}

    def ask(self, count, seed):
        rng = np.random.default_rng(np.asarray(seed))
        rows = [SPACE.mutate(self.row.numpy(), rng) for _ in range(count)]
        return Proposals(np.stack(rows))

    def tell(self, proposals, measured, rewards):
        best = int(np.argmax(rewards))
        if rewards[best] > float(self.score):
            self.score.assign(rewards[best])
            self.row.assign(proposals.rows[best])
        return {"healthy": True}

    def finalists(self, count, seed):
        raise AssertionError("the best that were measured are ranked")


def parts_of_host(seeds):
    assert len(seeds) == 1
    return Parts(Host(), ScoreReward(), 2)


def random(seeds):
    return table.make_parts(CONFIG, seeds)


@pytest.mark.parametrize("make", [random, parts_of_host])
def test_each_is_the_search_of_a_run_folder(make, tmp_path):
    (found,) = search_many(SPACE, TABLE, make, [4], 12)
    assert found.rows.shape == (1, 12, 6)
    run = RunFolder.create(tmp_path / "run")
    length = TableSearchConfig(seed=4, epochs=3, epoch_queries=4)
    config = TableMethodConfig(search=length)
    with run:
        table.make_search(config, run, make=lambda _, seeds: make(seeds)).run()
        rows = [
            SPACE.encode(SPACE.parse(row["architecture"]))
            for row in run.read("evaluations")
        ]
    np.testing.assert_array_equal(found.rows[0], rows)


def test_stacked_ones_are_those_alone_and_begun_again_are_new_ones():
    def search(seeds, stacked):
        parts = list(search_many(SPACE, TABLE, random, seeds, 30, stacked))
        assert [seed for part in parts for seed in part.seeds] == list(seeds)
        return np.concatenate([part.rows for part in parts])

    seeds = [3, 1, 8, 5, 9]
    whole = search(seeds, 5)
    # Stacks of two: the second begins again, the third is smaller.
    np.testing.assert_array_equal(whole, search(seeds, 2))
    np.testing.assert_array_equal(whole[3:4], search([5], 100))
    assert len(np.unique(whole.reshape(5, -1), axis=0)) == 5


def test_the_seed_of_a_step_is_folded_as_everywhere():
    seeds = StreamSeeds([7, 9], 50)
    inside = seeds(tf.constant(2), tf.constant(3))
    outside = seeds(2, 3)
    for place, stream in enumerate(
        (Stream.CONTROLLER_ARCHITECTURES, Stream.REWARD_BATCH)
    ):
        want = [fold(seed, stream, 0)[0].numpy() for seed in (7, 9)]
        np.testing.assert_array_equal(inside[place][:, 0], want)
        np.testing.assert_array_equal(inside[place][:, 1], [103, 103])
        np.testing.assert_array_equal(inside[place], outside[place])
    np.testing.assert_array_equal(
        fold(7, Stream.REWARD_BATCH, 103), [outside.measure[0, 0], 103]
    )


class Lost(ScoreReward):
    def __call__(self, measured):
        return np.full(len(measured.score), np.nan)


def test_a_number_that_is_not_finite_names_the_seed():
    with pytest.raises(RunStopped, match="seed 6: the reward is nan"):
        list(search_many(SPACE, TABLE, lambda _: Parts(Host(), Lost()), [6], 3))
