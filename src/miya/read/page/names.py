"""What a page's names stand for: z_1, net_{h1}, ∂E/∂w_5, W2[0][1] as quantities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ...core.written import Binary, Call, Chain, Name, Negative, Quantity, Ref, Transposed, Tree
from .naming import (
    FAMILIES,
    GRADIENTS,
    HIDDEN,
    LAST,
    NEW,
    OUTPUTS,
    atoms,
    edge,
    key,
    parts,
    upper,
    without_zero,
)


@dataclass
class Style:
    """How a page names things. sizes: neurons of each layer, the input first."""

    sizes: tuple[int, ...] = ()
    layer_ids: dict[str, int] = field(default_factory=dict)
    weights: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    biases: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    low_is_layer: bool = True
    h_is_layer: bool = True  # h_1 is hidden layer 1, and no neuron
    low_from_0: bool = False
    index_from_1: bool = False
    input_layer: int = 0  # the number that the page gives to the input
    in_out: bool = False  # matrices are (in, out)
    from_to: bool = False  # w_ij leads from i to j
    y_is_output: bool = False
    bias_zero: int | None = None  # which number of w_{j0} is 0 where that is the bias
    nodes: dict[int, tuple[int, int]] = field(default_factory=dict)  # neurons numbered through

    @property
    def layers(self) -> int:
        return len(self.sizes) - 1


class Binder:
    def __init__(self, style: Style) -> None:
        self.style = style

    def family(self, name: Name) -> str | None:
        if name.base in ("y", "Y") and self.style.y_is_output:
            return "a"
        if name.base.startswith("hat "):
            return None
        return FAMILIES.get(name.base)

    def tree(self, tree: Tree) -> Quantity | None:
        """The quantity that a side names; None where it names none."""
        match tree:
            case Ref():
                return self.ref(tree)
            case Call(function, Ref() as of) if function.endswith("'"):
                inner = self.ref(of)
                return inner and Quantity("σ'", inner.layer, inner.index)
            case Call(function, Binary() as of) if function.startswith("["):
                whole, start = self.tree(of), 0 if self.style.low_from_0 else 1
                index = (int(function[1:-1]) - start,)
                return whole and Quantity(whole.head, whole.layer, index)
            case Transposed(of):
                return self.tree(of)
            case Binary("@" | "*" | "⊙", Transposed(Ref() as left), Ref() as right):
                a, b = self.ref(left), self.ref(right)
                return self.back(a, b)
        return None

    def back(self, a: Quantity | None, b: Quantity | None) -> Quantity | None:
        """Wᵀ δ is the gradient at the activation before."""
        if a is None or b is None or (a.head, b.head) != ("W", "δ") or a.layer != b.layer:
            return None
        if a.index or b.index or a.layer is None or a.layer < 2:
            return None
        return Quantity("∂C/∂a", a.layer - 1)

    def ref(self, ref: Ref) -> Quantity | None:
        if ref.wrt is not None:
            return self.derivative(ref.name, ref.wrt)
        name = ref.name
        if name.base.startswith("state "):
            return self.state(name)
        if name.base.startswith("grad "):
            inner = self.ref(Ref(Name(name.base[5:], name.low, name.up, name.index)))
            head = inner and GRADIENTS.get(inner.head)
            return Quantity(head, inner.layer, inner.index) if inner and head else None
        family = self.family(name)
        output = self.output_of(name)
        if output is not None:
            return Quantity("l", None, (output,))
        if family in ("C", "η"):
            _, _, marks = parts(name)
            return Quantity("C_new" if marks & NEW else family) if family else None
        if family in ("W", "ΔW"):
            return self.weight(name, family)
        if family in ("b", "Δb"):
            return self.bias(name, family)
        if family == "x":
            return self.input(name)
        if family == "y":
            found = self.neuron(name, self.style.layers)
            return Quantity("y", None, found[1]) if found else None
        if family in ("z", "a", "δ") or (family == "σ" and name.prime):
            found = self.neuron(name)
            if found is None:
                return None
            if found[0] == 0:
                return Quantity("x", None, found[1]) if family == "a" else None
            return Quantity("σ'" if family == "σ" else family or "", *found)
        return None

    def state(self, name: Name) -> Quantity | None:
        """The optimizer's number of a parameter (states.py): "state m_hat w" with its index."""
        _, state, base = name.base.split(" ")
        inner = None if base == "*" else self.ref(Ref(Name(base, name.low, name.up, name.index)))
        if inner is None or inner.head not in ("W", "b"):
            return None
        return Quantity(f"{state}_{inner.head}", inner.layer, inner.index)

    def derivative(self, top: Name, bottom: Name) -> Quantity | None:
        above = self.family(top)
        inner = self.ref(Ref(bottom))
        if inner is None or above is None:
            return None
        output = self.output_of(top)
        if output is not None:
            return self.share(inner, output)
        if above == "C":
            head = GRADIENTS.get(inner.head)
            return Quantity(head, inner.layer, inner.index) if head else None
        outer = self.ref(Ref(top))
        slope = Quantity("a", inner.layer, inner.index)
        is_slope = inner.head == "z" and outer == slope
        return Quantity("σ'", inner.layer, inner.index) if is_slope else None

    def output_of(self, name: Name) -> int | None:
        """The output whose own loss a name is, in a network of several: E_{o1}."""
        words, numbers, _ = parts(name)
        one = self.family(name) == "C" and len(words) == len(numbers) == 1 and words[0] in LAST
        if not one or not self.style.sizes or not 1 <= numbers[0] <= self.style.sizes[-1] > 1:
            return None
        return numbers[0] - 1

    def share(self, inner: Quantity, output: int) -> Quantity | None:
        """The gradient of one output's loss, where it is that of the whole or a share of it."""
        layers = self.style.layers
        if inner.layer == layers and inner.index[:1] == (output,):
            head = GRADIENTS.get(inner.head)
            return Quantity(head, inner.layer, inner.index) if head else None
        if (inner.head, inner.layer) == ("a", layers - 1) and len(inner.index) == 1:
            return Quantity("∂Cₒ/∂a", inner.layer, (*inner.index, output))
        return None

    def input(self, name: Name) -> Quantity | None:
        _, numbers, _ = parts(name)
        if name.base == "i" and not numbers:
            return None
        index = self.indices(numbers[-1:], name)
        return Quantity("x", None, index) if index is not None else None

    def neuron(self, name: Name, layer: int | None = None) -> tuple[int, tuple[int, ...]] | None:
        """(layer, index) of z, a, δ: layer 0 is the input."""
        words, numbers, _ = parts(name)
        style, above = self.style, upper(name)
        if len(numbers) == 1 and not (words or name.index) and above is None:
            node = style.nodes.get(numbers[0])
            if node is not None and layer in (None, node[0]):
                return node[0], (node[1],)
        if words and words[0] in ("i", "x", "in", "input"):
            return 0, self.indices(numbers, name) or ()
        if layer is None and above is not None:
            layer = above - style.input_layer
        tagged = bool(words) and words[0] in HIDDEN | {"j"} and name.base in OUTPUTS
        bare = name.base == "out" and not (words or numbers or name.index)
        last = (name.base in OUTPUTS and not tagged) or bare
        if layer is None and (last or (words and words[0] in LAST)):
            layer = style.layers
        if name.base in ("y", "Y", "t", "T"):
            layer = style.layers
        hidden = (words and words[0] in HIDDEN) or name.base in ("h", "H")
        if layer is None and hidden:
            if style.layers == 2 and not (
                style.h_is_layer and name.base in "hH" and numbers == [1]
            ):
                layer = 1
            elif style.layers != 2 and len(numbers) == 2:
                layer, numbers = numbers[0], numbers[1:]
        if layer is None and len(numbers) == 1 and numbers[0] in style.nodes and not name.index:
            layer, place = style.nodes[numbers[0]]
            return layer, (place,)
        if layer is None:
            layer, numbers = self.layer_of(numbers, name)
        if layer is None or not 0 <= layer <= style.layers:
            return None
        index = self.indices(numbers, name)
        if index is None or (index and not 0 <= index[-1] < style.sizes[layer]):
            return None
        return layer, index

    def layer_of(self, numbers: list[int], name: Name) -> tuple[int | None, list[int]]:
        style = self.style
        if not numbers:
            return (1, []) if style.layers == 1 else (None, [])
        if len(numbers) == 1 and numbers[0] >= 10 and not name.index:
            numbers = [int(c) for c in str(numbers[0])]
        if len(numbers) == 2:
            return numbers[0] - style.input_layer, numbers[1:]
        if style.low_is_layer or name.index:
            return numbers[0] - style.input_layer, []
        flat = numbers[0] - (0 if style.low_from_0 else 1)
        for layer in range(1, style.layers + 1):
            if flat < style.sizes[layer]:
                return layer, [flat + (0 if style.low_from_0 else 1)]
            flat -= style.sizes[layer]
        return None, []

    def indices(self, numbers: list[int], name: Name) -> tuple[int, ...] | None:
        """0-based indices from what stands below and in brackets; None for a wrong one."""
        start = 0 if self.style.low_from_0 else 1
        found = [n - start for n in numbers]
        found += [n - (1 if self.style.index_from_1 else 0) for n in name.index]
        return tuple(found) if all(n >= 0 for n in found) else None

    def weight(self, name: Name, head: str) -> Quantity | None:
        if self.style.bias_zero is not None:
            short = without_zero(name, self.style.bias_zero)
            if short is not None:
                return self.bias(short, head.replace("W", "b"))
        words, numbers, marks = parts(name)
        mark = "W_new" if marks & NEW and head == "W" else head
        flat = self.style.weights.get(key(name))
        if flat and not name.index:
            return Quantity(mark, flat[0], flat[1:])
        pair = edge(atoms(name), self.style.layers)
        if pair is not None and not name.index:
            at, row, column = pair
            fits = 1 <= at < len(self.style.sizes) and row < self.style.sizes[at]
            fits = fits and column < self.style.sizes[at - 1]
            return Quantity(mark, at, (row, column)) if fits else None
        layer, rest = self.parameter_layer(name, words, numbers)
        if layer is None or not 1 <= layer <= self.style.layers:
            return None
        if len(rest) == 1 and rest[0] >= 10:
            rest = [int(c) for c in str(rest[0])]
        index = self.indices(rest, name)
        rows, columns = self.style.sizes[layer], self.style.sizes[layer - 1]
        if index is None or len(index) > 2:
            return None
        if len(index) == 1:
            index = (0, index[0]) if rows == 1 else (index[0], 0) if columns == 1 else None
            if index is None:
                return None
        elif index and (self.style.from_to if rest else self.style.in_out):
            index = (index[1], index[0])
        if index and not (index[0] < rows and index[1] < columns):
            return None
        return Quantity(mark, layer, index)

    def parameter_layer(
        self, name: Name, words: list[str], numbers: list[int]
    ) -> tuple[int | None, list[int]]:
        style, above = self.style, upper(name)
        if above is not None:
            return style.layer_ids.get(str(above), above), numbers
        identity = "".join(words) if words else ""
        for candidate in (f"{name.base}:{identity}", identity):
            if candidate in style.layer_ids and (identity or f"{name.base}:" in style.layer_ids):
                return style.layer_ids[candidate], numbers
        if words and words[0] in HIDDEN and style.layers == 2:
            return 1, numbers
        if words and words[0] in LAST:
            return style.layers, numbers
        if numbers and style.layers == 1 and str(numbers[0]) in style.layer_ids:
            return style.layer_ids[str(numbers[0])], numbers[1:]
        if style.layers == 1:
            return 1, numbers if len(numbers) != 1 or (
                name.index == () and style.sizes[0] > 1
            ) else []
        if numbers and numbers[0] >= 100:
            numbers = [int(c) for c in str(numbers[0])]
        if numbers and len(numbers) in (1, 2, 3):
            first = numbers[0]
            return style.layer_ids.get(str(first), first), numbers[1:]
        return None, []

    def bias(self, name: Name, head: str) -> Quantity | None:
        words, numbers, marks = parts(name)
        mark = "b_new" if marks & NEW and head == "b" else head
        flat = self.style.biases.get(key(name))
        if flat and not name.index and upper(name) is None:
            layer, place = flat
            return Quantity(mark, layer, () if place is None else (place,))
        if len(numbers) == 1 and numbers[0] >= 10 and upper(name) is None and not words:
            numbers = [int(c) for c in str(numbers[0])]
        layer_found, rest = self.parameter_layer(name, words, numbers)
        if layer_found is None or not 1 <= layer_found <= self.style.layers:
            return None
        index = self.indices(rest, name)
        if index is None or len(index) > 1 or (index and index[0] >= self.style.sizes[layer_found]):
            return None
        return Quantity(mark, layer_found, index)

    def bound(self, tree: Tree) -> Tree:
        """`tree` with each name knowing its quantity."""
        match tree:
            case Ref():
                return replace(tree, of=self.ref(tree))
            case Call(function, Ref()) if function.endswith("'"):
                return Ref(Name("σ'"), None, self.tree(tree))
            case Binary(sign, left, right):
                return Binary(sign, self.bound(left), self.bound(right))
            case Negative(of):
                return Negative(self.bound(of))
            case Transposed(of):
                return Transposed(self.bound(of))
            case Call(function, of):
                return Call(function, self.bound(of))
        return tree


def subjects(chains: Iterable[Chain]) -> list[tuple[Ref, Chain]]:
    """Each chain that starts with a name, and that name."""
    found = []
    for chain in chains:
        side = chain.sides[0]
        if isinstance(side, Transposed):
            side = side.of
        if isinstance(side, Ref):
            found.append((side, chain))
    return found
