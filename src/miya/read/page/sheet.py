"""Answer sheets: a symbol and a value a row, in CSV, TOML or JSON."""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
from typing import Any

from ...core.page import Note, Statement
from ...core.written import Quantity, Written, literal
from ...errors import MiyaInputError
from .encoding import simplify
from .parse import Parser
from .tokens import plain_tokens

INDEX = r"(?P<index>(?:\[\d+\])*)$"
SYMBOL = re.compile(
    r"(?P<grad>(?:∂|d)[CLEJ]/(?:∂|d))?(?P<head>σ'|slope|delta|δ|ΔW|Δb|W|b|z|a|x|y|C_each|log_sum"
    r"|C|L|η|l|p|m|s|u|cdf|pdf)\s*_?"
    r"(?P<layer>\d+)?(?P<new>_new|_after)?" + INDEX
)
# the optimizer's: m_hat_W1[0][0], v_before_b2[0]
STATE = re.compile(
    r"(?P<head>g_up|d|n|s|m_hat|v_hat|v_max|m|v)(?P<before>_before)?_(?P<letter>[Wb])"
    r"(?P<layer>\d+)" + INDEX
)
HEADS = {"slope": "σ'", "delta": "δ", "log_sum": "L"}
GRADS = {"W": "∂C/∂W", "b": "∂C/∂b", "a": "∂C/∂a", "z": "δ"}
Row = tuple[str, str, int]


def quantity(symbol: str) -> Quantity | None:
    """The quantity of a symbol as the story writes it: ∂C/∂W2[0][1], W2_new[0][1], σ'1[0]."""
    state = STATE.match(symbol.strip())
    if state is not None:
        head = f"{state['head']}{state['before'] or ''}_{state['letter']}"
        return Quantity(head, int(state["layer"][:4]), _index(state["index"]))
    found = SYMBOL.match(symbol.strip())
    if found is None:
        return None
    head = HEADS.get(found["head"], found["head"])
    if found["grad"]:
        if head not in GRADS:
            return None
        head = GRADS[head]
    if found["new"]:
        head += "_new"
    layer = int(found["layer"][:4]) if found["layer"] else None
    return Quantity(head, layer, _index(found["index"]))


def _index(text: str) -> tuple[int, ...]:
    return tuple(int(i[:6]) for i in re.findall(r"\d+", text))


def read_sheet(
    text: str, form: str, name: str
) -> tuple[list[Statement], list[tuple[str, int, str]], list[Note]]:
    """The statements, what was not read, and notes. Raises MiyaInputError E704."""
    rows = _rows(text, form, name)
    found: list[Statement] = []
    unread: list[tuple[str, int, str]] = []
    notes: list[Note] = []
    for symbol, value, line in rows:
        if not value.strip():
            continue
        of, stated = quantity(simplify(symbol).strip()), number(value, line, notes)
        if of is None or stated is None:
            unread.append((value[:40], line, f"{symbol[:40]}, {value[:40]}"))
            continue
        found.append(Statement(of, stated, line))
    return found, unread, notes


def number(text: str, line: int, notes: list[Note]) -> Written | None:
    text = simplify(text).strip()
    if re.fullmatch(r"-?\d+,\d+", text):
        notes.append(Note("assumed_comma", {"number": text}, line))
        text = text.replace(",", ".")
    parser = Parser(plain_tokens(text, line))
    tree = parser.chain()
    if tree is None or parser.at < len(parser.tokens):
        return None
    return literal(tree)


def _rows(text: str, form: str, name: str) -> list[Row]:
    if form == "csv":
        return _csv(text)
    try:
        content = tomllib.loads(text) if form == "toml" else json.loads(text, parse_float=str)
    except (ValueError, RecursionError) as error:
        raise MiyaInputError(
            "E704", f"{name} is no {form.upper()}: {error}", hint="write symbol = value"
        ) from None
    if isinstance(content, dict) and isinstance(content.get("answers"), dict):
        content = content["answers"]
    if not isinstance(content, dict):
        raise MiyaInputError("E704", f"{name} is no answer sheet", hint="write symbol = value")
    found: list[Row] = []
    for symbol, value in content.items():
        place = text.find(str(symbol))
        line = text.count("\n", 0, max(place, 0)) + 1
        found.append((str(symbol), _written(text, symbol, value), line))
    return found


def _written(text: str, symbol: str, value: Any) -> str:
    """The digits as they stand in the file: 2.10 keeps its 0."""
    found = re.search(
        re.escape(json.dumps(symbol, ensure_ascii=False)) + r"\s*[=:]\s*\"?([^\s,\"}]+)", text
    ) or re.search(re.escape(str(symbol)) + r"[\"']?\s*[=:]\s*\"?([^\s,\"}]+)", text)
    return found[1] if found else str(value)


def _csv(text: str) -> list[Row]:
    sample = text[:2000]
    comma = ";" if sample.count(";") > sample.count(",") else "\t" if "\t" in sample else ","
    found: list[Row] = []
    reader = csv.reader(io.StringIO(text), delimiter=comma)
    try:
        for row in reader:
            if len(row) >= 2 and row[0].strip().lower() not in ("symbol", "quantity", "name"):
                found.append((row[0], row[1], reader.line_num))
    except csv.Error:
        pass
    return found[:20_000]
