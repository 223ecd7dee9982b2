"""Keras's settings of a user who has other programs, too."""

import json
import os
import subprocess
import sys

import pytest

from tests.faults.kill_anywhere import ROOT

OURS = ["tensorflow", "channels_last", "float32", 1e-7, "float32"]
SHOW = """
import json, enas.search, keras
c = keras.config
print(json.dumps([c.backend(), c.image_data_format(), c.floatx(), c.epsilon(),
                  c.dtype_policy().name]))
"""


def python(code, home, **variables):
    """Runs code as a user whose home folder this is."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(home)}
    for name in ("KERAS_BACKEND", "KERAS_HOME", "TF_ENABLE_ONEDNN_OPTS"):
        environment.pop(name, None)
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=home,
        env={**environment, **variables},
        capture_output=True,
        text=True,
    )


def write_settings(home, content):
    folder = home / ".keras"
    folder.mkdir()
    if content is None:
        # As unreadable as a file that belongs to another: also for root.
        (folder / "keras.json").mkdir()
    else:
        (folder / "keras.json").write_text(content)


OTHERS = {
    "floatx": "float64",
    "epsilon": 0.1,
    "backend": "jax",
    "image_data_format": "channels_first",
}


def test_keras_json_does_not_hold_here(tmp_path):
    write_settings(tmp_path, json.dumps(OTHERS))
    done = python(SHOW, tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == OURS


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(OTHERS),
        '{"floatx": "float16"}',
        '{"epsilon": "small", "floatx": 3}',
        '["channels_first"]',
        '{"floatx": "flo',
        None,
    ],
)
def test_keras_will_look_where_no_settings_are(tmp_path, content):
    """Without importing it, which takes seconds."""
    write_settings(tmp_path, content)
    code = "import os, nascore; print(os.environ['KERAS_HOME'])"
    done = python(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert not os.path.exists(done.stdout.strip())


def test_keras_json_of_our_own_settings_is_left_alone(tmp_path):
    write_settings(tmp_path, '{"floatx": "float32", "epsilon": 1e-07}')
    code = "import os, nascore; print(os.environ.get('KERAS_HOME'))"
    assert python(code, tmp_path).stdout == "None\n"
    (tmp_path / "k").mkdir()
    (tmp_path / "k" / "keras.json").write_text('{"floatx": "float16"}')
    home = str(tmp_path / "k")
    said = python(code, tmp_path, KERAS_HOME=home).stdout
    assert said not in ("None\n", f"{home}\n")


@pytest.mark.parametrize(
    "variables",
    [
        {"KERAS_BACKEND": "torch"},
        {"KERAS_BACKEND": "", "HOME": "{tmp_path}/new"},
        {"KERAS_BACKEND": "none", "HOME": "/proc", "KERAS_HOME": "~/keras"},
    ],
)
def test_variables_for_other_programs_do_not_hold_here(tmp_path, variables):
    variables = {
        name: value.format(tmp_path=tmp_path)
        for name, value in variables.items()
    }
    done = python(SHOW, tmp_path, **variables)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == OURS
    assert not (tmp_path / "~").exists()


def test_a_script_says_that_a_back_end_is_not_used(tmp_path):
    code = (
        "import sys; from experiments import launch;"
        "launch.run(lambda args: print('done'))"
    )
    done = python(code, tmp_path, KERAS_BACKEND="jax")
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert done.stderr == (
        "note: KERAS_BACKEND=jax is not used: this is TensorFlow\n"
    )


@pytest.mark.parametrize("room", ["enas", "ienas", "mlpnas", "benchmarks"])
def test_every_room_sets_up_the_process_first(tmp_path, room):
    code = (
        f"import os, sys, {room}; assert 'tensorflow' not in sys.modules;"
        "print(os.environ['KERAS_BACKEND'], 'nascore' in sys.modules)"
    )
    done = python(code, tmp_path, KERAS_BACKEND="torch")
    assert done.stdout == "tensorflow True\n", done.stderr


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("set_image_data_format('channels_first')", "'channels_last'"),
        ("set_floatx('float64')", "set_floatx('float32')"),
        ("set_epsilon(1e-3)", "set_epsilon(1e-07)"),
        ("set_dtype_policy('mixed_float16')", "--precision"),
        ("backend = lambda: 'torch'", "os.environ"),
    ],
)
def test_keras_that_is_set_otherwise_already(monkeypatch, change, words):
    """In a notebook: refused with what to call; afterwards it works."""
    import keras

    from nascore.errors import InputError
    from nascore.process import environment

    config = keras.config
    names = ("image_data_format", "floatx", "epsilon", "dtype_policy")
    before = {name: getattr(config, name)() for name in names}
    environment.prepare()
    try:
        if change.startswith("backend"):
            monkeypatch.setattr(config, "backend", lambda: "torch")
        else:
            eval(f"config.{change}", {"config": config})  # noqa: S307
        with pytest.raises(InputError) as error:
            environment.prepare()
        assert words in str(error.value)
    finally:
        monkeypatch.undo()
        for name, value in before.items():
            getattr(config, f"set_{name}")(value)
    environment.prepare()
