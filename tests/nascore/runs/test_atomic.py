import os

import pytest

from nascore.errors import InputError
from nascore.runs.atomic import is_partial, placing, write_json
from nascore.runs.json_files import read_json


def test_json_is_written_whole(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"a": [1]})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert read_json(path) == {"a": [1]}
    path.write_text("{")
    with pytest.raises(InputError, match="a.json cannot be read"):
        read_json(path)


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError):
        with placing(path) as partial:
            partial.write_text("new")
            raise ZeroDivisionError
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_text() == "old"


def test_folders_take_the_place_of_folders(tmp_path):
    path = tmp_path / "model"
    for content in ("old", "new"):
        with placing(path) as partial:
            (partial / "inner").mkdir(parents=True)
            (partial / "inner" / content).write_text(content)
    assert [entry.name for entry in path.rglob("*")] == ["inner", "new"]


def test_what_a_crash_left_is_in_nobodys_way(tmp_path):
    (tmp_path / ".part-model").mkdir()
    (tmp_path / ".part-model" / "half").write_text("")
    assert is_partial(tmp_path / ".part-model")
    with placing(tmp_path / "model") as partial:
        partial.write_text("whole")
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]


def test_where_folders_cannot_be_opened_files_are_flushed(
    tmp_path, monkeypatch
):
    """As on Windows, which flushes only what is open for writing."""
    opened = []
    real = os.open

    def note(path, flags):
        opened.append((path.name, flags))
        return real(path, flags)

    with placing(tmp_path / "model") as partial:
        (partial / "inner").mkdir(parents=True)
        (partial / "inner" / "a").write_text("a")
        monkeypatch.setattr(os, "open", note)
        monkeypatch.delattr(os, "O_DIRECTORY")
    assert opened == [("a", os.O_RDWR)]
    assert (tmp_path / "model" / "inner" / "a").read_text() == "a"
