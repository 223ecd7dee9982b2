"""What there is, what is needed, and what is said of it."""

import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from PIL import Image

from nascore.data.pictures.class_folders import read_class_folders
from nascore.errors import InputError
from nascore.process import memory
from nascore.process.memory import GIB, Need, Room, compare

ROOM = Room("this machine", 10 * GIB)
FLAGS = ("--batch_size", "--filters")
NEED = Need(
    {"process": GIB // 2}, {"activations": 7 * GIB, "images": GIB}, FLAGS
)


@pytest.mark.parametrize("gigabytes", [1, 7.9])
def test_what_fits_is_not_spoken_of(gigabytes):
    assert compare({"all": int(gigabytes * GIB)}, FLAGS, ROOM) is None


@pytest.mark.parametrize("gigabytes", [8.1, 12.9])
def test_what_is_tight_is_warned_of(gigabytes):
    need = {"activations": int(gigabytes * GIB) - GIB, "images": GIB}
    text = compare(need, FLAGS, ROOM)
    assert f"about {gigabytes} GiB" in text and "10.0 GiB" in text
    assert "lower --batch_size or --filters" in text


def test_what_cannot_fit_is_refused_in_one_line():
    need = {"activations": 39 * GIB, "images": GIB, "little": 1}
    with pytest.raises(InputError) as error:
        compare(need, FLAGS, ROOM)
    text = str(error.value)
    assert "40.0 GiB" in text and "activations 39.0 GiB" in text
    assert "--batch_size or --filters" in text and "--ignore_memory" in text
    assert "little" not in text and "\n" not in text


def make_group(folder, version, limit, usage, cache):
    names = {
        2: ("memory.max", "memory.current", "inactive_file"),
        1: (
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            "total_inactive_file",
        ),
    }[version]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{usage}\n")
    (folder / "memory.stat").write_text(f"anon 1\n{names[2]} {cache}\n")


@pytest.mark.parametrize("version, top", [(2, "."), (1, "memory")])
def test_the_limit_of_a_control_group_holds(version, top, tmp_path):
    make_group(tmp_path / top, version, 500 << 20, 300 << 20, 100 << 20)
    room = memory.host_room(tmp_path)
    # What is cached is given back when it is wanted.
    expected = (500 - 300 + 100 << 20) + memory.resident()
    assert room.free == pytest.approx(expected, abs=50 << 20)


@pytest.mark.parametrize("limit", ["max", str(2**63 - 4096)])
def test_a_group_without_limit_leaves_the_machine(limit, tmp_path):
    make_group(tmp_path, 2, limit, 0, 0)
    expected = psutil.virtual_memory().available + memory.resident()
    free = memory.host_room(tmp_path).free
    assert free == pytest.approx(expected, rel=0.1)


def test_the_peak_stays_when_memory_goes():
    before = memory.peak()
    block = np.ones(100 << 20, np.uint8)
    held = memory.resident()
    assert held >= 100 << 20
    del block
    assert memory.peak() >= max(held - (5 << 20), before)


def test_the_peak_where_the_system_is_another(tmp_path, monkeypatch):
    before = memory.peak()
    monkeypatch.setattr(memory, "_PROCESSES", tmp_path)
    # As on macOS: what getrusage says, and of others what they hold now.
    assert memory.peak() >= 0.9 * before
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)  # noqa: S607
    assert 0 < memory.peak(child.pid) < memory.resident() / 2
    assert memory.children_peak() >= memory.peak(child.pid)
    child.communicate()
    # As on Windows, where there is no `resource`.
    monkeypatch.setitem(sys.modules, "resource", None)
    about = SimpleNamespace(rss=2 * GIB, peak_wset=3 * GIB)
    process = SimpleNamespace(memory_info=lambda: about)
    monkeypatch.setattr(psutil, "Process", lambda pid: process)
    assert memory.peak() == memory.peak(1) == 3 * GIB


def test_a_watch_writes_down_estimate_and_peak(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(memory, "host_room", lambda: ROOM)
    watch = memory.Watch(NEED, tmp_path)
    watch.start()
    watch.end(others=GIB)
    out, error = capsys.readouterr()
    assert "about 8.5 GiB needed, 10.0 GiB free" in out
    assert "peak" in out and "estimated 8.5 GiB" in out
    assert error.startswith("warning: about 8.5 GiB")
    written = json.loads((tmp_path / "memory.json").read_text())
    assert written["estimate"] == sum(
        size for kind in ("host", "device") for size in written[kind].values()
    )
    assert written["host_peak"] == pytest.approx(
        memory.peak() + GIB, abs=50 << 20
    )


def test_a_refusal_can_be_overruled(tmp_path, monkeypatch, capsys):
    small = Room("this machine", GIB)
    monkeypatch.setattr(memory, "host_room", lambda: small)
    watch = memory.Watch(NEED, tmp_path)
    with pytest.raises(InputError, match="8.5 GiB"):
        watch.start()
    watch.start(ignore=True)
    assert "warning: about 8.5 GiB" in capsys.readouterr().err


def test_a_gpu_is_held_against_its_own_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "host_room", lambda: ROOM)
    monkeypatch.setattr(memory, "gpu_room", lambda: Room("A GPU", GIB))
    with pytest.raises(InputError, match="8.0 GiB .* A GPU has 1.0 GiB"):
        memory.Watch(NEED, tmp_path).start()


def test_images_that_memory_cannot_hold_are_not_read(tmp_path, monkeypatch):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(3):
            image = Image.new("RGB", (4, 4), (number, 5, 200))
            image.save(tmp_path / name / f"{number}.png")
    room = Room("this machine", 2 * 6 * 64 * 64 * 3 - 1)
    monkeypatch.setattr(memory, "host_room", lambda: room)
    with pytest.raises(InputError) as error:
        read_class_folders(tmp_path, 64)
    assert "6 images" in str(error.value) and "64x64x3" in str(error.value)
    assert "--image_size" in str(error.value)
    read_class_folders(tmp_path, 60)


@pytest.mark.parametrize(
    "script, flags",
    [
        ("search_enas", ["--filters=2048", "--batch_size=1024"]),
        ("search_ienas", ["--filters=2048", "--batch_size=1024"]),
        (
            "train_final",
            [
                "--filters=2048",
                "--batch_size=1024",
                "--num_nodes=1",
                "--architecture=0 0 1 1 0 0 1 1",
            ],
        ),
        (
            "search_mlpnas",
            ["--units=65536", "--max_layers=50", "--dataset=digits"],
        ),
    ],
)
def test_scripts_refuse_before_anything_is_built(
    script, flags, forked, tmp_path
):
    done = forked(script, *flags, f"--run_dir={tmp_path / 'run'}")
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: about") and "of memory are needed" in line
    assert not (tmp_path / "run" / "config.json").exists()
