r"""Describes an architecture without training it.

  python -m experiments.describe_architecture "0 2 0 0 ..." \
      [--num_layers=15 --filters=36] [--input=32x32x3] [--classes=10]

Prints the cells, the layers, the parameters and the multiply-adds of its
network; draws the cells and the network into the folder `--output`.
"""

from pathlib import Path

from absl import flags

from experiments import launch, pictures
from flags import base
from nascore.errors import InputError
from nascore.networks.config import NetworkConfig


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
            'name one architecture in quotes: describe_architecture "0 2 ..."'
        )
    config = base.read(NetworkConfig())
    architecture = config.space.parse(args[0])
    shape = parse_input(flags.FLAGS.input)
    formats = pictures.read()
    launch.quiet_tensorflow()
    from nascore.drawing.cells import draw_architecture
    from nascore.drawing.networks import draw_network, list_layers
    from nascore.networks import costs
    from nascore.networks.stack import plan

    stack = plan(config, shape, flags.FLAGS.classes, architecture)
    rows = list_layers(stack)
    print(f"{architecture}\n\n{config.space.describe(architecture)}\n")
    print(f"{'layer':<16}{'kind':<16}{'output':<14}{'parameters':>12}")
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
    figures = [
        ("cells", draw_architecture(architecture, config.space)),
        ("network", draw_network(rows, title)),
    ]
    for path in pictures.write(figures, Path(flags.FLAGS.output), formats):
        print(f"wrote {path}")


def cli() -> None:
    """Console entry point."""
    base.define(NetworkConfig())
    pictures.define(("png", "svg"))
    flags.DEFINE_string("input", "32x32x3", "Height x width x channels.")
    flags.DEFINE_integer("classes", 10, "Number of classes.", 2, 100_000)
    base.define_path("output", "architecture", "Folder for the drawings.")
    launch.run(main)


if __name__ == "__main__":
    cli()
