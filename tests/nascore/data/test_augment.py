import numpy as np
import tensorflow as tf

from nascore.data.augment import augment, to_float

IMAGES = np.arange(6 * 8 * 8 * 3).reshape(6, 8, 8, 3).astype(np.float32) + 1


def test_scaling_and_standardizing():
    pixels = np.array([[[[0, 128, 255]]]], np.uint8)
    np.testing.assert_allclose(
        to_float(pixels), [[[[0, 128 / 255, 1]]]], rtol=1e-6
    )
    mean, std = np.float32([0.1, 0.2, 0.3]), np.float32([1, 2, 4])
    np.testing.assert_allclose(
        to_float(pixels, mean, std),
        [[[[-0.1, (128 / 255 - 0.2) / 2, 0.7 / 4]]]],
        rtol=1e-5,
    )


def test_nothing_asked_nothing_done():
    np.testing.assert_array_equal(augment(IMAGES, [1, 2]), IMAGES)


def test_crops_are_windows_of_the_padded_image():
    seen = set()
    for seed in range(30):
        crops = augment(tf.constant(IMAGES), [seed, 0], pad_crop=2).numpy()
        padded = np.pad(IMAGES, [(0, 0), (2, 2), (2, 2), (0, 0)])
        for image, crop in zip(padded, crops, strict=True):
            places = [
                (row, column)
                for row in range(5)
                for column in range(5)
                if np.array_equal(
                    image[row : row + 8, column : column + 8], crop
                )
            ]
            assert len(places) == 1
            seen.add(places[0])
    assert len(seen) == 25


def test_flip_mirrors_about_half_of_the_images():
    mirrored = 0
    for seed in range(50):
        flipped = augment(tf.constant(IMAGES), [seed, 0], flip=True).numpy()
        for image, other in zip(IMAGES, flipped, strict=True):
            if np.array_equal(other, image[:, ::-1]):
                mirrored += 1
            else:
                np.testing.assert_array_equal(other, image)
    assert 110 < mirrored < 190


def test_cutout_blanks_a_square_clipped_at_the_border():
    sides = set()
    for seed in range(30):
        holes = augment(tf.constant(IMAGES), [seed, 0], cutout=4).numpy() == 0
        for hole in holes:
            assert (hole.all(-1) == hole.any(-1)).all()
            rows, columns = hole.any((1, 2)), hole.any((0, 2))
            sides |= {rows.sum(), columns.sum()}
            assert np.outer(rows, columns).sum() == hole.any(-1).sum()
            assert np.diff(np.flatnonzero(rows)).max(initial=1) == 1
    assert sides == {2, 3, 4}


def test_works_inside_a_compiled_loop():
    @tf.function
    def run(images):
        return tf.while_loop(
            lambda step, _: step < 3,
            lambda step, x: (
                step + 1,
                augment(x, tf.stack([step, 7]), 2, True, 3),
            ),
            (0, images),
        )[1]

    assert run(tf.constant(IMAGES)).shape == IMAGES.shape
