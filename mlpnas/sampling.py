"""Sampling architectures that were not measured before, without end or loop."""

from collections.abc import Set

import numpy as np
import tensorflow as tf

from mlpnas.config import MlpnasConfig
from mlpnas.controller import Controller
from mlpnas.policy import PolicyTrainer
from nascore.seeds import Stream, fold
from nascore.spaces.perceptrons import MlpArchitecture


class Sampler:
    """Asks a policy for new architectures, a bounded number of times.

    Args:
      policy: the policy to sample from.
      config: how many, how often, and the seed.
    """

    def __init__(self, policy: PolicyTrainer, config: MlpnasConfig) -> None:
        self.policy = policy
        self.space = policy.controller.space
        self.config = config
        self._uniform = PolicyTrainer(Controller(self.space), config.policy)

    def sample(
        self, epoch: int, seen: Set[MlpArchitecture]
    ) -> tuple[np.ndarray, int]:
        """Samples architectures that are new.

        Args:
          epoch: under way.
          seen: architectures that are not new.

        Returns:
          Their ids, int32 `[n, max_layers]`, and how many of them had to be
          drawn uniformly because the policy repeated itself. There are as
          many as the settings say, or fewer if the space has no more.
        """
        count = self.config.search.architectures
        rounds = self.config.policy.sampling_rounds
        left = min(count, self.space.size() - len(seen))
        new: dict[MlpArchitecture, np.ndarray] = {}
        by_policy = 0
        for turn in range(2 * rounds):
            if len(new) == left:
                break
            policy = self.policy if turn < rounds else self._uniform
            seed = fold(
                self.config.search.seed, Stream.MLP_ARCHITECTURES, epoch, turn
            )
            sample = policy.sample(tf.constant(count), seed)
            for ids in sample.sequences.numpy():
                architecture = self.space.decode(ids)
                if architecture not in seen and len(new) < left:
                    new.setdefault(architecture, ids)
            if turn < rounds:
                by_policy = len(new)
        return np.array(list(new.values()), np.int32), len(new) - by_policy
