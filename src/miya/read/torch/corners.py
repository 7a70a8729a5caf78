"""Operations that stand exactly on a corner, where torch takes a slope of 0."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import torch

from .values import TensorCall, TensorValue

Tensors = Mapping[str, torch.Tensor]


def _results(call: TensorCall, given: Tensors) -> torch.Tensor:
    value = call.results[0]
    assert isinstance(value, TensorValue)
    return value.tensor


# by the name of the operation: what has a corner where it is 0, and what that is called
CORNERS: Mapping[str, tuple[Callable[[TensorCall, Tensors], torch.Tensor], str]] = {
    **dict.fromkeys(
        ("norm", "linalg_norm", "linalg_vector_norm", "linalg_matrix_norm"),
        (_results, "is 0"),
    ),
    **dict.fromkeys(("abs", "absolute"), (lambda call, given: given["input"], "is of 0")),
    "l1_loss": (
        lambda call, given: given["input"] - given["target"],
        "has an output exactly at its target",
    ),
}


def corners(calls: Iterable[TensorCall]) -> Iterator[tuple[str, str]]:
    """W310 for each operation on the way back that has elements on its corner."""
    for call in calls:
        if call.name not in CORNERS or not call.results[0].has_gradient:
            continue
        zero, word = CORNERS[call.name]
        given = {r: v.tensor for r, v in call.operands.items() if isinstance(v, TensorValue)}
        found = zero(call, given).detach() == 0
        if count := int(found.sum()):
            places = found.nonzero()
            first = ",".join(str(int(i)) for i in places[0])
            at = f" at [{first}]" if first else ""
            place = f" in {call.module}" if call.module else ""
            more = f" (so are {count - 1} more)" if count > 1 else ""
            yield (
                "W310",
                f"{call.name.removeprefix('linalg_')}{place} {word}{at}{more}: it has a "
                "corner there, and its slope there is taken as 0, as torch does",
            )
