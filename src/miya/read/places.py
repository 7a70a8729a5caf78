"""Where a key or a value stands in a TOML or JSON text.

The text is one that a parser has accepted, or at least the part before its fault. Values that
do not lie on the way are stepped over at the speed of a regular expression.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator

from ..errors import Path as Keys

# strings and comments; one that never ends runs to where its parser gives up
TEXTS = {
    "toml": r'"""(?:[^"\\]++|\\.|"(?!""))*+(?:"{3,5}|\Z)'
    r"|'''(?:[^']++|'(?!''))*+(?:'{3,5}|\Z)"
    r'|"(?:[^"\\\n]++|\\[^\n])*+"?'
    r"|'[^'\n]*+'?"
    r"|\#[^\n]*+",
    "json": r'"(?:[^"\\]++|\\.)*+"?',
}
SPACE = {
    "toml": re.compile(r"(?:\s++|#[^\n]*+)*+"),
    "json": re.compile(r"\s*+"),
}
BRACKETS = {form: re.compile(rf"{t}|[\[\]{{}}]", re.DOTALL) for form, t in TEXTS.items()}
ENDS = {form: re.compile(rf"{t}|[\[\]{{}},\n]", re.DOTALL) for form, t in TEXTS.items()}
KEY = re.compile(r"""[A-Za-z0-9_-]++|"(?:[^"\\\n]++|\\.)*+"|'[^'\n]*+'""")
DOTTED = r"""\.[ \t]*+(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+"""
JSON_KEY = re.compile(r'("(?:[^"\\]++|\\.)*+")(\s*+:)?|[\[\]{}]', re.DOTALL)
Statement = tuple[Keys, int, int | None]  # full keys, where the key is, where its value is


def place(text: str, at: int) -> str:
    """ ":line:column", both from 1."""
    return f":{text.count(chr(10), 0, at) + 1}:{at - text.rfind(chr(10), 0, at)}"


def find(text: str, form: str, keys: Keys) -> int:
    """The offset of `keys`, or of the nearest table or value above them that stands there.

    Of a key: where the key is written; of an element: where it begins.
    """
    search = Search(text, form, keys)
    start = search.space(0)
    if form == "toml":
        search.follow(statements(text), 0)
        return search.at if search.depth else 0
    search.at = start
    search.descend(start, 0)
    return search.at


def outside_texts(text: str, form: str, pattern: str) -> int | None:
    """The offset of the first `pattern` that stands in no string and no comment."""
    for match in re.finditer(rf"{TEXTS[form]}|(?P<found>{pattern})", text, re.DOTALL):
        if match["found"] is not None:
            return match.start()
    return None


def too_deep(text: str, form: str, deepest: int) -> int | None:
    """The offset of the first bracket, or TOML key of many parts, over `deepest` deep."""
    depth = 0
    if form == "toml" and (match := re.search(rf"(?:{DOTTED}){{{deepest}}}", text)):
        return match.start()
    for match in BRACKETS[form].finditer(text):
        if match[0] in ("[", "{"):
            depth += 1
            if depth > deepest:
                return match.start()
        elif match[0] in ("]", "}"):
            depth -= 1
    return None


def twice(text: str, form: str) -> tuple[int, str] | None:
    """Where a key stands the second time in one table or object, and the key."""
    return _twice_toml(text) if form == "toml" else _twice_json(text)


def _twice_json(text: str) -> tuple[int, str] | None:
    open_objects: list[set[str]] = []
    for match in JSON_KEY.finditer(text):
        if match[0] in ("[", "{"):
            open_objects.append(set())
        elif match[0] in ("]", "}"):
            open_objects.pop()
        elif match[2] and open_objects:
            key = json.loads(match[1], strict=False)
            if key in open_objects[-1]:
                return match.start(), key
            open_objects[-1].add(key)
    return None


def _twice_toml(text: str) -> tuple[int, str] | None:
    values: set[Keys] = set()
    tables: set[Keys] = set()
    for keys, at, value_at in statements(text):
        is_table = value_at is None
        taken = any(keys[:k] in values for k in range(1, len(keys) + 1))
        if taken or keys in tables:
            names = [k for k in keys if isinstance(k, str)]
            return at, names[-1]
        (tables if is_table else values).add(keys)
    return None


def statements(text: str) -> Iterator[Statement]:
    """Each header and each `key = value` of a TOML text, with its full keys."""
    here: Keys = ()
    counts: dict[Keys, int] = {}
    search = Search(text, "toml", ())
    i = search.space(0)
    while i < len(text):
        start = i
        double = text.startswith("[[", i)
        if text[i] == "[":
            parts, i = dotted(text, i + 1 + double)
            if not parts:
                return
            here = _resolve(parts, counts, double)
            yield here, start, None
            line_end = text.find("\n", i)
            i = line_end if line_end >= 0 else len(text)
        else:
            parts, i = dotted(text, i)
            i = search.space(i)
            if not parts or not text.startswith("=", i):
                return
            i = search.space(i + 1)
            yield (*here, *parts), start, i
            i = search.after(i, "\n")
        i = search.space(i)


def _resolve(parts: Keys, counts: dict[Keys, int], double: bool) -> Keys:
    """The keys of a header, with the number of each array's last table put in."""
    keys: Keys = ()
    for k, part in enumerate(parts):
        keys = (*keys, part)
        if double and k == len(parts) - 1:
            counts[keys] = counts.get(keys, 0) + 1
        if keys in counts:
            keys = (*keys, counts[keys] - 1)
    return keys


def dotted(text: str, i: int) -> tuple[Keys, int]:
    """The parts of the TOML key at `i`, and where it ends."""
    parts: list[str] = []
    while True:
        match = KEY.match(text, _spaces(text, i))
        if not match:
            return tuple(parts), i
        parts.append(_plain_key(match[0]))
        i = _spaces(text, match.end())
        if not text.startswith(".", i):
            return tuple(parts), i
        i += 1


def _spaces(text: str, i: int) -> int:
    while text[i : i + 1] in (" ", "\t"):
        i += 1
    return i


def _plain_key(written: str) -> str:
    if written[0] not in "\"'":
        return written
    try:
        return str(tomllib.loads(f"k = {written}")["k"])
    except tomllib.TOMLDecodeError:
        return written


class Search:
    """Follows keys into a text; `at` is where the deepest of them found so far stands."""

    def __init__(self, text: str, form: str, keys: Keys) -> None:
        self.text, self.form, self.keys = text, form, keys
        self.depth, self.at = 0, 0

    def space(self, i: int) -> int:
        """Where the next thing after spaces, line ends and comments begins."""
        match = SPACE[self.form].match(self.text, i)
        return match.end() if match else i

    def after(self, i: int, stops: str) -> int:
        """Where the first of `stops` outside brackets and texts stands, from `i` on."""
        depth = 0
        while match := (BRACKETS if depth else ENDS)[self.form].search(self.text, i):
            mark, i = match[0], match.end()
            if not depth and mark in stops:
                return match.start()
            if mark in ("[", "{"):
                depth += 1
            elif mark in ("]", "}"):
                if not depth:
                    return match.start()
                depth -= 1
        return len(self.text)

    def follow(self, found: Iterator[Statement], k: int) -> None:
        """Note each statement on the way of keys[k:], and go on into its value."""
        for keys, at, value_at in found:
            common = 0
            for mine, theirs in zip(self.keys[k:], keys, strict=False):
                if mine != theirs:
                    break
                common += 1
            self.note(k + common, at)
            if common == len(keys) and value_at is not None:
                self.descend(value_at, k + common)

    def note(self, depth: int, at: int) -> None:
        if depth > self.depth:
            self.depth, self.at = depth, at

    def descend(self, i: int, k: int) -> None:
        """Follow keys[k:] into the value at `i`."""
        if k == len(self.keys):
            return
        key, opening = self.keys[k], self.text[i : i + 1]
        if opening == "{" and isinstance(key, str):
            self.follow(self.members(i), k)
        elif opening == "[" and isinstance(key, int):
            at = self.element(i, key)
            if at is not None:
                self.note(k + 1, at)
                self.descend(at, k + 1)

    def members(self, i: int) -> Iterator[Statement]:
        """The pairs of the object or inline table at `i`."""
        i = self.space(i + 1)
        while i < len(self.text) and self.text[i] != "}":
            start = i
            parts, i = self.member_key(i)
            i = self.space(i)
            if not parts or self.text[i : i + 1] not in ("=", ":"):
                return
            i = self.space(i + 1)
            yield parts, start, i
            i = self.after(i, ",")
            i = self.space(i + 1) if self.text.startswith(",", i) else i

    def member_key(self, i: int) -> tuple[Keys, int]:
        if self.form == "toml":
            return dotted(self.text, i)
        match = JSON_KEY.match(self.text, i)
        if not match or not match[1]:
            return (), i
        return (json.loads(match[1], strict=False),), match.end(1)

    def element(self, i: int, index: int) -> int | None:
        """Where element `index` of the array at `i` begins."""
        i = self.space(i + 1)
        for _ in range(index):
            i = self.after(i, ",")
            if not self.text.startswith(",", i):
                return None
            i = self.space(i + 1)
        return None if self.text.startswith("]", i) else i
