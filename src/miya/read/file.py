"""Network files in TOML and JSON, with the line and column of what is wrong."""

from __future__ import annotations

import os
import stat
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any

from ..core.build import network as build
from ..core.network import Network
from ..core.numbers_in import show
from ..errors import MiyaInputError
from . import places
from .npz import refuse_npz
from .parse import parse
from .pickled import SUFFIXES as PICKLES
from .pickled import refuse, refuse_pickle

# the TOML parser is some 20 times slower than that of JSON
LARGEST = {"toml": 64 * 2**20, "json": 256 * 2**20}  # bytes
YAML = (".yaml", ".yml")
MODELS = {  # what `miya.explain` reads, but is no network file
    ".safetensors": ("holds weights only", "name their network with network (--network)"),
    ".onnx": ("is a model, not a network file", "give its batch with data (--data)"),
}
BYTE_ORDER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


def read_network(path: str | os.PathLike[str], *, dtype: str = "float64") -> Network:
    """The network of a .toml or .json file.

    Raises MiyaInputError whose `place` is file:line:column, warns MiyaWarning.
    """
    if not isinstance(path, str | os.PathLike):
        raise MiyaInputError(
            "E206", f"the network is {show(path)}", hint="give a dict, or the name of a file"
        )
    path = Path(path)
    form = _form(path)
    return loads(_text(path, LARGEST[form]), form, name=str(path), dtype=dtype)


def read_description(path: str | os.PathLike[str]) -> Any:
    """The data of a .toml or .json file, as it stands. Raises as `read_network`."""
    path = Path(path)
    form = _form(path)
    try:
        return parse(_text(path, LARGEST[form]), form)
    except MiyaInputError as error:
        error.place = f"{path}{error.place}" if error.place else ""
        raise


def loads(
    text: str, form: str = "toml", *, name: str = "<text>", dtype: str = "float64"
) -> Network:
    """The network of a text in "toml" or "json"; `name` stands for its file in messages."""
    if form not in LARGEST:
        raise MiyaInputError("E219", f"the form is {show(form)}", hint="choose toml or json")
    try:
        return build(parse(text, form), dtype=dtype)
    except MiyaInputError as error:
        if error.code == "E609":  # a wrong dtype stands in no file
            raise
        error.place = name + (
            error.place or places.place(text, places.find(text, form, error.path))
        )
        raise


def original(*, dtype: str = "float64", language: str = "en") -> Network:
    """The network of the original story, which ships with the package; its names are in
    `language` where they ship in it."""
    return loads(original_text(language), name="original.toml", dtype=dtype)


def original_text(language: str = "en") -> str:
    """Its network file, in TOML."""
    folder = resources.files("miya").joinpath("networks")
    named = folder.joinpath(f"original.{language}.toml")
    source = named if named.is_file() else folder.joinpath("original.toml")
    return source.read_text("utf-8")


def refuse_kind(path: Path) -> None:
    """Raise E501 for the name of a pickle, E505 for that of YAML; the file is not looked at."""
    suffix = path.suffix.lower()
    if suffix in PICKLES:
        refuse(path)
    if suffix in YAML:
        raise MiyaInputError(
            "E505",
            f"{path} refused: YAML is not read, since its tags can run code and its aliases grow",
            hint="write the network as TOML or JSON",
        )


def _form(path: Path) -> str:
    """ "toml" or "json" from the name; refuses what is never read, before it is opened."""
    suffix = path.suffix.lower()
    refuse_kind(path)
    if suffix in (".toml", ".json"):
        return suffix[1:]
    check_regular(path)
    refuse_pickle(path)
    if suffix == ".npz":
        refuse_npz(path)
    if suffix in MODELS:
        raise MiyaInputError("E219", f"{path} {MODELS[suffix][0]}", hint=MODELS[suffix][1])
    kind = f"{suffix} file" if suffix else "file without a suffix"
    raise MiyaInputError("E219", f"{path} is a {kind}", hint="give a network as .toml or .json")


def _text(path: Path, largest: int) -> str:
    check_regular(path)
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise unreadable(path, error) from error
    if len(content) > largest:
        found = f"{size / 2**20:.0f} MiB, limit {largest // 2**20} MiB"
        raise MiyaInputError("E503", f"{path} has {found}", hint="use Python: miya.load(dict)")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        refuse_pickle(path)
        mark = BYTE_ORDER_MARKS.get(content[:2])
        found = mark or f"not UTF-8: byte {error.start} is 0x{content[error.start]:02x}"
        raise MiyaInputError("E220", f"{path} is {found}", hint="save it as UTF-8 text") from None


def check_regular(path: Path) -> None:
    """Refuse what is missing, a folder, or a pipe or device that may never end: E220."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    if stat.S_ISDIR(mode):
        raise MiyaInputError("E220", f"{path} is a folder", hint="name a file in it")
    if not stat.S_ISREG(mode):
        raise MiyaInputError(
            "E220", f"{path} is a pipe or a device", hint="save the network as a file first"
        )


def unreadable(path: Path, error: Exception) -> MiyaInputError:
    """E220: what does not exist, with the name that was meant; or may not be read."""
    if not isinstance(error, FileNotFoundError):
        why = getattr(error, "strerror", None) or error
        return MiyaInputError(
            "E220", f"cannot read {path}: {why}", hint="check its name and rights"
        )
    near = get_close_matches(path.name, _beside(path), 1)
    hint = f"did you mean {path.with_name(near[0])}?" if near else "check the name and the folder"
    return MiyaInputError("E220", f"{path} does not exist", hint=hint)


def _beside(path: Path) -> list[str]:
    try:
        return os.listdir(path.parent)
    except OSError:
        return []
