"""Networks that learned in one search and go on in another.

Mills et al. (2021): pre-trained on one data set, fine-tuned on another; the
history of the best and the replay memory begin anew.
"""

from collections.abc import Sequence
from typing import Any

from l2nas.config import L2nasConfig
from l2nas.strategy import L2nasStrategy
from nascore.errors import RunStopped
from nascore.protocols import Evaluator, Reward
from nascore.search.many import StreamSeeds
from nascore.search.phases import AskTell
from nascore.seeds import fold
from nascore.spaces.space import Space

# Stream of the seeds of the first search, see `nascore.seeds.fold`.
_PRETRAINING = 102


class PretrainedStrategy(L2nasStrategy):
    """L2NAS whose networks learned in a search before, which is made first.

    Args:
      space: the architectures to choose from.
      config: constants, of both searches.
      seeds: of the runs.
      evaluator: of the first search.
      reward: of the first search; it remembers nothing.
      queries: of the first search.
    """

    def __init__(
        self,
        space: Space[Any],
        config: L2nasConfig,
        seeds: Sequence[int],
        evaluator: Evaluator,
        reward: Reward,
        queries: int,
    ) -> None:
        super().__init__(space, config, seeds)
        self._queries = queries
        self._streams = StreamSeeds(_own(seeds), 0)
        self._first = L2nasStrategy(space, config, seeds)
        self._phase = AskTell(
            space,
            self._first,
            evaluator,
            reward,
            queries,
            1,
            self._streams,
            len(seeds),
        )
        self._pretrain()

    def restart(self, seeds: Sequence[int]) -> None:
        """See `nascore.search.many.Restarts`."""
        super().restart(seeds)
        self._first.restart(seeds)
        self._streams.restart(_own(seeds))
        self._pretrain()

    def _pretrain(self) -> None:
        """Makes the first search, and takes its networks over.

        Raises:
          RunStopped: a number is not finite.
        """
        columns = self._phase.run(0, 0, self._queries)
        if not all(columns["healthy"]):
            place = list(columns["healthy"]).index(False)
            row = {name: values[place] for name, values in columns.items()}
            what, mend = self._phase.explain(row)
            raise RunStopped(f"before the search: {what}. {mend}")
        self.networks.take_over(self._first.networks)


def _own(seeds: Sequence[int]) -> list[int]:
    """Other seeds, so that both searches draw other numbers."""
    return [int(fold(seed, _PRETRAINING)[0]) for seed in seeds]
