"""Setup: what is given."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.rounding import Array
from ...core.trace import LayerTrace
from .. import remarks
from ..blocks import Block, Formula, Heading, Matrix, Paragraph
from ..numbers import number
from ..quantity import Symbol
from ..symbols import latex_formula, plain_symbol
from ..teller import MOST_ELEMENTS, Teller

GIVEN_DIGITS = 10
MOST_EXAMPLES = 8
TALLEST = 16


def setup(t: Teller) -> Iterator[Block]:
    network = t.trace.network
    yield Heading(t.text("setup", "heading"))
    yield t.say("setup", "sizes", sizes=" → ".join(map(str, network.sizes)))
    if t.trace.number > 1:
        yield t.say("setup", "step_number", number=t.trace.number)
    yield from _examples(t)
    for layer in t.layers:
        yield from _layer(t, layer)
    yield from _loss(t)
    yield from _optimizer(t)
    key = "carry_exact" if t.trace.digits is None else "carry_rounded"
    yield t.say("setup", key, digits=t.digits)
    longest = max(network.examples, *(layer.layer.inputs + 1 for layer in t.layers))
    if longest > t.most_terms:
        yield t.say("setup", "long_sums", most=t.most_terms, top=t.top_count)
    yield from remarks.on_setup(t)


def _examples(t: Teller) -> Iterator[Block]:
    network = t.trace.network
    shown = min(network.examples, MOST_EXAMPLES, max(1, MOST_ELEMENTS // network.inputs.shape[1]))
    for n in range(shown):
        x, y = network.inputs[n], network.targets[n]
        if x.size > t.most_elements:
            yield t.say("setup", "large_input", size=x.size, example=n, target=_row(y))
            continue
        yield _vector(t, "x", n, x)
        yield _vector(t, "y", n, y)
    if network.examples > shown:
        yield t.say("setup", "more_examples", told=shown, all=network.examples)


def _vector(t: Teller, head: str, n: int, values: Array) -> Block:
    """A column; a long one is written along the line."""
    symbol = t.symbol(head, None, n)
    if values.size > TALLEST:
        row = ", ".join(map(_given, values))
        return Paragraph(f"{plain_symbol(symbol)} = [{row}]")
    return Matrix(symbol, tuple((_given(v),) for v in values))


def _layer(t: Teller, view: LayerTrace) -> Iterator[Block]:
    layer, k = view.layer, view.number
    yield Heading(t.text("setup", "layer", number=k, name=layer.name), 3)
    if layer.weight.size <= t.most_elements:
        yield Matrix(Symbol("W", k), tuple(tuple(_given(v) for v in row) for row in layer.weight))
    else:
        yield t.say("setup", "large_weight", number=k, rows=layer.outputs, columns=layer.inputs)
    if layer.bias.size <= t.most_elements:
        yield Matrix(Symbol("b", k), tuple((_given(v),) for v in layer.bias))
    if layer.shared_bias:
        yield t.say("setup", "shared_bias", value=_given(layer.bias[0]))
    yield from _frozen(t, layer.weight_mask, f"W{k}")
    yield from _frozen(t, layer.bias_mask, f"b{k}")
    kind = layer.activation.kind
    options = ", ".join(
        f"{n} = {number(v, GIVEN_DIGITS)}" for n, v in layer.activation.parameters.items()
    )
    yield t.say("setup", "activation", name=kind.name, options=f" ({options})" if options else "")
    yield Formula(f"σ(z) = {kind.formula}", rf"\sigma(z) = {latex_formula(kind.formula)}")


def _frozen(t: Teller, mask: Array, symbol: str) -> Iterator[Paragraph]:
    if not mask.any():
        yield t.say("setup", "frozen", symbol=symbol)
    elif not mask.all():
        count = int(mask.size - mask.sum())
        yield t.say("setup", "partly_frozen", symbol=symbol, count=count, all=mask.size)


def _loss(t: Teller) -> Iterator[Block]:
    network = t.trace.network
    use, kind = network.loss, network.loss.kind
    yield Heading(t.text("setup", "loss_heading"), 3)
    yield t.say(
        "setup",
        "loss",
        name=kind.name,
        outputs=t.words["setup"][use.outputs],
        examples=t.words["setup"][use.examples],
    )
    divisor = use.divisor(*network.targets.shape)
    plain, tex = f"ℓ = {kind.formula}", rf"\ell = {latex_formula(kind.formula)}"
    below = "" if divisor == 1 else f" / {divisor}"
    tex_below = r"\sum \ell" if divisor == 1 else rf"\frac{{1}}{{{divisor}}} \sum \ell"
    yield Formula(f"{plain},  C = Σ ℓ{below}", rf"{tex}, \qquad C = {tex_below}")


def _optimizer(t: Teller) -> Iterator[Block]:
    network = t.trace.network
    use = network.optimizer
    yield Heading(t.text("setup", "optimizer_heading"), 3)
    changed = [f"{k} = {v}" for k, v in use.options.items() if v != 0 and v is not False]
    yield t.say(
        "setup",
        "optimizer",
        name=use.name,
        rate=number(network.learning_rate, GIVEN_DIGITS),
        options=f" ({', '.join(changed)})" if changed else "",
    )
    for symbol, formula in use.lines(t.trace.number == 1):
        head = "Δθ" if symbol == "change" else symbol
        yield Formula(f"{head} = {formula}", f"{latex_formula(symbol)} = {latex_formula(formula)}")


def _given(value: float) -> str:
    return number(value, GIVEN_DIGITS)


def _row(values: Array) -> str:
    if values.size > 16:
        return f"{values.size}"
    return "[" + ", ".join(_given(v) for v in values) + "]"
