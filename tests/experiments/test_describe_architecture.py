"""An architecture is described from its text alone, or from its run."""

import json
import re

import pytest

from nascore.config import flatten
from nascore.networks.config import NetworkConfig
from nascore.networks.costs import count, total
from nascore.networks.stack import plan
from nascore.spaces.cells import CellSpace
from nascore.spaces.darts_cells import DARTS_OPERATIONS, DartsSpace
from nascore.spaces.kinds import to_fields
from nascore.spaces.perceptrons import MlpSpace
from nascore.training.config import FinalConfig, TrainingConfig

CELL = "0 0 1 1 1 4 2 3"
TEXT = f"{CELL} {CELL}"
OTHER = f"{CELL} 1 1 1 1 1 4 2 3"
SMALL = ("--filters=4", "--num_layers=1", "--aux_weight=0")
OPERATIONS = ("sep_conv_5x5", "sep_conv_3x3", "max_pool_3x3", "identity")


def parameters(config, text, shape, classes):
    """Counted without the script."""
    stack = plan(config, shape, classes, config.space.parse(text))
    return f"\nparameters: {total(count(stack)).parameters:,}\n"


def write_run(folder, space, texts, data, end="derived_architectures.json"):
    settings = {
        "method": "enas",
        "config": {"epochs": 2},
        "space": to_fields(space),
        "data": data,
    }
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(settings))
    numbers = {"validation_accuracy": 0.5, "search_test_accuracy": 0.5}
    numbers |= {"accuracy": 0.25, "score": 0.75}
    ranking = [
        {"rank": rank, "architecture": text, **numbers}
        for rank, text in enumerate(texts, 1)
    ]
    content = {"epochs": 2, "architectures": ranking}
    (folder / end).write_text(json.dumps(content))
    return folder


IMAGES = {"image_shape": [12, 12, 1], "class_names": ["a", "b", "c"]}


def describe(forked, folder, *words):
    return forked("describe_architecture", *words, folder=folder)


def test_the_length_of_a_text_says_its_nodes(forked, tmp_path):
    done = describe(forked, tmp_path, TEXT, *SMALL)
    assert done.returncode == 0, done.stderr
    first, second, *_ = done.stdout.splitlines()
    assert first.startswith("note: taken as a normal and reduction cell of 2 ")
    assert "--num_nodes" in first and "--operations" in first
    assert second == TEXT
    config = NetworkConfig(num_nodes=2, filters=4, num_layers=1, aux_weight=0)
    assert parameters(config, TEXT, (32, 32, 3), 10) in done.stdout
    assert (tmp_path / "architecture" / "cells.png").exists()
    # What is given holds, and then nothing was taken for granted.
    names = ",".join(NetworkConfig().space.operations)
    same = describe(
        forked, tmp_path, TEXT, *SMALL, "--num_nodes=2", f"--operations={names}"
    )
    assert same.stdout == done.stdout.partition("\n")[2]
    done = describe(forked, tmp_path, TEXT, "--num_nodes=3")
    assert done.returncode == 2 and "has 24 integers" in done.stderr


def test_a_search_says_all_by_itself(forked, tmp_path):
    space = CellSpace(OPERATIONS, 2)
    texts = [TEXT.replace("4", "2"), OTHER.replace("4", "2")]
    write_run(tmp_path / "run", space, texts, IMAGES)
    for words, text in (((), texts[0]), (("--rank=2",), texts[1])):
        done = describe(forked, tmp_path, "run", *SMALL, *words)
        assert done.returncode == 0, done.stderr
        rank = len(words) + 1
        note, shown, *_ = done.stdout.splitlines()
        assert note.startswith(f"note: rank {rank} of the final ranking of run")
        assert shown == text
        config = NetworkConfig(
            operations=",".join(OPERATIONS),
            num_nodes=2,
            filters=4,
            num_layers=1,
            aux_weight=0,
        )
        assert parameters(config, text, (12, 12, 1), 3) in done.stdout
    # A run that still goes has its best so far.
    ranking = tmp_path / "run" / "derived_architectures.json"
    ranking.rename(ranking.with_name("best_architectures.json"))
    done = describe(forked, tmp_path, "run", *SMALL, "--input=8x8x3")
    assert "rank 1 of the best so far of run, accuracy 25.0%" in done.stdout
    assert parameters(config, texts[0], (8, 8, 3), 3) in done.stdout


def test_a_search_of_perceptrons(forked, tmp_path):
    space = MlpSpace((16,), ("relu",), classes=3)
    data = {"features": 7, "class_names": ["a", "b", "c"]}
    write_run(tmp_path / "run", space, ["16 relu | softmax"], data)
    done = describe(forked, tmp_path, "run")
    assert done.returncode == 0, done.stderr
    weights = (7 + 1) * 16 + (16 + 1) * 3
    assert f"parameters: {weights}, of 7 inputs (--input) and 3 " in done.stdout


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("9 relu | dropout | 4 elu | softmax", 12 * 9 + 9 + 9 * 4 + 4 + 50),
        ("9 tanh | sigmoid", 12 * 9 + 9 + 10),
    ],
)
def test_a_text_of_perceptrons(forked, tmp_path, text, weights):
    done = describe(forked, tmp_path, text, "--input=2x2x3")
    assert done.returncode == 0, done.stderr
    assert f"parameters: {weights}, of 12 inputs" in done.stdout


def test_a_final_training_has_its_own_network(forked, tmp_path):
    config = FinalConfig(
        network=NetworkConfig(
            num_nodes=2, filters=6, num_layers=1, layout="ienas", aux_weight=0
        ),
        training=TrainingConfig(architecture=TEXT),
    )
    content = {
        "method": "final training",
        "config": flatten(config),
        "data": IMAGES,
    }
    (tmp_path / "final").mkdir()
    (tmp_path / "final" / "config.json").write_text(json.dumps(content))
    done = describe(forked, tmp_path, "final")
    assert done.returncode == 0, done.stderr
    assert parameters(config.network, TEXT, (12, 12, 1), 3) in done.stdout


def test_published_cells_of_darts_by_name(forked, tmp_path):
    words = ("--num_layers=3", "--filters=4", "--aux_weight=0")
    config = NetworkConfig(
        operations=",".join(DARTS_OPERATIONS),
        num_nodes=4,
        num_layers=3,
        filters=4,
        aux_weight=0,
        layout="darts",
    )
    architecture = config.space.parse("DARTS_V2")
    said = []
    for text in (
        "DARTS_V2",
        config.space.genotype(architecture),
        str(architecture),
    ):
        layout = () if "t" in text.lower() else ("--layout=darts",)
        done = describe(forked, tmp_path, text, *words, *layout)
        assert done.returncode == 0, done.stderr
        note, _, rest = done.stdout.partition("\n")
        assert "6 dil_conv_5x5 (--operations)" in note
        assert ("; --layout=darts" in note) == (not layout)
        said.append(rest)
    assert said[0] == said[1] == said[2]
    assert said[0].startswith(f"{architecture}\n")
    assert parameters(config, "DARTS_V2", (32, 32, 3), 10) in said[0]
    assert config.space.genotype(architecture) in said[0]


def test_a_search_of_darts_cells_has_their_layout(forked, tmp_path):
    space = DartsSpace(OPERATIONS, 2)
    text = "0 0 1 1 0 3 2 3 " * 2
    write_run(tmp_path / "run", space, [text.strip()], IMAGES)
    done = describe(forked, tmp_path, "run", *SMALL, "--num_layers=2")
    assert done.returncode == 0, done.stderr
    assert "output = concat(node 0, node 1)" in done.stdout
    config = NetworkConfig(
        operations=",".join(OPERATIONS),
        num_nodes=2,
        filters=4,
        num_layers=2,
        aux_weight=0,
        layout="darts",
    )
    assert parameters(config, text, (12, 12, 1), 3) in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["DARTS_V3"], "a published name: DARTS_V1, DARTS_V2, PC_DARTS_cifar"),
        (["DARTS_V2", "--layout=enas"], "a genotype needs --layout=darts"),
        (["DARTS_V2", "--num_nodes=3"], "4 nodes; this space has 3"),
        (["darts", "--layout=ienas"], "choose --layout=darts"),
        (["run", "--layout=darts"], "choose --layout=enas or ienas"),
        (["0 0 0 1 0 0 1 1", "--layout=darts"], "reads tensor 0 twice"),
        (["Genotype(normal=[])"], "a genotype reads Genotype"),
        (["run", "--rank=3"], "--rank=3 must be from 1 to 2, the length of"),
        (["run", "--num_nodes=2"], "--num_nodes=2 is not for an architecture"),
        (["final", "--filters=4"], "leave --filters out"),
        (["final", "--rank=1"], "--rank=1 is for searches"),
        ([TEXT, "--rank=1"], "--rank=1 is for the folder of a search"),
        (["9 relu | softmax", "--filters=4"], "--filters is for cells"),
        (["9 rely | softmax"], "'9 rely'"),
        (["run2"], "'image_shape'|a number of inputs must be a whole number"),
        (["nowhere"], "'nowhere' is no folder and no architecture"),
        (["9 relu | 4"], r"is no folder and no architecture"),
        (["empty"], "empty/config.json"),
    ],
)
def test_what_contradicts_is_one_line(forked, tmp_path, words, said):
    space = CellSpace(num_nodes=2)
    write_run(tmp_path / "run", space, [TEXT, OTHER], IMAGES)
    cells = DartsSpace(num_nodes=1)
    write_run(tmp_path / "darts", cells, ["0 0 1 0 0 0 1 0"], IMAGES)
    odd = {**IMAGES, "image_shape": ["x", None, 3]}
    write_run(tmp_path / "run2", space, [TEXT], odd)
    (tmp_path / "empty").mkdir()
    (tmp_path / "final").mkdir()
    content = {"method": "final training", "config": {"epochs": 1}}
    (tmp_path / "final" / "config.json").write_text(json.dumps(content))
    done = describe(forked, tmp_path, *words)
    assert done.returncode == 2, done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    assert re.search(said, line), line
    assert not (tmp_path / "architecture").exists()


def test_scores_of_a_rank_need_one(forked, tmp_path):
    write_run(tmp_path / "run", CellSpace(num_nodes=2), [TEXT], IMAGES)
    for words, said in (
        ([], "or its --rank"),
        (["--rank=2"], "--rank=2 must be from 1 to 1"),
    ):
        done = forked("score_architecture", "run", *words, folder=tmp_path)
        assert done.returncode == 2 and said in done.stderr


def test_a_final_training_reads_nodes_from_the_text(forked, tmp_path):
    done = forked(
        "train_final",
        f"--architecture={TEXT}",
        "--dataset=folder",
        "--data_dir=nowhere",
        "--run_dir=final",
        folder=tmp_path,
    )
    assert done.returncode == 2 and "nowhere" in done.stderr
    assert "note: --architecture taken as a normal and reduction" in done.stdout
