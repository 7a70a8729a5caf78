"""LaTeX to tokens, through pylatexenc's nodes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ...core.written import Name
from .tokens import FUNCTIONS, KNOWN, MARKS, Token, identifier, plain_tokens

DEEPEST = 40  # braces in braces
SIGNS: dict[str, tuple[str, str]] = {
    "cdot": ("op", "*"), "times": ("op", "*"), "ast": ("op", "*"), "odot": ("op", "⊙"),
    "circ": ("op", "⊙"), "otimes": ("op", "⊙"), "div": ("op", "/"), "approx": ("rel", "≈"),
    "simeq": ("rel", "≈"), "doteq": ("rel", "≈"), "equiv": ("rel", "="), "eq": ("rel", "="),
    "sim": ("rel", "≈"), "gets": ("rel", "←"), "leftarrow": ("rel", "←"), "coloneqq": ("rel", "="),
    "rightarrow": ("end", "→"), "to": ("end", "→"), "Rightarrow": ("end", "→"),
    "implies": ("end", "→"), "partial": ("op", "∂"), "nabla": ("op", "∇"), "prime": ("'", "'"),
    "quad": ("end", " "), "qquad": ("end", " "), "lbrack": ("[", "["), "rbrack": ("]", "]"),
    "{": ("(", "("), "}": (")", ")"), "lVert": ("|", "|"), "\\": ("end", "\n"),
    "iff": ("end", "→"), "Longrightarrow": ("end", "→"), "longrightarrow": ("end", "→"),
    "bullet": ("op", "*"), "star": ("op", "*"),
}  # fmt: skip
LETTERS = {
    "delta": "δ", "Delta": "Δ", "sigma": "σ", "eta": "η", "alpha": "α", "theta": "θ", "Theta": "θ",
    "ell": "ℓ",
    "phi": "φ", "varphi": "φ", "mu": "μ", "beta": "β", "epsilon": "ε", "varepsilon": "ε",
    "lambda": "λ", "exp": "exp", "ln": "ln", "log": "log", "tanh": "tanh", "max": "max",
    "gamma": "γ", "rho": "ρ", "Phi": "Φ", "Sigma": "Σ",
}  # fmt: skip
INSIDE = {
    "boxed", "mathbf", "boldsymbol", "bm", "mathrm", "text", "textbf", "mathit", "vec", "mathcal",
    "textit", "operatorname", "textrm", "underline", "mathsf", "bf", "fbox", "displaystyle",
    "color", "textcolor", "mathbb", "tilde", "emph", "texttt", "bar",
}  # fmt: skip
MATRICES = ("matrix", "array", "cases")
TEXTUAL = {"text", "mathrm", "textbf", "operatorname", "textrm", "textit", "texttt", "mathit"}


def latex_tokens(text: str, line: int = 1) -> list[Token]:
    """The tokens of a formula. What pylatexenc cannot read is read as plain text."""
    from pylatexenc.latexwalker import (  # type: ignore[import-untyped]
        LatexWalker,
        LatexWalkerError,
    )

    text = balanced(text)
    if _depth(text) > DEEPEST:
        return _roughly(text, line)
    starts = [i for i, c in enumerate(text) if c == "\n"]
    try:
        # tolerant parsing tries again at each level, which takes for ever on nested faults
        walker = LatexWalker(text, tolerant_parsing=False)
        nodes = walker.get_latex_nodes()[0]
        return _Reader(text, line, starts).nodes(nodes)
    except (LatexWalkerError, RecursionError, IndexError, TypeError, AttributeError, ValueError):
        return _roughly(text, line)


PAIRS = re.compile(r"\\begin\{(?P<begin>\w+\*?)\}|\\end\{(?P<end>\w+\*?)\}|\\.|[{}$]", re.DOTALL)


def balanced(text: str) -> str:
    """`text` with every brace and environment closed, and none closed that is not open."""
    opened: list[str] = []
    parts: list[str] = []
    last = 0
    for found in PAIRS.finditer(text):
        parts.append(text[last : found.start()])
        last = found.end()
        piece, close = found[0], None
        if found["begin"]:
            opened.append(rf"\end{{{found['begin']}}}")
        elif piece == "{":
            opened.append("}")
        elif piece == "}" or found["end"]:
            close = piece
        elif piece == "$":
            continue
        if close is not None:
            if close not in opened:
                continue
            while opened[-1] != close:
                parts.append(opened.pop())
            opened.pop()
        parts.append(piece)
    return "".join([*parts, text[last:], *reversed(opened)])


def _roughly(text: str, line: int) -> list[Token]:
    """The tokens of a broken formula: its signs and letters, its other commands left out."""

    def plain(found: re.Match[str]) -> str:
        name = found[1]
        if name in SIGNS:
            return f" {SIGNS[name][1]} "
        return f" {LETTERS.get(name, '')} "

    return plain_tokens(re.sub(r"\\([A-Za-z]+)", plain, text), line, maths=True)


def _depth(text: str) -> int:
    deep = most = 0
    for found in re.finditer(r"[{}\[\]]|\\(begin|end|left|right)\b", text):
        piece = found[0]
        deep += 1 if piece in ("{", "[", "\\begin", "\\left") else -1
        most, deep = max(most, deep), max(deep, 0)
    return most


class _Reader:
    def __init__(self, text: str, line: int, breaks: list[int]) -> None:
        self.text, self.line, self.breaks = text, line, breaks

    def at(self, position: int) -> int:
        from bisect import bisect_left

        return self.line + bisect_left(self.breaks, position)

    def nodes(self, nodes: Any) -> list[Token]:
        found: list[Token] = []
        queue = [n for n in nodes or [] if n is not None]
        while queue:
            node = queue.pop(0)
            self.node(node, queue, found)
        return found

    def node(self, node: Any, queue: list[Any], found: list[Token]) -> None:
        kind = type(node).__name__
        if kind == "LatexCharsNode":
            self.characters(node, queue, found)
        elif kind == "LatexGroupNode":
            open_, close = node.delimiters if isinstance(node.delimiters, tuple) else ("{", "}")
            inside = self.nodes(node.nodelist)
            if open_ == "[":
                inside = [self.token("[", "[", node), *inside, self.token("]", close, node)]
            found += inside
        elif kind == "LatexMacroNode":
            self.macro(node, queue, found)
        elif kind == "LatexEnvironmentNode":
            self.environment(node, found)
        elif kind == "LatexMathNode":
            found += self.nodes(node.nodelist)
        elif kind == "LatexSpecialsNode":
            if node.specials_chars == "&":
                found.append(self.token("&", "&", node))
            elif node.specials_chars in ("_", "^"):
                self.script(node.specials_chars, node, queue, found)
            elif node.specials_chars in ("``", "''"):
                found.append(self.token("'", "'", node))

    def token(self, kind: str, text: str, node: Any, extra: Any = None) -> Token:
        return Token(kind, text, self.at(node.pos), False, True, extra)

    def characters(self, node: Any, queue: list[Any], found: list[Token]) -> None:
        text, start = node.chars, node.pos
        for piece in re.split(r"([_^])", text):
            if piece in ("_", "^"):
                found.append(Token(piece, piece, self.at(start), False, True, None))
            elif found and found[-1].kind in ("_", "^") and found[-1].extra is None and piece:
                held = piece.lstrip()
                script = re.match(r"\d+|[A-Za-zΑ-ω+*']", held)
                if script:
                    found[-1].extra = script[0]
                    piece = held[script.end() :]
                found += plain_tokens(piece, self.at(start), maths=True)
            else:
                found += plain_tokens(piece, self.at(start), maths=True)
            start += len(piece)
        last = found[-1] if found else None
        if last and last.kind in ("_", "^") and last.extra is None:
            found.pop()
            self.script(last.kind, node, queue, found)

    def script(self, sign: str, node: Any, queue: list[Any], found: list[Token]) -> None:
        if not queue:
            return
        content = queue.pop(0)
        if type(content).__name__ == "LatexCharsNode":
            found.append(Token(sign, sign, self.at(content.pos), False, True, None))
            self.characters(content, queue, found)
            return
        verbatim = self.text[content.pos : content.pos + content.len]
        tokens = self.nodes([content])
        found.append(self.token(sign, sign, content, (script_text(verbatim), tokens)))

    def macro(self, node: Any, queue: list[Any], found: list[Token]) -> None:
        name = node.macroname
        given = [a for a in (node.nodeargd.argnlist if node.nodeargd else []) or [] if a]
        if name in SIGNS:
            kind, text = SIGNS[name]
            found.append(self.token(kind, text, node))
        elif name in ("frac", "dfrac", "tfrac", "cfrac"):
            while len(given) < 2 and queue:
                given.append(queue.pop(0))
            parts = tuple(self.nodes([g]) for g in given[:2])
            broken = len(parts) < 2
            found.append(self.token("word" if broken else "frac", "frac", node, parts))
        elif name in ("top", "intercal"):
            found.append(self.token("name", "T", node, Name("T")))
        elif name in ("hat", "widehat"):
            self.hat(node, given or queue[:1], queue, found, bool(given))
        elif name in LETTERS:
            letter = LETTERS[name]
            found.append(self.token("name", letter, node, Name(letter)))
        elif name == "sqrt":
            found.append(self.token("name", "sqrt", node, Name("sqrt")))
            self.wrapped(given[-1:] or [queue.pop(0)] if queue else given, node, found)
        elif name in TEXTUAL:
            self.words(given or ([queue.pop(0)] if queue else []), node, found)
        elif name in ("underbrace", "overbrace"):
            found += self.nodes(given or ([queue.pop(0)] if queue else []))
            while queue and getattr(queue[0], "chars", "").strip() in ("_", "^"):
                del queue[:2]
        elif name in ("tag", "label", "color", "textcolor"):
            given or (queue and queue.pop(0))
        elif name == "sum":
            found.append(self.token("word", "sum", node))
        elif given:
            found += self.nodes(given)

    def wrapped(self, nodes: list[Any], node: Any, found: list[Token]) -> None:
        found.append(self.token("(", "(", node))
        found += self.nodes(nodes)
        found.append(self.token(")", ")", node))

    def hat(
        self, node: Any, given: list[Any], queue: list[Any], found: list[Token], own: bool
    ) -> None:
        inside = self.nodes(given)
        if not own and queue:
            queue.pop(0)
        for token in inside:
            if token.kind == "name" and token.extra:
                base = "ŷ" if token.extra.base == "y" else f"hat {token.extra.base}"
                token.extra = Name(base, token.extra.low)
        found += inside

    def words(self, nodes: list[Any], node: Any, found: list[Token]) -> None:
        for part in nodes:
            text = script_text(self.text[part.pos : part.pos + part.len])
            name = identifier(text.strip())
            letters = text.strip()
            if name and (name.base in KNOWN or name.base in FUNCTIONS) and letters not in MARKS:
                found.append(self.token("name", letters, node, name))
            else:
                found += [t for t in plain_tokens(text, self.at(part.pos)) if t.kind != "break"]

    def environment(self, node: Any, found: list[Token]) -> None:
        name = node.environmentname.rstrip("*")
        if not name.endswith(MATRICES) or name in ("eqnarray", "subarray"):
            found += _columns(self.nodes(node.nodelist))
            return
        rows: list[list[list[Token]]] = [[[]]]
        for token in self.nodes(node.nodelist):
            if token.kind == "end" and token.text == "\n":
                rows.append([[]])
            elif token.kind == "&":
                rows[-1].append([])
            elif token.kind != "break":
                rows[-1][-1].append(token)
        rows = [r for r in rows if any(r)]
        found.append(self.token("matrix", name, node, rows))


def _columns(tokens: list[Token]) -> list[Token]:
    """Aligned formulas without their marks: every other & of a row parts two columns."""
    found: list[Token] = []
    marks = 0
    for token in tokens:
        if token.kind != "&":
            marks = 0 if token.kind == "end" and token.text == "\n" else marks
            found.append(token)
            continue
        marks += 1
        between = bool(found) and found[-1].kind == "rel"  # a &=& b
        if marks % 2 == 0 and not between:
            found.append(replace(token, kind="end", text=" "))
    return found


def script_text(latex: str) -> str:
    """What stands below or above as plain text: \\text{new} is new, {(1)} is (1)."""
    text = re.sub(r"\\(text|mathrm|mathbf|operatorname|textbf|textrm|mathit|rm)\b", "", latex)
    for macro, letter in (("top", "T"), ("intercal", "T"), ("prime", "'"), ("ast", "*")):
        text = text.replace(f"\\{macro}", letter)
    text = re.sub(r"\\(\w+)", lambda m: LETTERS.get(m[1], m[1]), text)
    return re.sub(r"[{}$\\]", "", text).strip()
