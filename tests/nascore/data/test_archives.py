"""Archives as people and their programs make them."""

import io
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from nascore.data.config import DataConfig
from nascore.data.images import load
from nascore.data.unpacking import unpack_folder
from nascore.errors import InputError

CLASSES = ("cats", "dogs")


def png(level=0):
    file = io.BytesIO()
    Image.new("L", (8, 8), level).save(file, "PNG")
    return file.getvalue()


def pictures(prefix="", classes=CLASSES, count=12):
    return {
        f"{prefix}{name}/{number}.png": png(100 * label + number)
        for label, name in enumerate(classes)
        for number in range(count)
    }


def zipped(path, files):
    """A zip whose names are written as they are."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo("x")
            member.filename = name
            archive.writestr(member, content)
    return path


def tarred(path, files, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def read(folder):
    return load(DataConfig(dataset="folder", data_dir=str(folder))).notes


def unpack(source, folder):
    """Unpacks and checks, as prepare_data does; names of all files."""
    unpack_folder(source, folder, read)
    assert not list(folder.parent.glob(".unpack*"))
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)) for path in paths}


def refusal(source, folder):
    with pytest.raises(InputError) as error:
        unpack_folder(source, folder, read)
    assert not folder.exists() and not list(folder.parent.glob(".unpack*"))
    return str(error.value)


PLAIN = set(pictures())
MAC = {
    **pictures("photos/"),
    **{f"__MACOSX/photos/cats/._{n}.png": b"\0\5\x16\7" for n in range(3)},
    "__MACOSX/._photos": b"\0\5\x16\7",
    "photos/.DS_Store": b"x",
    "photos/cats/.DS_Store": b"x",
}
WINDOWS = {
    name.replace("/", "\\"): content
    for name, content in {
        **pictures("photos/"),
        "photos/cats/Thumbs.db": b"x",
        "photos/desktop.ini": b"x",
    }.items()
}
LICENSED = {**pictures("photos/"), "README.md": b"x", "LICENSE": b"x"}


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize(
    ("files", "more"),
    [
        (pictures(), set()),
        (pictures("photos/"), set()),
        (pictures("./photos/"), set()),
        (pictures("home/me/photos/"), set()),
        (MAC, set()),
        (LICENSED, {"README.md", "LICENSE"}),
        ({**pictures(), "README.txt": b"x"}, {"README.txt"}),
        ({**LICENSED, "photos/LICENSE": b"y"}, {"README.md", "LICENSE"}),
    ],
)
def test_what_is_packed_around_the_classes(tmp_path, pack, files, more):
    found = unpack(pack(tmp_path / "a", files), tmp_path / "out")
    assert found >= PLAIN | more
    # Nothing is lost: a second licence comes along under another name.
    kept = [name for name in files if not any(c in name for c in CLUTTER)]
    assert len(found) == len(kept)


CLUTTER = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")


def test_backslashes_of_windows_are_separators(tmp_path):
    source = zipped(tmp_path / "a.zip", WINDOWS)
    assert unpack(source, tmp_path / "out") == PLAIN


@pytest.mark.parametrize("attributes", [0x10, 0o040755 << 16])
def test_folders_that_only_their_attributes_tell(tmp_path, attributes):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        member = zipfile.ZipInfo("cats")
        member.external_attr = attributes
        archive.writestr(member, b"")
        for name, content in pictures().items():
            archive.writestr(name, content)
    assert unpack(path, tmp_path / "out") == PLAIN


def test_a_zip_that_was_cut_off_is_called_so(tmp_path):
    path = zipped(tmp_path / "a.zip", pictures())
    path.write_bytes(path.read_bytes()[:-300])
    assert "a damaged zip file" in refusal(path, tmp_path / "out")


def test_backslashes_that_lead_outside_are_refused(tmp_path):
    source = zipped(tmp_path / "a.zip", {**WINDOWS, "..\\evil": b"x"})
    assert "is outside of its folder" in refusal(source, tmp_path / "out")


def test_parts_in_an_archive(tmp_path):
    files = {**pictures("set/train/"), **pictures("set/test/", count=3)}
    source = tarred(tmp_path / "a.tgz", {**files, "set/README": b"x"})
    unpack(source, tmp_path / "out")
    data = load(DataConfig(dataset="folder", data_dir=str(tmp_path / "out")))
    assert (len(data.test), data.class_names) == (6, CLASSES)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tars_of_every_compression(tmp_path, mode):
    source = tarred(tmp_path / "a", pictures("photos/"), mode)
    assert unpack(source, tmp_path / "out") == PLAIN


def change_flags(path, change):
    """Rewrites the flags of all members, in both places of a zip."""
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        start = content.find(mark)
        while start >= 0:
            place = slice(start + offset, start + offset + 2)
            flags = change(int.from_bytes(content[place], "little"))
            content[place] = flags.to_bytes(2, "little")
            start = content.find(mark, start + 1)
    path.write_bytes(content)


@pytest.mark.parametrize("says_so", [True, False])
def test_names_in_utf_8(tmp_path, says_so):
    """Many programs write UTF-8 without the flag that says so."""
    names = ("hühner", "猫")
    source = zipped(tmp_path / "a.zip", pictures(classes=names))
    if not says_so:
        change_flags(source, lambda flags: flags & ~0x800)
    unpack(source, tmp_path / "out")
    data = load(DataConfig(dataset="folder", data_dir=str(tmp_path / "out")))
    assert set(data.class_names) == set(names)


def test_names_of_old_windows(tmp_path):
    """They are in code page 437, and no valid UTF-8."""
    path = tmp_path / "a.zip"
    zipped(path, pictures(classes=("huXhner", "dogs")))
    path.write_bytes(path.read_bytes().replace(b"huXhner", b"hu\x81hner"))
    names = {name.split("/")[0] for name in unpack(path, tmp_path / "out")}
    assert names == {"huühner", "dogs"}


def test_colons_in_names_are_letters(tmp_path):
    files = {**pictures(), "cats/shot 10:30:00.png": png()}
    source = zipped(tmp_path / "a.zip", files)
    assert "cats/shot 10:30:00.png" in unpack(source, tmp_path / "out")


def test_a_name_that_comes_twice_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("cats/1.png", png(1))
            archive.writestr("cats/1.png", png(2))
    assert "'cats/1.png' twice" in refusal(tmp_path / "a.zip", tmp_path / "out")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name in ("cats/1.png", "./cats/1.png"):
            archive.addfile(tarfile.TarInfo(name))
    assert "twice" in refusal(tmp_path / "a.tar", tmp_path / "out")


def test_names_that_differ_in_case_are_both_kept_or_refused(tmp_path):
    files = {**pictures(), "cats/0.PNG": png(99)}
    source = zipped(tmp_path / "a.zip", files)
    (tmp_path / "probe").touch()
    if (tmp_path / "PROBE").exists():
        assert "twice, or so that" in refusal(source, tmp_path / "out")
    else:
        assert unpack(source, tmp_path / "out") == {*PLAIN, "cats/0.PNG"}


def test_a_password_is_said(tmp_path):
    path = zipped(tmp_path / "a.zip", pictures())
    change_flags(path, lambda flags: flags | 1)
    assert "it has a password" in refusal(path, tmp_path / "out")


@pytest.mark.parametrize("name", ["photos.zip", "train.tar.gz", "a/b.7z"])
def test_an_archive_in_an_archive_is_named(tmp_path, name):
    source = zipped(tmp_path / "a.zip", {name: b"x", "README": b"x"})
    said = refusal(source, tmp_path / "out")
    assert "holds no picture but archives" in said and name in said


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"7z\xbc\xaf\x27\x1c", "a 7z file"),
        (b"Rar!\x1a\x07\x01\0", "a RAR file"),
        (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    ],
)
def test_archives_of_other_kinds_are_called_by_their_name(tmp_path, head, kind):
    (tmp_path / "a.zip").write_bytes(head + bytes(200))
    assert kind in refusal(tmp_path / "a.zip", tmp_path / "out")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        # Under the name of the archive, not of a folder that is gone.
        ({**pictures("p/"), "p/cats/0.png": b"x"}, "a.zip/cats/0.png cannot"),
        (pictures("p/", ("cats",)), "a.zip has 1 class folder(s)"),
        (pictures(count=1), "a.zip is too small"),
        ({**pictures(), "mice/1.txt": b"x"}, "a.zip/mice holds no image"),
        ({f"{n}.png": png() for n in range(9)}, "9 picture(s) lie in it"),
    ],
)
def test_what_a_search_would_refuse_is_not_unpacked(tmp_path, files, words):
    said = refusal(zipped(tmp_path / "a.zip", files), tmp_path / "out")
    assert words in said and ".unpack" not in said


def test_remarks_name_the_new_folder(tmp_path):
    files = {**pictures("p/"), "p/cats/x.heic": b"x"}
    source = zipped(tmp_path / "a.zip", files)
    remarks = unpack_folder(source, tmp_path / "out", read)
    said = " ".join(remarks)
    assert f"such as {tmp_path / 'out' / 'cats' / 'x.heic'}" in said
    assert ".unpack" not in said and "24 pictures: 24 grey" in said


def test_a_folder_as_the_source_gets_a_hint(tmp_path):
    said = refusal(tmp_path, tmp_path / "out")
    assert f"search on it with --data_dir={tmp_path}" in said


def test_the_pictures_come_out_as_they_went_in(tmp_path):
    rng = np.random.default_rng(0)
    files = {}
    for name in pictures():
        file = io.BytesIO()
        pixels = rng.integers(0, 256, (8, 8), np.uint8)
        Image.fromarray(pixels).save(file, "PNG")
        files[name] = file.getvalue()
    unpack(zipped(tmp_path / "a.zip", files), tmp_path / "out")
    for name, content in files.items():
        assert (tmp_path / "out" / name).read_bytes() == content
