"""The toy method, put together: a space, an evaluator and a strategy."""

import numpy as np

from nascore.process.memory import Need
from nascore.protocols import Measured, Proposals
from nascore.runs.checkpoints import Arrays
from nascore.search.phases import AskTell, StepSeeds
from nascore.search.search import Search
from nascore.seeds import fold
from nascore.strategies.rewards import ScoreReward

BATCH, STEPS = 2, 4


class Climber:
    """Changes one bead of the best so far, or draws anew; on the host."""

    in_graph = False
    columns = ("changed",)
    lasting = ()

    def __init__(self, space, climb):
        self.space, self.climb = space, climb
        self.best = Arrays()

    @property
    def state(self):
        return {"best": self.best}

    def ask(self, count, seed):
        rng = np.random.default_rng(np.abs(np.asarray(seed)))
        rows = self.space.sample(rng, count)
        changed = np.zeros(count)
        if self.climb and "row" in self.best.values:
            rows = np.stack(
                [self.space.mutate(self.best.values["row"], rng) for _ in rows]
            )
            changed += 1
        return Proposals(rows, {"changed": changed})

    def tell(self, proposals, measured, rewards):
        place = int(np.argmax(measured.score))
        if measured.score[place] > self.best.values.get("score", -1):
            self.best.values = {
                "row": proposals.rows[place],
                "score": measured.score[place],
            }
        return {"healthy": True}

    def finalists(self, count, seed):
        return None

    def explain(self, row):
        raise AssertionError(row)


class Beads:
    """Worth is the part of beads that are blue, and a little noise."""

    in_graph = False
    columns = ("weight",)
    measures = "accuracy"
    texts = ()
    loses = False
    budgets = ()
    where = caveat = ""
    measured_on = ranked_on = "beads"
    decimals = 1
    fault = ("", "")
    ranked = {"weight": "weight"}
    state = {}
    lifecycle = None
    about = "beads on a string"

    def measure(self, proposals, seed):
        rng = np.random.default_rng(np.abs(np.asarray(seed)))
        blue = np.mean(proposals.rows == 2, axis=1)
        noise = rng.uniform(0, 0.01, len(blue))
        return Measured(
            (blue * 0.9 + noise).astype(np.float32),
            {"weight": proposals.rows.sum(axis=1)},
        )

    def validate(self, rows):
        return {"validation_accuracy": float(np.mean(rows == 2))}


class Drawer:
    notes = ("the beads are made of glass",)


def load(config):
    return Drawer()


def summarize(data):
    return "a drawer of beads"


def estimate(config, data, base):
    return Need({"beads": 1 << 20}, {}, ("--beads",), base)


def make_search(config, run, data=None, checkpoint_minutes=10.0):
    space = config.space
    strategy, evaluator = Climber(space, config.climb), Beads()

    def seeds(epoch, step):
        return StepSeeds(
            fold(config.search.seed, 901, epoch, step),
            fold(config.search.seed, 902, epoch, step),
        )

    phase = AskTell(
        space, strategy, evaluator, ScoreReward(), STEPS, BATCH, seeds
    )
    method = "toy" if config.climb else "toy_random"
    return Search(
        run,
        space,
        [phase],
        strategy,
        evaluator,
        config.search,
        config,
        {"method": method, "data": {"fingerprint": "glass"}},
        checkpoint_minutes,
    )
