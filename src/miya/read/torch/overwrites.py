"""Operations in place: what a tensor held before stays a value of its own, and every other tensor
that shares the memory becomes a new one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from .functions import CHANGES
from .graph import Linked, node_of
from .values import Again, TensorCall, TensorValue

Geometry = tuple[tuple[int, ...], tuple[int, ...], int]  # shape, strides, offset


class Overwrites:
    """The part of a Recorder that sees to changes in place."""

    held: list[torch.Tensor]
    known: dict[int, tuple[torch.Tensor, TensorValue]]
    modules: list[str]
    linked: Linked

    def __init__(self) -> None:
        self.changes = 0  # operations in place by now
        self._by_storage: dict[int, list[torch.Tensor]] = {}
        self._indexed = 0
        self._also: dict[int, list[TensorValue]] = {}  # values before the last one of a tensor

    def _file(
        self, call: TensorCall, values: tuple[TensorValue, ...], tensors: tuple[torch.Tensor, ...]
    ) -> None:
        raise NotImplementedError

    def forget(self) -> None:
        self._by_storage.clear()
        self._also.clear()

    def _sharing(self, tensor: torch.Tensor) -> list[torch.Tensor]:
        """The known tensors that share its memory, itself included."""
        for held in self.held[self._indexed :]:
            where = _storage(held)
            if where is not None:
                self._by_storage.setdefault(where, []).append(held)
        self._indexed = len(self.held)
        where = _storage(tensor)
        return [] if where is None else self._by_storage.get(where, [])

    def keep_what_is_overwritten(self, tensor: torch.Tensor) -> None:
        for held in self._sharing(tensor):
            value = self.known[id(held)][1]
            if (node := node_of(held)) is not None:
                self.linked.older.append((node, held.output_nr, value))
                # autograd gives a changed view's former self no node that a hook could sit on
                value.hidden = value.hidden or held._base is not None
            holding = [v for v in (value, *self._also.pop(id(held), ())) if v.tensor is held]
            kept = held.detach().clone() if holding else held
            for holder in holding:
                holder.tensor, holder.version = kept, kept._version

    def _keep_what_changes(self, name: str, given: Mapping[str, Any]) -> None:
        """Running statistics, which an operation changes beside what it makes."""
        if name in CHANGES and (given.get("training") or given.get("use_input_stats")):
            for role in CHANGES[name]:
                if isinstance(given.get(role), torch.Tensor):
                    self.keep_what_is_overwritten(given[role])

    def _file_change(
        self,
        call: TensorCall,
        values: tuple[TensorValue, ...],
        tensors: tuple[torch.Tensor, ...],
        changed: torch.Tensor,
    ) -> None:
        """File a call that changed a tensor, and what it made of all that shares its memory: a
        base is its old self with the change in it, a view is a view of the new base."""
        self.changes += 1
        base = changed._base
        sharing = list(self._sharing(changed))
        self._file(call, values, tensors)
        by = values[0]
        if base is None or id(base) not in self.known:
            base, source = changed, by
        else:
            by.hidden = base.requires_grad
            old = self.known[id(base)][1]
            source = self._renewed("changed_in_place", base, {"input": old, "by": by}, changed)
        for held in sharing:
            if held is not base:
                self._renewed("view_again", held, {"input": source}, base)

    def _renewed(
        self,
        name: str,
        held: torch.Tensor,
        arguments: dict[str, TensorValue],
        other: torch.Tensor,
    ) -> TensorValue:
        """A tensor whose memory was changed, as a new value of its own. other: the part of it
        that was changed, or what it is a view of."""
        run = _put_into if name == "changed_in_place" else _seen_in
        renewed = TensorValue("", "result", held, self.modules[-1])
        again = run(arguments, held, other) if held.dtype == other.dtype else None
        call = TensorCall(name, arguments, (renewed,), self.modules[-1], again, None)
        self._file(call, (renewed,), (held,))
        return renewed


def _put_into(arguments: dict[str, TensorValue], whole: torch.Tensor, part: torch.Tensor) -> Again:
    """The whole as it was, with the part in its place."""
    inside, place, extent = _geometry(whole), _geometry(part), _extent(whole, part)

    def again(tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        old, new = (tensors.get(role, arguments[role].tensor) for role in ("input", "by"))
        flat = _written(old.new_zeros(extent), old, inside)
        return _written(flat, new, place).as_strided(*inside)

    return again


def _seen_in(arguments: dict[str, TensorValue], view: torch.Tensor, base: torch.Tensor) -> Again:
    """What a view sees of its base."""
    inside, place, extent = _geometry(base), _geometry(view), _extent(base, view)

    def again(tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        new = tensors.get("input", arguments["input"].tensor)
        return _written(new.new_zeros(extent), new, inside).as_strided(*place)

    return again


def _written(flat: torch.Tensor, tensor: torch.Tensor, place: Geometry) -> torch.Tensor:
    """A buffer with a tensor's numbers at its places in it."""
    where = torch.arange(len(flat), device=flat.device).as_strided(*place)
    return flat.scatter(0, where.reshape(-1), tensor.reshape(-1))


def _geometry(tensor: torch.Tensor) -> Geometry:
    return tuple(tensor.shape), tuple(tensor.stride()), int(tensor.storage_offset())


def _extent(*tensors: torch.Tensor) -> int:
    """How many numbers a buffer needs in which all of them find their places."""
    ends = [
        int(t.storage_offset()) + sum((n - 1) * s for n, s in zip(t.shape, t.stride(), strict=True))
        for t in tensors
        if t.numel()
    ]
    return max(ends, default=0) + 1


def _storage(tensor: torch.Tensor) -> int | None:
    try:
        return int(tensor.untyped_storage()._cdata)
    except (NotImplementedError, RuntimeError):  # sparse tensors have none
        return None
