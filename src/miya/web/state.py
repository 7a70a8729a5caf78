"""The playground's whole state as plain JSON, and as the text of a link.

A state holds a network description (docs/network-file.md) whose examples are a list, and what was
there before training: so a link opens exactly the same network. Every float is written by its
shortest exact text, so that nothing is lost on the way.

    version   1
    network   the description as it stands now
    initial   the layers that "rewind" goes back to
    steps     steps taken since then
    memory    the optimizer's state by parameter, {} before the first step
    seed      what the next new weights are drawn from
    shown     {"example": 0 | "sum", "measure": ..., "view": ..., "digits": ..., "miya": ...}
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any, get_args

from ..analysis.blame import Measure
from ..core.build import network as build
from ..core.network import Network
from ..drawing.scene import VIEWS
from ..errors import MiyaInputError
from ..read.parse import parse

VERSION = 1
LARGEST = 2**20  # bytes of a state's JSON
MOST_PARAMETERS = 20_000
SHOWN: dict[str, Any] = {
    "example": 0,
    "measure": "pressure",
    "view": "whole",
    "digits": 4,
    "miya": True,
}
KEYS = ("version", "network", "initial", "steps", "memory", "seed", "shown")
State = dict[str, Any]


def new_state(description: Mapping[str, Any], *, seed: int = 1) -> State:
    """The state of a network that has taken no step. Raises MiyaInputError for what is none."""
    network = with_rows(description)
    check_size(network)
    build(network)
    return {
        "version": VERSION,
        "network": network,
        "initial": copied(network["layers"]),
        "steps": 0,
        "memory": {},
        "seed": seed,
        "shown": dict(SHOWN),
    }


def with_rows(description: Mapping[str, Any]) -> dict[str, Any]:
    """A copy whose examples are a list of tables, as the page edits them."""
    if not isinstance(description, Mapping):
        return build(description) and {}  # refused by the one validator
    found: dict[str, Any] = copied(dict(description))
    examples = found.get("examples")
    if isinstance(examples, dict):
        build(found)
        found["examples"] = _rows(examples)
    return found


def _rows(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    keys = [key for key in ("name", "input", "target") if key in table]
    rows = zip(*(table[key] for key in keys), strict=True)
    return [dict(zip(keys, row, strict=True)) for row in rows]


def network_of(state: State) -> Network:
    """The checked network. Raises MiyaInputError whose path leads into the description."""
    check_size(state["network"])
    return build(state["network"])


def check_size(description: Mapping[str, Any]) -> None:
    """E507 before anything is built of a network that is too large for the page."""
    found = 0
    layers = description.get("layers")
    for layer in layers if isinstance(layers, list) else []:
        for key in ("weight", "bias"):
            found += count(layer.get(key)) if isinstance(layer, dict) else 0
    examples = description.get("examples")
    for row in examples if isinstance(examples, list) else []:
        found += count(list(row.values())) // 8 if isinstance(row, dict) else 0
    if found > MOST_PARAMETERS:
        raise MiyaInputError(
            "E507",
            f"the network and its examples have over {MOST_PARAMETERS:,} numbers",
            hint="use Python: miya.explain(dict) takes larger ones",
        )


def count(value: Any) -> int:
    """How many values stand in lists of plain JSON."""
    if not isinstance(value, list):
        return 1
    return sum(map(count, value)) if list in set(map(type, value)) else len(value)


def copied(value: Any) -> Any:
    """A copy of plain JSON, of its tables and lists, several times as quick as deepcopy."""
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    if isinstance(value, list):
        return [copied(part) if isinstance(part, dict | list) else part for part in value]
    return value


def checked(given: Any) -> State:
    """`given`, from outside, as a State whose form is sound; its network is not checked yet.

    Raises MiyaInputError E801 for another version or form.
    """
    if not isinstance(given, dict) or given.get("version") != VERSION:
        found = given.get("version") if isinstance(given, dict) else type(given).__name__
        raise _refused(f"is of version {found!r}"[:100])
    missing = [key for key in KEYS if key not in given]
    unknown = [key for key in given if key not in KEYS]
    if missing or unknown:
        raise _refused(f"lacks {missing[0]!r}" if missing else f"holds {unknown[0]!r}"[:100])
    for key, sound in FORMS.items():
        if not sound(given[key]):
            raise _refused(f"has another form of {key}")
    layers = given["network"].get("layers")
    if isinstance(layers, list) and len(layers) != len(given["initial"]):
        raise _refused("starts from another number of layers")
    return given


def _refused(what: str) -> MiyaInputError:
    hint = f"this page reads version {VERSION}: open the network file instead"
    return MiyaInputError("E801", f"the state {what}", hint=hint)


def _whole(value: Any) -> bool:
    return type(value) is int and 0 <= value <= 2**53


def _start(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(layer, dict) and "weight" in layer and "bias" in layer for layer in value
    )


def _shown(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == set(SHOWN)
        and (value["example"] == "sum" or _whole(value["example"]))
        and value["measure"] in get_args(Measure)
        and value["view"] in VIEWS
        and type(value["digits"]) is int
        and 1 <= value["digits"] <= 15
        and isinstance(value["miya"], bool)
    )


FORMS: Mapping[str, Callable[[Any], bool]] = {
    "network": lambda value: isinstance(value, dict),
    "initial": _start,
    "steps": _whole,
    "memory": lambda value: isinstance(value, dict),
    "seed": _whole,
    "shown": _shown,
}


def encode(state: State) -> str:
    """The state as the text of a link: JSON, deflated, in base64 for URLs without padding."""
    content = json.dumps(state, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    squeezed = squeezer.compress(content.encode()) + squeezer.flush()
    return base64.urlsafe_b64encode(squeezed).decode().rstrip("=")


def decode(text: str) -> State:
    """The state of a link. Raises MiyaInputError E802 for a text that is cut or is none."""
    try:
        squeezed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        opener = zlib.decompressobj(-zlib.MAX_WBITS)
        content = opener.decompress(squeezed, LARGEST + 1)
        if len(content) > LARGEST or not opener.eof:
            raise ValueError("too large, or cut off")
        whole = content.decode()
    except (ValueError, binascii.Error, zlib.error) as error:
        raise MiyaInputError(
            "E802", f"the link holds no state: {error}", hint="copy the whole link"
        ) from None
    return checked(parse(whole, "json"))
