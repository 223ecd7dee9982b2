"""Frozen, validated configurations of the shared parts; no TensorFlow.

Every field carries its own help text, so that the command-line flags can be
made from the dataclasses and defaults live in one place only.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, TypeVar

from nascore.errors import InputError
from nascore.networks import stack as layout
from nascore.runs.json_files import check_kind, show
from nascore.spaces.cells import ENAS_OPERATIONS, CellSpace

Config = TypeVar("Config")

DATASETS = (
    "digits",
    "mnist",
    "fashion_mnist",
    "cifar10",
    "cifar100",
    "folder",
)


def option(
    default: Any,
    text: str,
    choices: tuple[str, ...] | None = None,
    path: bool = False,
) -> Any:
    """Makes a dataclass field that knows its help text and its choices.

    Args:
      default: its value where none is given.
      text: what `--help` says.
      choices: the values that it can have.
      path: whether it is a path, see `nascore.paths`.
    """
    metadata = {"help": text, "choices": choices, "path": path}
    return dataclasses.field(default=default, metadata=metadata)


def check_fields(config: Any, **bounds: tuple[float, float]) -> None:
    """Checks kinds, choices and finite, inclusive bounds of the fields.

    Flags bring values of the right kind; the `config.json` of a run may hold
    anything.

    Args:
      config: a dataclass instance made with `option` fields.
      **bounds: for each numeric field, its (least, greatest) allowed value.

    Raises:
      InputError: names the field, the value and what is allowed.
    """
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if "choices" not in field.metadata:
            continue
        _check_value(field.name, value, type(field.default))
        choices = field.metadata["choices"]
        if choices and value not in choices:
            raise InputError(
                f"--{field.name}={value} is not one of: {', '.join(choices)}"
            )
        if field.name not in bounds:
            continue
        least, greatest = bounds[field.name]
        if not least <= value <= greatest or value == math.inf:
            if greatest == math.inf:
                allowed = f"a finite number of at least {least:g}"
            else:
                allowed = f"a number from {least:g} to {greatest:g}"
            raise InputError(f"--{field.name}={value} must be {allowed}")


def _check_value(name: str, value: Any, kind: type) -> None:
    # NaN is a number; the bounds refuse it, and name what they allow.
    if kind is float and isinstance(value, float):
        return
    check_kind(value, kind, f"--{name}")
    if kind is int and abs(value) >= 2**63:
        raise InputError(f"--{name}={show(value)} is too large a number")
    if kind is str and not " ".join(value.split()).isprintable():
        raise InputError(
            f"--{name}={value} holds characters that cannot be printed"
        )


def flatten(config: Any) -> dict[str, Any]:
    """Lists the fields of nested dataclasses under their flag names."""
    flat: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            flat.update(flatten(value))
        else:
            flat[field.name] = value
    return flat


def unflatten(config: Config, values: Mapping[str, Any]) -> Config:
    """Makes a dataclass from its fields under their flag names.

    Args:
      config: an instance; it has the values of what is missing.
      values: as `flatten` returns them.

    Raises:
      InputError: a value that the dataclass does not allow.
    """
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(config):  # type: ignore[arg-type]
        default = getattr(config, field.name)
        if dataclasses.is_dataclass(default):
            fields[field.name] = unflatten(default, values)
        else:
            fields[field.name] = values.get(field.name, default)
    return type(config)(**fields)


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """Which images, and how they are split and augmented."""

    dataset: str = option("digits", "Data set to search on.", DATASETS)
    data_dir: str = option(
        "",
        "For --dataset=folder the folder with one sub-folder per class; for "
        "the others the tensorflow-datasets folder (empty: its default, "
        "$TFDS_DATA_DIR or ~/tensorflow_datasets).",
        path=True,
    )
    image_size: int = option(
        0,
        "Height and width in pixels that images are brought to; 0 takes the "
        "data set's own (32; digits: 16; folder: 32).",
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
        if self.dataset == "folder" and not self.data_dir:
            raise InputError(
                "--dataset=folder needs --data_dir=FOLDER, a folder with one "
                "sub-folder of images per class"
            )


@dataclasses.dataclass(frozen=True)
class SupernetConfig:
    """The child network during search (ENAS, section 2.4 and its code)."""

    operations: str = option(
        ",".join(ENAS_OPERATIONS), "Operations of the cells, with commas."
    )
    num_nodes: int = option(5, "Nodes in each cell.")
    filters: int = option(
        20, "Channels before the first reduction; each reduction doubles them."
    )
    num_layers: int = option(
        6,
        "Layout of the published code: this many layers and two more, "
        "with reductions at d, 2d + 1 and num_layers, where d = "
        "num_layers // 4.",
    )
    num_normal_cells: int = option(
        0,
        "Layout of the paper's text: this many normal cells, in "
        "--num_reduction_cells blocks that each end in a reduction cell; "
        "replaces --num_layers. 0 is off.",
    )
    num_reduction_cells: int = option(
        3, "Reduction cells of the layout that --num_normal_cells chooses."
    )
    keep_prob: float = option(
        0.9, "Part of the last features that dropout keeps in training."
    )
    slot_init: str = option(
        "code",
        "Initial deviation of the shared kernels. code: sqrt(2 / number of "
        "slots of the node), as the published code has it, whatever the "
        "kernel; kernel: sqrt(2 / fan-in of the kernel), He et al. proper.",
        ("code", "kernel"),
    )
    aux_weight: float = option(
        0.4, "Weight of the auxiliary head's loss; 0 leaves the head out."
    )
    precision: str = option(
        "float32",
        "Of the computations; weights and their update stay float32.",
        ("float32", "bfloat16"),
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            num_nodes=(1, 20),
            filters=(2, 4096),
            num_layers=(2, 100),
            num_normal_cells=(0, 100),
            num_reduction_cells=(0, 8),
            keep_prob=(0.01, 1.0),
            aux_weight=(0.0, 100.0),
        )
        if self.filters % 2:
            raise InputError(
                f"--filters={self.filters} must be even: a factorized "
                "reduction gives half of them to each of its two paths"
            )
        _ = self.space  # Raises on repeated operations.

    @property
    def space(self) -> CellSpace:
        """The search space of the cells."""
        names = self.operations.replace(",", " ").split()
        return CellSpace(tuple(names), self.num_nodes)

    @property
    def layer_types(self) -> tuple[str, ...]:
        """The cell type of each layer, from input to output."""
        if self.num_normal_cells:
            return layout.block_layout(
                self.num_normal_cells, self.num_reduction_cells
            )
        return layout.ienas_layout(self.num_layers)

    @property
    def aux_layer(self) -> int | None:
        """The layer whose output the auxiliary head reads, if there is one."""
        if not self.aux_weight:
            return None
        return layout.auxiliary_layer(self.layer_types)


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """Where a run writes; nothing here changes a result."""

    run_dir: str = option(
        "", "Run folder; empty: runs/<method>-<dataset>-<time>.", path=True
    )
    resume: bool = option(
        False, "Continue the run in --run_dir, with its own settings."
    )
    checkpoint_minutes: float = option(
        10.0, "Save at least this often, besides after every epoch."
    )
    ignore_memory: bool = option(
        False, "Go on where memory is expected not to suffice."
    )

    def __post_init__(self) -> None:
        check_fields(self, checkpoint_minutes=(0.0, math.inf))
        if self.resume and not self.run_dir:
            raise InputError(
                "--resume needs --run_dir=FOLDER, the run to continue"
            )
