"""Claims in words that the numbers decide."""

from __future__ import annotations

import re

from ...core.page import Claim, Statement
from ...core.written import Quantity

MOST = r"(?:most|largest|biggest|greatest|highest|worst)"
WEIGHT = re.compile(
    rf"\b(?:this|that|the|w\S*|W\S*)\b[^.\n]{{0,40}}\bweight\b[^.\n]{{0,50}}\b{MOST}\b"
    rf"|\b(?:this|that) weight\b[^.\n]{{0,50}}\b{MOST}\b"
    rf"|\b{MOST}\b[^.\n]{{0,40}}\bweight is\b"
    rf"|[wW]_?\{{?\d[^.\n]{{0,20}}(?:caused|contribut\w+|responsible|to blame)[^.\n]{{0,20}}"
    rf"\b{MOST}\b"
)
NEURON = re.compile(
    rf"\b(?P<where>hidden|output)?\s*(?:neuron|unit|node)\s*(?P<number>\d+)[^.\n]{{0,60}}\b{MOST}\b",
    re.IGNORECASE,
)
GENERAL = re.compile(
    r"\b(?:which|each|every|what|whether|any)\b[^.\n]{0,12}\b(?:weight|neuron)", re.IGNORECASE
)
NUMBER = re.compile(r"(?<![\w.\[])-?\d+\.\d+")


def claims(text: str, statements: tuple[Statement, ...], hidden: int) -> list[Claim]:
    """The claims of a page. hidden: the number of its hidden layers."""
    found: list[Claim] = []
    for number, row in enumerate(text.split("\n"), 1):
        if len(row) > 3000 or GENERAL.search(row):
            continue
        neuron = NEURON.search(row)
        if neuron and hidden:
            layer = None if (neuron["where"] or "").lower() == "output" else 1
            of = Quantity("δ", layer, (int(neuron["number"][:6]) - 1,))
            found.append(Claim("neuron", of, _said(row), number))
        elif WEIGHT.search(row):
            found.append(Claim("weight", _pointed(row, statements), _said(row), number))
    return found


def _pointed(row: str, statements: tuple[Statement, ...]) -> Quantity | None:
    """The weight whose stated gradient is the number in the row."""
    for text in NUMBER.findall(row):
        for s in statements:
            if s.of is not None and s.of.head == "∂C/∂W" and s.stated.text == text:
                return Quantity("W", s.of.layer, s.of.index)
    return None


def _said(row: str) -> str:
    quoted = re.search(r"[“\"]([^”\"â]{8,120})", row)
    return (quoted[1] if quoted else row.strip(" *-#"))[:120].strip()
