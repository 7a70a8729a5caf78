"""Network files in TOML and JSON, with the line and column of what is wrong."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any

from ..core.build import network as build
from ..core.network import Network
from ..errors import MiyaInputError
from ..errors import Path as Keys

LARGEST = 256 * 2**20  # bytes
DEEPEST = 64
PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".joblib")


def read_network(path: str | Path, *, dtype: str = "float64") -> Network:
    """The network of a .toml or .json file.

    Raises MiyaInputError whose `place` is file:line:column, warns MiyaWarning.
    """
    path = Path(path)
    form = _form(path)
    try:
        if path.stat().st_size > LARGEST:
            size = f"{path.stat().st_size / 2**20:.0f} MiB, limit {LARGEST // 2**20} MiB"
            raise MiyaInputError("E503", f"{path} has {size}", hint="use Python: miya.load(dict)")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise _unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise MiyaInputError(
            "E220", f"{path} is not UTF-8: byte {error.start}", hint="save it as UTF-8"
        ) from None
    return loads(text, form, name=str(path), dtype=dtype)


def loads(
    text: str, form: str = "toml", *, name: str = "<text>", dtype: str = "float64"
) -> Network:
    """The network of a text in "toml" or "json"; `name` stands for its file in messages."""
    try:
        return build(PARSERS[form](text), dtype=dtype)
    except MiyaInputError as error:
        error.place = error.place or _place(text, form, name, error.path)
        if error.place.startswith(":"):
            error.place = name + error.place
        raise


def original(*, dtype: str = "float64") -> Network:
    """The network of the original story, which ships with the package."""
    source = resources.files("miya").joinpath("networks/original.toml").read_text("utf-8")
    return loads(source, name="original.toml", dtype=dtype)


def _form(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix in PICKLES:
        raise MiyaInputError(
            "E501",
            f"{path} refused: pickles can run code",
            hint="write the weights as TOML or JSON from your own process",
        )
    if suffix in (".toml", ".json"):
        return suffix[1:]
    kind = f"{suffix} file" if suffix else "file without a suffix"
    raise MiyaInputError("E219", f"{path} is a {kind}", hint="give a network as .toml or .json")


def _unreadable(path: Path, error: OSError) -> MiyaInputError:
    if path.is_dir():
        return MiyaInputError("E220", f"{path} is a folder", hint="name a file in it")
    if not isinstance(error, FileNotFoundError):
        return MiyaInputError(
            "E220", f"cannot read {path}: {error.strerror or error}", hint="check its rights"
        )
    found = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = get_close_matches(path.name, found, 1)
    hint = f"did you mean {path.with_name(near[0])}?" if near else "check the name and the folder"
    return MiyaInputError("E220", f"{path} does not exist", hint=hint)


def _toml(text: str) -> Any:
    _check_depth(text, quotes="\"'", comment="#")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax(str(error), text, getattr(error, "pos", None)) from None
    except RecursionError:
        raise _deep() from None
    except ValueError as error:
        raise _long_integer(error) from None


def _syntax(message: str, text: str, position: int | None) -> MiyaInputError:
    import re

    found = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)", message)
    what = message[: found.start()] if found else message
    if "Cannot overwrite a value" in what or "twice" in what or "Cannot declare" in what:
        code, hint = "E214", "give each key once"
    else:
        code, hint = (
            "E215",
            'look at that place: numbers need a point (0.5), texts need quotes ("a")',
        )
    place = f":{found[1]}:{found[2]}" if found and found[1] else ":end of the file"
    return MiyaInputError(code, f"no TOML: {what}", hint=hint, place=place)


def _json(text: str) -> Any:
    _check_depth(text, quotes='"')

    def constant(name: str) -> float:
        raise _json_constant(text, name)

    try:
        return json.loads(text, object_pairs_hook=_pairs, parse_constant=constant)
    except json.JSONDecodeError as error:
        raise MiyaInputError(
            "E215",
            f"no JSON: {error.msg}",
            hint="look at that place, and just before it",
            place=f":{error.lineno}:{error.colno}",
        ) from None
    except RecursionError:
        raise _deep() from None
    except ValueError as error:
        raise _long_integer(error) from None


def _json_constant(text: str, name: str) -> MiyaInputError:
    """JSON knows no NaN or Infinity, though Python's reader takes them."""
    at = _outside_strings(text, name)
    line, column = text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1
    return MiyaInputError(
        "E203", f"{name} is not JSON", hint="give a finite number", place=f":{line}:{column}"
    )


def _outside_strings(text: str, name: str) -> int:
    inside, k = False, 0
    while k < len(text):
        if inside and text[k] == "\\":
            k += 2
            continue
        if text[k] == '"':
            inside = not inside
        elif not inside and text.startswith(name, k):
            return k
        k += 1
    return 0


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise MiyaInputError(
                "E214", f"the key {key!r} stands twice in one object", hint="give each key once"
            )
        found[key] = value
    return found


def _long_integer(error: ValueError) -> MiyaInputError:
    if "integer string conversion" not in str(error):
        return MiyaInputError("E215", str(error), hint="look at that place")
    return MiyaInputError(
        "E209", "an integer has over 4300 digits", hint="shorten it, or write it as 1e300"
    )


def _deep() -> MiyaInputError:
    return MiyaInputError(
        "E504", f"lists or tables are nested over {DEEPEST} deep", hint="a weight needs two levels"
    )


def _check_depth(text: str, quotes: str, comment: str = "") -> None:
    """Refuse deep nesting before a parser recurses into it; strings and comments are skipped."""
    import re

    strings = "|".join(
        ([r'"""(?:[^\\]|\\.)*?"""', r"'''.*?'''", r"'[^'\n]*'"] if comment else [])
        + [r'"(?:[^"\\\n]|\\.)*"']
        + ([r"#[^\n]*"] if comment else [])
    )
    depth = 0
    for match in re.finditer(rf"{strings}|[\[\]{{}}]", text, re.DOTALL):
        mark = match[0]
        if mark in ("[", "{"):
            depth += 1
            if depth > DEEPEST:
                raise _deep()
        elif mark in ("]", "}"):
            depth -= 1


PARSERS: dict[str, Callable[[str], Any]] = {"toml": _toml, "json": _json}


def _place(text: str, form: str, name: str, keys: Keys) -> str:
    """file:line:column of the keys, or of the nearest table above them that stands there."""
    if form == "toml":
        from parse_errors.toml_source_map import locate
    else:
        from parse_errors.json_source_map import locate

    for length in range(len(keys), 0, -1):
        pointer = "".join(f"/{_escape(str(k))}" for k in keys[:length])
        entry = locate(text, pointer)
        if entry is None:
            continue
        start = entry.key_start if length == len(keys) and _is_key(keys) else entry.value_start
        start = start or entry.value_start
        if (start.line, start.column) != (0, 0) or form == "json":
            return f"{name}:{start.line + 1}:{start.column + 1}"
    return name


def _is_key(keys: Keys) -> bool:
    return isinstance(keys[-1], str)


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
