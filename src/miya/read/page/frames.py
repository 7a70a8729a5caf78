r"""Tables that no table marks show: data frames as they are printed, and LaTeX's tabular.

Each is written anew as an HTML table, a row of it where the row stood, so that lines stay.
"""

from __future__ import annotations

import re
from html import escape

NUMBER = re.compile(r"[-−]?\d*\.?\d+(?:[eE][-+]?\d+)?$")
TABULAR = re.compile(
    r"\\begin\{(?:tabular[x*]?|longtable)\}(?:\{[^{}\n]*\})?(?:\{[^\n]*?\})?[ \t]*\n(?P<rows>.*?)"
    r"\\end\{(?:tabular[x*]?|longtable)\}",
    re.DOTALL,
)
RULES = re.compile(r"\\(?:hline|toprule|midrule|bottomrule|cline\{[^}]*\}|cmidrule\S*)")
ROW_END = re.compile(r"\\\\(?:\[[^\]\n]*\])?\s*$")
WIDEST = 40  # columns
LONGEST = 400  # signs of a row


def framed(text: str) -> str:
    """`text` with its printed frames and tabulars as HTML tables."""
    if "\\begin{tab" in text or "\\begin{longtable" in text:
        text = TABULAR.sub(_tabular, text)
    rows = text.split("\n")
    k = 0
    while k + 1 < len(rows):
        end = _frame(rows, k)
        if end > k + 1:
            rows[k:end] = _written([_cells(rows[k], True), *(_cells(r) for r in rows[k + 1 : end])])
        k = max(end, k + 1)
    return "\n".join(rows)


def _tabular(found: re.Match[str]) -> str:
    lines = found["rows"].split("\n")
    made: list[list[str]] = []
    for line in lines:
        plain = ROW_END.sub("", RULES.sub("", line).strip()).strip()
        made.append([c.strip() for c in re.split(r"(?<!\\)&", plain)] if plain else [])
    return "\n" + "\n".join(_written(made))


def _written(rows: list[list[str]]) -> list[str]:
    filled = [k for k, row in enumerate(rows) if row]
    made = []
    for k, row in enumerate(rows):
        cells = "".join(f"<td>{escape(c, False)}</td>" for c in row)
        text = f"<tr>{cells}</tr>" if row else "<!-- -->" if filled[0] < k < filled[-1] else ""
        opened = "<table>" if filled and k == filled[0] else ""
        made.append(opened + text + ("</table>" if filled and k == filled[-1] else ""))
    return made


def _cells(row: str, head: bool = False) -> list[str]:
    parts = _split(row)
    if head:
        return ["", *parts]
    count = next((k for k, p in enumerate(parts) if NUMBER.match(p)), len(parts))
    return [" ".join(parts[:count]), *parts[count:]]


def _split(row: str) -> list[str]:
    wide = re.split(r"\s{2,}", row.strip())
    return wide if len(wide) > 1 and not re.search(r"\d\s+[-−]?\d", row) else row.split()


def _frame(rows: list[str], k: int) -> int:
    """Where the frame ends whose header is row k; k where there is none."""
    head = rows[k]
    if not head.startswith((" ", "\t")) or len(head) > LONGEST or "|" in head or "=" in head:
        return k
    names = head.split()
    if not 1 <= len(names) <= WIDEST or any(NUMBER.match(n) for n in names):
        return k
    end = k + 1
    while end < len(rows) and len(rows[end]) <= LONGEST:
        parts = rows[end].split()
        numbers = parts[len(parts) - len(names) :]
        label = parts[: len(parts) - len(names)]
        if not 1 <= len(label) <= 4 or not all(NUMBER.match(n) for n in numbers):
            break
        if rows[end][:1].isspace() or not re.match(r"[A-Za-zθ\d]", label[0]):
            break
        if any(re.search(r"[=:≈]", p) for p in label):
            break
        end += 1
    return end if end > k + 1 else k
