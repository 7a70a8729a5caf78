"""Step 1: the forward pass, every pre-activation term by term, then the loss."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ...core.losses import LossCase
from ...core.trace import LayerTrace
from .. import remarks
from ..blocks import Block, Calculation, Calculations, Formula, Heading, Paragraph
from ..expression import Binary, Call, Expression, Number, total
from ..quantity import Symbol
from ..symbols import latex_formula
from ..teller import Teller

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
    tree = t.sum_of(layer, layer.z_terms((n, i)))
    yield t.calculation("pre_activation", symbol, tree, layer.z[n, i])


def activation_names(t: Teller, layer: LayerTrace, n: int, i: int) -> dict[str, Expression | float]:
    """Everything a printed line of this neuron's activation may name."""
    use, saved = layer.layer.activation, layer.activation.saved
    values = {k: v for k, v in saved.items() if v.shape == layer.z.shape}
    return {
        **use.kind.constants,
        **use.parameters,
        **{
            name: t.value(array, name, layer.number, n, i)
            for name, array in {**values, "z": layer.z, "a": layer.a}.items()
        },
    }


def activation_lines(t: Teller, layer: LayerTrace, n: int, i: int) -> Iterator[Calculation]:
    use, k = layer.layer.activation, layer.number
    if use.kind.slope is None:
        symbol = t.symbol("a", k, n, i)
        tree = softmax_tree(t, t.row(layer.z, "z", k, n), i)
        yield t.calculation("activation", symbol, tree, layer.a[n, i])
        return
    names = activation_names(t, layer, n, i)
    for head, formula in use.case(float(layer.z[n, i])).value:
        result = names[head]
        assert isinstance(result, Number)
        kind = "activation" if head == "a" else "intermediate"
        yield t.formula(kind, t.symbol(head, k, n, i), formula, names, result.value)


def softmax_tree(t: Teller, z: list[Number], i: int) -> Expression:
    """exp(z_i) / Σ exp(z_j), shifted by the largest where exp would overflow."""
    return Binary("/", _exp(z[i], _shift(z)), _exp_sum(t, z))


def _shift(z: list[Number]) -> float:
    largest = max(n.value for n in z)
    return largest if max(abs(n.value) for n in z) > SHIFT_ABOVE else 0.0


def _exp(z: Number, shift: float) -> Expression:
    return Call("exp", Binary("-", z, Number(shift)) if shift else z)


def _exp_sum(t: Teller, z: list[Number]) -> Expression:
    shift = _shift(z)
    told, rest = t.largest(z, lambda v: math.exp(v.value - shift))
    return total([*(_exp(v, shift) for v in told), *rest])


def log_sum_tree(t: Teller, z: list[Number]) -> Expression:
    shift = _shift(z)
    inside = Call("log", _exp_sum(t, z))
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
            tree = _values(t, [t.value(elements, "l", None, n, i) for i in range(n_outputs)])
            items.append(t.calculation("loss", t.symbol("C", None, n, mark="each"), tree, each[n]))
    if not alone:
        tree = _values(t, _each(t, n_outputs))
        if divisor != 1:
            tree = Binary("/", tree, Number(float(divisor)))
        items.append(t.calculation("loss", Symbol("C"), tree, t.trace.loss))
    yield Calculations(tuple(items))
    yield from t.left_out(elements, len(picks), t.words["general"]["losses"])
    yield Paragraph(t.text("forward", "loss", loss=t.number(t.trace.loss)), tells=True)


def _each(t: Teller, outputs: int) -> list[Number]:
    """The loss of each example, by the name that a line gave it."""
    network, each = t.trace.network, t.trace.root.saved["each"]
    found = []
    for n, value in enumerate(each.tolist()):
        named = t.symbol("C", None, n, mark="each")
        if outputs == 1:
            named = t.symbol("l", None, n, 0)
        elif network.loss.name == "cross_entropy" and (network.targets[n] != 0).sum() == 1:
            named = t.symbol("l", None, n, int(network.targets[n].argmax()))
        found.append(Number(value, named))
    return found


def _values(t: Teller, values: list[Number]) -> Expression:
    told, rest = t.largest(values, lambda v: v.value)
    return total([*told, *rest])


def loss_names(t: Teller, n: int, i: int) -> dict[str, Expression | float]:
    root, last = t.trace.root, len(t.layers)
    a, y = (o.value for o in root.operands)
    names: dict[str, Expression | float] = {
        **t.trace.network.loss.parameters,
        "a": t.value(a, "a", last, n, i),
        "y": t.value(y, "y", None, n, i),
    }
    if "p" in root.saved:
        names["p"] = t.value(root.saved["p"], "p", None, n, i)
    return names


def element_lines(t: Teller, n: int, i: int, alone: bool) -> Iterator[Calculation]:
    loss, root = t.trace.network.loss, t.trace.root
    if loss.name == "cross_entropy":
        yield from _cross_entropy_lines(t, n, i)
        return
    names = loss_names(t, n, i)
    value = float(root.saved["elements"][n, i])
    for head, formula in loss_case(t, n, i).value:
        if head != "l":
            continue
        symbol = Symbol("C") if alone else t.symbol("l", None, n, i)
        yield t.formula("loss", symbol, formula, names, value)


def loss_case(t: Teller, n: int, i: int) -> LossCase:
    a, y = (float(o.value[n, i]) for o in t.trace.root.operands)
    return t.trace.network.loss.case(a, y)


def _cross_entropy_lines(t: Teller, n: int, i: int) -> Iterator[Calculation]:
    """The log-sum once an example, then ℓ of each class that the target gives weight."""
    root, last = t.trace.root, len(t.layers)
    logits, targets = (o.value for o in root.operands)
    first = int((targets[n] != 0).argmax())
    if targets[n, i] == 0:
        return
    log_sum = Number(float(root.saved["log_sum"][n, 0]), t.symbol("L", None, n))
    if i == first:
        tree = log_sum_tree(t, t.row(logits, "a", last, n))
        yield t.calculation("intermediate", t.symbol("L", None, n), tree, log_sum.value)
    names = {**loss_names(t, n, i), "log_sum": log_sum}
    formula = "log_sum - a" if targets[n, i] == 1 else "y * (log_sum - a)"
    yield t.formula("loss", t.symbol("l", None, n, i), formula, names, root.saved["elements"][n, i])
