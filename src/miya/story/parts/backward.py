"""Steps 2 to 4: the gradient at the output, of its weights and bias, then every earlier layer."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.trace import LayerTrace
from .. import remarks
from ..blocks import Block, Calculation, Formula, Heading
from ..expression import Binary, Expression, Number, bind, parse, product, total
from ..quantity import Symbol
from ..symbols import latex_formula
from ..teller import Names, Teller
from .forward import activation_names, loss_case, loss_names, softmax_tree


def output_delta(t: Teller) -> Iterator[Block]:
    """Step 2: ∂C/∂a, σ'(z) and δ of the output layer."""
    layer, loss = t.layers[-1], t.trace.network.loss
    k = layer.number
    yield Heading(t.text("backward", "output_heading"))
    divisor = loss.divisor(*layer.a.shape)
    below = "" if divisor == 1 else f" / {divisor}"
    tex = latex_formula(loss.kind.gradient_formula)
    tex = tex if divisor == 1 else rf"\frac{{1}}{{{divisor}}}\left({tex}\right)"
    yield t.say("backward", "grad_a", name=loss.name, number=k)
    gradient = loss.kind.gradient_formula
    gradient = f"({gradient})" if below else gradient
    yield Formula(
        f"∂C/∂a{k} = {gradient}{below}", rf"\frac{{\partial C}}{{\partial a_{{{k}}}}} = {tex}"
    )
    picks = t.picks(layer)
    yield from t.calculations(picks, lambda n, i: _loss_gradient(t, layer, n, i, divisor))
    if loss.name == "absolute_error":
        for n, i in picks:
            if layer.a[n, i] == t.trace.network.targets[n, i]:
                yield t.say("backward", "loss_kink", neuron=layer.layer.neurons[i])
    yield from _delta(t, layer, picks)


def _loss_gradient(
    t: Teller, layer: LayerTrace, n: int, i: int, divisor: int
) -> Iterator[Calculation]:
    network = t.trace.network
    names = loss_names(t, n, i)
    if "p" in names:
        yield from _probability(t, n, i)
    if network.loss.name == "cross_entropy":
        weight = float(network.targets[n].sum())
        formula, names = ("p - y", names) if weight == 1 else ("p * s - y", {**names, "s": weight})
    else:
        formula = loss_case(t, n, i).gradient
    tree = bind(parse(formula), names)
    if divisor != 1:
        tree = Binary("/", tree, Number(float(divisor)))
    symbol = t.symbol("∂C/∂a", layer.number, n, i)
    yield t.calculation("grad_a", symbol, tree, layer.grad_a[n, i])


def _probability(t: Teller, n: int, i: int) -> Iterator[Calculation]:
    root, loss = t.trace.root, t.trace.network.loss
    logits, p = root.operands[0].value, float(root.saved["p"][n, i])
    tree: Expression
    if loss.name == "cross_entropy":
        tree = softmax_tree(t, t.row(logits, "a", len(t.layers), n), i)
    else:
        names = loss_names(t, n, i)
        tree = bind(parse(dict(loss_case(t, n, i).value)["p"]), names)
    yield t.calculation("intermediate", t.symbol("p", None, n, i), tree, p)


def _delta(t: Teller, layer: LayerTrace, picks: list[tuple[int, int]]) -> Iterator[Block]:
    k, kind = layer.number, layer.layer.activation.kind
    if kind.slope is None:
        yield t.say("backward", "softmax", number=k)
        yield Formula(
            f"m = Σ ∂C/∂a{k} * a{k},  δ{k} = a{k} * (∂C/∂a{k} - m)",
            rf"m = \sum_j \frac{{\partial C}}{{\partial a_{{{k}}}[j]}}\, a_{{{k}}}[j], \qquad "
            rf"\delta_{{{k}}} = a_{{{k}}} \odot "
            rf"\left(\frac{{\partial C}}{{\partial a_{{{k}}}}} - m\right)",
        )
        yield from t.calculations(picks, lambda n, i: _softmax_delta(t, layer, n, i, picks))
    else:
        yield t.say("backward", "slope", number=k, name=kind.name)
        formula = kind.slope_formula
        yield Formula(f"σ'(z{k}) = {formula}", rf"\sigma'(z_{{{k}}}) = {latex_formula(formula)}")
        yield from t.calculations(picks, lambda n, i: _slope(t, layer, n, i))
        yield from _on_kink(t, layer, picks)
        yield t.say("backward", "delta", number=k)
        yield Formula(
            f"δ{k} = ∂C/∂a{k} ⊙ σ'(z{k})",
            rf"\delta_{{{k}}} = \frac{{\partial C}}{{\partial a_{{{k}}}}} \odot \sigma'(z_{{{k}}})",
        )
        yield from t.calculations(picks, lambda n, i: _one_delta(t, layer, n, i))
    yield from t.left_out(layer.delta, len(picks), t.words["general"]["neurons"])
    yield from remarks.on_deltas(t, layer)


def _on_kink(t: Teller, layer: LayerTrace, picks: list[tuple[int, int]]) -> Iterator[Block]:
    kind, slope = layer.layer.activation.kind, layer.slope
    assert slope is not None
    for n, i in picks:
        if kind.kinked and layer.z[n, i] == 0 and slope[n, i] != 1:
            neuron = layer.layer.neurons[i]
            yield t.say("backward", "kink", neuron=neuron, slope=t.number(slope[n, i]))


def _slope(t: Teller, layer: LayerTrace, n: int, i: int) -> Iterator[Calculation]:
    assert layer.slope is not None
    names = activation_names(t, layer, n, i)
    for _, formula in layer.layer.activation.case(float(layer.z[n, i])).slope:
        symbol = t.symbol("σ'", layer.number, n, i)
        yield t.formula("slope", symbol, formula, names, layer.slope[n, i])


def _one_delta(t: Teller, layer: LayerTrace, n: int, i: int) -> Iterator[Calculation]:
    assert layer.slope is not None
    k = layer.number
    factors = (t.value(layer.grad_a, "∂C/∂a", k, n, i), t.value(layer.slope, "σ'", k, n, i))
    tree = product(factors)
    symbol = t.symbol("δ", layer.number, n, i)
    yield t.calculation("delta", symbol, tree, layer.delta[n, i])


def _softmax_delta(
    t: Teller, layer: LayerTrace, n: int, i: int, picks: list[tuple[int, int]]
) -> Iterator[Calculation]:
    k = layer.number
    mean = Number(float(layer.activation.saved["mean"][n, 0]), t.symbol("m", k, n))
    grad_a, a = t.row(layer.grad_a, "∂C/∂a", k, n), t.row(layer.a, "a", k, n)
    if i == next(j for m, j in picks if m == n):
        pairs = list(zip(grad_a, a, strict=True))
        told, rest = t.largest(pairs, lambda p: p[0].value * p[1].value)
        tree = total([*(product(p) for p in told), *rest])
        yield t.calculation("intermediate", t.symbol("m", k, n), tree, mean.value)
    names: Names = {"a": a[i], "g": grad_a[i], "m": mean}
    symbol = t.symbol("δ", k, n, i)
    yield t.formula("delta", symbol, "a * (g - m)", names, layer.delta[n, i])


def output_parameters(t: Teller) -> Iterator[Block]:
    """Step 3: gradients of the output layer's weights and bias."""
    yield Heading(t.text("backward", "parameters_heading"))
    yield from parameter_gradients(t, t.layers[-1])


def parameter_gradients(t: Teller, layer: LayerTrace) -> Iterator[Block]:
    k = layer.number
    before = "x" if k == 1 else f"a{k - 1}"
    tex = "x" if k == 1 else f"a_{{{k - 1}}}"
    yield t.say("backward", "weights", number=k)
    yield Formula(
        f"∂C/∂W{k} = δ{k} @ {before}ᵀ",
        rf"\frac{{\partial C}}{{\partial W_{{{k}}}}} = \delta_{{{k}}} {tex}^{{\top}}",
    )
    told = t.top(layer.weight.gradient)
    yield from t.calculations(told, lambda i, j: _weight(t, layer, i, j))
    yield from t.left_out(layer.weight.gradient, len(told), t.words["general"]["weights"])
    if k == len(t.layers):
        yield from remarks.on_pressure(t, layer)
    key = "bias_batch" if t.trace.network.batch else "bias"
    yield t.say("backward", "shared_bias" if layer.layer.shared_bias else key, number=k)
    yield Formula(
        f"∂C/∂b{k} = Σ δ{k}", rf"\frac{{\partial C}}{{\partial b_{{{k}}}}} = \sum \delta_{{{k}}}"
    )
    told = t.top(layer.bias.gradient)
    yield from t.calculations(told, lambda i: _bias(t, layer, i))
    yield from t.left_out(layer.bias.gradient, len(told), t.words["general"]["biases"])


def _weight(t: Teller, layer: LayerTrace, i: int, j: int) -> Iterator[Calculation]:
    symbol = Symbol("∂C/∂W", layer.number, (i, j))
    tree = t.sum_of(layer, layer.weight_terms((i, j)))
    yield t.calculation("weight_gradient", symbol, tree, layer.weight.gradient[i, j])


def _bias(t: Teller, layer: LayerTrace, i: int) -> Iterator[Calculation]:
    symbol = Symbol("∂C/∂b", layer.number, (i,))
    tree = t.sum_of(layer, layer.bias_terms((i,)))
    yield t.calculation("bias_gradient", symbol, tree, layer.bias.gradient[i])


def earlier_layers(t: Teller) -> Iterator[Block]:
    """Step 4: what flows back into every earlier layer, path by path."""
    if len(t.layers) == 1:
        return
    yield Heading(t.text("backward", "earlier_heading"))
    for layer in reversed(t.layers[:-1]):
        yield from layer_backward(t, layer)


def layer_backward(t: Teller, layer: LayerTrace) -> Iterator[Block]:
    k, later = layer.number, t.layers[layer.number]
    yield Heading(t.text("backward", "layer", number=k, name=layer.name), 3)
    count = later.layer.outputs
    key = "path" if count == 1 else "paths"
    yield t.say("backward", key, number=k, later=k + 1, count=count)
    yield Formula(
        f"∂C/∂a{k} = W{k + 1}ᵀ @ δ{k + 1}",
        rf"\frac{{\partial C}}{{\partial a_{{{k}}}}} = W_{{{k + 1}}}^{{\top}} \delta_{{{k + 1}}}",
    )
    picks = t.picks(layer)
    yield from t.calculations(picks, lambda n, i: _paths(t, layer, later, n, i))
    yield from _delta(t, layer, picks)
    yield from parameter_gradients(t, layer)


def _paths(
    t: Teller, layer: LayerTrace, later: LayerTrace, n: int, j: int
) -> Iterator[Calculation]:
    symbol = t.symbol("∂C/∂a", layer.number, n, j)
    tree = t.sum_of(later, later.path_terms((n, j)))
    yield t.calculation("paths", symbol, tree, layer.grad_a[n, j])
