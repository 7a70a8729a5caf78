"""Reading an ONNX file: checked, with its external data only from its own folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ...errors import MiyaInputError
from ..file import check_regular, unreadable
from ..need import need
from ..pickled import refuse_pickle

LARGEST = 512 * 2**20  # bytes, external data included
OLDEST = 7  # of the operator sets: earlier ones broadcast by an attribute
OUTSIDE = re.compile(r"^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)|\\|\0")


def load_onnx(path: Path) -> Any:
    """The onnx.ModelProto of a file, its external data loaded.

    Raises MiyaInputError E220 (no ONNX model), E501, E503, E506 (data outside its folder), E640.
    """
    refuse_pickle(path)
    check_regular(path)
    need("onnx", "onnx", "ONNX models need")
    import onnx
    from onnx.external_data_helper import load_external_data_for_model

    _check_size(path, path.stat().st_size)
    try:
        model = onnx.load(path, load_external_data=False)
        if not model.graph.node:
            raise ValueError("it has no nodes")
        _check_external(path, model)
        load_external_data_for_model(model, str(path.parent))
        onnx.checker.check_model(model)
    except MiyaInputError:
        raise
    except OSError as error:
        raise unreadable(path, error) from error
    # protobuf, the checker and the loader of data raise errors of many kinds
    except Exception as error:
        raise no_model(path, error) from None
    _check_opset(path, model)
    return model


def no_model(path: Path, error: Exception) -> MiyaInputError:
    said = " ".join(str(error).split())[:200]
    return MiyaInputError("E220", f"{path} is no ONNX model: {said}", hint="export it again")


def _check_size(path: Path, size: int) -> None:
    if size > LARGEST:
        raise MiyaInputError(
            "E503",
            f"{path} has {size / 2**20:.0f} MiB, limit {LARGEST // 2**20} MiB",
            hint="make the model in Python, and give it to miya.explain",
        )


def _check_external(path: Path, model: Any) -> None:
    """Every file that tensors lie in, wherever they stand in the model."""
    from onnx.external_data_helper import _get_all_tensors, uses_external_data

    for tensor in _get_all_tensors(model):
        if not uses_external_data(tensor):
            continue
        location = next((e.value for e in tensor.external_data if e.key == "location"), "")
        held = path.parent / location
        if OUTSIDE.search(location) or _leads_out(path.parent, held):
            raise MiyaInputError(
                "E506",
                f"{path}: the data of {tensor.name} lie outside its folder, in {location!r}",
                hint="export the model again with its data beside it",
            )
        check_regular(held)
        _check_size(held, held.stat().st_size)


def _leads_out(folder: Path, held: Path) -> bool:
    """Whether a link in the name leads out of the folder; asked only of a name that stays in it."""
    return folder.resolve() not in held.resolve().parents


def _check_opset(path: Path, model: Any) -> None:
    used = {o.domain or "ai.onnx": o.version for o in model.opset_import}
    if used.get("ai.onnx", OLDEST) < OLDEST:
        raise MiyaInputError(
            "E515",
            f"{path} uses operator set {used['ai.onnx']}",
            hint=f"export it with {OLDEST} or newer",
        )
