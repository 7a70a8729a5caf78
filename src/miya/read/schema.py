"""The JSON Schema (2020-12) of a network file, made from the records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core import activations, losses, optimizers

NUMBER = {
    "anyOf": [
        {"type": "number"},
        {
            "type": "string",
            "pattern": r"^\s*[-+−]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+−]?[0-9]+)?"
            r"|[0-9]+\s*/\s*0*[1-9][0-9]*)\s*$",
        },
    ],
    "description": 'A finite number; in quotes also a fraction such as "1/3".',
}
REF = {"$ref": "#/$defs/number"}
VECTOR = {"type": "array", "items": REF, "minItems": 1}
MATRIX = {"type": "array", "items": VECTOR, "minItems": 1}
LABEL = {"type": "string", "maxLength": 200}
REDUCTION = {"enum": ["sum", "mean"]}


def schema() -> dict[str, Any]:
    """A schema that every network file satisfies; shapes that must agree are checked on reading."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A network for Miya",
        "type": "object",
        "required": ["loss", "layers", "examples"],
        "additionalProperties": False,
        "properties": {
            "title": LABEL,
            "learning_rate": {**REF, "description": "Above 0; may stand in optimizer.lr instead."},
            "loss": _named(losses.KINDS, _loss),
            "optimizer": _named(optimizers.KINDS, _optimizer),
            "inputs": {"type": "array", "items": LABEL, "description": "Names of the inputs."},
            "layers": {"type": "array", "items": _layer(), "minItems": 1},
            "examples": {
                "anyOf": [
                    {"type": "array", "items": _example(), "minItems": 1},
                    _example_arrays(),
                ]
            },
        },
        "anyOf": [
            {"required": ["learning_rate"]},
            {
                "required": ["optimizer"],
                "properties": {"optimizer": {"type": "object", "required": ["lr"]}},
            },
        ],
        "$defs": {"number": NUMBER},
    }


def _layer() -> dict[str, Any]:
    flag = {"type": "boolean"}
    flags = {"type": "array", "items": {"anyOf": [flag, {"type": "array", "items": flag}]}}
    part = {"anyOf": [flag, flags]}
    return {
        "type": "object",
        "required": ["weight", "bias"],
        "additionalProperties": False,
        "properties": {
            "name": LABEL,
            "weight": {**MATRIX, "description": "(out, in): one row a neuron."},
            "bias": {
                "anyOf": [VECTOR, REF],
                "description": "One a neuron, or one number that the layer shares.",
            },
            "activation": _named(activations.KINDS, _activation),
            "neurons": {"type": "array", "items": LABEL},
            "trainable": {
                "anyOf": [
                    flag,
                    {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {"weight": part, "bias": part},
                    },
                ]
            },
        },
    }


def _example() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["input", "target"],
        "additionalProperties": False,
        "properties": {"name": LABEL, "input": VECTOR, "target": {"anyOf": [VECTOR, REF]}},
    }


def _example_arrays() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "All examples in one table of arrays.",
        "required": ["input", "target"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "array", "items": LABEL, "description": "One text an example."},
            "input": {**MATRIX, "description": "(n, in): one row an example."},
            "target": {
                "anyOf": [MATRIX, VECTOR],
                "description": "(n, out), or (n,) of classes or of the targets of one output.",
            },
        },
    }


def _named(kinds: Mapping[str, Any], options: Any) -> dict[str, Any]:
    tables = [
        {
            "type": "object",
            "required": ["name"],
            "additionalProperties": False,
            "description": kind.source,
            "properties": {"name": {"const": name}, **options(kind)},
        }
        for name, kind in kinds.items()
    ]
    return {"anyOf": [{"enum": list(kinds)}, *tables]}


def _activation(kind: activations.ActivationKind) -> dict[str, Any]:
    return {name: {**REF, "default": value} for name, value in kind.defaults.items()}


def _loss(kind: losses.LossKind) -> dict[str, Any]:
    found = {name: {**REF, "default": value} for name, value in kind.defaults.items()}
    outputs = (
        {} if kind.target == "classes" else {"outputs": {**REDUCTION, "default": kind.outputs}}
    )
    examples = {**REDUCTION, "default": kind.examples}
    return {"reduction": REDUCTION, **outputs, "examples": examples, **found}


def _optimizer(kind: optimizers.OptimizerKind) -> dict[str, Any]:
    found: dict[str, Any] = {"lr": REF}
    for name, value in kind.defaults.items():
        if isinstance(value, bool):
            found[name] = {"type": "boolean", "default": value}
        elif isinstance(value, tuple):
            found[name] = {**VECTOR, "minItems": 2, "maxItems": 2, "default": list(value)}
        else:
            found[name] = {**REF, "default": value}
    return found
