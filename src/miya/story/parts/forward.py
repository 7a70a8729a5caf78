"""Step 1: the forward pass, every pre-activation term by term, then the loss."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ...core.losses import Loss, LossCase
from ...core.trace import LayerTrace
from .. import remarks
from ..blocks import Block, Calculation, Calculations, Formula, Heading, Symbol
from ..expression import Binary, Call, Expression, Number, total
from ..symbols import latex_formula
from ..teller import MOST_TERMS, TOP, Names, Teller

SHIFT_ABOVE = 50.0  # exp of larger logits is written relative to the largest


def forward(t: Teller) -> Iterator[Block]:
    yield Heading(t.text("forward", "heading"))
    for layer in t.layers:
        yield from layer_forward(t, layer)
    yield from loss_forward(t)
    yield from remarks.on_loss(t)


def layer_forward(t: Teller, layer: LayerTrace) -> Iterator[Block]:
    k = layer.number
    before = "x" if k == 1 else f"a{k - 1}"
    tex_before = "x" if k == 1 else f"a_{{{k - 1}}}"
    yield Heading(t.text("forward", "layer", number=k, name=layer.name), 3)
    yield Formula(
        f"z{k} = W{k} @ {before} + b{k}", f"z_{{{k}}} = W_{{{k}}} {tex_before} + b_{{{k}}}"
    )
    picks = t.picks(layer)
    yield from t.calculations(picks, lambda n, i: _pre_activation(t, layer, n, i))
    kind = layer.layer.activation.kind
    yield t.say("forward", "activation", number=k, name=kind.name)
    yield Formula(f"a{k} = {kind.formula}", f"a_{{{k}}} = {latex_formula(kind.formula)}")
    yield from t.calculations(picks, lambda n, i: activation_lines(t, layer, n, i))
    yield from t.left_out(layer.z, len(picks), t.words["general"]["neurons"])
    yield from remarks.on_activations(t, layer)


def _pre_activation(t: Teller, layer: LayerTrace, n: int, i: int) -> Iterator[Calculation]:
    symbol = t.symbol("z", layer.number, n, i)
    tree = t.sum_of(layer.z_terms((n, i)))
    yield t.calculation("pre_activation", symbol, tree, layer.z[n, i])


def activation_names(layer: LayerTrace, n: int, i: int) -> dict[str, Expression | float]:
    """Everything a printed line of this neuron's activation may name."""
    use = layer.layer.activation
    saved = {
        name: float(v[n, i])
        for name, v in layer.activation.saved.items()
        if v.shape == layer.z.shape
    }
    return {
        **use.kind.constants,
        **use.parameters,
        **saved,
        "z": float(layer.z[n, i]),
        "a": float(layer.a[n, i]),
    }


def activation_lines(t: Teller, layer: LayerTrace, n: int, i: int) -> Iterator[Calculation]:
    use, k = layer.layer.activation, layer.number
    if use.kind.slope is None:
        symbol = t.symbol("a", k, n, i)
        tree = softmax_tree([float(v) for v in layer.z[n]], i)
        yield t.calculation("activation", symbol, tree, layer.a[n, i])
        return
    names = activation_names(layer, n, i)
    for head, formula in use.case(float(layer.z[n, i])).value:
        result = names[head]
        assert isinstance(result, float)
        kind = "activation" if head == "a" else "intermediate"
        yield t.formula(kind, t.symbol(head, k, n, i), formula, names, result)


def softmax_tree(z: list[float], i: int) -> Expression:
    """exp(z_i) / Σ exp(z_j), shifted by the largest where exp would overflow."""
    return Binary("/", _exp(z[i], _shift(z)), _exp_sum(z))


def _shift(z: list[float]) -> float:
    return max(z) if max(map(abs, z)) > SHIFT_ABOVE else 0.0


def _exp(z: float, shift: float) -> Expression:
    return Call("exp", Binary("-", Number(z), Number(shift)) if shift else Number(z))


def _exp_sum(z: list[float]) -> Expression:
    shift = _shift(z)
    if len(z) <= MOST_TERMS:
        return total(_exp(v, shift) for v in z)
    ordered = sorted(z, reverse=True)
    rest = math.fsum(math.exp(v - shift) for v in ordered[TOP:])
    return total([*(_exp(v, shift) for v in ordered[:TOP]), Number(rest)])


def log_sum_tree(z: list[float]) -> Expression:
    shift = _shift(z)
    inside = Call("log", _exp_sum(z))
    return Binary("+", Number(shift), inside) if shift else inside


def loss_forward(t: Teller) -> Iterator[Block]:
    network, root = t.trace.network, t.trace.root
    yield Heading(t.text("forward", "loss_heading"), 3)
    n_examples, n_outputs = network.targets.shape
    divisor = network.loss.divisor(n_examples, n_outputs)
    elements, each = root.saved["elements"], root.saved["each"]
    alone = elements.size == 1 and divisor == 1
    picks = t.top(elements)
    items: list[Calculation] = []
    for n, i in picks:
        items += element_lines(t, n, i, alone)
    if n_outputs > 1:
        for (n,) in t.top(each):
            if network.loss.name == "cross_entropy" and (network.targets[n] != 0).sum() == 1:
                continue
            tree = _values(t, [float(v) for v in elements[n]])
            items.append(t.calculation("loss", t.symbol("C", None, n, mark="each"), tree, each[n]))
    if not alone:
        tree = _values(t, [float(v) for v in each])
        if divisor != 1:
            tree = Binary("/", tree, Number(float(divisor)))
        items.append(t.calculation("loss", Symbol("C"), tree, t.trace.loss))
    yield Calculations(tuple(items))
    yield from t.left_out(elements, len(picks), t.words["general"]["losses"])
    yield t.say("forward", "loss", loss=t.number(t.trace.loss))


def _values(t: Teller, values: list[float]) -> Expression:
    if len(values) <= MOST_TERMS:
        return total(Number(v) for v in values)
    ordered = sorted(values, key=abs, reverse=True)
    return total([*(Number(v) for v in ordered[:TOP]), Number(math.fsum(ordered[TOP:]))])


def loss_names(t: Teller, n: int, i: int) -> dict[str, Expression | float]:
    root = t.trace.root
    a, y = (float(o.value[n, i]) for o in root.operands)
    names: dict[str, Expression | float] = {**t.trace.network.loss.parameters, "a": a, "y": y}
    if "p" in root.saved:
        names["p"] = float(root.saved["p"][n, i])
    return names


def element_lines(t: Teller, n: int, i: int, alone: bool) -> Iterator[Calculation]:
    loss, root = t.trace.network.loss, t.trace.root
    if loss.name == "cross_entropy":
        yield from _cross_entropy_lines(t, n, i)
        return
    names = loss_names(t, n, i)
    value = float(root.saved["elements"][n, i])
    for head, formula in loss_case(loss, names).value:
        if head != "l":
            continue
        symbol = Symbol("C") if alone else t.symbol("l", None, n, i)
        yield t.formula("loss", symbol, formula, names, value)


def loss_case(loss: Loss, names: Names) -> LossCase:
    a, y = names["a"], names["y"]
    assert isinstance(a, float) and isinstance(y, float)
    return loss.case(a, y)


def _cross_entropy_lines(t: Teller, n: int, i: int) -> Iterator[Calculation]:
    """The log-sum once an example, then ℓ of each class that the target gives weight."""
    root = t.trace.root
    logits, targets = (o.value for o in root.operands)
    first = int((targets[n] != 0).argmax())
    if targets[n, i] == 0:
        return
    log_sum = float(root.saved["log_sum"][n, 0])
    if i == first:
        tree = log_sum_tree([float(v) for v in logits[n]])
        yield t.calculation("intermediate", t.symbol("L", None, n), tree, log_sum)
    names: Names = {"log_sum": log_sum, "a": float(logits[n, i]), "y": float(targets[n, i])}
    formula = "log_sum - a" if targets[n, i] == 1 else "y * (log_sum - a)"
    yield t.formula("loss", t.symbol("l", None, n, i), formula, names, root.saved["elements"][n, i])
