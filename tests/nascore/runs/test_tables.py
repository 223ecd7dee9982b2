import csv
import io
import zlib

import pytest

from nascore.errors import InputError
from nascore.runs.folder import RunFolder
from nascore.runs.positions import Ledger
from nascore.runs.tables import Extent, Table


def row(epoch, step):
    return {"epoch": epoch, "step": step, "text": f'a, "{step}"'}


@pytest.fixture
def table(tmp_path):
    table = Table(tmp_path / "table.csv")
    for epoch in range(3):
        table.append([row(epoch, step) for step in range(4)])
    return table


def steps(table):
    return [(int(r["epoch"]), int(r["step"])) for r in table.read()]


ALL = [(epoch, step) for epoch in range(3) for step in range(4)]


def test_rows_come_back_as_they_were(table):
    assert steps(table) == ALL
    assert table.read()[-1]["text"] == 'a, "3"'
    # As Python's own reader sees it, in one file with one header.
    text = table.path.read_text()
    assert len(list(csv.DictReader(io.StringIO(text)))) == 12
    assert Table(table.path.with_name("missing.csv")).read() == []


def test_extent_is_length_and_checksum(table):
    content = table.path.read_bytes()
    assert table.extent == Extent(len(content), zlib.crc32(content))
    assert Table(table.path).extent == table.extent


def test_rewinding_drops_what_came_later(table):
    extent = table.extent
    table.append([row(3, 0)])
    again = Table(table.path)
    again.rewind(extent)
    assert steps(again) == ALL
    again.append([row(3, 0)])
    assert steps(again) == [*ALL, (3, 0)]
    again.clear()
    assert not table.path.exists() and again.read() == []
    again.append([row(0, 0)])
    assert steps(again) == [(0, 0)]


def test_a_torn_line_is_dropped(table):
    with table.path.open("ab") as file:
        file.write(b"3,0,")
    again = Table(table.path)
    assert steps(again) == ALL
    again.append([row(3, 0)])
    assert steps(again) == [*ALL, (3, 0)]


def test_a_failed_append_leaves_no_part_of_a_row(table, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError):
            table.append([row(3, 0)])
    table.append([row(3, 0)])
    assert steps(table) == [*ALL, (3, 0)]


def test_rows_that_vanish_under_way_are_noticed(table):
    table.path.write_bytes(table.path.read_bytes()[:40])
    with pytest.raises(OSError, match="rows are lost"):
        table.append([row(3, 0)])
    table.path.unlink()
    with pytest.raises(FileNotFoundError):
        table.append([row(3, 0)])


@pytest.mark.parametrize("place", [0, 30, 100, -1])
def test_every_changed_byte_before_the_extent_is_noticed(table, place):
    extent = table.extent
    table.check(extent)
    content = bytearray(table.path.read_bytes())
    content[place] ^= 1
    table.path.write_bytes(content)
    with pytest.raises(InputError, match="damaged or edited"):
        Table(table.path).check(extent)


def test_lost_rows_are_noticed(table):
    extent = table.extent
    table.path.write_bytes(table.path.read_bytes()[:100])
    with pytest.raises(InputError, match=r"table.csv has 100 bytes and had"):
        Table(table.path).check(extent)
    table.path.unlink()
    with pytest.raises(InputError, match="has 0 bytes"):
        Table(table.path).check(extent)


def test_the_ledger_rewinds_its_tables_and_no_others(tmp_path):
    with RunFolder.create(tmp_path / "run") as run:
        for name in ("mine", "other"):
            run.append(name, [row(0, 0)])
        saved = Ledger(run, "mine").serialize()
        for name in ("mine", "late", "other"):
            run.append(name, [row(0, 1)])
    with RunFolder.create(tmp_path / "copy") as fresh:
        fresh.append("mine", [row(9, 9)])
        # No checkpoint: nothing of it counts.
        Ledger(fresh, "mine").rewind()
        assert fresh.read("mine") == []
    with RunFolder(tmp_path / "run") as run:
        ledger = Ledger(run, "mine")
        ledger.deserialize(saved)
        ledger.check()
        ledger.rewind()
        assert len(run.read("mine")) == 1
        assert len(run.read("late")) == 1
        assert len(run.read("other")) == 2
