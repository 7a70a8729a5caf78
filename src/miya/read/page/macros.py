r"""A page's own LaTeX commands written out, such as \newcommand{\pd}[2]{\frac{#1}{#2}}."""

from __future__ import annotations

import re

DEFINED = re.compile(
    r"\\(?:re)?newcommand\*?\s*\{?\s*\\(?P<name>[A-Za-z]+)\s*\}?\s*(?:\[(?P<count>\d)\])?\s*(?=\{)"
    r"|\\def\s*\\(?P<old>[A-Za-z]+)(?P<marks>(?:#\d)*)\s*(?=\{)"
    r"|\\DeclareMathOperator\*?\s*\{?\s*\\(?P<operator>[A-Za-z]+)\s*\}?\s*(?=\{)"
)
MOST = 60  # commands of a page
DEEPEST = 4  # commands in the bodies of others
LONGEST = 2_000  # signs of a body
GROWTH = 4  # times the page's own length


UNIT = re.compile(r"\\(?:num|qty|SI)(?:\[[^\]\n]*\])?\{([^{}\n]{1,60})\}")


def expanded(text: str) -> str:
    """`text` with its own commands written out; lines stay where they are."""
    text = UNIT.sub(r"\1", text)  # siunitx
    if "\\newcommand" not in text and "\\def" not in text and "\\DeclareMath" not in text:
        return text
    bodies, rest = _definitions(text)
    limit = GROWTH * len(text) + LONGEST
    for _ in range(DEEPEST if bodies else 0):
        made = _once(rest, bodies, limit)
        if made == rest or len(made) > limit:
            break
        rest = made
    return rest


def _definitions(text: str) -> tuple[dict[str, tuple[int, str]], str]:
    """Arguments and body of each command, and the text without what defines them."""
    bodies: dict[str, tuple[int, str]] = {}
    kept: list[str] = []
    last = 0
    for found in DEFINED.finditer(text):
        if found.start() < last or len(bodies) >= MOST:
            continue
        group = _group(text, found.end())
        if group is None or len(group[0]) > LONGEST:
            continue
        body, end = group
        name = found["name"] or found["old"] or found["operator"]
        count = int(found["count"] or 0) if found["name"] else (found["marks"] or "").count("#")
        if found["operator"]:
            body = rf"\operatorname{{{body}}}"
        bodies[name] = (count, body)
        kept += [text[last : found.start()], "\n" * text.count("\n", found.start(), end)]
        last = end
    return bodies, "".join([*kept, text[last:]])


def _once(text: str, bodies: dict[str, tuple[int, str]], limit: int) -> str:
    kept: list[str] = []
    last = size = 0
    for found in re.finditer(r"\\([A-Za-z]+)", text):
        told = bodies.get(found[1])
        if told is None or found.start() < last:
            continue
        count, body = told
        given: list[str] = []
        end = found.end()
        while len(given) < count and (group := _group(text, end)) is not None:
            given.append(group[0])
            end = group[1]
        if len(given) < count:
            continue
        made = _filled(body, given)
        made = made.replace("\n", " ") + (" " if not count else "")
        kept += [text[last : found.start()], made, "\n" * text[found.start() : end].count("\n")]
        last = end
        size += len(made)
        if size > limit:
            break
    return "".join([*kept, text[last:]])


def _filled(body: str, given: list[str]) -> str:
    def put(found: re.Match[str]) -> str:
        place = int(found[1])
        return given[place - 1] if 0 < place <= len(given) else ""

    return re.sub(r"#(\d)", put, body)


def _group(text: str, start: int) -> tuple[str, int] | None:
    """What stands in the braces at `start`, or the one sign there, and where it ends."""
    while start < len(text) and text[start] in " \t":
        start += 1
    if start >= len(text):
        return None
    if text[start] != "{":
        command = re.compile(r"\\[A-Za-z]+|[A-Za-z0-9]").match(text, start)
        return (command[0], command.end()) if command else None
    deep = 0
    for at in range(start, min(len(text), start + LONGEST)):
        if text[at] in "{}" and text[at - 1] != "\\":
            deep += 1 if text[at] == "{" else -1
            if not deep:
                return text[start + 1 : at], at + 1
    return None


LAYOUT = re.compile(
    r"\\(?:begin|end)\{(?:document|enumerate|itemize|description|center|quote|proof|solution"
    r"|problem|question|answer|figure|minipage|flushleft|parts)\*?\}(?:\[[^\]\n]{0,80}\])?"
    r"|\\(?:noindent|medskip|bigskip|smallskip|newpage|maketitle|centering|item)\b(?:\[[^\]\n]{0,40}\])?"
)
HEADING = re.compile(
    r"\\(?:(?:sub)*(?:section|paragraph|part|chapter)\*?|begin\{frame\}(?:\[[^\]\n]*\])?|frametitle)"
    r"\{([^{}\n]{0,200})\}|\\(?:begin|end)\{frame\}"
)
FONTS = re.compile(
    r"\\(?:textbf|textit|emph|underline|texttt|alert|structure)\{([^{}$\n]{0,200})\}"
)


def document(text: str) -> str:
    r"""The body of a LaTeX document as Markdown reads it; lines stay where they are."""
    begin = text.find(r"\begin{document}")
    if begin < 0 and "\\documentclass" not in text:
        return text
    if begin >= 0:
        text = "\n" * text.count("\n", 0, begin) + text[begin:]
    text = re.sub(r"(?<!\\)%[^\n]*", "", text)
    text = HEADING.sub(lambda m: f"# {m[1]}" if m[1] else "", LAYOUT.sub("", text))
    text = FONTS.sub(r"\1", text)
    text = re.sub(r"\\\[|\\\]", lambda _: "$$", re.sub(r"\\\\\[[^\]\n]{0,20}\]", r"\\\\", text))
    return re.sub(r"(?m)^[ \t]+", "", text)
