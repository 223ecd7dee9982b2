"""Processor time of L2NAS's updates, compiled and not, one run and many.

  python -m benchmarks.l2nas

Prints, for each, the seconds of one core that the updates of a search of
1,000 queries on NAS-Bench-201 take a run: 960 times ten batches of eight.
"""

import time
from unittest import mock

import numpy as np

from experiments.launch import quiet_tensorflow

quiet_tensorflow()

import tensorflow as tf  # noqa: E402

from l2nas.actor_critic import ActorCritic, Batches  # noqa: E402
from l2nas.config import L2nasConfig  # noqa: E402

SIZE = 30
STEPS = 960
ROUNDS = 3
LEAST_CALLS = 4


def measure(compiled: bool, runs: int) -> tuple[float, float]:
    """Seconds of processor time.

    Args:
      compiled: whether by XLA.
      runs: at once.

    Returns:
      Of the updates of a search, a run, least of the rounds; of the first
      call, which traces and compiles.
    """
    config = L2nasConfig()
    with mock.patch.object(tf.test, "is_built_with_xla", lambda: compiled):
        networks = ActorCritic(config, SIZE, range(runs))
    rng = np.random.default_rng(0)
    shape = (config.max_updates, runs, config.replay_batch)
    states, actions = rng.random((2, *shape, SIZE)).astype(np.float32)
    rewards = rng.uniform(1, 30, shape).astype(np.float32)
    batches = Batches(*map(tf.constant, (states, actions, rewards)))
    count = tf.constant(config.max_updates)

    def spend(calls: int) -> float:
        begin = time.process_time()
        for _ in range(calls):
            loss, _ = networks.learn(batches, count)
        loss.numpy()
        return time.process_time() - begin

    first = spend(1)
    calls = max(LEAST_CALLS, 100 // runs)
    least = min(spend(calls) for _ in range(ROUNDS))
    return STEPS * least / calls / runs, first


def main() -> None:
    """Prints a line for each way."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    for runs in (1, 20, 100):
        for compiled in (True, False):
            seconds, first = measure(compiled, runs)
            way = "compiled" if compiled else "not compiled"
            print(
                f"{runs:3d} runs, {way:12}: {seconds:.2f} s a run; "
                f"first call {first:.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
