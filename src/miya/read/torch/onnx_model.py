"""An ONNX model as a torch.nn.Module: a module for each node, initializers as parameters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ...errors import MiyaInputError
from .onnx_file import load_onnx, no_model
from .onnx_operators import NOT_TRAINED, OPERATORS, SHAPES, Function

HINT = "explain the model that it was exported from"


class Operator(nn.Module):
    """One node. Its class is named after its operator, as the story and the diagram show it."""

    def __init__(self, function: Function, says: str) -> None:
        super().__init__()
        self.function, self.says = function, says

    def forward(self, *inputs: Any) -> Any:
        return self.function(*inputs)

    def extra_repr(self) -> str:
        return self.says


class OnnxModel(nn.Module):
    """What the graph computes. `input_names` are those of its inputs, in order.

    Floating initializers are parameters under their own names, but for what is never trained (the
    statistics of BatchNormalization, bounds): those are buffers.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        model = load_onnx(path)
        try:
            self._build(path, model)
        except MiyaInputError:
            raise
        except Exception as error:  # what onnx's checker lets pass and its helpers do not take
            raise no_model(path, error) from None

    def _build(self, path: Path, model: Any) -> None:
        graph = model.graph
        self.opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 1)
        self.shapes: dict[str, np.ndarray] = {}  # whole numbers that are there before
        self.places: dict[str, str] = {}  # of a parameter or buffer, by the name of its tensor
        self.nodes = [n for n in graph.node if n.op_type != "Constant"]
        functions = _functions(path, self.nodes, graph.sparse_initializer, self.opset)
        given = _initializers(graph)
        self.paths = _paths(self.nodes, {k for k, a in given.items() if a.dtype.kind == "f"})
        for node, function, where in zip(self.nodes, functions, self.paths, strict=True):
            self._place(where, _operator(node, function) if function else nn.Module())
        trained = {
            name
            for node in self.nodes
            for k, name in enumerate(node.input)
            if k not in NOT_TRAINED.get(node.op_type, ())
        } & {t.name for t in (*graph.initializer,)}
        for name, array in given.items():
            self._give(name, array, name in trained)
        self.input_names = tuple(i.name for i in graph.input if i.name not in given)
        self.output_names = tuple(o.name for o in graph.output)

    def forward(self, *inputs: torch.Tensor, **named: torch.Tensor) -> Any:
        """One tensor, or a tuple where the graph has several outputs."""
        known: dict[str, Any] = {**self.shapes, "": None}
        known.update(zip(self.input_names, inputs, strict=False), **named)
        missing = [name for name in self.input_names if name not in known]
        if missing or len(inputs) > len(self.input_names):
            raise MiyaInputError(
                "E516",
                f"the model takes {', '.join(self.input_names)}, given are "
                f"{len(inputs) + len(named)} inputs",
                hint="give each of them",
            )
        for name, place in self.places.items():
            known[name] = _at(self, place)
        for node, where in zip(self.nodes, self.paths, strict=True):
            found = self._run(node, where, [known[name] for name in node.input])
            known.update(zip(node.output, found, strict=False))
        outputs = tuple(known[name] for name in self.output_names)
        return outputs[0] if len(outputs) == 1 else outputs

    def _run(self, node: Any, where: str, inputs: list[Any]) -> Sequence[Any]:
        whole = all(not isinstance(i, torch.Tensor) for i in inputs)
        if whole and node.op_type in SHAPES:
            return _worked_out(node, inputs, self.opset)
        if not isinstance(_at(self, where), Operator):
            raise MiyaInputError(
                "E517", f"{node.op_type} of what is computed is not read", hint=HINT
            )
        return [_at(self, where)(*inputs)]

    def _give(self, name: str, array: np.ndarray, trained: bool) -> None:
        if array.dtype.kind != "f":
            self.shapes[name] = array
            return
        tensor = torch.from_numpy(np.array(array))
        made: torch.Tensor = nn.Parameter(tensor) if trained else tensor
        try:
            self._place(name, made)
            self.places[name] = name
        except (KeyError, AttributeError, TypeError):  # a name that no module can hold
            taken = len(self.places)
            self.places[name] = f"{re.sub(r'[^0-9A-Za-z_]+', '_', name)}_{taken}"
            self._place(self.places[name], made)

    def _place(self, name: str, made: Any) -> None:
        """Put a module, a parameter or a buffer where its dotted name says."""
        home: nn.Module = self
        *path, last = name.split(".")
        for part in path:
            if part not in home._modules:
                home.add_module(part, nn.Module())
            home = home.get_submodule(part)
        if isinstance(made, nn.Module):
            home.add_module(last, made)
        elif isinstance(made, nn.Parameter):
            home.register_parameter(last, made)
        else:
            home.register_buffer(last, made)


def _at(model: nn.Module, place: str) -> Any:
    path, _, last = place.rpartition(".")
    return getattr(model.get_submodule(path), last)


def _initializers(graph: Any) -> dict[str, np.ndarray]:
    """Those of the graph, and the values of its Constant nodes."""
    from onnx import numpy_helper

    found = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            found[node.output[0]] = _worked_out(node, [], 0)[0]
    return {
        name: array.astype(np.float32) if array.dtype.name == "bfloat16" else array
        for name, array in found.items()
    }


def _worked_out(node: Any, inputs: Sequence[Any], opset: int) -> list[np.ndarray]:
    """A node of whole numbers, by onnx's own evaluator."""
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    if node.op_type == "Constant":
        (attribute,) = node.attribute
        value = helper.get_attribute_value(attribute)
        if attribute.name == "value":
            from onnx import numpy_helper

            return [np.asarray(numpy_helper.to_array(value))]
        kind = np.float32 if "float" in attribute.name else np.int64
        return [np.array(value, dtype=kind)]
    given = {n: i for n, i in zip(node.input, inputs, strict=True) if n}
    return [np.asarray(a) for a in ReferenceEvaluator(node, opsets={"": opset}).run(None, given)]


def _functions(
    path: Path, nodes: Sequence[Any], sparse: Sequence[Any], opset: int
) -> list[Function | None]:
    """What each node does. Raises MiyaInputError E517, which lists every operator not known."""
    from onnx import helper

    made: list[Function | None] = []
    unknown: Counter[str] = Counter()
    for node in nodes:
        at = {a.name: _text(helper.get_attribute_value(a)) for a in node.attribute}
        at.update(opset=opset, outputs=sum(1 for o in node.output if o))
        own = node.domain in ("", "ai.onnx")
        try:
            if own and node.op_type in OPERATORS:
                made.append(OPERATORS[node.op_type](at))
            elif own and node.op_type in SHAPES:
                made.append(None)
            else:
                unknown[f"{'' if own else node.domain + '.'}{node.op_type}"] += 1
        except NotImplementedError as error:
            unknown[str(error)] += 1
    unknown.update("sparse initializers" for _ in sparse)
    if unknown:
        told = ", ".join(f"{name} ({n} times)" if n > 1 else name for name, n in unknown.items())
        raise MiyaInputError(
            "E517",
            f"{path} has operators that are not read: {told}",
            hint=HINT,
        )
    return made


def _text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _operator(node: Any, function: Function) -> Operator:
    from onnx import helper

    says = ", ".join(f"{a.name}={_text(helper.get_attribute_value(a))}" for a in node.attribute)
    made: Operator = type(node.op_type, (Operator,), {"__module__": __name__})(function, says[:200])
    return made


def _paths(nodes: Sequence[Any], floats: set[str]) -> list[str]:
    """Where each node's module lies: at the head that its parameters' names share ("fc1" of
    fc1.weight and fc1.bias), else under the node's own name."""
    found: list[str] = []
    for k, node in enumerate(nodes):
        heads = {name.rpartition(".")[0] for name in node.input if name in floats}
        head = heads.pop() if len(heads) == 1 else ""
        plain = re.sub(r"[^0-9A-Za-z_]+", "_", node.name).strip("_")
        for path in (head, plain, f"{node.op_type.lower()}_{k}"):
            if _free(path, found, floats):
                break
        else:
            path = f"node_{k}"
        found.append(path)
    return found


def _free(path: str, nodes: Sequence[str], floats: set[str]) -> bool:
    """Whether a module can lie at `path`: no other does, around it or inside it."""
    if not path or not all(path.split(".")) or path in floats or hasattr(nn.Module, path):
        return False
    return not any(f"{path}.".startswith(f"{n}.") or f"{n}.".startswith(f"{path}.") for n in nodes)
