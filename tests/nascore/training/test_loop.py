import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from nascore.data.images import Split
from nascore.errors import InputError
from nascore.networks.config import NetworkConfig
from nascore.networks.discrete import build_network
from nascore.process.runtime import set_precision
from nascore.training.config import FinalConfig, TrainingConfig
from nascore.training.devices import make_strategy
from nascore.training.loop import Loop
from nascore.training.optimizers import make_optimizer

RNG = np.random.default_rng(0)
SPLIT = Split(
    RNG.integers(0, 256, (40, 8, 8, 1)).astype(np.uint8),
    RNG.integers(0, 3, 40).astype(np.int32),
)
# No drop path and no dropout, so that references know every number.
NETWORK = NetworkConfig(
    num_nodes=1,
    filters=4,
    num_layers=1,
    keep_prob=1.0,
    drop_path_keep_prob=1.0,
)
TRAINING = TrainingConfig(
    architecture="0 0 1 3 0 1 1 4", epochs=4, batch_size=8, lr_max=0.1
)


def make_loop(network=NETWORK, normalization=None, **training):
    config = FinalConfig(
        network=network, training=dataclasses.replace(TRAINING, **training)
    )
    keras.utils.set_random_seed(3)
    arguments = [] if normalization is None else [normalization]
    model = build_network(
        config.architecture, (8, 8, 1), 3, config.network, *arguments
    )
    strategy = tf.distribute.get_strategy()
    return Loop(model, SPLIT, (0.4, 0.3), config, strategy)


def train(loop, epoch, start, stop):
    return loop.train(*(tf.constant(n) for n in (epoch, start, stop)))


def weights(loop):
    return [v.numpy() for v in loop.network.trainable_variables]


def test_two_steps_equal_the_published_update():
    loop = make_loop(label_smoothing=0.1, weight_decay=1e-3, clip_norm=0.5)
    model = keras.models.clone_model(loop.network)
    model.set_weights(loop.network.get_weights())
    velocity = [np.zeros(v.shape) for v in model.trainable_variables]
    # The order of the images, as the loop draws it.
    from nascore import draws
    from nascore.seeds import Stream, fold

    order = draws.order(40, fold(1, Stream.SHUFFLE, 0)).numpy()
    losses = []
    for step in range(2):
        batch = order[step * 8 : step * 8 + 8]
        x = (SPLIT.images[batch] / 255 - 0.4) / 0.3
        y = np.eye(3)[SPLIT.labels[batch]] * 0.9 + 0.1 / 3
        variables = model.trainable_variables
        with tf.GradientTape() as tape:
            out = model(tf.constant(x, tf.float32), training=True)
            terms = []
            for name in ("logits", "auxiliary"):
                logs = tf.nn.log_softmax(out[name])
                terms.append(-tf.reduce_mean(tf.reduce_sum(logs * y, 1)))
            squares = sum(tf.reduce_sum(v.value**2) for v in variables)
            total = terms[0] + 0.4 * terms[1] + 1e-3 * squares
        losses.append(float(terms[0]))
        values = [v.value for v in variables]
        gradients = [g.numpy() for g in tape.gradient(total, values)]
        norm = np.sqrt(sum((g**2).sum() for g in gradients))
        for place, variable in enumerate(variables):
            g = gradients[place] * min(1, 0.5 / norm)
            velocity[place] = 0.9 * velocity[place] - 0.1 * g
            # Nesterov: the gradient once more, after the momentum.
            moved = 0.9 * velocity[place] - 0.1 * g
            variable.assign(variable.numpy() + moved)
    train(loop, 0, 0, 2)
    assert float(loop.totals.loss) / 16 == pytest.approx(np.mean(losses), 1e-4)
    assert float(loop.totals.images) == 16
    for ours, theirs in zip(
        weights(loop), model.trainable_variables, strict=True
    ):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-4)


def test_plain_momentum_looks_at_no_later_gradient():
    training = TrainingConfig(lr_max=0.1, momentum=0.9, nesterov=False)
    optimizer = make_optimizer(training)
    weight = keras.Variable([1.0, -2.0])
    expected, velocity = np.array([1.0, -2.0]), 0.0
    for gradient in ([1.0, 3.0], [-2.0, 0.5]):
        optimizer.apply([tf.constant(gradient)], [weight])
        velocity = 0.9 * velocity + np.array(gradient)
        expected = expected - 0.1 * velocity
        np.testing.assert_allclose(weight.numpy(), expected, atol=1e-6)


def test_accumulated_parts_equal_the_whole_batch():
    # Without batch normalization, which sees the parts.
    loops = [
        make_loop(normalization=keras.layers.Identity, accumulate=parts)
        for parts in (1, 4)
    ]
    for loop in loops:
        train(loop, 0, 0, 3)
    for whole, parts in zip(*map(weights, loops), strict=True):
        # Without normalization they grow to thousands, and so does rounding.
        reach = 1e-5 + 1e-6 * np.abs(whole).max()
        np.testing.assert_allclose(parts, whole, rtol=1e-4, atol=reach)
    assert float(loops[0].totals.hits) == float(loops[1].totals.hits)


def test_learning_rates():
    loop = make_loop(lr_max=0.05, lr_min=0.0001, warmup_epochs=2.0)

    def rate(epoch, step=0):
        return float(loop.learning_rate(tf.constant(epoch), tf.constant(step)))

    def cosine(part):
        return 0.0001 + (0.05 - 0.0001) * (1 + np.cos(np.pi * part)) / 2

    # 10 epochs, then 20, then 40.
    for epoch, part in ((5, 0.5), (10, 0.0), (25, 0.75), (30, 0), (50, 0.5)):
        assert rate(epoch, 4) == pytest.approx(cosine(part), rel=1e-4)
    assert rate(0, 0) == pytest.approx(cosine(0) * 0.1)
    assert rate(1, 4) == pytest.approx(cosine(0.1), rel=1e-4)
    half = make_loop(lr_max=0.05, lr_min=0.0001, lr_restart="half")
    for step, expected in ((0, 0.02505), (1, 0.05)):
        place = half.learning_rate(tf.constant(30), tf.constant(step))
        assert float(place) == pytest.approx(expected, rel=1e-4)
    smooth = make_loop(lr_period=0, lr_by_step=True, lr_min=0.0)
    place = smooth.learning_rate(tf.constant(2), tf.constant(1))
    part = (2 + 1 / 5) / 4
    assert float(place) == pytest.approx(0.1 * (1 + np.cos(np.pi * part)) / 2)


def test_nothing_is_traced_again():
    loop = make_loop()
    for epoch in range(2):
        for start in (0, 1, 3):
            train(loop, epoch, start, start + 1)
    assert loop.train.experimental_get_tracing_count() == 1


def test_stops_after_a_loss_that_explodes():
    loop = make_loop(loss_limit=1e-6)
    step, healthy, *_ = train(loop, 0, 0, 5)
    assert (int(step), bool(healthy)) == (1, False)
    loop = make_loop()
    loop.network.trainable_variables[0].assign_add(
        np.full(loop.network.trainable_variables[0].shape, np.nan)
    )
    assert not bool(train(loop, 0, 0, 5)[1])


def test_drop_path_follows_the_progress():
    network = dataclasses.replace(NETWORK, drop_path_keep_prob=0.5)
    loop = make_loop(network)
    train(loop, 1, 2, 3)
    progress = loop.network.get_layer("training_progress").progress
    assert float(progress) == pytest.approx((5 + 2 + 1) / 20)


def test_a_network_of_identities_alone_has_no_path_to_drop():
    network = dataclasses.replace(NETWORK, drop_path_keep_prob=0.5)
    place = network.space.operations.index("identity")
    loop = make_loop(network, architecture=f"0 {place} 1 {place} " * 2)
    assert bool(train(loop, 0, 0, 5)[1])


def test_bfloat16_computes_close_to_float32():
    losses = []
    for precision in ("float32", "bfloat16"):
        set_precision(precision)
        try:
            # A rate that multiplies no rounding: at 0.1 processors with and
            # without instructions for bfloat16 differ by 5% in a step.
            loop = make_loop(precision=precision, lr_max=0.01)
        finally:
            set_precision("float32")
        step, healthy, *_ = train(loop, 0, 0, 2)
        assert (int(step), bool(healthy)) == (2, True)
        losses.append(float(loop.totals.loss))
        assert all(w.dtype == np.float32 for w in weights(loop))
        assert loop.logits(SPLIT.images).dtype == np.float32
    # Eight bits of mantissa, through two updates.
    assert losses[1] == pytest.approx(losses[0], rel=0.03)
    assert losses[1] != losses[0]


def test_logits_of_any_number_of_images():
    loop = make_loop()
    whole = loop.logits(SPLIT.images)
    assert whole.shape == (40, 3)
    np.testing.assert_allclose(
        loop.logits(SPLIT.images[:13]), whole[:13], atol=1e-5
    )


@pytest.mark.parametrize(
    "training, words",
    [
        ({"precision": "float16"}, "needs a GPU"),
        ({"distribute": "mirrored", "accumulate": 2}, "--accumulate=2"),
    ],
)
def test_devices_that_do_not_fit(training, words):
    with pytest.raises(InputError, match=words):
        make_strategy(dataclasses.replace(TRAINING, **training))


@pytest.mark.parametrize(
    "wrong",
    [
        {"lr_min": 1.0},
        {"accumulate": 3},
        {"ema_decay": 1.0},
        {"label_smoothing": float("nan")},
    ],
)
def test_bad_settings(wrong):
    with pytest.raises(InputError, match=f"--{next(iter(wrong))}"):
        dataclasses.replace(TRAINING, **wrong)
