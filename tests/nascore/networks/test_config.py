"""Two sets of defaults of one stack; names are flags and keys of files."""

import pytest

from nascore.config import flatten, unflatten
from nascore.errors import InputError
from nascore.networks.config import (
    NetworkConfig,
    StackConfig,
    SupernetConfig,
)
from nascore.networks.layouts import block_layout
from nascore.spaces.darts_cells import DartsSpace

OPERATIONS = "sep_conv_3x3,sep_conv_5x5,avg_pool_3x3,max_pool_3x3,identity"
SEARCH = {
    "operations": OPERATIONS,
    "num_nodes": 5,
    "filters": 20,
    "num_layers": 6,
    "num_normal_cells": 0,
    "num_reduction_cells": 3,
    "keep_prob": 0.9,
    "slot_init": "code",
    "aux_weight": 0.4,
    "precision": "float32",
}
FINAL = {
    "operations": OPERATIONS,
    "num_nodes": 5,
    "filters": 36,
    "num_layers": 15,
    "layout": "enas",
    "stem": "small",
    "padding": "same",
    "more_channels": 0,
    "num_normal_cells": 0,
    "num_reduction_cells": 2,
    "keep_prob": 0.8,
    "drop_path_keep_prob": 0.6,
    "aux_weight": 0.4,
}


@pytest.mark.parametrize(
    "config, defaults", [(SupernetConfig(), SEARCH), (NetworkConfig(), FINAL)]
)
def test_names_and_defaults_are_those_of_all_runs(config, defaults):
    assert flatten(config) == defaults
    assert isinstance(config, StackConfig)
    # As a run's config.json brings them, with what else stands there.
    changed = {**defaults, "filters": 8, "num_layers": 3, "epochs": 9}
    read = unflatten(config, changed)
    assert (read.filters, read.num_layers) == (8, 3)
    assert type(read) is type(config)


@pytest.mark.parametrize(
    "kind, fields, message",
    [
        (SupernetConfig, {"num_layers": 1}, "from 2 to 100"),
        (SupernetConfig, {"num_normal_cells": 101}, "from 0 to 100"),
        (NetworkConfig, {"num_layers": 0}, "from 1 to 200"),
        (NetworkConfig, {"num_normal_cells": 201}, "from 0 to 200"),
        (NetworkConfig, {"drop_path_keep_prob": 0.0}, "from 0.01 to 1"),
        (NetworkConfig, {"layout": "nasnet"}, "one of: enas, ienas, darts"),
        (NetworkConfig, {"filters": 7}, "must be even"),
        (NetworkConfig, {"stem": "imagenet"}, "is for --layout=darts"),
        (SupernetConfig, {"precision": "half"}, "one of: float32, bfloat16"),
    ],
)
def test_bounds_are_each_ones_own(kind, fields, message):
    with pytest.raises(InputError, match=message):
        kind(**fields)


def test_layouts():
    def reductions(config):
        kinds = enumerate(config.layer_types)
        return [n for n, kind in kinds if kind == "reduction"]

    assert reductions(SupernetConfig()) == [1, 3, 6]
    assert reductions(NetworkConfig()) == [5, 11]
    assert reductions(NetworkConfig(layout="ienas")) == [3, 7, 15]
    assert reductions(NetworkConfig(num_normal_cells=3)) == [2, 4]
    assert block_layout(3, 2) == NetworkConfig(num_normal_cells=3).layer_types
    assert NetworkConfig().aux_layer == 12
    assert NetworkConfig().for_inference().aux_layer is None


@pytest.mark.parametrize(
    "layers, places", [(8, [2, 5]), (20, [6, 13]), (14, [4, 9]), (3, [1, 2])]
)
def test_the_layout_of_darts(layers, places):
    config = NetworkConfig(layout="darts", num_layers=layers)
    kinds = config.layer_types
    assert len(kinds) == layers
    assert [n for n, kind in enumerate(kinds) if kind == "reduction"] == places
    # The head reads the second reduction itself.
    assert config.aux_layer == places[1]
    assert config.for_inference().aux_layer is None
    assert isinstance(config.space, DartsSpace)
    assert not isinstance(NetworkConfig().space, DartsSpace)
