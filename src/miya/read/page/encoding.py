"""Bytes to text, and Greek that was read in the wrong code page put right."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from ...errors import MiyaInputError

LARGEST = 1 << 19  # bytes of a page that are read
CODE_PAGES = ("cp1252", "cp1254", "latin-1", "iso8859-9")
# lead bytes of UTF-8 as a code page shows them, and what follows them
SUSPECT = re.compile(r"[Â-ô][\x80-ÿŒœŠšŸŽžƒˆ˜ğĞıİşŞ–—‘’‚“”„†‡•…‰‹›€™]+")


def read_bytes(path: Path) -> tuple[bytes, int]:
    """The first LARGEST bytes, and the size of the file. Raises MiyaInputError E220."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 4)
        return content, path.stat().st_size
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise MiyaInputError(
            "E220", f"cannot read {path}: {why}", hint="check its name and rights"
        ) from error


def decode(content: bytes, name: str) -> str:
    """Text of a page. Raises MiyaInputError E701 for an empty one, E702 for a binary one."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = content.decode("utf-16", "replace")
    else:
        try:
            text = content[:LARGEST].decode("utf-8-sig")
        except UnicodeDecodeError as error:
            whole = error.start >= min(len(content), LARGEST) - 4
            text = content[:LARGEST].decode("utf-8-sig" if whole else "cp1252", "replace")
    odd = sum(c < " " and c not in "\t\n\r\f" for c in text[:65536])
    if odd > len(text[:65536]) * 0.02 + 2 or "\0" in text[:1024]:
        raise MiyaInputError(
            "E702", f"{name} is binary, no page", hint="save it as text, Markdown or HTML"
        )
    if not text.strip():
        raise MiyaInputError("E701", f"{name} is empty", hint="give a page with worked numbers")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def repair(text: str) -> tuple[str, int]:
    """`text` with UTF-8 that was read as a Western or Turkish code page, and the pieces mended."""
    mended = 0

    def put_right(found: re.Match[str]) -> str:
        nonlocal mended
        good = _mend(found[0])
        if good is None:
            return found[0]
        mended += 1
        return good

    return SUSPECT.sub(put_right, text), mended


def _mend(piece: str) -> str | None:
    for page in CODE_PAGES:
        raw = b"".join(_byte(c, page) for c in piece)
        if len(raw) != len(piece):
            continue
        good = _utf8(raw)
        if good is not None:
            return good
    return None


def _byte(character: str, page: str) -> bytes:
    try:
        return character.encode(page)
    except UnicodeEncodeError:
        # code pages leave bytes such as 0x81 open; readers keep them as they are
        return bytes([ord(character)]) if ord(character) < 256 else b""


def _utf8(raw: bytes) -> str | None:
    """The longest start that is UTF-8, the rest as it was; None where none is."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if not error.start:
            return None
        return raw[: error.start].decode("utf-8") + raw[error.start :].decode("latin-1")


LOW = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋ᵢⱼₖₙₒₓₕ₍₎", "0123456789+-ijknoxh()")
HIGH = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀᵗⁿ⁽⁾", "0123456789+-Ttn()")
PLAIN = {
    "−": "-",
    "–": "-",
    "×": "*",
    "·": "*",
    "⋅": "*",
    "∙": "*",
    "∗": "*",
    "⊗": "⊙",
    "∘": "⊙",
    "÷": "/",
    "≃": "≈",
    "≅": "≈",
    "≐": "≈",
    "≡": "=",
    "′": "'",
    "’": "'",
    "½": "(1/2)",
    "\u00a0": " ",
    "\u2009": " ",
    "\u202f": " ",
    "\u200b": "",
    "\ufeff": "",
    "ε": "ε",
    "ẟ": "δ",
    "ð": "∂",
    "𝜕": "∂",
    "𝛿": "δ",
    "𝜎": "σ",
    "𝜂": "η",
    "ς": "σ",
}
# an x between factors: w13 x x1, 1/2 x ((t1 - o1)^2 + ...), (1 - a) x δ5
LETTER_TIMES = re.compile(r"(?<=[\d)\]α-ω])[ \t]+x[ \t]+(?=-?(?:\(|[A-Za-zΑ-ω]{1,5}_?\{?\d))")
_PLAIN = str.maketrans(PLAIN)


def simplify(text: str) -> str:
    """Signs of one meaning as one sign, small raised and lowered figures as ^ and _."""
    text = unicodedata.normalize("NFC", text).translate(_PLAIN)
    text = re.sub(r"(?<=[\d)\]])\s+[xX]\s+(?=-?[(\[]?-?\d)", " * ", text)  # 0.5 x 0.2
    text = LETTER_TIMES.sub(" * ", text)
    text = re.sub(r"y\u0302", "ŷ", text)
    text = re.sub(r"([mMvVsS])\u0302", r"\1_hat", text)
    text = re.sub(r"[₀-₉₊₋ᵢⱼₖₙₒₓₕ₍₎]+", lambda m: "_{" + m[0].translate(LOW) + "}", text)
    return re.sub(r"[⁰¹²³⁴-⁹⁺⁻ᵀᵗⁿ⁽⁾]+", lambda m: "^{" + m[0].translate(HIGH) + "}", text)
