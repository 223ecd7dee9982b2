import itertools

import numpy as np
import pytest
import tensorflow as tf

from nascore.errors import InputError, StorageError
from nascore.runs.checkpoints import Checkpoints


def make(folder, **options):
    variables = {
        name: tf.Variable(tf.zeros([20, 10])) for name in ("a", "b", "c")
    }
    return variables, Checkpoints(folder, variables, **options)


def save(folder, *numbers):
    variables, checkpoints = make(folder)
    for number in numbers:
        for variable in variables.values():
            variable.assign(tf.fill([20, 10], float(number)))
        checkpoints.save()


def restored(folder):
    """The number that was saved, if every variable has it."""
    variables, checkpoints = make(folder)
    assert checkpoints.restore()
    values = {float(x) for v in variables.values() for x in v.numpy().ravel()}
    (value,) = values
    return value


@pytest.mark.parametrize("suffix", ["data-00000-of-00001", "index"])
def test_a_flipped_bit_never_passes_for_a_value(tmp_path, capsys, suffix):
    save(tmp_path, 1, 2)
    path = tmp_path / f"ckpt-2.{suffix}"
    content = path.read_bytes()
    found = set()
    # A prime step: positions of every kind.
    for place in range(0, len(content), 13 if "data" in suffix else 3):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        value = restored(tmp_path)
        found.add(value)
        warned = "ckpt-2 cannot be used" in capsys.readouterr().err
        assert warned == (value == 1.0)
    # Some bytes mean nothing; most do.
    assert 1.0 in found and found <= {1.0, 2.0}


@pytest.mark.parametrize("suffix", ["data-00000-of-00001", "index"])
@pytest.mark.parametrize("left", [0.0, 0.1, 0.9, None])
def test_a_checkpoint_that_was_cut_off_falls_back(
    tmp_path, capsys, suffix, left
):
    save(tmp_path, 1, 2)
    path = tmp_path / f"ckpt-2.{suffix}"
    if left is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: int(left * path.stat().st_size)])
    assert restored(tmp_path) == 1
    # Without its index it is no checkpoint, and was never finished.
    expected = not (left is None and suffix == "index")
    assert ("going back" in capsys.readouterr().err) == expected


def test_no_readable_checkpoint_is_said_in_one_line(tmp_path, capsys):
    save(tmp_path, 1)
    for file in tmp_path.glob("ckpt*"):
        file.write_bytes(b"torn")
    with pytest.raises(InputError, match="no checkpoint in .* can be used"):
        restored(tmp_path)
    assert capsys.readouterr().err == ""


def test_what_does_not_fit_the_rest_falls_back(tmp_path, capsys):
    save(tmp_path, 1, 2)
    calls = itertools.count()

    def check():
        if not next(calls):
            raise InputError("table.csv was edited")

    variables, checkpoints = make(tmp_path, check=check)
    assert checkpoints.restore()
    np.testing.assert_array_equal(variables["a"], np.ones([20, 10]))
    assert "(table.csv was edited)" in capsys.readouterr().err
    # The next one replaces the one that did not fit.
    checkpoints.save()
    assert restored(tmp_path) == 1
    assert capsys.readouterr().err == ""


def test_other_files_do_not_disturb(tmp_path):
    save(tmp_path, 1, 2)
    for name in ("checkpoint", "ckpt-x.index", "ckpt-9.index.bak"):
        (tmp_path / name).write_text("")
    assert restored(tmp_path) == 2


def test_only_the_newest_are_kept(tmp_path):
    # As a process leaves it that dies while it saves.
    (tmp_path / "ckpt-2_temp").mkdir()
    (tmp_path / "ckpt-2_temp" / "part").write_text("half")
    save(tmp_path, 1, 2, 3, 4)
    assert not (tmp_path / "ckpt-2_temp").exists()
    assert sorted(p.name for p in tmp_path.glob("*.index")) == [
        "ckpt-3.index",
        "ckpt-4.index",
    ]


def test_a_clock_that_goes_backwards(tmp_path, monkeypatch):
    times = itertools.count(2e9, -1e6)
    monkeypatch.setattr("time.time", lambda: next(times))
    save(tmp_path, 1, 2, 3)
    assert restored(tmp_path) == 3
    assert not list(tmp_path.glob("ckpt-1*"))
    variables, checkpoints = make(tmp_path)
    checkpoints.restore()
    variables["a"].assign(tf.fill([20, 10], 3.0))
    checkpoints.save()
    assert restored(tmp_path) == 3


def test_a_save_that_fails_leaves_the_one_before(tmp_path, monkeypatch):
    save(tmp_path, 1)
    variables, checkpoints = make(tmp_path)
    checkpoints.restore()
    # A file stands where TensorFlow wants to write.
    (tmp_path / "ckpt-2_temp").write_text("")
    for variable in variables.values():
        variable.assign(tf.fill([20, 10], 2.0))
    with pytest.raises(StorageError, match="what was saved before is intact"):
        checkpoints.save()
    assert restored(tmp_path) == 1
    (tmp_path / "ckpt-2_temp").unlink()
    checkpoints.save()
    assert restored(tmp_path) == 2


def test_a_disk_that_fails_under_a_save_is_no_lack_of_memory(
    tmp_path, monkeypatch
):
    save(tmp_path, 1)
    _, checkpoints = make(tmp_path)

    def full(*arguments, **options):
        raise tf.errors.ResourceExhaustedError(
            None, None, "ckpt-2: No space left on device\n\nmore"
        )

    monkeypatch.setattr(tf.train.Checkpoint, "write", full)
    with pytest.raises(StorageError, match="No space left on device; what"):
        checkpoints.save()
