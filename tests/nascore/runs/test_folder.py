import dataclasses
import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import filelock
import pytest

from enas.config import EnasConfig
from mlpnas.data.config import MlpDataConfig
from nascore.config import flatten
from nascore.errors import InputError
from nascore.networks.config import SupernetConfig
from nascore.runs import folder as runs
from nascore.runs.folder import InUseError, RunFolder
from nascore.runs.reader import read_run, read_settings
from nascore.runs.versions import changed_settings, differences
from nascore.search.config import SearchConfig

ROOT = Path(__file__).parents[3]
SETTINGS = {
    "method": "enas",
    "config": {"dataset": "digits", "epochs": 1},
    "space": {
        "operations": ["identity", "none"],
        "num_nodes": 1,
        "cell_types": ["normal"],
    },
}
HEADER = "epoch,step,normal_cell,accuracy,reward,baseline,entropy\n"


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no git checkout")
def test_a_run_names_the_commit_of_its_source_tree(tmp_path):
    with RunFolder.create(tmp_path / "run") as run:
        run.record_start({"method": "test"}, SearchConfig())
    start = json.loads((tmp_path / "run" / "config.json").read_text())
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
    ).stdout.strip()
    (started,) = start["starts"]
    assert started["git_commit"].removesuffix("+changes") == head


def test_one_process_at_a_time_and_no_stale_locks(tmp_path):
    path = tmp_path / "run"
    code = (
        "import sys, os; from pathlib import Path;"
        "from nascore.runs.folder import RunFolder;"
        "run = RunFolder.create(Path(sys.argv[1])); os._exit(9)"
    )
    died = subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT)
    assert died.returncode == 9
    with RunFolder.create(path):
        with pytest.raises(
            InputError, match=f"in use by process {os.getpid()}"
        ):
            RunFolder.create(path)
    with RunFolder.create(path):
        pass


def test_a_second_process_is_told_who_holds_the_folder(tmp_path):
    path = tmp_path / "run"
    code = (
        "import sys; from pathlib import Path;"
        "from nascore.runs.folder import RunFolder;"
        "RunFolder.create(Path(sys.argv[1]))"
    )
    with RunFolder.create(path):
        words = [sys.executable, "-c", code, str(path)]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
        # Not locked by its own process alone, and told though it is locked.
        assert done.returncode == 1
        last = done.stderr.splitlines()[-1]
        assert f"{path} is in use by process {os.getpid()} on " in last
        # Windows lets others read all but the first byte.
        text = (path / ".lock").read_bytes()
        assert text.startswith(b"\n") and text[1:].split()[0].isdigit()


def test_a_forked_child_that_outlives_its_parent_keeps_the_folder(tmp_path):
    """It can still write there: the folder is free when it has ended."""
    path = tmp_path / "run"
    code = (
        "import os, sys; from pathlib import Path;"
        "from nascore.runs.folder import RunFolder;"
        "run = RunFolder.create(Path(sys.argv[1]));"
        "os.fork() and os._exit(9); print('on', flush=True); input()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert parent.stdout.readline() == b"on\n"
    assert parent.wait() == 9
    with pytest.raises(InUseError, match="in use by process"):
        RunFolder(path)
    parent.stdin.close()
    parent.stdout.read()
    RunFolder(path).close()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS])
def test_a_file_system_without_locks_is_one_line(code, tmp_path, monkeypatch):
    def lock(descriptor, blocking):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(filelock, "lock_descriptor", lock)
    words = f"cannot be locked: {os.strerror(code)}; choose a folder on"
    with pytest.raises(InputError, match=words):
        RunFolder.create(tmp_path / "run")


def test_where_open_files_cannot_be_deleted_none_is_left(tmp_path, monkeypatch):
    """As on Windows."""
    unlink = Path.unlink

    def refuse(path, missing_ok=False):
        opened = (
            f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")
        )
        if any(os.path.realpath(name) == str(path) for name in opened):
            raise PermissionError(errno.EACCES, "open", str(path))
        unlink(path, missing_ok)

    with RunFolder.create(tmp_path / "run") as run:
        (run.path / "memory.json").write_text("{}")
        monkeypatch.setattr(Path, "unlink", refuse)
        with pytest.raises(PermissionError):
            (run.path / ".lock").unlink()
    assert not (tmp_path / "run").exists()


def test_what_a_run_leaves_that_died_before_it_began_is_in_nobodys_way(
    tmp_path,
):
    path = tmp_path / "run"
    path.mkdir()
    for name in ("memory.json", ".lock", ".part-config.json"):
        (path / name).write_text("")
    with RunFolder.create(path):
        assert not (path / ".part-config.json").exists()
    # One that is refused leaves no folder, unless there was one.
    assert path.is_dir()
    with RunFolder.create(tmp_path / "new") as run:
        (run.path / "memory.json").write_text("{}")
    assert not (tmp_path / "new").exists()


def test_folders_that_hold_something_are_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="holds other files and no run"):
        RunFolder.create(tmp_path)
    with pytest.raises(InputError, match="is not a folder"):
        RunFolder.create(tmp_path / "thesis.txt")
    with pytest.raises(InputError, match="holds no run to resume"):
        RunFolder.open(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_differences_name_both_values():
    old, new = {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 4, "d": 5}
    assert differences(old, new, ["c"]) == ["b: 2 -> 4", "d: None -> 5"]


def write_run(path, **files):
    path.mkdir()
    (path / "config.json").write_text(json.dumps(SETTINGS))
    for name, content in files.items():
        (path / f"{name}.csv").write_text(content)
    return path


@pytest.mark.parametrize("first", [{}, {"random_streams": 1}])
def test_a_run_of_other_random_numbers_is_not_continued(tmp_path, first):
    path = tmp_path / "run"
    path.mkdir()
    old = {"method": "enas", "config": {}, "space": None, "starts": [{}]}
    (path / "config.json").write_text(json.dumps({**old, **first}))
    before = (path / "config.json").read_bytes()
    with (
        RunFolder.open(path) as run,
        pytest.raises(InputError, match="draws other random numbers"),
    ):
        run.record_start({"method": "enas"}, SearchConfig())
    assert (path / "config.json").read_bytes() == before


def test_a_run_of_the_same_random_numbers_is_continued(tmp_path):
    config = SearchConfig()
    with RunFolder.create(tmp_path / "run") as run:
        run.record_start({"method": "enas"}, config)
    with RunFolder.open(tmp_path / "run") as run:
        run.record_start({"method": "enas"}, config)
    settings = json.loads((tmp_path / "run" / "config.json").read_text())
    assert settings["random_streams"] == 2
    assert len(settings["starts"]) == 2


def test_dilated_operations_of_former_runs_keep_what_they_were(tmp_path):
    def start(open_folder, operations):
        config = EnasConfig(child=SupernetConfig(operations=operations))
        with open_folder(tmp_path / "run") as run:
            run.record_start({"method": "enas"}, config, config.child.space)

    names = "sep_conv_3x3,dil_conv_3x3,dil_conv_5x5"
    former = "sep_conv_3x3,dil_sep_conv_3x3,dil_sep_conv_5x5"
    start(RunFolder.create, names)
    # Today's is read and continued as what it is.
    assert ",".join(read_run(tmp_path / "run").space.operations) == names
    start(RunFolder.open, names)
    file = tmp_path / "run" / "config.json"
    settings = json.loads(file.read_text())
    # A former one did not say how often they filter.
    assert settings.pop("dil_conv_repeats") == 1
    file.write_text(json.dumps(settings))
    run = read_run(tmp_path / "run")
    assert ",".join(run.space.operations) == former
    assert run.settings["config"]["operations"] == former
    assert read_settings(tmp_path / "run") == run.settings
    with pytest.raises(InputError, match="operations"):
        start(RunFolder.open, names)
    start(RunFolder.open, former)
    assert json.loads(file.read_text())["config"]["operations"] == former
    assert read_run(tmp_path / "run").space.operations == run.space.operations


# As the table is called, and as former versions called it.
@pytest.mark.parametrize("table", ["evaluations", "controller"])
def test_reading_a_run_that_is_still_going(table, tmp_path):
    rows = HEADER + "0,0,0 1 1 0,0.5,0.5,0.1,2.0\n0,1,0 1"
    path = write_run(tmp_path / "run", **{table: rows}, child="")
    run = read_run(path)
    assert len(run.evaluations) == 1
    assert run.child.empty and run.epochs.empty
    assert run.derived == [] and run.best == []
    assert run.space.operations == ("identity", "none")


def test_tables_that_lack_columns(tmp_path):
    path = write_run(tmp_path / "run", evaluations="epoch,step\n0,0\n")
    with pytest.raises(InputError, match="lacks the column .*normal_cell"):
        read_run(path)


def test_damaged_tables(tmp_path):
    path = write_run(
        tmp_path / "run", evaluations=HEADER + '0,0,"0 1,0.5\n0,1,2\n'
    )
    with pytest.raises(InputError, match="evaluations.csv is damaged"):
        read_run(path)


def test_folders_without_a_run(tmp_path):
    with pytest.raises(InputError, match="is not a folder"):
        read_run(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is .* a run folder"):
        read_run(tmp_path)
    (tmp_path / "config.json").write_text('{"space": {}}')
    with pytest.raises(InputError, match="lacks the search space"):
        read_run(tmp_path)


def test_runs_of_the_same_second_have_folders_of_their_own(
    tmp_path, monkeypatch
):
    class Noon(runs.datetime.datetime):
        @classmethod
        def now(cls, zone=None):
            return cls(2026, 1, 2, 12, 0, 0, tzinfo=zone)

    monkeypatch.setattr(runs.datetime, "datetime", Noon)
    monkeypatch.chdir(tmp_path)
    begun = [RunFolder.create_named("enas", "digits") for _ in range(3)]
    names = [run.path.name for run in begun]
    first = "enas-digits-20260102-120000"
    assert names == [first, f"{first}-2", f"{first}-3"]
    # One that was refused leaves its name to others, and theirs alone.
    begun[1].close()
    assert not begun[1].path.exists()
    with RunFolder.create_named("enas", "digits") as run:
        assert run.path == begun[1].path
    for run in (begun[0], begun[2]):
        assert run.path.is_dir()
        run.close()


def test_a_folder_of_runs_that_cannot_be_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(InputError, match="cannot be made"):
        RunFolder.create_named("enas", "digits")


def test_a_table_may_move_and_nothing_else_of_it_changes():
    config = MlpDataConfig("table", data_file="t.csv", label_column="y")
    old = flatten(config)
    moved = dataclasses.replace(
        config, data_file="/new/t.csv", test_file="u.csv"
    )
    assert changed_settings(old, moved) == []
    other = dataclasses.replace(moved, label_column="z")
    assert changed_settings(old, other) == ["label_column: y -> z"]
