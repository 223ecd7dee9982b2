"""`--deterministic`: the same command gives the same bits, three times."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

ROOT = Path(__file__).parent.parent.parent
SEARCH = (
    "search_enas",
    "--image_size=8",
    "--train_examples=160",
    "--filters=4",
    "--num_layers=2",
    "--num_nodes=1",
    "--batch_size=32",
    "--epochs=2",
    "--train_steps=2",
    "--num_aggregate=2",
    "--epoch_samples=2",
    "--derive_samples=2",
    "--pad_crop=1",
    "--flip",
    "--cutout=2",
    "--reward_dropout",
    "--clip_norm=5",
    "--operations=sep_conv_3x3,dil_conv_3x3,avg_pool_3x3,max_pool_3x3,none",
)
FINAL = (
    "train_final",
    "--architecture=0 0 1 2 0 1 1 3",
    "--image_size=8",
    "--train_examples=160",
    "--num_nodes=1",
    "--filters=4",
    "--num_layers=3",
    "--batch_size=32",
    "--epochs=2",
    "--pad_crop=1",
    "--flip",
    "--cutout=2",
    "--accumulate=2",
    "--ema_decay=0.9",
    "--export=keras",
)
PERCEPTRONS = (
    "search_mlpnas",
    "--train_examples=200",
    "--units=8,16",
    "--max_layers=4",
    "--epochs=2",
    "--architectures=3",
    "--child_epochs=2",
    "--one_shot",
    "--predictor",
    "--finetune_epochs=2",
    "--compare=none",
    "--jobs=1",
)
TIMES = ("seconds", "images_per_second")


def run(command, path):
    script, *flags = command
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            f"experiments.{script}",
            *flags,
            "--dataset=digits",
            "--deterministic",
            f"--run_dir={path}",
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def rows(path):
    found = {}
    for table in sorted(path.glob("*.csv")):
        with table.open() as file:
            found[table.name] = [
                {k: v for k, v in row.items() if k not in TIMES}
                for row in csv.DictReader(file)
            ]
    return found


def weights(path):
    newest = tf.train.latest_checkpoint(str(path / "checkpoints"))
    reader = tf.train.load_checkpoint(newest)
    return {
        name: reader.get_tensor(name)
        for name, kind in reader.get_variable_to_dtype_map().items()
        if kind.is_floating and "seconds" not in name
    }


@pytest.mark.slow
@pytest.mark.parametrize("command", [SEARCH, FINAL, PERCEPTRONS])
def test_the_same_bits_three_times(command, tmp_path):
    paths = [tmp_path / str(number) for number in range(3)]
    for path in paths:
        run(command, path)
    first, values = rows(paths[0]), weights(paths[0])
    assert first and values
    for path in paths[1:]:
        assert rows(path) == first
        others = weights(path)
        assert others.keys() == values.keys()
        for name, value in values.items():
            np.testing.assert_array_equal(others[name], value, name)
