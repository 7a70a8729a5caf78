"""Python sessions: what is typed behind >>> or In [1]: names the number that is shown below it."""

from __future__ import annotations

import re

PROMPT = r"(?:>>>?|In ?\[\d+\]:|julia>|octave:\d+>)"
TYPED = re.compile(rf"^\s*{PROMPT}\s?(?P<code>.*)$")
STARTED = re.compile(r"(?m)^\s*(?:>>>|In ?\[\d+\]:|julia>|octave:\d+>|>> *[A-Za-z]\w* *=)")
NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
NUMBERS = re.compile(rf"^\s*{NUMBER}(?:\s+{NUMBER})*\s*$")
TITLE = re.compile(r"^\s*(?P<name>[A-Za-z]\w*)\s*=\s*$")
KIND = re.compile(r"^\s*\d+(?:-element|×\d+) \w*(?:Vector|Matrix|Array)\b.*:\s*$")
SHOWN = re.compile(r"^\s*(?:Out ?\[\d+\]:)\s?")
REST = re.compile(r"^\s*\.\.\.+:?\s?")
PARAMETER = re.compile(
    r"\b(?P<module>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\d+\])*)\.(?P<of>weight|bias)\b"
)
CALLS = re.compile(
    r"\.(?:data|item\(\)|detach\(\)|tolist\(\)|numpy\(\)|clone\(\)|cpu\(\)|T\b(?=\s*$))"
)
PRINTED = re.compile(r"^print\((?P<what>[^,]+)\)$")
STEPPED = re.compile(r"\.step\(\)|-=\s*(?:lr|eta|learning_rate|alpha)\b")
ASSIGNED = re.compile(r"^\s*(?P<name>[A-Za-z]\w*)\s*=[^=;]*$")
NAMED = re.compile(r"^[A-Za-z_]\w*(?:\[\d+\])*$")
SLOPE = re.compile(r"#\s*(?P<name>(?:d\w+/d\w+|∂\w+/∂\w+))\s*$")
EXTRA = re.compile(
    r",?\s*(?:grad_fn=<[^>]*>|requires_grad=\w+|dtype=[\w.]+|device='[^']*')|Parameter containing:"
)
WRAPPED = re.compile(r"\b(?:tensor|array|np\.float\d+|torch\.tensor|np\.array)\(")
MODULE = re.compile(r"\b(?:np|numpy|jnp)\.(?=[a-z])")


BEHIND = re.compile(
    r"(?P<number>(?<![\w.])[-−]?\d+\.\d+)[ \t]*(?:\(\s*=\s*(?P<work>(?:[^()=≈\n]|\([^()\n]*\))+)\)"
    r"|#[ \t]*=[ \t]*(?P<remark>[^=≈#\n]+)$)",
    re.MULTILINE,
)


def worked_behind(text: str) -> str:
    """ "0.36 (= 0.6 * 0.6)" and "0.36  # = 0.6 * 0.6" as "0.6 * 0.6 = 0.36"."""

    def turned(found: re.Match[str]) -> str:
        work = (found["work"] or found["remark"]).strip()
        return f"{work} = {found['number']}" if re.search(r"\d\D*[-+*/·×^−]", work) else found[0]

    return BEHIND.sub(turned, text)


CELL = re.compile(
    r"(?P<code>^```(?:python|py|ipython3?)[ \t]*\n(?:(?!```).*\n)*?)"
    r"(?:print|round)?\(?[ \t]*(?P<name>[A-Za-z_]\w*(?:\[\d+\])*)[ \t]*(?:,[ \t]*\d+)?\)?[ \t]*\n"
    r"(?P<end>```[ \t]*\n\s*\n[ ]{4})(?=(?:array|tensor|np\.\w+)?\(?\[*[ ]*-?[\d.])",
    re.MULTILINE,
)


def cells_shown(text: str) -> str:
    """The output below a cell of code with the name that the cell's last line shows."""
    return CELL.sub(lambda m: f"{m['code']}\n{m['end']}{m['name']} = ", text)


def sessions(text: str) -> str:
    """`text` with each shown number written as "name = number"; lines stay where they are."""
    text = cells_shown(worked_behind(text))
    return columns(_typed(text) if STARTED.search(text) else text)


def columns(text: str) -> str:
    """ "z1 =" with rows of numbers below it as "z1 = [[0.3], [0.4]]"."""
    rows = text.split("\n")
    k = 0
    while k < len(rows):
        title = TITLE.match(rows[k])
        first = k + 1
        while title and first < len(rows) and not rows[first].strip():
            first += 1
        end = first
        while title and end < len(rows) and NUMBERS.match(rows[end]):
            end += 1
        if title and end > first:
            values = [", ".join(row.split()) for row in rows[first:end]]
            shown = values[0] if end == first + 1 else "[" + "], [".join(values) + "]"
            bare = end == first + 1 and "," not in shown
            rows[k] = ""
            rows[first:end] = [""] * (end - first)
            rows[first] = f"{title['name']} = {shown if bare else '[' + shown + ']'}"
        k = max(k + 1, end)
    return "\n".join(rows)


def _typed(text: str) -> str:
    layers: dict[str, int] = {}
    for found in PARAMETER.finditer(text):
        layers.setdefault(found["module"], len(layers) + 1)
    made: list[str] = []
    name: str | None = None  # what the next line shows
    last: str | None = None  # what was assigned last
    stepped = typing = False
    for row in text.split("\n"):
        typed = TYPED.match(row)
        if KIND.match(row) and (name or last):
            name = name or last
            made.append("")
        elif name and NUMBERS.match(row):  # columns() reads what stands below a name
            made[-1] = f"{name} ="
            made.append(row)
            name, typing = None, False
        elif typed is None and (row.lstrip().startswith("```") or not row.strip()):
            name, typing = None, False
            made.append(row)
        elif typed or (typing and REST.match(row)):
            code = typed["code"] if typed else REST.sub("", row)
            stepped = stepped or bool(STEPPED.search(code))
            name, typing = _name(code, layers, stepped), True
            made.append("" if name else _code(code, layers, False))
            assigned = ASSIGNED.match(code)
            last = assigned["name"] if assigned else None
        elif row.lstrip().startswith("#"):
            name = None
            made.append(_code(row, layers, stepped))
        elif name is not None or not typing:
            made.append(_shown(row, name))
            name = "" if name is not None and made[-1].strip() else name
        else:
            made.append(row)
    return "\n".join(made)


def _shown(row: str, name: str | None) -> str:
    if name is None:
        return row
    value = WRAPPED.sub("", EXTRA.sub("", SHOWN.sub("", row))).rstrip()
    while value.count(")") > value.count("("):
        value = value[: value.rindex(")")] + value[value.rindex(")") + 1 :]
    return f"{name} = {value.strip()}" if name and value.strip() else value


def _name(code: str, layers: dict[str, int], stepped: bool) -> str | None:
    """The name of what a line of code shows; None where it shows nothing that has one."""
    slope = SLOPE.search(code)
    code = code.partition("#")[0].strip()
    if slope and "=" not in code:
        return slope["name"]
    printed = PRINTED.match(code)
    code = _code(printed["what"] if printed else code, layers, stepped).strip()
    return code if NAMED.match(code) else None


def _code(code: str, layers: dict[str, int], stepped: bool) -> str:
    """Code with its parameters and gradients by usual names: fc1.weight.grad as grad_W1."""

    def parameter(found: re.Match[str]) -> str:
        letter = "W" if found["of"] == "weight" else "b"
        grad = code[found.end() :].startswith(".grad")
        mark = "_new" if stepped and not grad else ""
        return f"{letter}{layers[found['module']]}{mark}"

    code = MODULE.sub("", CALLS.sub("", code))
    made = PARAMETER.sub(parameter, code)
    return re.sub(r"\b([A-Za-z_]\w*)\.grad\b", r"grad_\1", made)
