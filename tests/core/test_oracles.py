"""Against 50-digit mpmath, complex step and finite differences."""

import mpmath as mp
import numpy as np
import pytest
from networks import random_network

from miya.core.activations import KINDS, Activation
from miya.core.rounding import exact
from miya.core.step import gradients_of, loss_of, take_step
from miya.read.file import original

mp.mp.dps = 50
N = mp.mpf
FORMULAS = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + mp.exp(-z)),
    "tanh": mp.tanh,
    "relu": lambda z: max(z, N(0)),
    "leaky_relu": lambda z: z if z > 0 else N(0.01) * z,
    "elu": lambda z: z if z > 0 else mp.expm1(z),
    "softplus": lambda z: mp.log1p(mp.exp(z)),
    "silu": lambda z: z / (1 + mp.exp(-z)),
    "gelu": lambda z: z * mp.erfc(-z / mp.sqrt(2)) / 2,
    "gelu_tanh": lambda z: z / (1 + mp.exp(-2 * mp.sqrt(2 / mp.pi) * (z + N("0.044715") * z**3))),
}
POINTS = [
    -1000,
    -700,
    -40,
    -20,
    -15,
    -8,
    -5,
    -3,
    -1,
    -0.1,
    -1e-5,
    1e-5,
    0.1,
    1,
    3,
    5,
    7,
    13,
    25,
    50,
]


def test_the_original_network_is_within_1e_15_of_50_digits():
    W1 = [["0.1", "0.2", "-0.1"], ["0.3", "-0.2", "0.5"], ["-0.4", "0.1", "0.2"]]
    W1 = [[N(v) for v in row] for row in W1]
    b1 = [N(v) for v in ("0", "0.1", "-0.1")]
    W2, b2 = [N(v) for v in ("0.2", "-0.3", "0.1")], N("0.05")
    x, lr = [N(v) for v in ("0.5", "0.2", "0.1")], N("0.1")

    def sigmoid(z):
        return 1 / (1 + mp.exp(-z))

    z1 = [sum(w * v for w, v in zip(row, x)) + b for row, b in zip(W1, b1)]
    a1 = [sigmoid(z) for z in z1]
    z2 = sum(w * a for w, a in zip(W2, a1)) + b2
    a2 = sigmoid(z2)
    d2 = 2 * (a2 - 1) * a2 * (1 - a2)
    d1 = [w * d2 * a * (1 - a) for w, a in zip(W2, a1)]
    trace = take_step(original())
    first, last = trace.layers
    for ours, theirs in [
        (trace.loss, (a2 - 1) ** 2),
        *zip(first.z[0], z1),
        *zip(first.a[0], a1),
        (last.z[0, 0], z2),
        (last.a[0, 0], a2),
        (last.delta[0, 0], d2),
        *zip(first.delta[0], d1),
        *zip(last.weight.gradient[0], [d2 * a for a in a1]),
        *zip(last.weight.after[0], [w - lr * d2 * a for w, a in zip(W2, a1)]),
        (last.bias.after[0], b2 - lr * d2),
        *zip(first.weight.gradient.ravel(), [d * v for d in d1 for v in x]),
        *zip(
            first.weight.after.ravel(),
            [W1[i][j] - lr * d1[i] * x[j] for i in range(3) for j in range(3)],
        ),
        *zip(first.bias.after, [b - lr * d for b, d in zip(b1, d1)]),
    ]:
        assert abs(N(float(ours)) - theirs) <= 1e-15 * max(abs(theirs), N("1e-3")), (ours, theirs)


@pytest.mark.parametrize("name", FORMULAS)
def test_every_activation_and_slope_keeps_its_digits(name):
    kind = KINDS[name]
    p = dict(kind.defaults)
    z = np.array([POINTS], dtype=float)
    a, saved = kind.value(z, exact, p)
    slope = kind.slope(z, a, saved, exact, p)
    for k, point in enumerate(POINTS):
        value = FORMULAS[name](N(point))
        rate = mp.diff(FORMULAS[name], N(point), h=N("1e-20"))
        for ours, theirs in ((a[0, k], value), (slope[0, k], rate)):
            error = abs(N(float(ours)) - theirs)
            assert error <= 2e-13 * abs(theirs) + N("1e-300"), (point, ours, theirs)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus", "silu", "gelu_tanh"])
def test_slope_is_the_complex_step_derivative(name):
    formulas = {
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "tanh": np.tanh,
        "softplus": lambda z: np.log(1 + np.exp(z)),
        "silu": lambda z: z / (1 + np.exp(-z)),
        "gelu_tanh": lambda z: 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))),
    }
    z = np.linspace(-4, 4, 33)[None]
    kind = KINDS[name]
    a, saved = kind.value(z, exact, kind.defaults)
    derivative = np.imag(formulas[name](z + 1e-30j)) / 1e-30
    np.testing.assert_allclose(
        kind.slope(z, a, saved, exact, kind.defaults), derivative, rtol=1e-11
    )


@pytest.mark.parametrize("seed", range(30))
def test_gradients_are_finite_differences(seed):
    net = random_network(seed, loss="mean_squared_error", activation="tanh")
    gradients = gradients_of(net)
    values = net.parameters()
    for name, value in values.items():
        for index in list(np.ndindex(value.shape))[:6]:
            h = 1e-5
            up, down = value.copy(), value.copy()
            up[index] += h
            down[index] -= h
            rise = loss_of(net.with_parameters({**values, name: up})) - loss_of(
                net.with_parameters({**values, name: down})
            )
            assert gradients[name][index] == pytest.approx(rise / (2 * h), rel=1e-5, abs=1e-8)


def test_a_logit_of_1000_stays_finite():
    z = np.array([[1000.0, -1000.0, 40.0]])
    for kind in KINDS.values():
        use = Activation(kind, kind.defaults)
        a, saved = use.kind.value(z, exact, use.parameters)
        assert np.isfinite(a).all()
    sigmoid = KINDS["sigmoid"]
    a, saved = sigmoid.value(z, exact, {})
    assert sigmoid.slope(z, a, saved, exact, {})[0, 2] == pytest.approx(4.248354255291589e-18)


COMPLEX = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
}


def complex_loss(net, values):
    """The loss by formulas of its own, for parameters that may be complex."""
    signal = net.inputs.astype(complex)
    for k, layer in enumerate(net.layers, 1):
        z = signal @ values[f"weight{k}"].T + values[f"bias{k}"]
        signal = COMPLEX[layer.activation.name](z)
    y = net.targets
    if net.loss.name == "cross_entropy":
        each = y * (np.log(np.exp(signal).sum(axis=1, keepdims=True)) - signal)
    else:
        each = (signal - y) ** 2 / (2 if net.loss.name.startswith("half") else 1)
    return each.sum() / net.loss.divisor(*y.shape)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "softplus", "silu", "softmax"])
@pytest.mark.parametrize("loss", ["squared_error", "half_squared_error", "cross_entropy"])
def test_gradients_of_whole_networks_are_complex_step_derivatives(activation, loss):
    compared = 0
    for seed in range(30):
        net = random_network(seed, activation=activation, loss=loss)
        if any(layer.activation.name not in COMPLEX for layer in net.layers):
            continue
        gradients, values = gradients_of(net), net.parameters()
        floor = 1e-16 + 1e-13 * max(float(np.abs(g).max()) for g in gradients.values())
        for name, value in values.items():
            for index in list(np.ndindex(value.shape))[:8]:
                moved = value.astype(complex)
                moved[index] += 1e-30j
                slope = complex_loss(net, {**values, name: moved}).imag / 1e-30
                ours = gradients[name][index]
                assert ours == pytest.approx(slope, rel=1e-10, abs=floor), (seed, name)
                compared += 1
    assert compared > 100
