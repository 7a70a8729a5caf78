"""Lines that name a neuron or a weight once and then give several numbers of it.

"A: sum = 0.4  out = 0.6", "hidden[0] net=0.4 out=0.6", "w(A,P): dE/dw = 0.02  0.2 -> 0.198", "For
the first hidden neuron the net input is 0.4 and its output is 0.6": each such line is written anew
as "net_h1 = 0.4; out_h1 = 0.6". Other lines stay as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .encoding import simplify

ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "1st": 1, "2nd": 2, "3rd": 3,
    "4th": 4, "only": 1, "single": 1,
}  # fmt: skip
TAGS = {"hidden": "h", "output": "o", "input": "x", "h": "h", "o": "o", "x": "x", "i": "x",
        "y": "o", "out": "o", "in": "x", "hid": "h"}  # fmt: skip
NOUN = r"(?:neuron|unit|node|cell)s?"
SPOKEN = re.compile(
    rf"\b(?:the )?(?:(?P<ordinal>{'|'.join(ORDINALS)}) )?(?P<kind>hidden|output|input)"
    rf"(?P<noun> {NOUN})?(?: (?P<number>\d)\b)?",
    re.IGNORECASE,
)
UNIT = r"(?P<{0}>[hoxiy]\d{{1,2}})"
INDEXED = re.compile(
    r"\b(?P<kind>hidden|output|input|hid|out|h|o)\[(?P<i>\d+)\]"
    r"(?:\.(?P<of>weights?|w|bias|b)(?:\[(?P<j>\d+)\])?)?"
)
EDGE = re.compile(
    rf"\bw_(?P<short>[xho]\d+[ho]\d+)\b|\b(?:w|weight)\s*(?:[(\[{{]|_\{{?)?\s*(?:from )?"
    rf"{UNIT.format('a')}\s*(?:,|→|->|-|to)\s*"
    rf"{UNIT.format('b')}\s*[)\]}}]?",
    re.IGNORECASE,
)
OFFSET = re.compile(
    rf"\b(?:bias|b|θ)\s*(?:[(\[{{]|_\{{?|of |for )\s*{UNIT.format('a')}\s*[)\]}}]?", re.IGNORECASE
)
D = r"(?:d|∂)"
LOSS = r"(?:[A-Z]|loss|error|cost)"
OUT = r"(?:output|out|act|a)"
NET = r"(?:net input|net|sum|z|in)"
# what a line says of a neuron, and how it is written anew
UNIT_KEYS = (
    (rf"{D}_?{LOSS}\s*[/_]\s*{D}{OUT}", "∂C/∂out_{0}"),
    (rf"{D}_?{LOSS}\s*[/_]\s*{D}{NET}", "∂C/∂net_{0}"),
    (rf"{D}{OUT}\s*[/_]\s*{D}{NET}", "∂out_{0}/∂net_{0}"),
    (r"derivative of (?:its|the) activation|slope|deriv", "∂out_{0}/∂net_{0}"),
    (r"delta|δ|error signal|error term", "delta_{0}"),
    (r"net input|weighted sum|pre-?activation|receives|collects|net|sum|z", "net_{0}"),
    (r"output|activation|fires with|answers|responds with|emits|out|act", "out_{0}"),
)
PARAMETER_KEYS = (
    (rf"{D}_?{LOSS}\s*[/_]\s*{D}(?:weight|bias|w|b)|gradient|grad", "∂C/∂{0}"),
    (r"(?:new|updated)(?: (?:weight|bias|value))?", "{0}_new"),
    (r"(?:old|previous)(?: (?:weight|bias|value))?", ""),
)
SIGN = r"\^\{\d\}|[-+*/^().\d\s]|(?<=\d)e(?=-?\d)|=|≈"
VALUE = rf"(?P<value>-?\(*-?(?:\d)(?:{SIGN})*)"
MOVED = re.compile(
    r"(?P<old>-?\d*\.?\d+)\s*(?:->|→)\s*(?P<new>-?\d*\.?\d+)(?:\s*\((?P<work>[^()]*(?:\([^()]*\)[^()]*)*)\))?"
)
BRACKETED = re.compile(
    rf"\b(?:w|weight)[(\[]{UNIT.format('a')}\s*(?:,|→|->|-|to)\s*{UNIT.format('b')}[)\]]",
    re.IGNORECASE,
)
SPACED = re.compile(
    rf"\bweight (?:from )?{UNIT.format('a')} *(?:->|→|to) *{UNIT.format('b')}(?= *=)", re.IGNORECASE
)
HELD = re.compile(rf"\bbias (?:of |for )?{UNIT.format('a')}(?= *=)", re.IGNORECASE)
ARROW = re.compile(rf"^(\W*){UNIT.format('a')} *(?:->|→) *{UNIT.format('b')} *(?=:)", re.IGNORECASE)
TABLE_EDGE = re.compile(
    rf"^(\s*\|\s*){UNIT.format('a')} *(?:->|→) *{UNIT.format('b')}(?=\s*\|)", re.IGNORECASE
)
TABLE_MOVED = re.compile(r"(?<=\|)\s*[-−]?\d*\.?\d+ *(?:->|→) *([-−]?\d*\.?\d+)(?=\s*\|)")
UNDER = re.compile(
    r"^\s*[-*]?\s*(?P<key>W|w|weights?|b|bias(?:es)?|z|a|net|out|delta|δ|dW|db)\s*[:=]\s*(?P<value>\[.*)$"
)
INLINE = re.compile(
    r"^\W*(?P<layer>hidden|output)(?: layer)?\s*:\s*\{(?P<rest>.*)\}\s*$", re.IGNORECASE
)
INLINE_KEY = re.compile(r"\b(?P<key>W|w|b|z|a|net|out|delta|dW|db)\s*:\s*(?=\[)")
WORDED = {"weight": "W", "weights": "W", "bias": "b", "biases": "b", "w": "W"}
LAYERED = re.compile(
    r"\blayer[ _]?(?P<n>\d)\b\]?\s*[:,|-]?\s*(?P<rest>\w+ *= *[\[(].*)$", re.IGNORECASE
)
LAYER_KEY = re.compile(
    r"\b(?P<key>z|a|h|net|out|delta|δ|dW|db|dw|grad_W|grad_b|W|w|b) *= *(?=[\[(])"
)
OWNED = re.compile(rf"\b(?:bias|b)[(\[]{UNIT.format('a')}[)\]]", re.IGNORECASE)
LAYER = re.compile(r"^\W*(hidden|output)(?: layer)?\s*:?\s*$", re.IGNORECASE)
NUMBERS = r"\[?(?P<{0}>-?\d*\.?\d+(?:[\s,]+-?\d*\.?\d+)*)\]?"
ROW = re.compile(
    rf"^\W*{NOUN}\s*#?(?P<n>\d+)\s*[:=]?\s*(?:weights?|w)\s*[=:]?\s*{NUMBERS.format('w')}\s*[,;]?"
    rf"\s*(?:bias|b)\s*[=:]?\s*(?P<b>-?\d*\.?\d+)\s*$",
    re.IGNORECASE,
)
DATA = re.compile(
    rf"^\W*(?P<what>inputs?|targets?|labels?)\s*[:=]\s*{NUMBERS.format('v')}\s*$", re.IGNORECASE
)
DECLARED = re.compile(
    rf"\b(?P<kind>hidden|output|input)(?: {NOUN}|s):? "
    r"(?P<names>[A-Z]\d?(?:\s*(?:,|and|&)\s*[A-Z]\d?)*)(?=\s*[:(,.;]|$)",
    re.IGNORECASE | re.MULTILINE,
)
LISTED = re.compile(r"\bweights?\b", re.IGNORECASE)
LONGEST = 1_000  # signs of a line
SEVERAL = re.compile(
    r"\bweights?\s*(?:are|of|:|=)?\s*(?P<w>-?\d*\.?\d+(?:\s*(?:,|and|, and)\s*-?\d*\.?\d+)*)",
    re.IGNORECASE,
)
NUMBER = r"-?\d*\.?\d+"
FROM = re.compile(r"(?P<number>-?\d*\.?\d+)\s*\(?\s*(?:from|for)\s+(?P<unit>[hxio]\d{1,2})\b")


@dataclass
class _State:
    names: dict[str, str] = field(default_factory=dict)  # a page's own names of neurons
    start: int = 1  # what indices count from
    unit: str | None = None  # the neuron that the heading names
    layer: str = ""
    lowest: int = 0  # what is added to a layer's number


def recorded(text: str) -> str:
    """`text` with its records written anew; lines stay where they are."""
    state = _State(_declared(text), 0 if re.search(r"\w\[0\]|\b(?:unit|neuron) 0\b", text) else 1)
    state.lowest = int(bool(re.search(r"\blayer[ _]?0\b", text, re.IGNORECASE)))
    return "\n".join(_line(row, state) for row in text.split("\n"))


def _declared(text: str) -> dict[str, str]:
    """Single letters for neurons, as a page introduces them: "hidden neurons A, B"."""
    found: dict[str, str] = {}
    for told in DECLARED.finditer(text):
        letters = re.findall(r"\b[A-Z]\d?\b", told["names"])
        tag = TAGS[told["kind"].lower()]
        for letter in letters:
            count = sum(v[0] == tag for v in found.values())
            found.setdefault(letter, f"{tag}{count + 1}")
    return found


def _line(row: str, state: _State) -> str:
    if not row.strip() or len(row) > LONGEST or "$" in row or "\\" in row:
        return row
    row = _bracketed(row, state)
    if "|" in row:
        row = TABLE_EDGE.sub(lambda m: f"{m[1]}w_{_short(m['a'])}{_short(m['b'])}", row)
        row = TABLE_MOVED.sub(r"\g<1>", row)
        row = re.sub(r"([∂d])(out|a)/([∂d])(net|z) ([ho]\d{1,2})\b", r"\1\2_\5/\3\4_\5", row)
        return re.sub(r"(?<![A-Za-z])(d?)(net|out|sum) ([ho]\d{1,2})\b", r"\1\2_\3", row)
    plain = _renamed(simplify(row), state.start)
    heading = _heading(plain)
    if heading is not None:
        state.unit = heading
        return row
    if row.lstrip().startswith("#"):
        state.unit = None
        return row
    layer = LAYER.match(plain)
    if layer:
        state.layer = TAGS[layer[1].lower()]
    inline, under = INLINE.match(plain), UNDER.match(plain)
    if inline:
        tag = TAGS[inline["layer"].lower()]
        return INLINE_KEY.sub(lambda m: f"; {m['key']}_{tag} = ", inline["rest"]).lstrip("; ")
    if under and state.layer:
        key = WORDED.get(under["key"], under["key"])
        return f"{key}_{state.layer} = {under['value']} ;"
    layered = LAYERED.search(plain)
    if layered and "." in layered["rest"]:
        number = int(layered["n"]) + state.lowest
        keyed = LAYER_KEY.sub(lambda m: f"; {m['key']}{number} = ", layered["rest"])
        return keyed.lstrip("; ") + " ;"
    for maker in (_listed, _weights, _parameter, _unit):
        made = maker(plain, state)
        if made:
            return "; ".join(made) + " ;"
    return row


def _bracketed(row: str, state: _State) -> str:
    """Neurons by their short names, and w(x1,h1), w[x1→h1], bias(h1) as w_x1h1 and b_h1."""
    for letter, name in state.names.items():
        row = re.sub(rf"(?<=[(,_\[])\s*{letter}(?=\s*[),\]])|(?<=_){letter}\b", name, row)
        row = re.sub(
            rf"^(\W*(?:(?:{NOUN}) )?){letter}(?=:|\s*->)", rf"\g<1>{name}", row, flags=re.I
        )
        row = re.sub(rf"((?:->|→|\b(?:bias|weight|to|from)) *){letter}\b", rf"\g<1>{name}", row)
        if len(letter) > 1:
            row = re.sub(rf"\b{letter}\b", name, row)
    row = re.sub(r"\b(?:want|wanted|desired)_(?=[oy]\d)", "target_", row)
    for pattern in (BRACKETED, SPACED):
        row = pattern.sub(lambda m: f"w_{_short(m['a'])}{_short(m['b'])}", row)
    row = ARROW.sub(lambda m: f"{m[1]}w_{_short(m['a'])}{_short(m['b'])}", row)
    for pattern in (OWNED, HELD):
        row = pattern.sub(lambda m: f"b_{_short(m['a'])}", row)
    return row


def _renamed(row: str, start: int) -> str:
    """hidden[0] as h1, "the first hidden neuron" as h1."""

    def indexed(found: re.Match[str]) -> str:
        unit = f"{TAGS[found['kind']]}{int(found['i']) - start + 1}"
        if not found["of"]:
            return unit
        if found["j"] is None:
            return f"b({unit})"
        return f"w({'x' if unit[0] == 'h' else 'h'}{int(found['j']) - start + 1},{unit})"

    def spoken(found: re.Match[str]) -> str:
        number = found["number"] or ORDINALS.get((found["ordinal"] or "").lower())
        if number is None and found["kind"].lower() == "output" and found["noun"]:
            number = 1
        if number is None or (not found["noun"] and not found["ordinal"]):
            return found[0]
        return f"{TAGS[found['kind'].lower()]}{number}"

    return SPOKEN.sub(spoken, INDEXED.sub(indexed, row))


HEADING = re.compile(
    rf"^\s*(?:#+\s*(?:{NOUN}\s+)?|\*\*\s*(?:{NOUN}\s+)?)(?P<unit>[hoy]\d{{1,2}})\s*(?:\*\*)?\s*:?\s*$",
    re.IGNORECASE,
)


def _heading(row: str) -> str | None:
    found = HEADING.match(row)
    return _short(found["unit"]) if found else None


def _short(unit: str) -> str:
    return TAGS.get(unit[0].lower(), unit[0].lower()) + unit[1:]


def _pairs(rest: str, keys: tuple[tuple[str, str], ...], name: str) -> list[str]:
    """Every key of a line that a number follows, as "name = number"."""
    rest, _, remark = rest.partition(" # ")
    told = "|".join(f"(?P<k{n}>{pattern})" for n, (pattern, _) in enumerate(keys))
    found = re.compile(
        rf"(?<![\w/∂]){{1}}(?:{told})\s*(?:=|:|≈|\bis\b|\bof\b)?\s*{VALUE}", re.IGNORECASE
    )
    made = []
    for one in found.finditer(rest):
        n = next(n for n in range(len(keys)) if one[f"k{n}"])
        value = _value(one["value"])
        if keys[n][1] and value:
            made.append(f"{keys[n][1].format(name)} = {_shown(value, remark)}")
    return made


def _value(text: str) -> str:
    """The expression at the start of a text, without what belongs to the next sentence."""
    text = re.split(r"\s{2,}|\.(?:\s|$)|=\s*$|≈\s*$", text.strip())[0].strip()
    while text.count("(") < text.count(")"):
        text = text[: text.rindex(")")].strip()
    if text.count("(") > text.count(")"):
        text = text[: text.rindex("(")].strip()
    return text if re.search(r"\d\)*$", text) else ""


def _shown(value: str, remark: str) -> str:
    """A number with the working that a remark behind the line gives for it."""
    for piece in remark.split(";"):
        work, sign, result = piece.rpartition("=")
        if sign and result.strip() == value:
            return f"{work.strip()} = {value}"
    return value


def _parameter(row: str, state: _State) -> list[str]:
    """A weight or a bias, with its gradient and its new value."""
    found, name = _owner(row, state)
    if found < 0:
        return []
    rest = row[found:]
    made = _pairs(rest, PARAMETER_KEYS, name)
    moved = MOVED.search(rest)
    if moved:
        made.append(_change(name, moved))
    elif not made and state.unit and (value := re.match(r"[^=≈.]*=\s*(.+)$", rest)):
        made.append(f"∂C/∂{name} = {value[1]}")
    return made


def _change(name: str, moved: re.Match[str]) -> str:
    work = (moved["work"] or "").rpartition("=")
    shown = work[0].strip() if work[1] else work[2].strip()
    shown = shown if re.search(r"\d\s*[-+]", shown) else ""
    return f"{name}_new = {shown + ' = ' if shown else ''}{moved['new']}"


LOCAL = re.compile(
    r"^[\s>*-]*(?:(?P<of>(?:weight )?from (?P<a>[hxi]\d{1,2}))|(?P<bias>bias))\s*:", re.IGNORECASE
)


def _owner(row: str, state: _State) -> tuple[int, str]:
    """Where a line goes on behind the weight or bias that it begins with, and its name."""
    edge, offset = EDGE.search(row), OFFSET.search(row)
    local = LOCAL.match(row) if state.unit else None
    if local:
        name = f"b_{state.unit}" if local["bias"] else f"w_{_short(local['a'])}{state.unit}"
        return local.end(), name
    for found in (edge, offset):
        if found is None or re.search(r"[=≈]|\d\.\d", row[: found.start()]):
            continue
        if not re.match(r"\s*:|\s+(?:grad|old|new|d)", row[found.end() :]):
            continue
        if found is edge:
            return found.end(), f"w_{found['short'] or _short(found['a']) + _short(found['b'])}"
        return found.end(), f"b_{_short(found['a'])}"
    return -1, ""


UNIT_LINE = re.compile(
    r"^(?:[^=≈]{0,60}?[\s,*])?\(?(?P<unit>[ho]\d{1,2})\)?\s*(?:\*\*)?(?P<sign>[:,]|(?=\s))",
    re.IGNORECASE,
)


def _unit(row: str, state: _State) -> list[str]:
    """A neuron with several numbers of it."""
    found = UNIT_LINE.match(row)
    if found is None or re.search(r"\d\.\d", row[: found.start("unit")]):
        return []
    made = _pairs(row[found.end() :], UNIT_KEYS, _short(found["unit"]))
    return made if len(made) > 1 else []


def _listed(row: str, state: _State) -> list[str]:
    """ "unit 0: weights = 0.7 0.6 bias = 0.8" below "hidden layer:", "input: 0.1 0.2"."""
    data, one = DATA.match(row), ROW.match(row)
    if data:
        letter = "x" if data["what"].lower().startswith("i") else "y"
        return [f"{letter} = [{', '.join(re.findall(NUMBER, data['v']))}]"]
    if not one or not state.layer:
        return []
    unit = f"{state.layer}{int(one['n']) - state.start + 1}"
    before = "x" if state.layer == "h" else "h"
    values = re.findall(NUMBER, one["w"])
    made = [f"w_{before}{j}{unit} = {value}" for j, value in enumerate(values, 1)]
    return [*made, f"b_{unit} = {one['b']}"]


def _weights(row: str, state: _State) -> list[str]:
    """The weights into a neuron: "h1 has the weights 0.7 from x1, and a bias of 0.8"."""
    told = re.search(r"\b(?P<unit>[hoy]\d{1,2})\b", row, re.IGNORECASE)
    if told is None or not LISTED.search(row) or re.search(r"[=≈]", row):
        return []
    unit = _short(told["unit"])
    made = [f"w_{_short(m['unit'])}{unit} = {m['number']}" for m in FROM.finditer(row)]
    if not made and (several := SEVERAL.search(row)):
        before = "x" if unit[0] == "h" else "h"
        numbers = re.findall(NUMBER, several["w"])
        made = [f"w_{before}{j}{unit} = {number}" for j, number in enumerate(numbers, 1)]
    bias = re.search(r"\bbias\s*(?:of|is|=|:)?\s*(-?\d*\.?\d+)", row, re.IGNORECASE)
    if made and bias:
        made.append(f"b_{unit} = {bias[1]}")
    return made if bias else []
