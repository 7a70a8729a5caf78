"""Network files in TOML and JSON, with the line and column of what is wrong."""

from __future__ import annotations

import os
import stat
from difflib import get_close_matches
from importlib import resources
from pathlib import Path

from ..core.build import network as build
from ..core.network import Network
from ..core.numbers_in import show
from ..errors import MiyaInputError
from . import places
from .npz import refuse_npz
from .parse import parse

# the TOML parser is some 20 times slower than that of JSON
LARGEST = {"toml": 64 * 2**20, "json": 256 * 2**20}  # bytes
PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".joblib", ".ckpt")
YAML = (".yaml", ".yml")
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
    folder = resources.files("miya").joinpath("networks")
    named = folder.joinpath(f"original.{language}.toml")
    source = named if named.is_file() else folder.joinpath("original.toml")
    return loads(source.read_text("utf-8"), name="original.toml", dtype=dtype)


def _form(path: Path) -> str:
    """ "toml" or "json" from the name; refuses what is never read, before it is opened."""
    suffix = path.suffix.lower()
    if suffix in PICKLES:
        raise MiyaInputError(
            "E501",
            f"{path} refused: pickles can run code",
            hint="write the weights as TOML or JSON from your own process",
        )
    if suffix in YAML:
        raise MiyaInputError(
            "E505",
            f"{path} refused: YAML is not read, since its tags can run code and its aliases grow",
            hint="write the network as TOML or JSON",
        )
    if suffix in (".toml", ".json"):
        return suffix[1:]
    _check_regular(path)
    if suffix == ".npz":
        refuse_npz(path)
    kind = f"{suffix} file" if suffix else "file without a suffix"
    raise MiyaInputError("E219", f"{path} is a {kind}", hint="give a network as .toml or .json")


def _text(path: Path, largest: int) -> str:
    _check_regular(path)
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(content) > largest:
        found = f"{size / 2**20:.0f} MiB, limit {largest // 2**20} MiB"
        raise MiyaInputError("E503", f"{path} has {found}", hint="use Python: miya.load(dict)")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        mark = BYTE_ORDER_MARKS.get(content[:2])
        found = mark or f"not UTF-8: byte {error.start} is 0x{content[error.start]:02x}"
        raise MiyaInputError("E220", f"{path} is {found}", hint="save it as UTF-8 text") from None


def _check_regular(path: Path) -> None:
    """Refuse what is missing, a folder, or a pipe or device that may never end."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if stat.S_ISDIR(mode):
        raise MiyaInputError("E220", f"{path} is a folder", hint="name a file in it")
    if not stat.S_ISREG(mode):
        raise MiyaInputError(
            "E220", f"{path} is a pipe or a device", hint="save the network as a file first"
        )


def _unreadable(path: Path, error: Exception) -> MiyaInputError:
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
