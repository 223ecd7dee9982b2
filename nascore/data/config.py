"""Which images; no TensorFlow."""

import dataclasses
import math

from nascore.config import check_fields, option
from nascore.errors import InputError

DATASETS = (
    "digits",
    "mnist",
    "fashion_mnist",
    "cifar10",
    "cifar100",
    "folder",
    "arrays",
)
# Those of the user's own.
OWN = ("folder", "arrays")
# Height and width of those that are smaller, or of all sizes.
PADDED_SIZE = 32
# What becomes of pictures that are not square.
FITS = ("stretch", "pad", "crop")


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """Which images, and how they are split and augmented."""

    dataset: str = option("digits", "Data set to search on.", DATASETS)
    data_dir: str = option(
        "",
        "For --dataset=folder the folder with one sub-folder per class; for "
        "--dataset=arrays the .npz file with x_train, y_train and, if there "
        "are any, those of valid and test; for the others the "
        "tensorflow-datasets folder (empty: its default, "
        "$TFDS_DATA_DIR or ~/tensorflow_datasets).",
        path=True,
        resumable=True,
    )
    image_size: int = option(
        0,
        "Height and width in pixels that images are brought to; 0 takes the "
        "data set's own (32; digits: 16; folder: 32; arrays: as they are).",
    )
    fit: str = option(
        "stretch",
        "--dataset=folder: how pictures that are not square become so. "
        "stretch: their proportions are lost; pad: the whole picture, its "
        "border repeated; crop: its middle. Models remember it for predict.",
        FITS,
    )
    split: str = option(
        "clean",
        "clean: validation and search-test sets are carved from the training "
        "set; ienas: the published protocol, which carves them from the "
        "official test set.",
        ("clean", "ienas"),
    )
    validation_fraction: float = option(
        0.1, "clean split: part of the training set that rewards come from."
    )
    search_test_fraction: float = option(
        0.1,
        "clean split: part of the training set that the search reports "
        "accuracy on but never learns from.",
    )
    train_examples: int = option(
        0, "Train on a stratified subset of this many images; 0 takes all."
    )
    split_seed: int = option(
        1,
        "Seed of the split and of the subset; not the search's --seed, so "
        "that runs of several seeds share one split.",
    )
    pad_crop: int = option(
        0, "Augmentation: pad by this many pixels, then crop at random."
    )
    flip: bool = option(False, "Augmentation: mirror half of the images.")
    cutout: int = option(
        0, "Augmentation: blank a random square of this side; 0 is off."
    )
    standardize: bool = option(
        False,
        "Subtract the training set's channel mean and divide by its "
        "standard deviation after scaling pixels to [0, 1].",
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            image_size=(0, 1024),
            validation_fraction=(0.001, 0.9),
            search_test_fraction=(0.001, 0.9),
            train_examples=(0, math.inf),
            split_seed=(0, 2**31 - 1),
            pad_crop=(0, 64),
            cutout=(0, 1024),
        )
        if self.validation_fraction + self.search_test_fraction >= 0.95:
            raise InputError(
                f"--validation_fraction={self.validation_fraction} and "
                f"--search_test_fraction={self.search_test_fraction} leave "
                "under 5% of the data for training; lower one of them"
            )
        if self.fit != FITS[0] and self.dataset != "folder":
            raise InputError(
                f"--fit={self.fit} is for --dataset=folder; the images of "
                f"{self.dataset} are square"
            )
        if self.dataset == "folder" and not self.data_dir:
            raise InputError(
                "--dataset=folder needs --data_dir=FOLDER, a folder with one "
                "sub-folder of images per class"
            )
        if self.dataset == "arrays" and not self.data_dir:
            raise InputError(
                "--dataset=arrays needs --data_dir=FILE.npz, a file with the "
                "arrays x_train and y_train"
            )


TEXTS = ("python_topics", "tiny_shakespeare", "wikitext2", "ptb", "file")


@dataclasses.dataclass(frozen=True)
class TextConfig:
    """Which text, and what it is cut into."""

    dataset: str = option(
        "python_topics",
        "Text to learn. python_topics: what Python's help says of its "
        "language, which ships with Python and differs a little between its "
        "versions; file: a text of yours; the others: their own files, see "
        "--data_dir.",
        TEXTS,
    )
    data_dir: str = option(
        "",
        "--dataset=file: a text file (UTF-8; packed as .xz, .gz or .bz2, too), "
        "or a folder with one file each whose names have train, valid and "
        "test in them. Others: the folder of their files.",
        path=True,
        resumable=True,
    )
    tokens: str = option(
        "auto",
        "What is predicted. words: what blanks separate, and the end of a "
        "line; auto: words of wikitext2 and ptb, characters of others.",
        ("auto", "characters", "words"),
    )
    vocabulary: int = option(
        10_000,
        "Most tokens that are told apart, the most frequent ones of the "
        "training part; the others are <unk>.",
    )
    validation_fraction: float = option(
        0.05,
        "Part of a text without a validation file that rewards come from, "
        "before the test's.",
    )
    test_fraction: float = option(
        0.05, "Last part of a text without a test file, for the end alone."
    )
    train_tokens: int = option(
        0, "Learn the first so many training tokens; 0: all."
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            vocabulary=(2, 10_000_000),
            validation_fraction=(0.001, 0.9),
            test_fraction=(0.001, 0.9),
            train_tokens=(0, math.inf),
        )
        if self.validation_fraction + self.test_fraction >= 0.95:
            raise InputError(
                f"--validation_fraction={self.validation_fraction} and "
                f"--test_fraction={self.test_fraction} leave under 5% of the "
                "text for training; lower one of them"
            )

    @property
    def token_kind(self) -> str:
        """`characters` or `words`."""
        if self.tokens != "auto":
            return self.tokens
        return "words" if self.dataset in ("wikitext2", "ptb") else "characters"
