"""How a story and a ranking show themselves in Jupyter and marimo.

Fragments of HTML without scripts. Colours come from the page (currentColor, translucent grey), so
a dark notebook stays dark; every rule of the style starts with a class of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape as escape_html

from ..analysis.blame import Blame, BlameRow
from ..story.blocks import (
    Block,
    Bullets,
    Calculations,
    Formula,
    Heading,
    Matrix,
    Paragraph,
    Remark,
    Story,
    Table,
)
from ..story.numbers import percent, signed
from ..story.quantity import Symbol
from ..story.symbols import plain_symbol
from ..story.words import load
from .blame import LETTERS, blame_text
from .escape import printable
from .faces import FACES
from .markdown import markdown
from .text import one_line, text

MOST_ROWS = 20  # of one ranking; the object itself holds all
STYLE = """<style>
.miya-view { font-size: 0.95em; line-height: 1.45; max-width: 62em; }
.miya-view details { margin: 0.3em 0; border-top: 1px solid rgba(128,128,128,.3); }
.miya-view summary { cursor: pointer; font-weight: 600; padding: 0.3em 0; }
.miya-view h4 { margin: 0.7em 0 0.2em; }
.miya-view p, .miya-view ul { margin: 0.35em 0; }
.miya-view pre { margin: 0.35em 0; padding: 0 0 0 1.2em; overflow-x: auto; white-space: pre;
  background: none; color: inherit; font-size: 0.92em; }
.miya-view pre.miya-formula { font-style: italic; opacity: 0.8; }
.miya-view blockquote { margin: 0.5em 0; padding: 0.35em 0.8em; border-left: 3px solid #9a6fb0;
  background: rgba(154,111,176,.12); color: inherit; }
.miya-view table { border-collapse: collapse; margin: 0.5em 0; color: inherit;
  font-size: inherit; }
.miya-view th, .miya-view td { padding: 0.15em 0.8em; text-align: right; background: none;
  font-variant-numeric: tabular-nums; border: 0; border-bottom: 1px solid rgba(128,128,128,.25); }
.miya-view .miya-name { text-align: left; }
.miya-view .miya-bar { text-align: left; width: 12em; }
.miya-view .miya-bar span { display: inline-block; height: 0.75em; border-radius: 2px;
  background: #d55e00; }
.miya-view .miya-bar span.miya-negative { background: #0072b2; }
.miya-view .miya-scale rect { fill: #d55e00; }
.miya-view .miya-scale rect.miya-negative { fill: #0072b2; }
</style>"""


def bundle(html: str, markdown_text: str, plain_text: str) -> dict[str, str]:
    """What `_repr_mimebundle_` gives: the richest first, text as the fallback."""
    found = {"text/html": html, "text/markdown": markdown_text, "text/plain": plain_text}
    return {kind: content for kind, content in found.items() if content}


def story_bundle(story: Story) -> dict[str, str]:
    return bundle(story_html(story), markdown(story), text(story))


def blame_bundle(found: Blame, digits: int = 5, language: str = "en") -> dict[str, str]:
    return bundle(blame_html(found, digits, language), "", blame_text(found, digits, language))


def story_html(story: Story) -> str:
    """The story: each part folds; what Miya concludes is open."""
    language = _safe(story.language)
    return f'{STYLE}\n<div class="miya-view" lang="{language}">{"".join(_parts(story))}</div>'


def _parts(story: Story) -> Iterator[str]:
    folds = [k for k, b in enumerate(story.blocks) if isinstance(b, Heading) and b.level == 2]
    inside = False
    for k, block in enumerate(story.blocks):
        if isinstance(block, Heading) and block.level == 2:
            yield "</details>" if inside else ""
            shown = " open" if k in (folds[0], folds[-1]) else ""
            yield f"<details{shown}><summary>{_safe(block.text)}</summary>"
            inside = True
        else:
            yield from _write(block, story)
    yield "</details>" if inside else ""


def _write(block: Block, story: Story) -> Iterator[str]:
    match block:
        case Heading(words, level):
            tag = "h3" if level == 1 else "h4"
            yield f"<{tag}>{_safe(words)}</{tag}>"
        case Paragraph(words):
            yield f"<p>{_safe(words)}</p>"
        case Bullets(items):
            yield f"<ul>{''.join(f'<li>{_safe(item)}</li>' for item in items)}</ul>"
        case Formula():
            yield f'<pre class="miya-formula">{_safe(block.plain)}</pre>'
        case Calculations(items):
            yield f"<pre>{chr(10).join(_safe(one_line(item)) for item in items)}</pre>"
        case Matrix():
            yield f"<pre>{_matrix(block)}</pre>"
        case Table():
            yield _table(block)
        case Remark():
            words = block.text
            if block.note:
                words += f" ({block.note})"
            yield f"<blockquote><code>{_safe(FACES[block.mood])}</code> {_safe(words)}</blockquote>"


def _matrix(block: Matrix) -> str:
    head = f"{plain_symbol(block.symbol)} = "
    widths = [max(map(len, column)) for column in zip(*block.rows, strict=True)]
    lines = ["  ".join(c.rjust(w) for c, w in zip(r, widths, strict=True)) for r in block.rows]
    starts = [head, *[" " * len(head)] * (len(lines) - 1)]
    return "\n".join(_safe(f"{s}[ {line} ]") for s, line in zip(starts, lines, strict=True))


def _table(block: Table) -> str:
    rows = "".join(_row("td", row) for row in block.rows)
    return f"<table><thead>{_row('th', block.header)}</thead><tbody>{rows}</tbody></table>"


def _row(tag: str, cells: Sequence[str | Symbol]) -> str:
    texts = [plain_symbol(c) if isinstance(c, Symbol) else c for c in cells]
    first, *rest = map(_safe, texts)
    others = "".join(f"<{tag}>{c}</{tag}>" for c in rest)
    return f'<tr><{tag} class="miya-name">{first}</{tag}>{others}</tr>'


def blame_html(found: Blame, digits: int = 5, language: str = "en") -> str:
    """Both rankings as tables; a bar is a row's share, in another colour below 0."""
    words = load(language)["blame"]
    parts = [
        f"<h3>{_safe(words['heading'].format(measure=found.measure))}</h3>",
        f"<p>{_safe(words[found.measure])}</p>",
    ]
    for key, rows, total in (
        ("parameters", found.parameters, found.total_parameters),
        ("neurons", found.neurons, found.total_neurons),
    ):
        parts.append(f"<h4>{_safe(words[key])}</h4>{_ranking(rows[:MOST_ROWS], digits, language)}")
        if total > len(rows[:MOST_ROWS]):
            told = load(language)["notebook"]["left_out"]
            parts.append(f"<p>{_safe(told.format(told=len(rows[:MOST_ROWS]), all=total))}</p>")
    return f'{STYLE}\n<div class="miya-view" lang="{_safe(language)}">{"".join(parts)}</div>'


def _ranking(rows: Sequence[BlameRow], digits: int, language: str) -> str:
    words = load(language)["blame"]
    rank, name, value, share = (_safe(words[k]) for k in ("rank", "name", "value", "share"))
    head = (
        f'<th>{rank}</th><th class="miya-name">{name}</th><th>{value}</th><th>{share}</th><th></th>'
    )
    longest = max((row.share for row in rows), default=0.0) or 1.0
    body = "".join(_blamed(row, digits, words, longest) for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _blamed(row: BlameRow, digits: int, words: dict[str, str], longest: float) -> str:
    name = plain_symbol(Symbol(LETTERS[row.kind], row.layer, row.index))
    name += f" ({row.name})" if row.kind == "neuron" else ""
    notes = [words[key] for key in ("frozen", "tied") if getattr(row, key)]
    name += f" [{', '.join(notes)}]" if notes else ""
    side = ' class="miya-negative"' if row.value < 0 else ""
    bar = f'<span{side} style="width: {row.share / longest * 100:.1f}%"></span>'
    cells = f'<td>{row.rank}</td><td class="miya-name">{_safe(name)}</td>'
    cells += f"<td>{_safe(signed(row.value, digits))}</td><td>{_safe(percent(row.share))}</td>"
    return f'<tr>{cells}<td class="miya-bar">{bar}</td></tr>'


def _safe(words: str) -> str:
    return escape_html(printable(words))
