"""A table and a drawing of the whole network of an architecture."""

import dataclasses

from matplotlib.figure import Figure

from nascore.drawing.graphs import Element, draw_graph, lay_out
from nascore.drawing.style import styled
from nascore.networks.chain.plan import ChainBlock
from nascore.networks.costs import AUXILIARY_HEAD, CLASSIFIER, STEM, count
from nascore.networks.layouts import REDUCTION
from nascore.networks.maps import Layer
from nascore.networks.stack import Stack


@dataclasses.dataclass(frozen=True)
class LayerRow:
    """One layer of a network.

    Attributes:
      name: `stem`, `layer 0`, ..., `auxiliary head`, `classifier`.
      kind: cell type, or what else it is.
      shape: of its output, without the batch.
      parameters: trained weights.
      joins: numbers of the layers that it reads beside the last, of a chain;
        None: it reads the two before it.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    joins: tuple[int, ...] | None = None


def list_layers(stack: Stack) -> list[LayerRow]:
    """Lists the layers of a network, input to output."""
    parts = count(stack)
    classes = (stack.classes,)

    def row(part: str, kind: str, shape: tuple[int, ...]) -> LayerRow:
        name = part.replace("_", " ")
        return LayerRow(name, kind, shape, parts[part].parameters)

    rows = [row(STEM, "convolution", stack.stem.shape)]
    for layer in stack.layers:
        made = row(layer.name, _kind_of(layer, stack), layer.output.shape)
        if isinstance(layer, ChainBlock):
            joins = tuple(source for source, _ in layer.joins)
            made = dataclasses.replace(made, joins=joins)
        rows.append(made)
        if layer.auxiliary:
            rows.append(row(AUXILIARY_HEAD, "training only", classes))
    return [*rows, row(CLASSIFIER, "dense", classes)]


def _kind_of(layer: Layer, stack: Stack) -> str:
    """The type of a layer's cell; of a whole network its operation."""
    if not stack.macro or layer.kind == REDUCTION:
        return layer.kind
    own = stack.architecture.layers[layer.number - 1]
    return str(stack.space.operations[own.operation]).replace("_", " ")


def network_graph(
    rows: list[LayerRow],
) -> tuple[list[Element], list[tuple[int, int]]]:
    """Returns the boxes of a network and the arrows between their places.

    Every layer reads the two before it; of a chain the last, and those that
    its box names.
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
        if row.joins:
            label += f", joins {', '.join(map(str, row.joins))}"
        place = len(boxes)
        boxes.append(Element(label, kind))
        if row.name.startswith("layer") and row.joins is None:
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


@styled
def draw_network(rows: list[LayerRow], title: str = "") -> Figure:
    """Draws the layers of a network from top to bottom."""
    boxes, arrows = network_graph(rows)
    width, height = lay_out(boxes, arrows).extent
    figure = Figure(
        figsize=((width + 30) / 72, (height + 60) / 72), layout="constrained"
    )
    draw_graph(figure.subplots(), boxes, arrows)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure
