"""DARTS's network against its published sizes and against NumPy."""

import keras
import numpy as np
import pytest

from nascore.drawing.cells import cell_graph
from nascore.drawing.networks import list_layers
from nascore.errors import InputError
from nascore.networks.config import NetworkConfig
from nascore.networks.costs import count, total
from nascore.networks.discrete import DropPath, build_network
from nascore.networks.maps import Map
from nascore.networks.stack import plan
from nascore.spaces.darts_cells import DARTS_OPERATIONS

OPERATIONS = ",".join(DARTS_OPERATIONS)


def settings(**changes):
    values = {
        "operations": OPERATIONS,
        "num_nodes": 4,
        "layout": "darts",
        "padding": "torch",
        "keep_prob": 1.0,
        **changes,
    }
    return NetworkConfig(**values)


def trained(network):
    return sum(np.prod(v.shape) for v in network.trainable_variables)


# 3.3, 3.3 and 3.6 million in Table 1 of the papers, 4.7 in Table 3; to the
# last one counted from the shapes of the published code. Its head on CIFAR-10
# has another 476,426.
@pytest.mark.parametrize(
    "name, parameters",
    [
        ("DARTS_V1", 3_169_414),
        ("DARTS_V2", 3_349_342),
        ("PC_DARTS_cifar", 3_634_678),
    ],
)
def test_published_cells_on_cifar10(name, parameters):
    config = settings(num_layers=20, filters=36)
    architecture = config.space.parse(name)
    stack = plan(config, (32, 32, 3), 10, architecture)
    parts = count(stack)
    assert total(parts, head=False).parameters == parameters
    assert parts["auxiliary_head"].parameters == 476_426
    assert stack.auxiliary.read == Map(8, 8, 4 * 4 * 36)
    assert sum(row.parameters for row in list_layers(stack)) == parameters + (
        476_426
    )


def test_the_second_order_cell_on_imagenet():
    config = settings(num_layers=14, filters=48, stem="imagenet")
    architecture = config.space.parse("DARTS_V2")
    stack = plan(config, (224, 224, 3), 1000, architecture)
    parts = count(stack)
    assert total(parts, head=False).parameters == 4_718_752
    assert stack.stems == (Map(112, 112, 24), Map(56, 56, 48), Map(28, 28, 48))
    first, second = stack.layers[0].inputs
    assert first.halves and second.always and not second.halves
    # A map of 7 pixels becomes 2, and these 1.
    assert stack.auxiliary.read.height == 7 and stack.auxiliary.pooled == (2, 2)
    assert [head.height for head in stack.auxiliary.maps] == [2, 1]


@pytest.mark.parametrize("stem, size", [("small", 16), ("imagenet", 64)])
def test_what_is_counted_is_what_is_built(stem, size):
    config = settings(
        num_nodes=4, filters=4, num_layers=3, stem=stem, keep_prob=0.9
    )
    architecture = config.space.draw(np.random.default_rng(1))
    shape = (size, size, 3)
    network = build_network(architecture, shape, 7, config)
    parts = count(plan(config, shape, 7, architecture))
    assert total(parts).parameters == trained(network)
    for name, costs in parts.items():
        prefix = f"{name}_" if name.startswith("layer") else name
        built = [x for x in network.layers if x.name.startswith(prefix)]
        assert costs.parameters == sum(map(trained, built))
    outputs = network(np.zeros((2, *shape), np.float32))
    assert outputs["logits"].shape == outputs["auxiliary"].shape == (2, 7)
    # A plan without an architecture has the same shapes: all nodes count.
    bare = plan(config, shape, 7)
    ours = plan(config, shape, 7, architecture)
    assert bare.layers == ours.layers and bare.stems == ours.stems


def windows(x, size, stride, dilation, fill):
    reach = dilation * (size // 2)
    edges = [(0, 0), (reach, reach), (reach, reach), (0, 0)]
    padded = np.pad(x, edges, constant_values=fill)
    steps = np.arange(size) * dilation
    return np.stack(
        [
            np.stack(
                [
                    padded[:, top + steps][:, :, left + steps].reshape(
                        len(x), size**2, -1
                    )
                    for left in range(0, x.shape[2], stride)
                ],
                1,
            )
            for top in range(0, x.shape[1], stride)
        ],
        1,
    )


class Reference:
    """The published forward pass in NumPy, from a network's weights."""

    def __init__(self, network, config):
        self.network, self.config = network, config

    def weights(self, name):
        return [w.numpy() for w in self.network.get_layer(name).weights]

    def norm(self, x, gamma, beta, mean, variance):
        return (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta

    def preprocess(self, x, name, halve):
        x = np.maximum(x, 0)
        if halve:
            one, two, *rest = self.weights(name)
            paths = [x[:, ::2, ::2] @ one[0, 0], x[:, 1::2, 1::2] @ two[0, 0]]
            return self.norm(np.concatenate(paths, -1), *rest)
        kernel, *rest = self.weights(name)
        return self.norm(x @ kernel[0, 0], *rest)

    def operate(self, operation, x, stride, name):
        if operation == "skip_connect":
            return self.preprocess(x, name, True) if stride == 2 else x
        if operation == "max_pool_3x3":
            return windows(x, 3, stride, 1, -np.inf).max(3)
        if operation == "avg_pool_3x3":
            return np.nanmean(windows(x, 3, stride, 1, np.nan), 3)
        dilation = 2 if operation.startswith("dil") else 1
        values = self.weights(name)
        # Kernels, then the normalization's four, for each repeat.
        for place in range(0, len(values), 6):
            depthwise, pointwise, *rest = values[place : place + 6]
            size = len(depthwise)
            read = windows(np.maximum(x, 0), size, stride, dilation, 0.0)
            x = (read * depthwise.reshape(size**2, -1)).sum(3)
            x, stride = self.norm(x @ pointwise[0, 0], *rest), 1
        return x

    def logits(self, architecture, images):
        kernel, *rest = self.weights("stem")
        read = windows(images, 3, 1, 1, 0.0)
        x = np.einsum(
            "nhwkc,kcd->nhwd", read, kernel.reshape(9, -1, kernel.shape[-1])
        )
        before = last = self.norm(x, *rest)
        reduced = False
        for number, kind in enumerate(self.config.layer_types):
            reduces = kind == "reduction"
            tensors = [
                self.preprocess(before, f"layer_{number}_input_0", reduced),
                self.preprocess(last, f"layer_{number}_input_1", False),
            ]
            for place, node in enumerate(architecture.cells[reduces].nodes):
                terms = 0
                for side, (index, op) in enumerate(node.edges):
                    operation = DARTS_OPERATIONS[op]
                    stride = 2 if reduces and index < 2 else 1
                    name = f"layer_{number}_node_{place}_{side}_{operation}"
                    terms = terms + self.operate(
                        operation, tensors[index], stride, name
                    )
                tensors.append(terms)
            before, last = last, np.concatenate(tensors[2:], -1)
            reduced = reduces
        kernel, bias = self.weights("classifier")
        return last.mean((1, 2)) @ kernel + bias


@pytest.mark.parametrize("name", ["DARTS_V2", "PC_DARTS_image"])
def test_network_equals_numpy(name):
    # Each kind of cell behind the other.
    config = settings(filters=4, num_layers=5).for_inference()
    kinds = "normal reduction normal reduction normal"
    assert " ".join(config.layer_types) == kinds
    rng = np.random.default_rng(3)
    architecture = config.space.parse(name)
    network = build_network(architecture, (8, 8, 2), 5, config)
    for variable in network.trainable_variables:
        variable.assign(rng.normal(size=variable.shape) * 0.3 + 0.2)
    for variable in network.non_trainable_variables:
        if "variance" in variable.path:
            variable.assign(rng.uniform(0.5, 2.0, size=variable.shape))
    images = rng.normal(size=(3, 8, 8, 2)).astype(np.float32)
    expected = Reference(network, config).logits(architecture, images)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(
        network(images)["logits"], expected, rtol=1e-3, atol=1e-3
    )


def test_drop_path_is_the_same_in_all_layers_and_spares_identities():
    config = settings(
        num_nodes=1, filters=4, num_layers=3, drop_path_keep_prob=0.8
    )
    skip, pool = (
        DARTS_OPERATIONS.index(x) for x in ("skip_connect", "max_pool_3x3")
    )
    cell = f"0 {skip} 1 {pool}"
    architecture = config.space.parse(f"{cell} {cell}")
    network = build_network(architecture, (8, 8, 2), 3, config)
    layers = [x for x in network.layers if isinstance(x, DropPath)]
    assert {layer.keep_prob for layer in layers} == {0.8}
    # A skip that reduces is no identity.
    assert [layer.name for layer in layers] == [
        "layer_0_node_0_1_max_pool_3x3_drop_path",
        *(
            f"layer_{number}_node_0_{edge}_drop_path"
            for number in (1, 2)
            for edge in ("0_skip_connect", "1_max_pool_3x3")
        ),
    ]


@pytest.mark.parametrize("side, pooled", [(8, 1), (16, 1), (32, 1), (64, 3)])
def test_the_head_is_one_pixel_at_the_published_size(side, pooled):
    config = settings(num_nodes=1, filters=2, num_layers=3)
    architecture = config.space.draw(np.random.default_rng(0))
    stack = plan(config, (side, side, 1), 3, architecture)
    assert stack.auxiliary.maps[1].height == pooled
    network = build_network(architecture, (side, side, 1), 3, config)
    head = network.get_layer("auxiliary_head")
    assert head.layers[-2].input.shape[1:] == stack.auxiliary.maps[1].shape
    assert (
        head.layers[-1].use_bias
        and network.get_layer("classifier").layers[-1].use_bias
    )


def test_saved_and_loaded_in_safe_mode(tmp_path):
    config = settings(filters=4, num_layers=3)
    architecture = config.space.parse("PC_DARTS_cifar")
    network = build_network(architecture, (8, 8, 2), 5, config)
    images = np.random.default_rng(0).normal(size=(3, 8, 8, 2))
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras", safe_mode=True)
    for name, logits in network(images).items():
        np.testing.assert_array_equal(loaded(images)[name], logits)


def test_all_nodes_lead_to_the_output_in_a_drawing():
    space = settings().space
    cell = space.parse("DARTS_V2").cells[0]
    boxes, arrows = cell_graph(cell, space)
    last = len(boxes) - 1
    ends = [boxes[start].label for start, end in arrows if end == last]
    assert ends == ["+ 0", "+ 1", "+ 2", "+ 3"]
    # The loose ends of ENAS would be fewer.
    assert cell.loose_ends != space.ends(cell)


def test_bad_sizes_are_refused():
    config = settings(stem="imagenet", num_layers=3, filters=4)
    architecture = config.space.parse("DARTS_V2")
    with pytest.raises(InputError, match="strides of --stem=imagenet.*of 32"):
        plan(config, (40, 40, 3), 5, architecture)
