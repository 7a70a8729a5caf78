"""A step as a program of its own, in NumPy or PyTorch, that works out the same numbers.

Neither program needs Miya. What is written into them are names from our own tables and numbers by
`repr`, so every float is the same to the last bit; no text from outside gets in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..core.network import Layer, Network
from ..core.rounding import Array

# a and ∂a/∂z by the activation; {p} are its options
NUMPY: Mapping[str, tuple[str, str]] = {
    "identity": ("z", "np.ones_like(z)"),
    "sigmoid": ("expit(z)", "a * expit(-z)"),
    "tanh": ("np.tanh(z)", "1 / np.cosh(z) ** 2"),
    "relu": ("np.maximum(z, 0)", "np.where(z > 0, 1.0, 0.0)"),
    "leaky_relu": (
        "np.where(z > 0, z, {negative_slope} * z)",
        "np.where(z > 0, 1.0, {negative_slope})",
    ),
    "elu": (
        "np.where(z > 0, z, {alpha} * np.expm1(np.minimum(z, 0)))",
        "np.where(z > 0, 1.0, {alpha} * np.exp(np.minimum(z, 0)))",
    ),
    "softplus": ("np.logaddexp(z, 0)", "expit(z)"),
    "silu": ("z * expit(z)", "expit(z) + a * expit(-z)"),
    "gelu": ("z * cdf(z)", "cdf(z) + z * np.exp(-z * z / 2) / (2 * pi) ** 0.5"),
    "gelu_tanh": (
        "z * expit(2 * u(z))",
        "expit(2 * u(z)) + 2 * a * expit(-2 * u(z)) * (2 / pi) ** 0.5 * (1 + 0.134145 * z**2)",
    ),
}
HELPERS: Mapping[str, str] = {
    "expit": "def expit(v):\n    return np.exp(-np.logaddexp(0, -v))",
    "cdf": "def cdf(v):\n    return 0.5 * np.vectorize(erfc)(-v / 2**0.5)",
    "u": "def u(v):\n    return (2 / pi) ** 0.5 * (v + 0.044715 * v**3)",
    "softmax": "def softmax(v):\n    e = np.exp(v - v.max(1, keepdims=True))\n"
    "    return e / e.sum(1, keepdims=True)",
}
# ℓ and ∂ℓ/∂a by the loss
NUMPY_LOSS: Mapping[str, tuple[str, str]] = {
    "squared_error": ("(a - y) ** 2", "2 * (a - y)"),
    "half_squared_error": ("0.5 * (a - y) ** 2", "a - y"),
    "mean_squared_error": ("(a - y) ** 2", "2 * (a - y)"),
    "absolute_error": ("np.abs(a - y)", "np.sign(a - y)"),
    "huber": (
        "np.where(np.abs(a - y) <= {delta}, 0.5 * (a - y) ** 2, "
        "{delta} * (np.abs(a - y) - 0.5 * {delta}))",
        "np.clip(a - y, -{delta}, {delta})",
    ),
    "binary_cross_entropy": (
        "-(np.where(y == 0, 0, y * np.log(a)) + np.where(y == 1, 0, (1 - y) * np.log1p(-a)))",
        "np.where(y == 1, 0, (1 - y) / (1 - a)) - np.where(y == 0, 0, y / a)",
    ),
    "binary_cross_entropy_with_logits": ("np.logaddexp(0, a) - a * y", "expit(a) - y"),
    "cross_entropy": (
        "y * (np.log(np.exp(a - a.max(1, keepdims=True)).sum(1, keepdims=True)) "
        "+ a.max(1, keepdims=True) - a)",
        "softmax(a) * y.sum(1, keepdims=True) - y",
    ),
}
TORCH: Mapping[str, str] = {
    "identity": "z",
    "sigmoid": "torch.sigmoid(z)",
    "tanh": "torch.tanh(z)",
    "relu": "torch.relu(z)",
    "leaky_relu": "F.leaky_relu(z, {negative_slope})",
    "elu": "F.elu(z, {alpha})",
    "softplus": "torch.logaddexp(z, torch.zeros(()))",
    "silu": "F.silu(z)",
    "gelu": "F.gelu(z)",
    "gelu_tanh": 'F.gelu(z, approximate="tanh")',
    "softmax": "torch.softmax(z, 1)",
}
TORCH_LOSS: Mapping[str, str] = {
    "squared_error": "(a - y) ** 2",
    "half_squared_error": "0.5 * (a - y) ** 2",
    "mean_squared_error": "(a - y) ** 2",
    "absolute_error": "(a - y).abs()",
    "huber": 'F.huber_loss(a, y, delta={delta}, reduction="none")',
    "binary_cross_entropy": "-(torch.xlogy(y, a) + torch.special.xlog1py(1 - y, -a))",
    "binary_cross_entropy_with_logits": "F.binary_cross_entropy_with_logits(a, y, "
    'reduction="none")',
    "cross_entropy": "y * (torch.logsumexp(a, 1, keepdim=True) - a)",
}
OPTIMIZERS = {
    "sgd": "SGD",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
    "adam": "Adam",
    "adamw": "AdamW",
}
# what torch calls the state that our lines keep; "step" is counted beside it
TORCH_STATE: Mapping[str, Mapping[str, str]] = {
    "sgd": {"v": "momentum_buffer"},
    "rmsprop": {"s": "square_avg", "m": "grad_avg", "v": "momentum_buffer"},
    "adagrad": {"s": "sum"},
    "adam": {"m": "exp_avg", "v": "exp_avg_sq", "v_max": "max_exp_avg_sq"},
    "adamw": {"m": "exp_avg", "v": "exp_avg_sq", "v_max": "max_exp_avg_sq"},
}
Memory = Mapping[str, Mapping[str, Array]]


def numpy_code(network: Network, steps: int, memory: Memory | None) -> str:
    """The next step in NumPy: forward, backward and update written out.

    It prints the loss and every gradient, and leaves them in variables: `loss`, `gradient["W1"]`,
    `after["W1"]`. steps: steps taken before, with the optimizer's `memory` of them.
    """
    body = [*_numpy_forward(network), "", *_numpy_backward(network), ""]
    body += _numpy_update(network, steps, memory)
    text = "\n".join(body)
    helpers = [HELPERS[name] for name in HELPERS if f"{name}(" in text]
    imports = ["from math import erfc, pi", ""] if "pi" in text or "cdf(" in text else []
    head = ['"""One training step, worked out by hand with NumPy."""', "", *imports]
    head += ["import numpy as np", ""]
    given = [*_arrays(network, "np.array({})"), ""]
    shown = ['print("loss", loss)', "for name in gradient:"]
    shown.append("    print(name, gradient[name].tolist(), after[name].tolist())")
    spaced = [line for helper in helpers for line in ("", helper, "")]
    return "\n".join([*head, *spaced, *given, text, "", *shown]) + "\n"


def _arrays(network: Network, make: str) -> Iterator[str]:
    yield f"x = {make.format(network.inputs.tolist())}"
    yield f"y = {make.format(network.targets.tolist())}"
    for k, layer in enumerate(network.layers, 1):
        yield f"W{k} = {make.format(layer.weight.tolist())}"
        yield f"b{k} = {make.format(layer.bias.tolist())}"


def _numpy_forward(network: Network) -> Iterator[str]:
    yield "# forward"
    yield "a0 = x"
    for k, layer in enumerate(network.layers, 1):
        yield f"z{k} = a{k - 1} @ W{k}.T + b{k}"
        value = "softmax(z)" if layer.activation.name == "softmax" else _numpy(layer)[0]
        yield f"z = z{k}"
        yield f"a{k} = a = {value}"
    yield f"loss = float(np.sum({_numpy_loss(network)[0]}) / {_divisor(network)})"


def _divisor(network: Network) -> int:
    return network.loss.divisor(network.examples, network.sizes[-1])


def _numpy(layer: Layer) -> tuple[str, str]:
    options = layer.activation.parameters
    value, slope = NUMPY[layer.activation.name]
    return value.format(**options), slope.format(**options)


def _numpy_loss(network: Network) -> tuple[str, str]:
    value, slope = NUMPY_LOSS[network.loss.name]
    options = network.loss.parameters
    return value.format(**options), slope.format(**options)


def _numpy_backward(network: Network) -> Iterator[str]:
    count = len(network.layers)
    yield "# backward: grad_a is ∂C/∂a, delta is ∂C/∂z"
    yield "gradient = {}"
    yield f"grad_a = ({_numpy_loss(network)[1]}) / {_divisor(network)}"
    for k in range(count, 0, -1):
        layer = network.layers[k - 1]
        yield f"z, a = z{k}, a{k}"
        if layer.activation.name == "softmax":
            yield f"delta{k} = a * (grad_a - np.sum(grad_a * a, 1, keepdims=True))"
        else:
            yield f"delta{k} = grad_a * ({_numpy(layer)[1]})"
        yield f'gradient["W{k}"] = delta{k}.T @ a{k - 1}'
        total = f"delta{k}.sum(0)" if not layer.shared_bias else f"np.array([delta{k}.sum()])"
        yield f'gradient["b{k}"] = {total}'
        if k > 1:
            yield f"grad_a = delta{k} @ W{k}"


def _numpy_update(network: Network, steps: int, memory: Memory | None) -> Iterator[str]:
    optimizer = network.optimizer
    lines = optimizer.lines(steps == 0)
    text = " ".join(formula for _, formula in lines)
    yield f"# update: {optimizer.name}"
    yield f"lr, t = {network.learning_rate!r}, {steps + 1}"
    for name, value in optimizer.constants().items():
        if name in text:
            yield f"{name} = {value!r}"
    yield f"before = {{{', '.join(_pairs(network))}}}"
    yield f"train = {{{', '.join(_masks(network))}}}"
    start = optimizer.start()
    if start:
        yield f"memory = {_memory_text(network, memory, 'np.array({})')}"
    yield "after = {}"
    yield "for name, g in gradient.items():"
    if "theta" in text:
        yield "    theta = before[name]"
    for name, value in start.items():
        held = f'memory[name]["{name}"]' if memory else repr(value)
        if f"{name}_before" in text:
            yield f"    {name}_before = {held}"
    for symbol, formula in lines:
        yield f"    {symbol} = {formula.replace('maximum(', 'np.maximum(')}"
    yield "    after[name] = before[name] + np.where(train[name], change, 0)"


def _pairs(network: Network) -> Iterator[str]:
    for k in range(1, len(network.layers) + 1):
        yield f'"W{k}": W{k}'
        yield f'"b{k}": b{k}'


def _masks(network: Network) -> Iterator[str]:
    for k, layer in enumerate(network.layers, 1):
        for letter, mask in (("W", layer.weight_mask), ("b", layer.bias_mask)):
            whole = bool(mask.all()) or not mask.any()
            yield f'"{letter}{k}": {bool(mask.all()) if whole else mask.tolist()}'


def _memory_text(network: Network, memory: Memory | None, make: str) -> str:
    """The kept state by the program's names: weight1 is W1, bias1 is b1."""
    if not memory:
        return "{}"
    parts = []
    for name, kept in memory.items():
        short = name.replace("weight", "W").replace("bias", "b")
        inside = ", ".join(f'"{k}": {make.format(v.tolist())}' for k, v in kept.items())
        parts.append(f'"{short}": {{{inside}}}')
    return "{" + ", ".join(parts) + "}"


def torch_code(network: Network, steps: int, memory: Memory | None) -> str:
    """The next step in PyTorch, with autograd and torch.optim; the same variables as in NumPy."""
    names = [n for k in range(1, len(network.layers) + 1) for n in (f"W{k}", f"b{k}")]
    lines = ['"""One training step with PyTorch."""', "", "import torch", ""]
    body = list(_torch_body(network, steps, memory, names))
    if any("F." in line for line in body):
        lines.insert(3, "import torch.nn.functional as F")
    return "\n".join([*lines, *body]) + "\n"


def _torch_body(
    network: Network, steps: int, memory: Memory | None, names: list[str]
) -> Iterator[str]:
    yield "torch.set_default_dtype(torch.float64)"
    yield from _arrays(network, "torch.tensor({}, dtype=torch.float64)")
    yield f"parameters = {{{', '.join(_pairs(network))}}}"
    yield "for p in parameters.values():"
    yield "    p.requires_grad_()"
    yield ""
    yield "a = x"
    for k, layer in enumerate(network.layers, 1):
        yield f"z = a @ W{k}.T + b{k}"
        yield f"a = {TORCH[layer.activation.name].format(**layer.activation.parameters)}"
    value = TORCH_LOSS[network.loss.name].format(**network.loss.parameters)
    yield f"C = ({value}).sum() / {_divisor(network)}"
    yield "C.backward()"
    yield "loss = C.item()"
    yield "gradient = {name: p.grad.clone() for name, p in parameters.items()}"
    yield ""
    yield from _torch_update(network, steps, memory)
    yield 'print("loss", loss)'
    yield "for name in gradient:"
    yield "    print(name, gradient[name].tolist(), after[name].tolist())"


def _torch_update(network: Network, steps: int, memory: Memory | None) -> Iterator[str]:
    optimizer = network.optimizer
    options = "".join(f", {k}={v!r}" for k, v in optimizer.options.items())
    make = f"torch.optim.{OPTIMIZERS[optimizer.name]}"
    yield f"optimizer = {make}(parameters.values(), lr={network.learning_rate!r}{options})"
    if memory:
        named = TORCH_STATE[optimizer.name]
        told = {n: {named[k]: v for k, v in kept.items()} for n, kept in memory.items()}
        tensor = "torch.tensor({}, dtype=torch.float64)"
        yield f"memory = {_memory_text(network, told, tensor)}"
        yield "for name, p in parameters.items():"
        step = "" if optimizer.name == "sgd" else f', "step": torch.tensor({float(steps)})'
        yield f"    optimizer.state[p] = {{**memory[name]{step}}}"
    yield "before = {name: p.detach().clone() for name, p in parameters.items()}"
    yield "optimizer.step()"
    yield f"train = {{{', '.join(_masks(network))}}}"
    yield "after = {"
    yield "    name: torch.where(torch.tensor(train[name]), p.detach(), before[name])"
    yield "    for name, p in parameters.items()"
    yield "}"
