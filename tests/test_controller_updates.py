"""The controllers' updates against Adam in NumPy on dense gradients.

Keras's Adam (3.15) squares the rows of a lookup's gradient one by one where a
row occurs more than once; the published programs add them up first.
"""

import keras
import numpy as np
import tensorflow as tf

from enas.config import EnasConfig
from enas.controller import LstmController
from mlpnas.config import MlpnasConfig, PolicyConfig
from mlpnas.strategy import MlpnasStrategy
from nascore.spaces.cells import CellSpace
from nascore.strategies.policy_gradient import (
    descend_if_finite,
    discounted_returns,
    policy_gradient_loss,
)


class Adam:
    """Kingma and Ba (2015), algorithm 1, as TensorFlow orders it."""

    def __init__(self, weights, beta_1, beta_2, epsilon):
        self.weights = [weight.numpy().astype(np.float64) for weight in weights]
        self.betas, self.epsilon = (beta_1, beta_2), epsilon
        self.means = [np.zeros_like(weight) for weight in self.weights]
        self.squares = [np.zeros_like(weight) for weight in self.weights]
        self.step = 0

    def apply(self, gradients, rate):
        self.step += 1
        first, second = self.betas
        rate *= (1 - second**self.step) ** 0.5 / (1 - first**self.step)
        for place, gradient in enumerate(gradients):
            dense = gradient.numpy().astype(np.float64)
            mean = first * self.means[place] + (1 - first) * dense
            square = second * self.squares[place] + (1 - second) * dense**2
            self.means[place], self.squares[place] = mean, square
            self.weights[place] -= rate * mean / (square**0.5 + self.epsilon)


def dense_gradients(loss_of, weights):
    with tf.GradientTape() as tape:
        loss = loss_of()
    gradients = tape.gradient(loss, weights)
    return [tf.convert_to_tensor(gradient) for gradient in gradients]


def assert_equal(weights, adam):
    for ours, expected in zip(weights, adam.weights, strict=True):
        np.testing.assert_allclose(ours.numpy(), expected, atol=1e-6)


def test_updates_of_the_enas_controller():
    keras.utils.set_random_seed(1)
    config = EnasConfig()
    # Of two nodes: rows of a lookup occur more than once already.
    controller = LstmController(CellSpace(num_nodes=2), config.controller)
    weights = controller.variables_to_train
    adam = Adam(weights, 0.0, 0.999, 1e-3)
    descend = tf.function(controller._descend, autograph=False)

    @tf.function(autograph=False)
    def draw(seed):
        return controller(10, seed).architectures

    @tf.function(autograph=False)
    def gradients(drawn, advantages):
        return dense_gradients(
            lambda: policy_gradient_loss(
                controller(architectures=drawn).log_prob, advantages
            ),
            weights,
        )

    rng = np.random.default_rng(1)
    for update in range(30):
        drawn = draw(tf.constant([1, update]))
        advantages = tf.constant(rng.normal(size=10), tf.float32)
        adam.apply(gradients(drawn, advantages), 0.0035)
        rows = tf.reshape(drawn, [10, -1])
        assert bool(descend(rows, advantages))
        if update in (0, 29):
            assert_equal(weights, adam)


def test_updates_of_the_mlpnas_controller():
    keras.utils.set_random_seed(1)
    config = PolicyConfig(predictor=True, entropy_weight=0.01)
    space = MlpnasConfig().space.space(10)
    strategy = MlpnasStrategy(space, config)
    controller = strategy.controller
    weights = controller.variables_to_train
    adam = Adam(weights, 0.9, 0.999, 1e-7)
    rng = np.random.default_rng(1)
    for update in range(30):
        drawn = controller(10, tf.constant([1, update])).sequences
        rewards = tf.constant(rng.normal(size=10), tf.float32)
        lengths = tf.math.count_nonzero(drawn, axis=1, dtype=tf.int32)
        returns = discounted_returns(
            rewards, lengths, space.max_layers, config.discount
        )

        def loss_of(drawn=drawn, returns=returns):
            scored = controller(sequences=drawn)
            entropy = tf.reduce_mean(scored.entropy)
            loss = policy_gradient_loss(scored.log_probs, returns)
            return loss - 0.01 * entropy

        rate = 0.01 / (1 + config.controller_decay * update)
        adam.apply(dense_gradients(loss_of, weights), rate)
        _, made = strategy._update_policy(drawn, rewards)
        assert bool(made)
        if update in (0, 29):
            assert_equal(weights, adam)


def test_updates_of_the_accuracy_predictor():
    keras.utils.set_random_seed(1)
    config = PolicyConfig(predictor=True)
    strategy = MlpnasStrategy(MlpnasConfig().space.space(10), config)
    controller = strategy.controller
    weights = controller.predictor_variables
    adam = Adam(weights, 0.9, 0.999, 1e-7)
    drawn = controller(20, tf.constant([1, 2])).sequences
    accuracies = tf.linspace(0.1, 0.9, 20)
    for _ in range(30):
        adam.apply(
            dense_gradients(
                lambda: tf.reduce_mean(
                    (controller(sequences=drawn).predicted - accuracies) ** 2
                ),
                weights,
            ),
            config.predictor_lr,
        )
        strategy._update_predictor(drawn, accuracies)
    assert_equal(weights, adam)


def test_repeated_rows_are_added_up_before_any_optimizer_sees_them():
    """One row looked up twice equals one with the summed gradient."""
    optimizers = [
        keras.optimizers.Adam(0.1),
        keras.optimizers.RMSprop(0.1),
        keras.optimizers.SGD(0.1, momentum=0.9),
    ]
    for optimizer in optimizers:
        weights = [tf.Variable(tf.ones([3, 2])) for _ in range(2)]
        sparse = tf.IndexedSlices(
            tf.constant([[1.0, 2.0], [3.0, -1.0]]),
            tf.constant([1, 1]),
            tf.constant([3, 2]),
        )
        dense = tf.constant([[0.0, 0.0], [4.0, 1.0], [0.0, 0.0]])
        optimizer.build(weights)
        for _ in range(3):
            descend_if_finite(
                optimizer, tf.constant(1.0), [sparse, dense], weights
            )
        np.testing.assert_array_equal(*weights)


def test_a_norm_that_only_the_sum_of_rows_reaches_is_noticed():
    weight = tf.Variable(tf.ones([2, 1]))
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build([weight])
    rows = tf.IndexedSlices(
        tf.constant([[3e38], [3e38]]), tf.constant([0, 0]), tf.constant([2, 1])
    )
    made = descend_if_finite(optimizer, tf.constant(1.0), [rows], [weight])
    assert not bool(made)
    np.testing.assert_array_equal(weight, [[1.0], [1.0]])
