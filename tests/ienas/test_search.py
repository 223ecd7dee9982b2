import csv

from enas.config import ControllerConfig, EnasConfig
from enas.search import make_search as make_enas
from ienas.config import IenasConfig, RewardConfig
from ienas.search import make_search as make_ienas
from nascore.data.config import DataConfig
from nascore.data.images import load
from nascore.evaluators.config import SharedWeightsConfig
from nascore.networks.config import SupernetConfig
from nascore.runs.folder import RunFolder
from nascore.search.config import SearchConfig

SHARED = {
    "data": DataConfig(train_examples=160, image_size=8),
    "child": SupernetConfig(
        filters=4,
        num_normal_cells=1,
        num_reduction_cells=0,
        num_nodes=1,
        # Hardly anything to trace.
        operations="max_pool_3x3,identity",
    ),
    "controller": ControllerConfig(num_aggregate=2, train_steps=8),
    "weights": SharedWeightsConfig(batch_size=16),
    "search": SearchConfig(epochs=2, epoch_samples=3, derive_samples=2),
}
DATA = load(SHARED["data"])


def rows(path, make, config, columns=None):
    with RunFolder.create(path) as run:
        make(config, run, DATA).run()
    tables = {}
    for table in ("child", "evaluations", "samples", "epochs"):
        with (path / f"{table}.csv").open() as file:
            tables[table] = [
                {k: v for k, v in row.items() if k != "seconds"}
                for row in csv.DictReader(file)
            ]
    return tables


def test_with_the_identity_rule_it_is_enas_row_by_row(tmp_path):
    enas = rows(tmp_path / "enas", make_enas, EnasConfig(**SHARED))
    identity = IenasConfig(
        **SHARED, reward=RewardConfig(reward_rule="identity")
    )
    assert rows(tmp_path / "identity", make_ienas, identity) == enas
    shaped = rows(tmp_path / "ienas", make_ienas, IenasConfig(**SHARED))
    assert shaped != enas
    # The reward changes nothing before the controller's first update.
    assert shaped["child"][:10] == enas["child"][:10]
    first, *others = shaped["evaluations"]
    assert first["reward"] == first["accuracy"]
    assert any(row["reward"] != row["accuracy"] for row in others)
