"""A table and a drawing of the whole network of an architecture."""

import dataclasses

import keras
from matplotlib.figure import Figure

from nascore.drawing.cells import Element, draw_graph, lay_out
from nascore.networks.config import NetworkConfig
from nascore.networks.costs import count_parameters
from nascore.networks.layers import STEM_FACTOR
from nascore.networks.stack import REDUCTION
from nascore.spaces.cells import Architecture


@dataclasses.dataclass(frozen=True)
class LayerRow:
    """One layer of a network.

    Attributes:
      name: `stem`, `layer 0`, ..., `auxiliary head`, `classifier`.
      kind: cell type, or what else it is.
      shape: of its output, without the batch.
      parameters: trained weights.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int


def list_layers(
    network: keras.Model, architecture: Architecture, config: NetworkConfig
) -> list[LayerRow]:
    """Lists the layers of a network of `build_network`, input to output."""
    height, width, _ = network.input.shape[1:]
    channels = config.filters
    classes = network.output["logits"].shape[-1]

    def parameters(*prefixes: str) -> int:
        return sum(
            count_parameters(layer)
            for layer in network.layers
            if layer.name.startswith(prefixes)
        )

    stem = (height, width, STEM_FACTOR * channels)
    rows = [LayerRow("stem", "convolution", stem, parameters("stem"))]
    cells = dict(zip(config.space.cell_types, architecture.cells, strict=True))
    for number, kind in enumerate(config.layer_types):
        if kind == REDUCTION:
            height, width, channels = height // 2, width // 2, 2 * channels
        cell = cells.get(kind) or architecture.cells[0]
        shape = (height, width, channels * len(cell.loose_ends))
        count = parameters(f"layer_{number}_")
        rows.append(LayerRow(f"layer {number}", kind, shape, count))
        if number == config.aux_layer:
            count = parameters("auxiliary_head")
            rows.append(
                LayerRow("auxiliary head", "training only", (classes,), count)
            )
    count = parameters("classifier")
    rows.append(LayerRow("classifier", "dense", (classes,), count))
    return rows


def network_graph(
    rows: list[LayerRow],
) -> tuple[list[Element], list[tuple[int, int]]]:
    """Returns the boxes of a network and the arrows between their places.

    Every layer reads the two before it.
    """
    boxes = [Element("images", "input")]
    arrows = []
    chain = [0, 0]
    for row in rows:
        size = "x".join(map(str, row.shape))
        label = f"{row.name}: {row.kind}, {size}"
        kind = {REDUCTION: "convolution", "normal": "node"}.get(
            row.kind, "operation"
        )
        place = len(boxes)
        boxes.append(Element(label, kind))
        if row.name.startswith("layer"):
            arrows += [(source, place) for source in sorted(set(chain))]
        else:
            arrows.append((chain[1], place))
        if row.name == "stem":
            chain = [place, place]
        elif row.name != "auxiliary head":
            chain = [chain[1], place]
    boxes.append(Element("probabilities", "output"))
    arrows.append((chain[1], len(boxes) - 1))
    return boxes, arrows


def draw_network(rows: list[LayerRow], title: str = "") -> Figure:
    """Draws the layers of a network from top to bottom."""
    boxes, arrows = network_graph(rows)
    layout = lay_out(boxes, arrows)
    low = (layout.centres - layout.sizes / 2).min(0)
    width, height = (layout.centres + layout.sizes / 2).max(0) - low
    figure = Figure(
        figsize=((width + 30) / 72, (height + 60) / 72), layout="constrained"
    )
    draw_graph(figure.subplots(), boxes, arrows)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure
