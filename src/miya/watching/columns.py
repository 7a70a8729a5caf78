"""The tables of a run folder: which columns a record becomes, and what they are read back as.

Columns are the fields of the dataclasses in records.py, so a field that is added there becomes a
column, and is its default where an older file has none.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any

import numpy as np

from .records import Finding, GroupRecord, LayerRecord, NeuronRecord, StepRecord

STEP = ("step",)  # in front of what belongs to a step: which one
COLUMN = {"step": "step_norm"}  # of a record that has a step in front: its own is a norm of Δθ
RECORDS: Mapping[str, tuple[type, tuple[str, ...]]] = {
    "steps": (StepRecord, ()),
    "layers": (LayerRecord, STEP),
    "neurons": (NeuronRecord, STEP),
    "groups": (GroupRecord, STEP),
    "findings": (Finding, ()),
}  # a table: its record, and the columns in front of the record's own
ELSEWHERE = {"layers", "groups", "neurons", "rank"}  # of a step: tables of their own, a folder
NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def own_fields(table: str) -> list[Field[Any]]:
    """The fields of a table's record that are its columns, in order."""
    record, _ = RECORDS[table]
    left_out = ELSEWHERE if record is StepRecord else set()
    return [f for f in fields(record) if f.name not in left_out]


def column(table: str, name: str) -> str:
    """The column of a field."""
    return COLUMN.get(name, name) if RECORDS[table][1] else name


def schema(table: str) -> Any:
    """The Arrow schema of a table."""
    import pyarrow as pa  # type: ignore[import-untyped]

    types = {
        "str": pa.string(),
        "str | None": pa.string(),
        "int": pa.int64(),
        "int | None": pa.int64(),
        "bool": pa.bool_(),
        "float": pa.float64(),
        "float | None": pa.float64(),
        "Array": pa.list_(pa.float64()),
        "Mapping[str, Any]": pa.string(),  # JSON
    }
    _, front = RECORDS[table]
    return pa.schema(
        [(name, pa.int64()) for name in front]
        + [(column(table, f.name), types[str(f.type)]) for f in own_fields(table)]
    )


def rows(record: StepRecord | Finding) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of each table that a record becomes, each in the order of the schema."""
    if isinstance(record, Finding):
        return {"findings": [_row("findings", record, ())]}
    front = (record.step,)
    return {
        "steps": [_row("steps", record, ())],
        "layers": [_row("layers", layer, front) for layer in record.layers],
        "groups": [_row("groups", group, front) for group in record.groups],
        "neurons": [_row("neurons", neuron, front) for neuron in record.neurons],
    }


NAMES: dict[str, tuple[str, ...]] = {
    table: tuple(f.name for f in own_fields(table)) for table in RECORDS
}


def _row(table: str, record: Any, front: tuple[Any, ...]) -> tuple[Any, ...]:
    values = [getattr(record, name) for name in NAMES[table]]
    if table == "findings":
        values = [_json(v) if isinstance(v, Mapping) else v for v in values]
    return (*front, *values)


def numbers(record: StepRecord | Finding) -> int:
    """About how many numbers a record holds."""
    if isinstance(record, Finding):
        return len(record.facts)
    return 24 * len(record.layers) + sum(
        len(n.pressure) + len(n.gradient) + len(n.step) + len(n.mean) + len(n.silent) + len(n.flat)
        for n in record.neurons
    )


def as_table(table: str, found: Iterable[tuple[Any, ...]]) -> Any:
    """An Arrow table of rows."""
    import pyarrow as pa

    made = schema(table)
    columns = list(zip(*found, strict=True)) or [()] * len(made)
    return pa.table([_array(c, f.type) for c, f in zip(columns, made, strict=True)], schema=made)


def _array(values: Sequence[Any], kind: Any) -> Any:
    import pyarrow as pa

    if not pa.types.is_list(kind):
        return pa.array(values, type=kind)
    # a row at a time, between which the training's thread may go on
    arrays = [np.asarray(v, dtype=np.float64) for v in values]
    ends = np.cumsum([0, *map(len, arrays)], dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(np.concatenate([[], *arrays])))


def records_of(table: str, read: Any) -> Iterator[tuple[dict[str, Any], Any]]:
    """Each row of an Arrow table: the columns in front by name, and its record."""
    record, front = RECORDS[table]
    own = [(f, column(table, f.name)) for f in own_fields(table)]
    for row in read.to_pylist():
        values = {f.name: _value(f, row[name]) for f, name in own}
        if record is StepRecord:
            values["layers"] = ()
        yield {name: row[name] for name in front}, record(**values)


def _value(field: Field[Any], value: Any) -> Any:
    if value is None and field.default is not MISSING:
        return field.default
    if str(field.type) == "Array":
        return np.array([] if value is None else value, dtype=np.float64)
    return _facts(value) if str(field.type).startswith("Mapping") else value


def _json(facts: Mapping[str, Any]) -> str:
    """JSON has no NaN and no infinity: they are written as their names."""
    return json.dumps(_spelled(facts), ensure_ascii=False, allow_nan=False)


def _spelled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _spelled(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_spelled(v) for v in value]
    if isinstance(value, (bool, int, str)) or value is None:
        return value
    number = float(value)
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _facts(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return {k: NOT_FINITE.get(v, v) if isinstance(v, str) else v for k, v in found.items()}
