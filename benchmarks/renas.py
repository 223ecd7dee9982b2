"""Children a minute of RENAS with weights of their own, and what grows.

  python -m benchmarks.renas --children=500

Small cells on scikit-learn's digits, as in --preset=renas_small. Prints seconds
of children from the tenth on and of the last ones, what the process holds
after the tenth and after the last, and the controller's share of the time.
"""

import argparse
import time

import numpy as np

from experiments.launch import quiet_tensorflow

quiet_tensorflow()

from experiments.support.small_presets import values_of  # noqa: E402
from nascore.baselines.own_weights import make_evaluator  # noqa: E402
from nascore.config import flatten, unflatten  # noqa: E402
from nascore.data import images  # noqa: E402
from nascore.process.memory import resident  # noqa: E402
from nascore.protocols import Measured  # noqa: E402
from renas.config import RenasConfig  # noqa: E402
from renas.strategy import Mutations  # noqa: E402
from renas.table import make_reward  # noqa: E402

# Of the beginning and of the end.
SOME = 20
_FIRST = 10


def measure(children: int) -> None:
    """Asks, trains and tells so many children, and prints what they took."""
    defaults = RenasConfig()
    values = {**flatten(defaults), **values_of("renas_small", defaults)}
    config = unflatten(defaults, values)
    evaluator = make_evaluator(
        config, images.load(config.data), config.inheritance
    )
    strategy = Mutations(config.child.space, config.strategy, [1])
    reward = make_reward(config.strategy)
    asking, training, held = [], [], []
    for number in range(children):
        begin = time.monotonic()
        seed = np.array([1, number], np.int32)
        proposals = strategy.ask(1, seed)._replace(first=number)
        asked = time.monotonic()
        found = evaluator.measure(proposals, seed)
        done = time.monotonic()
        measured = Measured(found.score)
        strategy.tell(proposals, measured, reward(measured))
        asking.append(time.monotonic() - begin - (done - asked))
        training.append(done - asked)
        held.append(resident())
    every = np.array(asking) + training
    parts = {
        "from child 10 on": every[_FIRST : _FIRST + SOME],
        "last": every[-SOME:],
    }
    for name, seconds in parts.items():
        print(
            f"{name}: {np.median(seconds):.2f} s a child, "
            f"{60 / np.median(seconds):.0f} a minute"
        )
    # The first child that is a mutation compiles.
    late = slice(len(every) // 2, None)
    share = np.sum(asking[late]) / np.sum(every[late])
    print(f"controller: {share:.1%} of the time")
    print(
        f"memory: {held[_FIRST] / 2**20:,.0f} MiB after child 10, "
        f"{held[-1] / 2**20:,.0f} after child {children}; weights of the "
        f"living {evaluator.living.size / 2**20:.1f} MiB"
    )


def main() -> None:
    """Reads the number of children."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=500)
    measure(parser.parse_args().children)


if __name__ == "__main__":
    main()
