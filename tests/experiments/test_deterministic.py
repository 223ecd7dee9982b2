"""`--deterministic`: the same command gives the same bits."""

import pytest

from tests.faults.equal_runs import differences

SEARCH = (
    "search_enas",
    "--image_size=8",
    "--train_examples=160",
    "--filters=4",
    "--num_normal_cells=1",
    "--num_reduction_cells=1",
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


@pytest.mark.slow
@pytest.mark.parametrize("command", [SEARCH, FINAL, PERCEPTRONS])
def test_the_same_bits_twice(command, tmp_path, forked):
    script, *flags = command
    flags += ["--dataset=digits", "--deterministic"]
    paths = [tmp_path / name for name in ("once", "again")]
    for path in paths:
        done = forked(script, *flags, f"--run_dir={path}")
        assert done.returncode == 0, done.stderr
    assert differences(*paths) == []
