"""A small search with images, and its settings."""

import numpy as np

from nascore.data import images
from nascore.data.config import DataConfig
from nascore.evaluators.config import InheritanceConfig, SharedWeightsConfig
from nascore.search.config import SearchConfig
from renas.config import (
    EACH_NODE,
    ModelsConfig,
    MutationConfig,
    OneCellConfig,
    RenasConfig,
)
from renas.search import make_search
from tests.nascore.search.toy import open_run

CONFIG = RenasConfig(
    data=DataConfig(train_examples=160, image_size=8),
    child=OneCellConfig(
        filters=4,
        num_normal_cells=1,
        num_reduction_cells=0,
        num_nodes=2,
        # Each operation is traced in each edge, which takes most of the time.
        operations="sep_conv_3x3,max_pool_3x3",
    ),
    strategy=MutationConfig(
        population=3, sample=2, mutator=EACH_NODE, embedding_units=3
    ),
    inheritance=InheritanceConfig(derive_epochs=2, inherited_lr=0.01),
    weights=SharedWeightsConfig(batch_size=16),
    models=ModelsConfig(epoch_models=4),
    search=SearchConfig(epochs=2, derive_samples=2),
)
DATA = images.load(CONFIG.data)
STEPS = 10
# Node 0 reads tensors 0 and 1, node 1 tensors 2 and 0: of both kinds.
PARENT = np.array([0, 0, 1, 1, 2, 0, 0, 0], np.int32)


def search(path, config=CONFIG, resume=False):
    with open_run(path, resume) as run:
        machine = make_search(config, run, DATA)
        return machine.run(), machine


CHILDREN = {
    "the same": PARENT,
    "an operation changed": [0, 0, 1, 0, 2, 0, 0, 0],
    "an input moved": [1, 0, 1, 1, 2, 0, 0, 0],
    "loose ends changed": [0, 0, 1, 1, 1, 0, 0, 0],
}
