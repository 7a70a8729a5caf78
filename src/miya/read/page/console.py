"""R's console: what is typed behind > names the numbers that are shown below it."""

from __future__ import annotations

import re

TYPED = re.compile(r"^\s*>\s?(?P<code>.*)$")
ASSIGNED = re.compile(r"^\s*(?P<name>[A-Za-z][\w.]*)\s*(?:<-|=)\s*(?P<what>.*)$")
STARTED = re.compile(r"(?m)^\s*>\s*[A-Za-z][\w.]*\s*<-")
SHOWN = re.compile(r"^\s*\[(?P<at>\d+)\]\s+(?P<values>[-\d].*)$")
COLUMNS = re.compile(r"^\s*(?:\[,\d+\]\s*)+$")
ROW = re.compile(r"^\s*\[\d+,\]\s+(?P<values>[-\d].*)$")
NAMED = re.compile(r"^[A-Za-z][\w.]*(?:\[[\d, ]+\])?$")
LIST = re.compile(r"\bc\((?P<values>[^()]*)\)")
MATRIX = re.compile(r"\bmatrix\(\s*c\((?P<values>[^()]*)\)\s*,?(?P<rest>[^()]*)\)", re.IGNORECASE)
REMARK = re.compile(r"^\s*#+\s*(?P<name>[A-Za-z][\w.]*(?:\[[\d, ]+\])?)\s*:\s*(?P<what>.+)$")
SLOPE = re.compile(r"^(?P<top>d[A-Za-z]\w*)\.(?P<below>d\w+)$")


def consoles(text: str) -> str:
    """`text` with each shown number of an R session as "name = number"; lines stay."""
    if not STARTED.search(text):
        return text
    made: list[str] = []
    name: str | None = None
    start: int | None = None  # the row where a matrix that is shown begins
    for row in text.split("\n"):
        typed, shown, part = TYPED.match(row), SHOWN.match(row), ROW.match(row)
        if typed:
            code, start = typed["code"], None
            name = _asked(code)
            made.append(_given(code))
        elif name and shown:
            made.append(f"{plain(name)} = [{_listed(shown['values'])}]")
        elif name and COLUMNS.match(row):
            made.append("")
            start = len(made)
        elif name and part and start is not None:
            first = f"{plain(name)} = [" if len(made) == start else ""
            if not first:
                made[-1] = made[-1][:-1] + ","
            made.append(f"{first}[{_listed(part['values'])}]]")
        else:
            made.append(row)
    return "\n".join(made)


def plain(name: str) -> str:
    """A name without R's dots: dE.do is dE/do, V.new is V_new."""
    bare, _, index = name.partition("[")
    slope = SLOPE.match(bare)
    made = f"{slope['top']}/{slope['below']}" if slope else bare.replace(".", "_")
    return f"{made}[{index}" if index else made


def _listed(values: str) -> str:
    return ", ".join(values.split())


def _asked(code: str) -> str | None:
    """The name of what a line shows."""
    code = code.partition("#")[0].strip()
    last = code.rpartition(";")[2].strip()
    printed = re.match(r"^print\((.+)\)$", last)
    last = printed[1].strip() if printed else last
    if NAMED.match(last):
        return last
    wrapped = re.match(r"^\((?P<name>[A-Za-z][\w.]*)\s*<-.*\)$", last)
    return wrapped["name"] if wrapped else None


def _given(code: str) -> str:
    """What a line gives: x <- c(0.1, 0.2) as x = [0.1, 0.2], a remark with its working."""
    remark = REMARK.match(code)
    if remark:
        return f"{plain(remark['name'])} = {remark['what']}"
    found = ASSIGNED.match(code.partition("#")[0].partition(";")[0])
    if found is None:
        return code if code.lstrip().startswith("#") else ""
    what = LIST.sub(lambda m: f"[{m['values']}]", MATRIX.sub(_matrix, found["what"])).strip()
    given = re.fullmatch(r"\[[-\d.,\s\[\]]*\]|-?[\d.]+", what)
    return f"{plain(found['name'])} = {what}" if given else ""


def _matrix(found: re.Match[str]) -> str:
    """matrix(c(...), nrow = 2, byrow = TRUE) as rows; R fills columns first otherwise."""
    values = [v.strip() for v in found["values"].split(",")]
    told = {k: re.search(rf"\b{k}\s*=\s*(\d+)", found["rest"]) for k in ("nrow", "ncol")}
    rows = int(told["nrow"][1]) if told["nrow"] else 0
    columns = int(told["ncol"][1]) if told["ncol"] else 0
    rows = rows or len(values) // max(columns, 1)
    columns = columns or len(values) // max(rows, 1)
    if not rows or rows * columns != len(values):
        return found[0]
    by_row = re.search(r"byrow\s*=\s*T", found["rest"])
    grid = (
        [values[r * columns : (r + 1) * columns] for r in range(rows)]
        if by_row
        else [values[r::rows] for r in range(rows)]
    )
    return "[" + ", ".join("[" + ", ".join(row) + "]" for row in grid) + "]"
