"""Pictures of every kind that people have, read as people mean them."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from nascore.data.pictures.decoding import is_grey, read_image
from nascore.data.pictures.files import FORMATS
from nascore.data.pictures.tally import Tally
from nascore.errors import InputError

RAMP = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4


def read(path, mode="L"):
    """Pixels, and the one line that says how they were read; or nothing."""
    tally = Tally()
    pixels = np.asarray(read_image(path, mode, tally))
    return pixels, " ".join(tally.unusual(mode))


def png(path, colour_type, depth, rows, key=b""):
    """Writes a PNG that Pillow cannot write, by its specification."""

    def chunk(name, content):
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour_type]
    width = len(rows[0]) * 8 // (depth * channels)
    header = struct.pack(
        ">IIBBBBB", width, len(rows), depth, colour_type, *3 * [0]
    )
    content = zlib.compress(b"".join(b"\0" + row for row in rows))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + (chunk(b"tRNS", key) if key else b"")
        + chunk(b"IDAT", content)
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("ending", ["png", "tif", "TIFF"])
def test_16_bits_are_scaled_by_their_range(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    # 257 maps 0 to 255 onto 0 to 65535.
    Image.fromarray(RAMP.astype(np.uint16) * 257).save(path)
    pixels, said = read(path)
    np.testing.assert_array_equal(pixels, RAMP)
    assert "1 of more than 8 bits" in said
    assert is_grey(path)


def test_16_bits_in_the_other_order_of_bytes(tmp_path):
    path = tmp_path / "a.tif"
    big = Image.frombytes("I;16B", (8, 8), (RAMP.astype(">u2") * 257).tobytes())
    big.save(path)
    assert path.read_bytes()[:2] == b"MM"
    np.testing.assert_array_equal(read(path)[0], RAMP)


def tiff(path, bits, photometric, data, size=8):
    """Writes a small uncompressed grey TIFF by its specification."""
    tags = [(256, 3, size), (257, 3, size), (258, 3, bits), (259, 3, 1)]
    tags += [(262, 3, photometric), (273, 4, 0), (277, 3, 1), (278, 3, size)]
    tags += [(279, 4, len(data)), (339, 3, 1)]
    start = 8 + 2 + 12 * len(tags) + 4
    rows = [
        struct.pack("<HHII", tag, kind, 1, start if tag == 273 else value)
        for tag, kind, value in tags
    ]
    path.write_bytes(
        b"II*\0\x08\0\0\0"
        + struct.pack("<H", len(tags))
        + b"".join(rows)
        + bytes(4)
        + data
    )


def test_12_bits_are_scaled_by_their_range(tmp_path):
    values = RAMP.astype(np.uint16).ravel() * 16 + 15
    bits = "".join(f"{value:012b}" for value in values)
    tiff(tmp_path / "a.tif", 12, 1, int(bits, 2).to_bytes(96, "big"))
    pixels, said = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(pixels, RAMP)
    assert "dark" not in said


def test_white_as_zero_is_turned_over(tmp_path):
    values = RAMP.astype("<u2") * 257
    tiff(tmp_path / "a.tif", 16, 0, values.tobytes())
    np.testing.assert_array_equal(read(tmp_path / "a.tif")[0], 255 - RAMP)


def test_12_bits_in_a_file_of_16_are_said_to_be_dark(tmp_path):
    Image.fromarray(RAMP.astype(np.uint16) * 16).save(tmp_path / "a.png")
    _, said = read(tmp_path / "a.png")
    assert f"above {252 * 16} of 65535" in said


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8),
        RAMP.astype(np.int32) * 70_000,
    ],
)
def test_numbers_without_a_range_are_refused(tmp_path, values):
    Image.fromarray(values).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match="black and white; save it with 8"):
        read_image(tmp_path / "a.tif", "L")


def test_colours_that_cannot_be_turned_into_rgb_are_refused(tmp_path):
    Image.new("LAB", (8, 8)).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match="stored as LAB; save it as RGB"):
        read_image(tmp_path / "a.tif", "RGB")


def drawing(level):
    """A line of this level on a transparent ground of whatever colour."""
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[3] = level, level, level, 255
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    ("level", "ground", "said"),
    [
        (0, 255, "laid on white"),
        (128, 255, "laid on white"),
        (255, 0, "laid on black"),
        (230, 0, "laid on black"),
    ],
)
@pytest.mark.parametrize("mode", ["RGBA", "LA", "webp"])
def test_drawings_on_a_transparent_ground(tmp_path, level, ground, said, mode):
    image, path = drawing(level), tmp_path / "a.png"
    if mode == "webp":
        path = tmp_path / "a.webp"
        image.save(path, lossless=True)
    else:
        image.convert(mode).save(path)
    pixels, line = read(path, "RGB")
    expected = np.full((8, 8, 3), ground)
    expected[3] = level
    np.testing.assert_array_equal(pixels, expected)
    assert said in line


@pytest.mark.parametrize("level", [0, 255])
def test_faint_drawings_stand_out_from_their_ground(tmp_path, level):
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[3] = level, level, level, 40
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert np.ptp(read(tmp_path / "a.png", "RGB")[0]) == 40


def test_half_transparent_pixels_are_mixed_with_the_ground(tmp_path):
    Image.new("RGBA", (2, 2), (200, 0, 100, 128)).save(tmp_path / "a.png")
    pixels, _ = read(tmp_path / "a.png", "RGB")
    share = 128 / 255
    mixed = np.array([200, 0, 100]) * share + 255 * (1 - share)
    np.testing.assert_allclose(pixels[0, 0], mixed, atol=1)


@pytest.mark.parametrize("ending", ["png", "gif"])
def test_a_palette_with_a_transparent_colour(tmp_path, ending):
    image = Image.new("P", (8, 8), 1)
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.paste(0, (0, 0, 8, 4))
    image.save(tmp_path / f"a.{ending}", transparency=1)
    pixels, said = read(tmp_path / f"a.{ending}", "RGB")
    assert (pixels[:4] == [10, 20, 30]).all()
    assert (pixels[4:] == 255).all()
    assert "1 with a palette (turned into RGB)" in said
    assert "1 with transparency (laid on white)" in said


def test_a_palette_of_many_transparencies(tmp_path):
    image = Image.new("P", (2, 1), 0)
    image.putpalette([0, 0, 0, 0, 0, 0])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "a.png", transparency=bytes([255, 51]))
    pixels, _ = read(tmp_path / "a.png", "RGB")
    np.testing.assert_array_equal(pixels[0, :, 0], [0, 204])


@pytest.mark.parametrize(
    ("colour_type", "depth", "row", "key", "expected"),
    [
        # A line for each: the transparent value, then another.
        (0, 1, bytes([0b01 << 6]), struct.pack(">H", 0), [255, 255]),
        (0, 2, bytes([0b0110 << 4]), struct.pack(">H", 1), [255, 170]),
        (0, 4, bytes([0x35]), struct.pack(">H", 3), [255, 85]),
        (0, 8, bytes([7, 99]), struct.pack(">H", 7), [255, 99]),
        (0, 16, bytes([7, 7, 99, 0]), struct.pack(">H", 0x0707), [255, 99]),
        (2, 8, bytes([7] * 3 + [99] * 3), b"\0\7\0\7\0\7", [255, 99]),
        (2, 16, bytes([7] * 6 + [99] * 6), b"\7\7\7\7\7\7", [255, 99]),
        (4, 16, bytes([7, 7, 0, 0, 99, 0, 255, 255]), b"", [255, 99]),
        (
            6,
            16,
            bytes([7] * 6 + [0] * 2 + [99] * 6 + [255] * 2),
            b"",
            [255, 99],
        ),
    ],
)
def test_the_transparent_colour_of_a_png(
    tmp_path, colour_type, depth, row, key, expected
):
    png(tmp_path / "a.png", colour_type, depth, [row], key)
    with Image.open(tmp_path / "a.png") as image:
        width = image.width
    pixels, _ = read(tmp_path / "a.png")
    if depth == 1:
        # Black is transparent and white is what is drawn.
        assert pixels[0, 1] == 255 and pixels[0, 0] == 0
    else:
        np.testing.assert_array_equal(pixels[0, :2], expected)
    assert width >= 2
    assert is_grey(tmp_path / "a.png") == (colour_type in (0, 4))


def test_an_alpha_channel_that_hides_nothing_changes_nothing(tmp_path):
    rng = np.random.default_rng(0)
    colours = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
    opaque = colours.copy()
    opaque.putalpha(255)
    opaque.save(tmp_path / "a.png")
    pixels, said = read(tmp_path / "a.png", "RGB")
    np.testing.assert_array_equal(pixels, np.asarray(colours))
    assert said == ""


def test_wholly_transparent_pictures_are_said(tmp_path):
    Image.new("RGBA", (4, 4), (9, 9, 9, 0)).save(tmp_path / "a.png")
    pixels, said = read(tmp_path / "a.png", "RGB")
    assert (pixels == 255).all() and "1 wholly transparent" in said


UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.T,
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].T,
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("ending", ["png", "tif", "webp", "jpg"])
def test_pictures_are_turned_as_exif_says(tmp_path, orientation, ending):
    stored = np.kron(np.array([[0, 90, 180], [40, 130, 250]]), np.ones((8, 8)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{ending}"
    lossless = {"lossless": True} if ending == "webp" else {}
    Image.fromarray(stored.astype(np.uint8)).save(
        path, exif=exif, quality=100, **lossless
    )
    pixels, said = read(path)
    expected = UPRIGHT[orientation](stored)
    np.testing.assert_allclose(pixels.astype(int), expected, atol=3)
    assert ("turned as EXIF" in said) == (orientation != 1)


@pytest.mark.parametrize("value", [0, 9, 99])
def test_an_impossible_orientation_is_none(tmp_path, value):
    exif = Image.Exif()
    exif[0x0112] = value
    Image.fromarray(RAMP).save(tmp_path / "a.png", exif=exif)
    pixels, said = read(tmp_path / "a.png")
    np.testing.assert_array_equal(pixels, RAMP)
    assert said == ""


def test_damaged_exif_does_not_spoil_a_picture(tmp_path):
    exif = b"Exif\0\0" + b"no TIFF at all"
    Image.fromarray(RAMP).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read(tmp_path / "a.png")[0], RAMP)


@pytest.mark.parametrize("ending", ["gif", "tif", "webp", "png"])
def test_the_first_of_several_frames_is_taken_and_said(tmp_path, ending):
    first, second = (Image.new("L", (8, 8), level) for level in (50, 200))
    path = tmp_path / f"a.{ending}"
    lossless = {"lossless": True} if ending == "webp" else {}
    first.save(path, save_all=True, append_images=[second], **lossless)
    pixels, said = read(path, "RGB")
    assert (pixels == 50).all()
    assert "1 of several frames or pages (the first is taken)" in said


def test_photos_with_a_second_picture_behind_them(tmp_path):
    first, second = (Image.new("RGB", (8, 8), (n,) * 3) for n in (50, 200))
    path = tmp_path / "a.jpg"
    first.save(path, "MPO", save_all=True, append_images=[second])
    pixels, said = read(path, "RGB")
    assert (pixels == 50).all() and "several frames" in said


def test_cmyk_is_turned_into_rgb_and_said(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(
        tmp_path / "a.jpg", quality=100
    )
    pixels, said = read(tmp_path / "a.jpg", "RGB")
    np.testing.assert_allclose(pixels[0, 0].astype(int), [255, 0, 0], atol=2)
    assert "1 CMYK (turned into RGB)" in said


@pytest.mark.parametrize("ending", ["png", "tif", "bmp"])
def test_pictures_of_one_bit_are_black_and_white(tmp_path, ending):
    bits = RAMP > 100
    Image.fromarray(bits).save(tmp_path / f"a.{ending}")
    pixels, said = read(tmp_path / f"a.{ending}")
    np.testing.assert_array_equal(pixels, np.where(bits, 255, 0))
    assert said == ""


def test_what_a_file_is_decides_and_not_how_it_is_called(tmp_path):
    Image.fromarray(RAMP).save(tmp_path / "a.jpg", "PNG")
    np.testing.assert_array_equal(read(tmp_path / "a.jpg")[0], RAMP)


@pytest.mark.skipif("AVIF" not in FORMATS, reason="Pillow reads no AVIF here")
def test_avif_is_read(tmp_path):
    Image.new("RGB", (8, 8), (250, 10, 90)).save(
        tmp_path / "a.avif", quality=100
    )
    pixels, _ = read(tmp_path / "a.avif", "RGB")
    np.testing.assert_allclose(pixels[0, 0].astype(int), [250, 10, 90], atol=8)


HEIC = b"\0\0\0\x18ftypheic" + bytes(50)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (HEIC, "it is HEIC"),
        (b"<!DOCTYPE html><title>404", "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1", "pointer of Git LFS"),
        (b"P5 8 8 255 " + bytes(64), "none of PNG, JPEG"),
    ],
)
def test_what_is_no_picture_is_called_by_its_name(tmp_path, content, words):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_image(tmp_path / "a.jpg", "L")


def test_links_pipes_and_folders_are_no_pictures(tmp_path):
    import os

    (tmp_path / "lost.png").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.png")
    for name, words in (
        ("lost.png", "a link to what does not exist"),
        ("pipe.png", "it is no file"),
        ("", "it is a folder"),
        ("none.png", "it does not exist"),
    ):
        with pytest.raises(InputError, match=words):
            read_image(tmp_path / name, "L")
