"""Scripts over runs with weights for NAS-Bench-201's cells."""

import json

import numpy as np
import pandas as pd
import pytest

from experiments.figures import beside_table
from experiments.support import cell_ranks
from experiments.support.network import read_cells, settings_of
from nascore.errors import InputError
from nascore.evaluators.nasbench201.names import TRUTH
from nascore.evaluators.nasbench201.table import (
    CELLS,
    accuracies,
    parameters,
)
from nascore.networks.config import NetworkConfig
from nascore.runs.folder import RunFolder
from nascore.runs.interrupts import Limit
from nascore.runs.reader import read_run
from nascore.spaces.bench201 import codes_of

CELL = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|none~1|none~2|"
SEARCH = (
    *("--method=shared201_random", "--dataset=digits", "--image_size=8"),
    *("--train_examples=160", "--filters=2", "--num_layers=1", "--epochs=1"),
    *("--batch_size=40", "--train_steps=1", "--num_aggregate=2"),
    *("--epoch_samples=2", "--derive_samples=2", "--rank_cells=3"),
)


class Known:
    """An evaluator whose accuracy is a function of the cell's number."""

    def __init__(self, limit=10**9):
        self.limit = limit
        self.asked = []

    def cell_score(self, row):
        code = int(codes_of(row))
        if len(self.asked) == self.limit:
            raise KeyboardInterrupt
        self.asked.append(code)
        # Of few values, so that there are ties.
        return (code % 7) / 7


@pytest.fixture
def folder(tmp_path):
    with RunFolder.create(tmp_path / "run") as run:
        yield run


def tau(left, right):
    """Kendall's tau-b by its definition: over all pairs."""
    x = np.sign(np.subtract.outer(left, left))
    y = np.sign(np.subtract.outer(right, right))
    return (x * y).sum() / np.sqrt((x**2).sum() * (y**2).sum())


def test_ranks_are_compared_with_the_table(folder):
    evaluator = Known()
    table = cell_ranks.measure(evaluator, folder, 50, 3)
    codes = np.array(evaluator.asked)
    assert len(set(evaluator.asked)) == 50 == len(table)
    found = cell_ranks.taus(table)
    for name, column in TRUTH.items():
        truth = accuracies(column)[codes]
        np.testing.assert_array_equal(table[name], truth)
        assert found.loc["these weights", name] == pytest.approx(
            tau(codes % 7, truth)
        )
        assert found.loc["number of parameters", name] == pytest.approx(
            tau(parameters()[codes], truth)
        )
    written = json.loads((folder.path / "cell_ranks.json").read_text())
    assert written["cells"] == 50 and written["epochs"] == 3
    assert written["kendall_tau"]["these weights"] == pytest.approx(
        found.loc["these weights"].to_dict()
    )
    assert "over 50 random cells" in cell_ranks.report(table)


def test_more_cells_go_on_where_fewer_ended(folder):
    with pytest.raises(KeyboardInterrupt):
        cell_ranks.measure(Known(limit=30), folder, 50, 3)
    # Written twenty at once.
    assert cell_ranks.left(folder.path, 50, 3) == 30
    rest = Known()
    table = cell_ranks.measure(rest, folder, 50, 3)
    assert rest.asked == cell_ranks.choose(50)[20:].tolist()
    again = Known()
    cell_ranks.measure(again, folder, 45, 3)
    assert not again.asked
    assert len(table) == 50
    # After another epoch the weights are others.
    assert cell_ranks.left(folder.path, 10, 4) == 10
    cell_ranks.measure(again, folder, 10, 4)
    assert len(again.asked) == 10
    assert set(cell_ranks.read(folder.path)["epochs"]) == {4}
    assert sorted(cell_ranks.choose(CELLS)) == list(range(CELLS))


def test_it_ends_in_time_and_goes_on(folder):
    over = Limit(hours=1e-9, since=0.0)
    assert len(cell_ranks.measure(Known(), folder, 50, 3, over)) == 0

    class Ticking(Known):
        def left(self):
            return 1 - len(self.asked) // 13

    evaluator = Ticking()
    table = cell_ranks.measure(evaluator, folder, 50, 3, evaluator)
    assert len(table) == len(evaluator.asked) == 13
    rest = Known()
    assert len(cell_ranks.measure(rest, folder, 50, 3)) == 50
    assert evaluator.asked + rest.asked == cell_ranks.choose(50).tolist()


def test_where_all_cells_are_alike_there_is_no_tau(folder):
    class Alike:
        def cell_score(self, row):
            return 0.1

    table = cell_ranks.measure(Alike(), folder, 5, 1)
    assert np.isnan(cell_ranks.taus(table).loc["these weights"]).all()
    written = json.loads((folder.path / "cell_ranks.json").read_text())
    assert set(written["kendall_tau"]["these weights"].values()) == {None}


def test_a_search_its_ranks_and_a_training(forked, tmp_path):
    run = tmp_path / "run"
    done = forked("search", *SEARCH, f"--run_dir={run}")
    assert done.returncode == 0, done.stderr
    assert "table-imagenet16-120" in done.stdout
    assert "over 3 random cells" in done.stdout
    assert len(pd.read_csv(run / "cell_ranks.csv")) == 3
    assert (run / "plots" / "cell_ranks.png").exists()
    assert f"--from_run={run} --preset=final/bench201_quick" in done.stdout
    ranks = forked("rank_check", run, "--count=5")
    assert ranks.returncode == 0, ranks.stderr
    table = pd.read_csv(run / "cell_ranks.csv")
    assert len(table) == 5
    # The weights of the checkpoint are those that the search ended with.
    text = table["architecture"][0]
    scored = forked("score_architecture", run, text)
    assert scored.returncode == 0, scored.stderr
    assert f"{table['accuracy'][0]:.1%} on the validation set" in scored.stdout
    assert f"{table['table_cifar10'][0]:.2%} on cifar10" in scored.stdout
    # Nothing of it is trained.
    refused = forked("rank_check", run, "--epochs=2")
    assert refused.returncode == 2
    assert (
        refused.stderr.strip()
        .splitlines()[-1]
        .startswith("error: --epochs=2 means nothing here")
    )
    words = (
        *("--preset=final/bench201_quick", "--epochs=1", "--filters=2"),
        *(f"--from_run={run}", f"--init_from_supernet={run}"),
        *("--export=keras", f"--run_dir={tmp_path / 'final'}"),
    )
    trained = forked("train_final", *words)
    assert trained.returncode == 0, trained.stderr
    assert "blocks start from shared weights: stem, " in trained.stdout
    settings = json.loads((tmp_path / "final" / "config.json").read_text())
    assert settings["config"]["layout"] == "bench201"
    # Before the last cell nothing is finished; then more of them go on.
    more = forked("search", f"--run_dir={run}", "--resume", "--rank_cells=7")
    assert more.returncode == 0, more.stderr
    assert len(pd.read_csv(run / "cell_ranks.csv")) == 7
    names = [name for name, _ in beside_table.draw(read_run(run), 1)]
    assert names == ["operations", "table", "cell_ranks", "best_cell_1"]


def test_a_cell_brings_its_network():
    network, notes = read_cells(CELL, NetworkConfig(), {})
    assert network.layout == "bench201" and "--layout=bench201" in notes[0]
    assert network.space.format(network.space.parse(CELL)) == CELL
    assert settings_of(network.space, {})["layout"] == "bench201"
    for given in ({"layout": "enas"}, {"num_nodes": 4}):
        (name,) = given
        with pytest.raises(InputError, match=f"--{name}=.* is not for a cell"):
            read_cells(CELL, NetworkConfig(), given)
