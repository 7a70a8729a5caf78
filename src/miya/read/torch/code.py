"""The user's own code, run only when it is asked for by name: package.module:attribute or
path/to/file.py:attribute."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from functools import reduce
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from ...errors import MiyaInputError
from ..file import check_regular
from ..source import CODE
from .generators import Generators

PARTS = ("model", "loss", "optimizer", "inputs", "target", "title")


def made_by(source: str) -> dict[str, Any]:
    """What the code gives, by part: "model", and of "loss", "optimizer", "inputs", "target" and
    "title" what it gives too.

    The attribute is a torch.nn.Module, or something that makes one when it is called without
    arguments; or a tuple of the parts in that order, or a dict of them.
    Raises MiyaInputError E220 (no such file), E512 to E514.
    """
    match = CODE.fullmatch(source)
    assert match is not None, source
    start = Generators()
    with _importable(match["module"]):
        found = _attribute(_module(match["module"], source), match["attribute"], source)
        start.restore()  # whether it was imported before or now
        if not isinstance(found, torch.nn.Module) and callable(found):
            found = _called(found, source)
    return _parts(found, source)


@contextmanager
def _importable(module: str) -> Iterator[None]:
    """The folder of a file, or the working folder, first in the path of imports."""
    folder = Path(module).parent if module.endswith(".py") else Path()
    sys.path.insert(0, str(folder.resolve()))
    try:
        yield
    finally:
        sys.path.remove(str(folder.resolve()))


def _module(name: str, source: str) -> ModuleType:
    importlib.invalidate_caches()
    try:
        return _from_file(Path(name)) if name.endswith(".py") else importlib.import_module(name)
    except MiyaInputError:
        raise
    except ModuleNotFoundError as error:
        missing = str(error.name)
        if name == missing or name.startswith(missing + "."):
            raise MiyaInputError(
                "E512",
                f"{source}: there is no module {missing}",
                hint="name it as Python imports it from this folder, or name its file: "
                "path/to/file.py:make_model",
            ) from None
        raise _failed(error, source, "importing it") from error
    except (Exception, SystemExit) as error:
        raise _failed(error, source, "importing it") from error


def _from_file(path: Path) -> ModuleType:
    check_regular(path)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None, path
    module = importlib.util.module_from_spec(spec)
    earlier = sys.modules.get(path.stem)
    sys.modules[path.stem] = module  # classes of it are looked up there
    try:
        spec.loader.exec_module(module)
    finally:
        if earlier is not None:
            sys.modules[path.stem] = earlier
    return module


def _attribute(module: ModuleType, name: str, source: str) -> Any:
    try:
        return reduce(getattr, name.split("."), module)
    except AttributeError:
        near = get_close_matches(name, vars(module), 1)
        named = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(named[:8]) or 'none'}"
        raise MiyaInputError("E512", f"{source}: it has no {name}", hint=hint) from None


def _called(function: Any, source: str) -> Any:
    try:
        needed = [
            p.name
            for p in inspect.signature(function).parameters.values()
            if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ]
    except (TypeError, ValueError):
        needed = []
    if needed:
        raise MiyaInputError(
            "E513",
            f"{source} needs arguments: {', '.join(needed)}",
            hint="name a function without arguments that calls it",
        )
    try:
        return function()
    except (Exception, SystemExit) as error:
        raise _failed(error, source, "calling it") from error


def _failed(error: BaseException, source: str, doing: str) -> MiyaInputError:
    """What the code raised, and the line of it that did."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not _ours(f.filename)]
    at = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    said = " ".join(str(error).split())[:300]
    return MiyaInputError(
        "E513",
        f"{source}: {doing} raised {type(error).__name__}{at}" + (f": {said}" if said else ""),
        hint="run it in Python to see where",
    )


def _ours(file: str) -> bool:
    return file.startswith("<frozen") or Path(file) == Path(__file__) or "importlib" in file


def _parts(found: Any, source: str) -> dict[str, Any]:
    if isinstance(found, tuple | list):
        if len(found) > len(PARTS):
            raise _no_model(source, f"gives {len(found)} parts")
        found = dict(zip(PARTS, found, strict=False))
    if isinstance(found, torch.nn.Module):
        found = {"model": found}
    if not isinstance(found, dict):
        raise _no_model(source, f"gives a {type(found).__name__}")
    unknown = [key for key in found if key not in PARTS]
    if unknown:
        raise _no_model(source, f"gives {unknown[0]!r}")
    if not isinstance(found.get("model"), torch.nn.Module):
        raise _no_model(source, f"gives a {type(found.get('model')).__name__} as the model")
    return {key: value for key, value in found.items() if value is not None}


def _no_model(source: str, what: str) -> MiyaInputError:
    return MiyaInputError(
        "E514",
        f"{source} {what}",
        hint="give a torch.nn.Module, or (model, loss, optimizer, inputs, target) "
        "of which the last ones may be left out, or a dict of them",
    )
