"""What words and formulas say of the activation, the loss and the optimizer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from ...core.written import Binary, Call, Chain, Negative, Number, Ref, Tree

ACTIVATIONS = {
    "leaky relu": "leaky_relu", "leaky-relu": "leaky_relu", "softmax": "softmax",
    "logistic": "sigmoid", "sigmoid": "sigmoid", "sigma": "sigmoid", "tanh": "tanh",
    "hyperbolic tangent": "tanh", "relu": "relu", "rectified": "relu", "identity": "identity",
    "linear output": "identity", "linear": "identity", "no activation": "identity",
    "silu": "silu", "swish": "silu", "gelu": "gelu", "softplus": "softplus", "elu": "elu",
}  # fmt: skip
CALLED = {
    "tanh": "tanh", "relu": "relu", "softmax": "softmax", "max": "relu", "σ": "sigmoid",
    "sigmoid": "sigmoid",
}  # fmt: skip
NAMED = re.compile(
    r"leaky[ -]relu|softmax|logistic|sigmoid|tanh|hyperbolic tangent|relu|rectified|identity"
    r"|linear output|(?<!non)(?<!non-)linear|no activation|silu|swish|gelu|softplus",
    re.IGNORECASE,
)
SAID = re.compile(
    rf"(?P<name>{NAMED.pattern})|(?P<sigmoid>1\s*/\s*\(\s*1\s*\+|\\[dt]?frac\{{1\}}\{{\s*1\s*\+)"
    r"|\w\s*\(\s*(?P<of>[a-z])\s*\)\s*=\s*(?P=of)(?=\s*(?:\$|\\\)|$|[a-z]{2}))",
    re.IGNORECASE,
)
WHERE = {
    "hidden": re.compile(r"hidden", re.IGNORECASE),
    "output": re.compile(r"output|final layer|last layer", re.IGNORECASE),
}
BY_NUMBER = {  # in a network of two layers
    "hidden": re.compile(r"hidden|first layer|layer (?:1|one)\b", re.IGNORECASE),
    "output": re.compile(r"output|(?:final|last|second) layer|layer (?:2|two)\b", re.IGNORECASE),
}
OF_LAYER = re.compile(  # g^{[2]} = tanh, f_1 is the sigmoid
    r"(?:\b[fgh]|σ|φ|\\sigma|\\phi|\\varphi)\s*[\^_]\s*\{?\s*[\[(]?\s*(?P<layer>\d)\s*[\])]?\s*\}?"
    r"(?:\([^()]{0,12}\))?[\s$]*(?:=|:|is\b)"
)
HALF = re.compile(
    r"\b[Hh]alf\b|\\[dt]?frac\s*\{?\s*1\s*\}?\s*\{?\s*2\s*\}?|½|(?<!\d)1\s*/\s*2"
    r"|0\.5\s*\*?\s*(?:[(Σ∑\[]|\\sum|\\left|\\cdot|\\,|np|sum|mean|torch)|(?:\^\s*\{?2\}?|²|\*\*\s*2)\)*\s*/\s*2"
)
MEAN = re.compile(
    r"\\[dt]?frac\s*\{?\s*1\s*\}?\s*\{?\s*[nNmMkK]\s*\}?|1/[nNmMkK]\b|\bmean\(", re.IGNORECASE
)
FORMULA = re.compile(
    r"(?:\b[CEJL]\b|\b[CEJL]_\{?\w*\}?|E_\{?total\}?|loss|cost|error|\\mathcal\{[A-Z]\}|\\text\{Loss\}|\\ell|(?<![\w^])e|ℓ)"
    r"\s*(?:\([^)\n]{0,20}\))?\s*(?:&)?[=:|]\s*(?P<what>[^\n]{3,160})",
    re.IGNORECASE,
)
# the square of a difference of letters, whatever it is called: F = (t - a)^T (t - a)
SQUARED = re.compile(
    r"=\s*(?P<what>[^\n=≈]{0,60}?\(\s*[A-Za-zŷ][^()\n=]{0,24}?-\s*[A-Za-zŷ][^()\n=]{0,24}\)"
    r"\s*(?:\^\s*\{?\s*(?:2|T|\\top)|²|\*\*\s*2)[^\n=≈]{0,40})"
)
BOLD = re.compile(r"\\(?:mathbf|boldsymbol|bm|vec|mathrm|mathcal|hat|text)\s*\{\s*(\w+)\s*\}")
PHRASES: tuple[tuple[str, str], ...] = (
    (r"binary[ -]cross[ -]?entropy|\bBCE\b|log[ -]loss", "binary_cross_entropy"),
    (r"cross[ -]?entropy", "cross_entropy"),
    (
        r"half (?:the )?(?:of the )?squared|½ (?:the )?squared|half[ _-]squared",
        "half_squared_error",
    ),
    (r"mean[ _-]squared|\bMSE\b", "mean_squared_error"),
    (r"squared[ _-]error|sum of squares|squared[ _-]loss|sum of squared", "squared_error"),
    (r"absolute error|\bMAE\b|\bL1\b", "absolute_error"),
)
FROZEN = re.compile(
    r"bias(?:es)?[^.\n]{0,40}(?:not (?:be )?(?:updated|trained|changed)|frozen|fixed|kept|stay"
    r"|unchanged|remain|constant)|(?:not|n't|without) (?:update|updating|train|training|change)"
    r"[^.\n]{0,20}bias|freez\w* (?:the )?bias",
    re.IGNORECASE,
)
RATE = re.compile(
    r"momentum(?: coefficient| factor)?(?:\s*(?:of|=|is|:|\(?\\?mu\)?|μ|β))*\s*\$?\s*(0?\.\d+)",
    re.IGNORECASE,
)


SPOKEN_RATE = re.compile(
    r"(?:learning[ -](?:rate|constant)|step[ -](?:size|length))\b(?P<between>[^.\n]{0,60}?)"
    r"(?P<number>(?<![\d.])\d*\.\d+(?![\d.]*\d)|(?<![\d.])1(?![\d./]))",
    re.IGNORECASE,
)


def rate(text: str) -> Decimal | None:
    """The learning rate that words say: "some learning rate, eta, which we'll set to 0.5"."""
    said = {Decimal(m["number"]) for m in SPOKEN_RATE.finditer(text)}
    return said.pop() if len(said) == 1 else None


def activations(
    text: str, chains: Iterable[Chain], binder: Any, layers: int
) -> tuple[dict[int, str], set[int]]:
    """The activation of each layer by 1-based layer, and the layers that the page names it for."""
    found, loose = _spoken(text, layers)
    placed = set(found)
    words = set(found.values())
    for chain in chains:
        quantity = binder.tree(chain.sides[0])
        if quantity is None or quantity.head != "a" or not quantity.layer:
            continue
        name: str | None
        for side in chain.sides[1:3]:
            name = _called(side)
            generic = name == "sigmoid" and "σ" in _functions(side)
            if generic and quantity.layer not in placed:
                loose.setdefault(quantity.layer, "sigmoid")
            if name is None or (generic and (words or loose)):
                if name is None and isinstance(side, Ref):
                    inner = binder.tree(side)
                    if inner is not None and (inner.head, inner.layer) == ("z", quantity.layer):
                        found[quantity.layer] = "identity"
                continue
            found[quantity.layer] = name
    sure = set(found)
    for layer, guess in loose.items():
        found.setdefault(layer, guess)
    if not found and re.search(r"1\s*\+\s*(?:e\s*\^|\\exp|exp)|σ|\\sigma", text):
        found = dict.fromkeys(range(1, layers + 1), "sigmoid")
    return found, sure


def _called_so(found: re.Match[str]) -> str:
    """An activation by its name or by its formula, such as f(z) = z."""
    if found["name"]:
        return ACTIVATIONS[found["name"].lower()]
    return "sigmoid" if found["sigmoid"] else "identity"


def likely(text: str, known: dict[int, str], layer: int, layers: int) -> str:
    """A first guess at the activation of a layer that the page does not name clearly."""
    told = [ACTIVATIONS[m.lower()] for m in NAMED.findall(text)]
    if re.search(r"1\s*\+\s*(?:e\s*\^|\\exp|exp)|σ|\\sigma", text):
        told.append("sigmoid")
    if layer < layers:
        told = [t for t in told if t not in ("identity", "softmax")]
        told += [known[k] for k in known if k < layers]
    return told[0] if told else "sigmoid"


def _functions(tree: Tree) -> set[str]:
    match tree:
        case Call(function, of):
            return {function} | _functions(of)
        case Binary(_, left, right):
            return _functions(left) | _functions(right)
        case Negative(of):
            return _functions(of)
    return set()


def _called(side: Tree) -> str | None:
    if isinstance(side, Call) and side.function in CALLED:
        return CALLED[side.function]
    if isinstance(side, Binary) and side.sign == "/" and "exp" in _functions(side.right):
        return "sigmoid" if isinstance(side.left, Number) else None
    return None


def hints(text: str, chains: Iterable[Chain]) -> dict[str, str]:
    """What words say of a network of one hidden layer whose numbers no names give."""
    found, told = _spoken(text, 2)
    said = {**(told if len({_called_so(m) for m in SAID.finditer(text)}) == 1 else {}), **found}
    name, sure = loss(text, chains, 1)
    made = {"hidden": said.get(1), "output": said.get(2), "loss": name if sure else None}
    return {key: value for key, value in made.items() if value is not None}


def _spoken(text: str, layers: int) -> tuple[dict[int, str], dict[int, str]]:
    """By layer: what the page says of it, and what it says of no layer."""
    found: dict[int, str] = {}
    loose: list[str] = []
    for row in text.split("\n"):
        if len(row) > 2000:
            continue
        for clause in re.split(r"[;,](?!\d)|\.(?!\w)|\band\b", row):
            names = [_called_so(m) for m in SAID.finditer(clause)]
            if not names:
                continue
            named = OF_LAYER.search(clause)
            if named and 1 <= int(named["layer"]) <= layers:
                found.setdefault(int(named["layer"]), names[0])
                continue
            where = BY_NUMBER if layers == 2 else WHERE
            places = [w for w, pattern in where.items() if pattern.search(clause)]
            if places == ["hidden"] or (
                len(places) == 2 and names[0] not in ("softmax", "identity")
            ):
                for layer in range(1, layers):
                    found.setdefault(layer, names[0])
            if "output" in places and (places == ["output"] or len(names) > 1 or layers == 1):
                found.setdefault(layers, names[-1])
            if not places:
                loose += names
    told: dict[int, str] = {}
    if loose:
        for layer in range(1, layers + 1):
            own = [n for n in loose if n not in ("softmax", "identity")]
            last = [n for n in loose if n in ("softmax", "identity")]
            use = (last or own) if layer == layers else own
            if use and layer not in found:
                told[layer] = use[0]
    return found, told


def loss(text: str, chains: Iterable[Chain], outputs: int) -> tuple[str | None, bool]:
    """The loss that the page names, and whether that leaves nothing open."""
    for found in FORMULA.finditer(text):
        said = found["what"].lstrip("$ ")  # of "loss: $L = ...$"
        what = re.split(r"\\q?quad|,\s|;|\\\\|\\\]|\$", said)[0]
        if re.search(r"\\log|\\ln|\blog\b|\bln\b", what):
            two = re.search(r"1\s*-\s*(?:\\?hat|[ytapoh\d]|\{)", what)
            return ("binary_cross_entropy" if two else "cross_entropy"), True
        squared = re.search(r"\^\s*\{?2|²|\*\*\s*2", what)
        if squared and re.search(r"[A-Za-zŷ]", what):
            return _of_square(what), True
    plain = BOLD.sub(r"\1", text).replace("\\left", "").replace("\\right", "")
    squared_so = SQUARED.search(plain)
    if squared_so:
        return _of_square(re.split(r"\\q?quad|;|\\\\|\$", squared_so["what"])[0]), True
    for pattern, name in PHRASES:
        if re.search(pattern, text, re.IGNORECASE):
            sure = name not in ("squared_error", "mean_squared_error")
            return name, sure
    return None, False


def _of_square(what: str) -> str:
    """The loss that the formula of a square is, by what stands before it."""
    if HALF.search(what):
        return "half_mean" if MEAN.search(what) else "half_squared_error"
    return "mean_squared_error" if MEAN.search(what) else "squared_error"


OPTIMIZERS = (
    (r"\bAdamW\b", "adamw"),
    (r"\bAdam\b|\bADAM\b", "adam"),
    (r"\bRMS[ -]?[Pp]rop\b", "rmsprop"),
    (r"\bAda[Gg]rad\b", "adagrad"),
    (r"(?i:momentum|nesterov|heavy[ -]ball)", "sgd"),
)
VALUE = r"[\s$\\(){}]*(?:=|is|of|:|←)?[\s$\\(){}]*"
AMOUNT = r"(\d*\.\d+(?:[eE]-?\d+)?|\d+[eE]-\d+)"
BETA = r"(?:β|beta|\\beta)"
# options of an optimizer, by what stands before their number
SETTINGS: dict[str, tuple[tuple[str, str], ...]] = {
    "adam": (
        ("beta1", rf"{BETA}_?\{{?1\}}?{VALUE}{AMOUNT}"),
        ("beta2", rf"{BETA}_?\{{?2\}}?{VALUE}{AMOUNT}"),
    ),
    "rmsprop": (
        ("alpha", rf"(?:{BETA}|ρ|rho|γ|gamma|decay(?: rate| factor)?|smoothing){VALUE}{AMOUNT}"),
        ("momentum", rf"(?i:momentum)(?:[ ](?:coefficient|factor))?{VALUE}{AMOUNT}"),
    ),
}
EPSILON = re.compile(
    r"(?:ε|ϵ|\\(?:var)?epsilon|\beps(?:ilon)?\b)[\s$]*(?:=|is|of)[\s$]*"
    r"(?:10\s*\^\s*\{?\s*(?P<power>-\d+)|(?P<plain>\d*\.?\d+(?:[eE]-?\d+)?))"
)
DECAY = re.compile(rf"(?:weight[ _-]decay|λ|\\lambda){VALUE}{AMOUNT}", re.IGNORECASE)


def optimizer_kind(text: str) -> str | None:
    """The optimizer with numbers of its own that the page names."""
    return next((name for pattern, name in OPTIMIZERS if re.search(pattern, text)), None)


def optimizer(text: str, rates: dict[str, float]) -> dict[str, Any] | None:
    """The optimizer's table where the page names one other than plain descent."""
    kind = optimizer_kind(text)
    if kind is None:
        return None
    made: dict[str, Any] = {"name": kind}
    if kind == "sgd":
        momentum = RATE.search(text)
        found = float(momentum[1]) if momentum else rates.get("μ", rates.get("β"))
        if found is None:
            return None
        nesterov = {"nesterov": True} if re.search("nesterov", text, re.IGNORECASE) else {}
        return {**made, "momentum": found, **nesterov}
    settings = SETTINGS.get("adam" if kind == "adamw" else kind, ())
    said = {name: re.search(pattern, text) for name, pattern in settings}
    values = {name: float(m[1]) for name, m in said.items() if m}
    if kind in ("adam", "adamw"):
        usual = (0.9, 0.999)
        betas = [values.get(f"beta{k}", rates.get(f"β{k}", usual[k - 1])) for k in (1, 2)]
        made["betas"] = betas
    else:
        made |= values
    epsilon, decay = EPSILON.search(text), DECAY.search(text)
    if epsilon:
        power, plain = epsilon["power"], epsilon["plain"]
        made["eps"] = 10.0 ** int(power) if power else float(plain)
    if kind == "adamw" and decay:
        made["weight_decay"] = float(decay[1])
    return made


def told_option(number: str, around: str, kind: str) -> bool:
    """Whether a number of a sentence is an option of the optimizer that was read there."""
    patterns = [re.compile(p) for _, p in SETTINGS.get("adam" if kind == "adamw" else kind, ())]
    patterns += [RATE] if kind == "sgd" else [DECAY, EPSILON]
    found = (m for pattern in patterns for m in pattern.finditer(around))
    return any(number in (m[1], m[m.lastindex or 0]) for m in found)
