"""Which cell stands where in a network, from input to output."""

from collections.abc import Sequence

from nascore.errors import InputError

REDUCTION = "reduction"
NORMAL = "normal"
# Of the auxiliary head's average pool.
AUXILIARY_POOL = 5
AUXILIARY_STRIDE = 3


def place_reductions(layers: int, places: Sequence[int]) -> tuple[str, ...]:
    """Names the cell of each of `layers` layers.

    Args:
      layers: how many there are.
      places: which of them, from 0, are reduction cells.
    """
    return tuple(
        REDUCTION if layer in places else NORMAL for layer in range(layers)
    )


def ienas_layout(num_layers: int) -> tuple[str, ...]:
    """The public code of I-ENAS: two layers more, three reductions."""
    distance = num_layers // 4
    return place_reductions(
        num_layers + 2, (distance, 2 * distance + 1, num_layers)
    )


def enas_layout(num_layers: int) -> tuple[str, ...]:
    """The public code of ENAS: two layers more, two reductions."""
    distance = num_layers // 3
    return place_reductions(num_layers + 2, (distance, 2 * distance + 1))


def block_layout(normal_cells: int, reduction_cells: int) -> tuple[str, ...]:
    """Blocks of about equal length that each end in a reduction cell."""
    blocks = max(1, reduction_cells)
    least, more = divmod(normal_cells, blocks)
    layers: list[str] = []
    for block in range(blocks):
        layers += [NORMAL] * (least + (block < more))
        if reduction_cells:
            layers.append(REDUCTION)
    return tuple(layers)


def check_image_size(
    layer_types: Sequence[str], image_shape: tuple[int, int, int]
) -> None:
    """Raises InputError if the reductions do not divide the image size."""
    divisor = 2 ** list(layer_types).count(REDUCTION)
    if any(size % divisor for size in image_shape[:2]):
        better = max(divisor, round(image_shape[0] / divisor) * divisor)
        raise InputError(
            f"images of {image_shape[0]}x{image_shape[1]} pixels cannot be "
            f"halved by {list(layer_types).count(REDUCTION)} reductions; "
            f"both sides must be multiples of {divisor}: set "
            f"--image_size={better}, or choose another layout"
        )


def auxiliary_layer(layer_types: Sequence[str]) -> int | None:
    """The layer whose output an auxiliary head reads, if there is one.

    It is the one after the second reduction.
    """
    places = [
        layer + 1 for layer, name in enumerate(layer_types) if name == REDUCTION
    ]
    if len(places) > 1 and places[1] < len(layer_types):
        return places[1]
    return None


def auxiliary_pooling(side: int) -> tuple[str, int]:
    """How an auxiliary head's 5x5 pool of stride 3 treats the border.

    The public code pads unless the side less 3 is a multiple of 5, so that
    maps of 4, 8 and 16 pixels (images of 16, 32 and 64) become 2, 2 and 6.
    A map of 3 pixels, where that leaves nothing, is padded, too.

    Args:
      side: height and width of the map.

    Returns:
      `valid` or `same`, and the height and width of the pooled map.
    """
    if side >= AUXILIARY_POOL and (side - 3) % 5 == 0:
        return "valid", (side - AUXILIARY_POOL) // AUXILIARY_STRIDE + 1
    return "same", -(-side // AUXILIARY_STRIDE)
