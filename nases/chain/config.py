"""NASES in the space of its public code; no TensorFlow."""

import dataclasses

from nascore.baselines.config import ChainSearchConfig
from nascore.evaluators.config import DeriveConfig
from nascore.spaces.reals import ORDERED
from nases.config import EmbeddingConfig, check_asking


@dataclasses.dataclass(frozen=True)
class NasesChainConfig(ChainSearchConfig):
    """Everything that decides the result of NASES over chains of layers.

    The four numbers of a layer have an order, so that of each there is one
    real, and 20 numbers of an embedding for 60 of an architecture, as in the
    public code.
    """

    strategy: EmbeddingConfig = EmbeddingConfig(encoding=ORDERED)
    own: DeriveConfig = DeriveConfig()

    def __post_init__(self) -> None:
        self.strategy.embedding_of(self.child.space)
        check_asking(self.strategy, self.asking)
