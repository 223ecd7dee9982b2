"""Scripts over whole networks."""

import json

import numpy as np
import pandas as pd
import pytest

from enas.macro.config import MacroEnasConfig
from experiments.comparison import tables
from experiments.figures import macro
from experiments.support import then_train
from experiments.support.network import read_cells, settings_of
from nascore.data.config import DataConfig
from nascore.drawing.macro import draw_macro, rows_of_network, skips_of
from nascore.errors import InputError
from nascore.networks.config import NetworkConfig
from nascore.networks.macro.config import MacroSupernetConfig
from nascore.search.config import AfterConfig
from nascore.spaces.macro import MacroSpace, find_network

SEARCH = (
    *("--space=macro", "--dataset=digits", "--image_size=8"),
    *("--train_examples=160", "--filters=2", "--num_layers=2", "--epochs=1"),
    *("--operations=conv_3x3,max_pool_3x3", "--batch_size=40"),
    *("--train_steps=1", "--num_aggregate=2", "--lstm_units=4"),
    *("--epoch_samples=2", "--derive_samples=2"),
)


def last_line(done):
    return done.stderr.strip().splitlines()[-1]


def test_a_search_from_its_start_to_a_trained_network(forked, tmp_path):
    run = tmp_path / "run"
    done = forked("search_enas", *SEARCH, f"--run_dir={run}")
    assert done.returncode == 0, done.stderr
    assert "supernet: 2 layers" in done.stdout
    assert "skip-share" in done.stdout and "possible skips" in done.stdout
    assert f"--from_run={run} --preset=final/macro_quick" in done.stdout
    settings = json.loads((run / "config.json").read_text())
    assert settings["method"] == "macro_enas"
    for name in ("operations", "skips", "best_network_1"):
        assert (run / "plots" / f"{name}.png").exists()
    # It goes on under its own name.
    more = forked("search", f"--run_dir={run}", "--resume", "--epochs=1")
    assert more.returncode == 2
    assert "is finished after 1 epochs" in last_line(more)
    other = forked("search_enas", f"--run_dir={run}", "--resume")
    assert other.returncode == 2
    assert "continue it with --method=macro_enas" in last_line(other)
    best = json.loads((run / "derived_architectures.json").read_text())
    entry = best["architectures"][0]
    scored = forked("score_architecture", run, entry["architecture"])
    assert scored.returncode == 0, scored.stderr
    accuracy = f"{entry['validation_accuracy']:.1%} on the validation set"
    assert accuracy in scored.stdout
    ranks = forked("rank_check", run, "--count=2", "--epochs=1")
    assert ranks.returncode == 0, ranks.stderr
    assert len(pd.read_csv(run / "rank_check.csv")) == 2
    words = (
        *("--preset=final/macro_quick", "--epochs=1", "--filters=2"),
        *(f"--from_run={run}", "--export=keras"),
    )
    trained = forked("train_final", *words, f"--run_dir={tmp_path / 'final'}")
    assert trained.returncode == 0, trained.stderr
    assert (tmp_path / "final" / "model").exists()
    stored = json.loads((tmp_path / "final" / "config.json").read_text())
    assert stored["config"]["layout"] == "macro"
    assert stored["config"]["num_layers"] == 2
    words = (f"--from_run={run}", f"--init_from_supernet={run}")
    refused = forked("train_final", *words)
    assert refused.returncode == 2
    assert last_line(refused).startswith("error: ")
    assert last_line(refused).endswith("leave --init_from_supernet out")


def test_a_text_or_a_name_brings_its_network(forked, tmp_path):
    network, notes = read_cells("0 1 0", NetworkConfig(), {})
    assert (network.layout, network.num_layers) == ("macro", 2)
    assert "whole network of 2 layers" in notes[0]
    assert network.space == MacroSpace(num_layers=2)
    assert settings_of(network.space, {})["aux_weight"] == 0
    # 15 layers could be cells; the layout decides.
    text = " ".join("0" * 120)
    assert read_cells(text, NetworkConfig(), {})[0].layout == "enas"
    off = {"layout": "macro", "drop_path_keep_prob": 1.0, "aux_weight": 0.0}
    given = {**off, "num_layers": 15}
    network, _ = read_cells(text, NetworkConfig(**given), given)
    assert network.space == MacroSpace(num_layers=15)
    for given, said in (
        ({"num_layers": 3}, "which has 2 layers; leave it out"),
        ({"layout": "darts"}, "needs --layout=macro. Received: --layout=dar"),
    ):
        with pytest.raises(InputError, match=said):
            settings_of(MacroSpace(num_layers=2), given)
    done = forked(
        "describe_architecture", "ENAS_MACRO", "--filters=64", folder=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "\nparameters: 13,774,912\n" in done.stdout
    assert "layer 2         sep conv 5x5" in done.stdout
    assert (tmp_path / "architecture" / "network.png").exists()
    for word, said in (
        ("0 | 1 0 | 2 0 1 1", "layer 3 must have an operation and 2 bits"),
        ("ENAS_MACR", "a published name: DARTS_V1"),
    ):
        refused = forked("describe_architecture", word, folder=tmp_path)
        assert refused.returncode == 2
        assert said in last_line(refused)


def test_a_drawing_has_every_layer_and_skip():
    space = MacroSpace(num_layers=24)
    network = space.parse(find_network("ENAS_MACRO"))
    rows = rows_of_network(network, space)
    labels = [label for label, _ in rows]
    assert labels[:2] == ["stem", "1: conv 3x3"]
    assert [labels.index("half the size"), len(rows)] == [9, 28]
    assert len(skips_of(network)) == 98
    dots = draw_macro(network, space).axes[0].collections[-1].get_offsets()
    assert len(dots) == 98
    small = MacroSpace(num_layers=3)
    figure = draw_macro(small.parse("0 1 1 0 1 1"), small, "three")
    # Three arcs and four steps, of which one leads to a line: five boxes.
    assert len(figure.axes[0].patches) == 3 + 6 + 5


def test_shares_of_operations_are_counted():
    space = MacroSpace(("conv_3x3", "max_pool_3x3"), 2)
    rows = np.array([[0, 0, 1], [1, 1, 0], [1, 1, 1]])
    shares = macro.operation_shares(np.array([0, 0, 1]), rows, space)
    assert shares.loc[1].tolist() == [0.5, 0.5]
    assert shares.loc[2].tolist() == [0.0, 1.0]


def test_a_comparison_has_the_shares_of_operations_and_skips():
    space = MacroSpace(("conv_3x3", "max_pool_3x3"), 2)
    part = pd.DataFrame({"architecture": ["0 0 1", "1 1 0", "1 1 1"]})
    assert list(tables._shares(space, part)) == [
        ("network", "conv_3x3", pytest.approx(1 / 3)),
        ("network", "max_pool_3x3", pytest.approx(2 / 3)),
        ("network", "skips", pytest.approx(2 / 3)),
    ]


def test_the_best_and_a_random_network_are_trained_alike_after_a_search():
    data = DataConfig(dataset="mnist", image_size=8)
    child = MacroSupernetConfig("conv_3x3,max_pool_3x3", 2)
    config = MacroEnasConfig(
        data=data, child=child, after=AfterConfig(then_train=2)
    )
    final = then_train._configure(config, "0 1 1")
    assert final.network.space == config.child.space
    assert (final.data.dataset, final.training.epochs) == ("mnist", 2)
    # The sizes are those of the small preset, not of the search.
    assert final.network.filters == 8 != child.filters
    best = then_train._called(then_train.BEST, config)
    assert best == "best network found"
    rows = [
        then_train.Row(name, "", 1, 1.0, 100, accuracy, 0.0, 1.0)
        for name, accuracy in ((best, 0.5), ("random network", 0.4))
    ]
    assert "the random network is as good" in then_train.verdict(*rows)
