r"""Describes an architecture without training it.

  python -m experiments.describe_architecture "0 2 0 0 ..." \
      [--num_layers=15 --filters=36] [--input=32x32x3] [--classes=10]
  python -m experiments.describe_architecture DARTS_V2 \
      [--num_layers=20 --filters=36]
  python -m experiments.describe_architecture ENAS_MACRO --filters=96
  python -m experiments.describe_architecture RUN --rank=1
  python -m experiments.describe_architecture FINAL

Prints the cells, the layers, the parameters and the multiply-adds of its
network, as a final training would build it; draws the cells and the network
into the folder `--output`. RUN is a search, FINAL a final training. Of a text
the length says how many nodes its cells have; the genotype of DARTS's code, or
the name of a published one, are DARTS's cells; ENAS_MACRO, or layers such as
"0 | 3 0 | 0 1 0", are a whole network of ENAS's macro space; layers such as
"256 relu | softmax" are a perceptron, of four numbers each, or NASES, a chain
of the public code of NASES; of a cell of NAS-Bench-201, such as
"|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|", all that its
table holds is printed. After the word recurrent stands a recurrent cell, such
as "recurrent DARTS_V2" or "recurrent 0 2 1 0".
"""

import math
from pathlib import Path
from typing import Any

from absl import flags

from experiments import launch, pictures
from experiments.support import subject
from experiments.support.subject import Subject
from flags import base
from nascore.errors import InputError, printable
from nascore.networks.config import NetworkConfig
from nascore.networks.recurrent.config import count_parameters
from nascore.spaces.bench201 import Bench201Cell, Bench201Space
from nascore.spaces.cells import CellSpace
from nascore.spaces.chain import ChainSpace
from nascore.spaces.macro import MacroSpace
from nascore.spaces.perceptrons import MlpSpace, layer_shapes
from nascore.spaces.published import for_both
from nascore.spaces.recurrent import RecurrentCell, RecurrentSpace


def parse_input(text: str) -> tuple[int, int, int]:
    """Reads `height x width x channels`, such as `32x32x3`.

    Raises:
      InputError: it is something else.
    """
    words = text.lower().split("x")
    if len(words) != 3 or not all(word.isdecimal() for word in words):
        raise InputError(
            f"--input={text} must be height, width and channels such as 32x32x3"
        )
    # A number of thousands of digits is none that Python reads.
    height, width, channels = (int(word[:9]) for word in words)
    sides = (height, width, channels)
    if max(map(len, words)) > 9 or not 1 <= min(sides) <= max(sides) <= 4096:
        raise InputError(f"--input={text[:60]} is no size of an image")
    return height, width, channels


def main(args: list[str]) -> None:
    """Describes one architecture."""
    if len(args) != 1:
        raise InputError(
            "name one architecture in quotes, or the folder of a run: "
            'python -m experiments.describe_architecture "0 2 ..."'
        )
    found = subject.find(args[0], flags.FLAGS.rank)
    architecture = found.space.parse(found.text)
    shape: tuple[int, ...] = parse_input(flags.FLAGS.input)
    if found.inputs and not flags.FLAGS["input"].present:
        shape = found.inputs
    formats = pictures.read()
    for note in found.notes:
        print(f"note: {printable(note)}")
    print(
        f"{found.space.format(architecture)}\n\n"
        f"{found.space.describe(architecture)}\n"
    )
    if isinstance(found.space, CellSpace | ChainSpace | MacroSpace):
        _describe_network(found, shape, formats)
    elif isinstance(found.space, MlpSpace):
        _describe_perceptron(found.space, found.text, shape)
    elif isinstance(found.space, Bench201Space):
        _describe_tabulated(architecture, formats)
    elif isinstance(found.space, RecurrentSpace):
        _describe_recurrent(found.space, architecture, formats)


def _describe_network(
    found: Subject, shape: tuple[int, ...], formats: list[str]
) -> None:
    """Prints and draws a network: of cells, a whole one, or a chain."""
    launch.quiet_tensorflow()
    from nascore.drawing.cells import draw_architecture
    from nascore.drawing.macro import draw_macro
    from nascore.drawing.networks import draw_network, list_layers
    from nascore.networks import costs
    from nascore.networks.stack import plan

    config, classes = found.network, flags.FLAGS.classes
    if found.classes and not flags.FLAGS["classes"].present:
        classes = found.classes
    space, text = found.space, found.text
    if isinstance(space, CellSpace):
        text = for_both(space, text)
    architecture = config.space.parse(text)
    if len(shape) != 3:
        raise InputError(
            "the run does not say the size of its images; give --input"
        )
    height, width, channels = shape
    stack = plan(config, (height, width, channels), classes, architecture)
    rows = list_layers(stack)
    print(
        f"for images of {height}x{width}x{channels} (--input) and {classes} "
        "classes (--classes)\n"
        f"{'layer':<16}{'kind':<16}{'output':<14}{'parameters':>12}"
    )
    for row in rows:
        size = "x".join(map(str, row.shape))
        print(f"{row.name:<16}{row.kind:<16}{size:<14}{row.parameters:>12,}")
    parts = costs.count(stack)
    plain = costs.total(parts, head=False)
    extra = costs.total(parts).parameters - plain.parameters
    head = (
        f" (and {extra:,} of the auxiliary head in training)" if extra else ""
    )
    print(
        f"\nparameters: {plain.parameters:,}{head}\n"
        f"multiply-adds for an image: {plain.multiply_adds:,}"
    )
    title = f"{plain.parameters / 1e6:.2f}M parameters"
    own: Any = space.parse(found.text)
    figures = [("network", draw_network(rows, title))]
    if isinstance(space, MacroSpace):
        figures = [("network", draw_macro(own, space, title))]
    elif isinstance(space, CellSpace):
        figures.insert(0, ("cells", draw_architecture(own, space)))
    for path in pictures.write(figures, Path(flags.FLAGS.output), formats):
        print(f"wrote {path}")


def _describe_tabulated(cell: Bench201Cell, formats: list[str]) -> None:
    """Prints and draws what NAS-Bench-201 knows of a cell."""
    from experiments.support import tabulated
    from nascore.drawing.bench201 import draw_cell

    print(tabulated.describe(cell))
    figures = [("cell", draw_cell(cell, "a cell of NAS-Bench-201"))]
    for path in pictures.write(figures, Path(flags.FLAGS.output), formats):
        print(f"wrote {path}")


def _describe_recurrent(
    space: RecurrentSpace, cell: RecurrentCell, formats: list[str]
) -> None:
    """Prints DARTS's text and sizes of a recurrent cell, and draws it."""
    from nascore.drawing.recurrent import draw_cell

    print(space.genotype(cell))
    for units in (128, 300, 800, 850):
        count = count_parameters(10_000, units, space.num_nodes)
        print(
            f"parameters with 10,000 words and --hidden_units={units}: "
            f"{count:,}"
        )
    figures = [("cell", draw_cell(cell, space, "a recurrent cell"))]
    for path in pictures.write(figures, Path(flags.FLAGS.output), formats):
        print(f"wrote {path}")


def _describe_perceptron(
    space: MlpSpace, text: str, shape: tuple[int, ...]
) -> None:
    """Prints the layers that have weights."""
    features = math.prod(shape)
    if flags.FLAGS["classes"].present:
        outputs = flags.FLAGS.classes if space.classes > 2 else 1
    else:
        outputs = space.outputs
    shapes = layer_shapes(space.parse(text), features, outputs)
    print(f"{'layer':<16}{'weights':<16}{'parameters':>12}")
    for place, (rows, columns) in enumerate(shapes, 1):
        size = f"{rows}x{columns}"
        print(f"dense {place:<10}{size:<16}{(rows + 1) * columns:>12,}")
    total = sum((rows + 1) * columns for rows, columns in shapes)
    print(
        f"\nparameters: {total:,}, of {features:,} inputs (--input) and "
        f"{outputs} output{'s' * (outputs > 1)} (--classes)"
    )


def cli() -> None:
    """Console entry point."""
    base.define(NetworkConfig())
    pictures.define(("png", "svg"))
    flags.DEFINE_integer(
        "rank",
        None,
        "Of a search: place in its final ranking, or among its best so far; "
        "not given: the first.",
        1,
    )
    flags.DEFINE_string(
        "input",
        "32x32x3",
        "Height x width x channels; not given, those of the run.",
    )
    flags.DEFINE_integer(
        "classes",
        10,
        "Number of classes; not given, that of the run.",
        2,
        100_000,
    )
    base.define_path("output", "architecture", "Folder for the drawings.")
    launch.run(main)


if __name__ == "__main__":
    cli()
