"""HTML to tokens: text with its small raised and lowered letters, tables, MathML."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

from .encoding import simplify
from .latex import latex_tokens
from .tokens import MOST, Token

BLOCKS = {
    "p", "div", "br", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "section",
    "article", "blockquote", "hr", "dt", "dd", "figure", "header", "footer", "body", "main",
}  # fmt: skip
SILENT = {"script", "style", "head", "template", "noscript", "svg"}
DEEPEST = 40
ODD = re.compile(r"<!(?!--|doctype\b)|<!(?=doctype[^>]*\[)", re.IGNORECASE)  # breaks html.parser


def html_tokens(text: str, line: int = 1) -> list[Token]:
    reader = _Reader(line)
    reader.feed(ODD.sub("&lt;!", text))
    reader.close()
    reader.flush(True)
    return reader.found[:MOST]


class _Reader(HTMLParser):
    def __init__(self, line: int) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Token] = []
        self.base = line - 1
        self.text, self.start = "", line
        self.silent: list[str] = []
        self.rows: list[list[tuple[list[Token], int]]] | None = None
        self.outer: list[Token] = []
        self.maths: list[tuple[str, list[str]]] = []
        self.annotation: str | None = None

    @property
    def line(self) -> int:
        return self.base + self.getpos()[0]

    def flush(self, block: bool) -> None:
        from .blocks import end, text_tokens

        if self.text.strip():
            self.found += text_tokens(simplify(self.text), self.start)
        self.text = ""
        if block:
            self.found.append(end(self.line))

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if self.maths:
            self.start_maths(tag, attrs)
            return
        if tag in SILENT:
            self.silent.append(tag)
        elif self.silent:
            return
        elif tag == "math":
            self.flush(False)
            self.maths = [("math", [])]
            self.annotation = None
        elif tag in ("sub", "sup"):
            self.text += "_{" if tag == "sub" else "^{"
        elif tag == "table" and self.rows is None:
            self.flush(True)
            self.rows, self.outer, self.found = [], self.found, []
        elif tag == "tr" and self.rows is not None:
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.text, self.found = "", []
            self.start = self.line
        elif tag in BLOCKS:
            self.flush(True)

    def handle_endtag(self, tag: str) -> None:
        if self.maths:
            self.end_maths(tag)
            return
        if self.silent:
            if tag == self.silent[-1]:
                self.silent.pop()
            return
        if tag in ("sub", "sup"):
            self.text += "}"
        elif tag in ("td", "th") and self.rows:
            self.flush(False)
            self.rows[-1].append((self.found, self.line))
            self.found = []
        elif tag == "table" and self.rows is not None:
            rows, self.rows = [r for r in self.rows if r], None
            self.found = self.outer
            self.found.append(Token("table", "", self.line, extra=rows))
            self.flush(True)
        elif tag in BLOCKS:
            self.flush(True)

    def handle_data(self, data: str) -> None:
        if self.maths:
            if self.maths[-1][0] == "annotation":
                self.annotation = (self.annotation or "") + data
            elif len(self.maths) <= DEEPEST:
                self.maths[-1][1].append(data.strip())
            return
        if self.silent:
            return
        if not self.text.strip():
            lead = len(data) - len(data.lstrip())
            self.start = self.line + data.count("\n", 0, lead) - self.text.count("\n")
            if not self.text:
                data = data.lstrip("\n")
        self.text += data

    def start_maths(self, tag: str, attrs: Any) -> None:
        if tag == "annotation" and dict(attrs).get("encoding") != "application/x-tex":
            tag = "annotation-xml"
        self.maths.append((tag, []))

    def end_maths(self, tag: str) -> None:
        if tag not in {t for t, _ in self.maths} and not (
            tag == "annotation" and self.maths[-1][0] == "annotation-xml"
        ):
            return
        name, inside = self.maths.pop()
        if name in ("annotation", "annotation-xml"):
            return
        made = _combined(name, inside)
        if self.maths:
            if len(made) < 20_000:
                self.maths[-1][1].append(made)
            return
        self.found += latex_tokens(simplify(self.annotation or made), self.line)


def _combined(name: str, inside: list[str]) -> str:
    """One MathML element as LaTeX."""
    parts = [i for i in inside if i]
    if name == "mfrac" and len(parts) == 2:
        return rf"\frac{{{parts[0]}}}{{{parts[1]}}}"
    if name == "msub" and len(parts) == 2:
        return f"{parts[0]}_{{{parts[1]}}}"
    if name == "msup" and len(parts) == 2:
        return f"{parts[0]}^{{{parts[1]}}}"
    if name == "msubsup" and len(parts) == 3:
        return f"{parts[0]}_{{{parts[1]}}}^{{{parts[2]}}}"
    if name == "mtd":
        return "".join(parts) + "\0"
    if name == "mtr":
        return "&".join(p.rstrip("\0") for p in parts) + r"\\"
    if name == "mtable":
        return r"\begin{bmatrix}" + "".join(parts) + r"\end{bmatrix}"
    if name == "mi" and len("".join(parts)) > 1:
        return rf"\text{{{''.join(parts)}}}"
    return " ".join(parts)


def visible(text: str) -> str:
    """The page without its tags, small letters as _ and ^, for what words and formulas say."""
    text = re.sub(r"<(script|style)\b.*?</\1\s*>", " ", text, flags=re.DOTALL | re.IGNORECASE)
    text = re.sub(r"<su([bp])\b[^>]*>", lambda m: "_{" if m[1] in "bB" else "^{", text)
    text = re.sub(r"</su[bp]\s*>", "}", text)
    return unescape(re.sub(r"<[^>]{0,300}>", " ", text))
