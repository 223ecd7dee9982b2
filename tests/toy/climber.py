"""The toy climber over NAS-Bench-201, put together."""

from nascore.search.many import Parts
from nascore.spaces.bench201 import Bench201Space
from nascore.strategies.rewards import ScoreReward
from tests.toy.search import Climber


def make_parts(config, seeds):
    (_,) = seeds
    own = config.strategy
    strategy = Climber(Bench201Space(), own.climb)
    return Parts(strategy, ScoreReward(), own.together)
