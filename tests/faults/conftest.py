"""What the tests of faults share: whole runs, fresh folders, one judge."""

import csv
import hashlib
import json
import os

import numpy as np
import pytest

from nascore.spaces.cells import CellSpace
from nascore.spaces.kinds import to_fields
from nascore.spaces.perceptrons import MlpSpace

SPACE = CellSpace(num_nodes=2)


def snapshot(folder):
    """Content, size and time of every file; folders by name.

    A run folder's lock is left out: to take it is how a script finds out
    that nobody else works there.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.name == ".lock":
            continue
        if path.is_file() and not path.is_symlink():
            about = path.stat()
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            found[str(path)] = (about.st_size, about.st_mtime_ns, content)
        elif path.is_symlink() or not path.is_dir():
            found[str(path)] = "special"
    return found


@pytest.fixture
def refused(forked, tmp_path):
    """Asserts that a script refuses what it is given, in a fresh folder.

    The last arguments of the call: words of the message, in which file names
    are as they were given.
    """

    def check(name, arguments, words, warnings=0):
        before = snapshot(tmp_path)
        done = forked(name, *arguments, folder=tmp_path)
        lines = done.stderr.splitlines()
        said = done.stdout + done.stderr
        assert done.returncode == 2, said
        assert "Traceback" not in said
        *early, last = lines
        assert len(early) == warnings, lines
        assert all(line.startswith("warning: ") for line in early)
        assert last.startswith("error: ") and words in last, last
        assert last.isprintable()
        assert snapshot(tmp_path) == before
        return last

    return check


def write_csv(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def settings(method, **config):
    """What `config.json` says."""
    return {
        "method": method,
        "config": {"seed": 1, "epochs": 2, **config},
        "data": {"fingerprint": "f", "name": "digits", "train": 9},
        "devices": ["CPU"],
        "starts": [
            {
                "command": ["search"],
                "time": "2026-01-01T00:00:00",
                "versions": {"tensorflow": "2.21.0"},
                "git_commit": "0123e456",
                "host": "x86_64, 2 cores",
            }
        ],
    }


@pytest.fixture
def search_run(tmp_path):
    """The folder `run` of a finished search of cells, by hand."""
    folder = tmp_path / "run"
    folder.mkdir()
    rng = np.random.default_rng(0)
    config = {
        "dataset": "digits",
        "controller": "lstm",
        "num_nodes": 2,
        "filters": 4,
        "num_layers": 2,
    }
    content = settings("enas", **config)
    content["space"] = {
        "operations": list(SPACE.operations),
        "num_nodes": 2,
        "cell_types": list(SPACE.cell_types),
    }
    (folder / "config.json").write_text(json.dumps(content))
    rows = []
    for place in range(8):
        normal, reduction = map(str, SPACE.draw(rng).cells)
        rows.append(
            {
                "epoch": place // 4,
                "step": place % 4,
                "normal_cell": normal,
                "reduction_cell": reduction,
                "accuracy": 0.5,
                "reward": 0.5,
                "baseline": 0.4,
                "entropy": 9.0,
                "log_prob": -9.0,
                "seconds": 0.1,
            }
        )
    write_csv(folder / "controller.csv", rows)
    epochs = [
        {
            "epoch": epoch,
            "accuracy_mean": 0.5,
            "accuracy_std": 0.1,
            "accuracy_max": 0.6,
            "validation_accuracy": 0.5,
            "search_test_accuracy": 0.5,
            "seconds": 1.0,
        }
        for epoch in range(2)
    ]
    write_csv(folder / "epochs.csv", epochs)
    ranking = [
        {
            "rank": rank,
            "architecture": str(SPACE.draw(rng)),
            "validation_accuracy": 0.6,
            "search_test_accuracy": 0.5,
        }
        for rank in (1, 2)
    ]
    (folder / "derived_architectures.json").write_text(
        json.dumps({"epochs": 2, "architectures": ranking})
    )
    return folder


@pytest.fixture
def final_run(tmp_path):
    """The folder `run` of a finished final training, by hand."""
    folder = tmp_path / "run"
    folder.mkdir()
    content = settings(
        "final training",
        dataset="digits",
        num_nodes=2,
        architecture=str(SPACE.draw(np.random.default_rng(0))),
    )
    (folder / "config.json").write_text(json.dumps(content))
    names = ("loss", "accuracy", "learning_rate", "validation_loss")
    write_csv(
        folder / "epochs.csv",
        [{"epoch": n, **dict.fromkeys(names, 0.5)} for n in range(2)],
    )
    test = {"epochs": 2, "accuracy": 0.5, "calibration_error": 0.1}
    (folder / "test.json").write_text(json.dumps(test))
    (folder / "confusion.csv").write_text(",cat,dog\ncat,3,1\ndog,0,4\n")
    (folder / "calibration.csv").write_text(
        "lower,upper,images,confidence,accuracy\n0.5,0.6,8,0.55,0.5\n"
    )
    return folder


@pytest.fixture
def mlp_run(tmp_path):
    """The folder `run` of a finished run of MLPNAS, by hand."""
    folder = tmp_path / "run"
    folder.mkdir()
    content = settings("mlpnas", dataset="digits")
    space = MlpSpace((8, 16), ("relu",))
    content |= {"space": to_fields(space), "measures": "score"}
    (folder / "config.json").write_text(json.dumps(content))
    write_csv(
        folder / "evaluations.csv",
        [
            {
                "epoch": n,
                "step": 0,
                "architecture": f"{units} relu | softmax",
                "score": 0.5,
                "predicted": 0.4,
            }
            for n, units in enumerate(space.units)
        ],
    )
    both = {"validation_accuracy": 0.5, "test_accuracy": 0.5}
    final = {
        "epochs": 2,
        "finetuned": both,
        "competitors": [{"name": "mlp", **both}],
    }
    (folder / "final.json").write_text(json.dumps(final))
    return folder


@pytest.fixture(scope="session")
def user_environment():
    """Of a user who has set nothing."""
    environment = {**os.environ}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    return environment
