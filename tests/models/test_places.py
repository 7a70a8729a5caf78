"""Where a moved number is from: by strides and by running the operation, beside NumPy's places."""

import pytest
import torch
from torch import nn

import miya
from miya.core.records import RECORDS
from miya.core.records.movement import sources
from miya.core.strided import Strided

LEFT = torch.tensor([2, 0, 3])

# what a model does to x (8, 6, 5), and whether torch gives a view of it
MOVES = {
    "view": (lambda x: x.view(16, 15), True),
    "reshape": (lambda x: x.reshape(5, -1), True),
    "flatten": (lambda x: x.flatten(1), True),
    "unflatten": (lambda x: x.unflatten(1, (2, 3)), True),
    "transpose": (lambda x: x.transpose(0, 2), True),
    "permute": (lambda x: x.permute(2, 0, 1), True),
    "mT": (lambda x: x.mT, True),
    "row": (lambda x: x[2], True),
    "part": (lambda x: x[1:, ::2, 3:4], True),
    "number": (lambda x: x[3, 5, 4], True),
    "narrow": (lambda x: x.narrow(1, 2, 3), True),
    "expand": (lambda x: x[:, None].expand(8, 3, 6, 5), True),
    "unbind": (lambda x: x.unbind(1), True),
    "chunk": (lambda x: x.chunk(4, 1), True),
    "split": (lambda x: torch.split(x, [1, 5], 1), True),
    "diagonal": (lambda x: x.diagonal(0, 1, 2), True),
    "as a view": (lambda x: x.view_as(torch.zeros(48, 5)), True),
    "overlapping windows": (lambda x: x.unfold(1, 3, 1), False),
    "as_strided": (lambda x: x.as_strided((7, 2), (3, 1), 4), False),
    "chosen": (lambda x: x[LEFT], False),
    "index_select": (lambda x: x.index_select(0, LEFT), False),
    "masked": (lambda x: x[:, torch.tensor([True, False, True, True, False, False])], False),
    "cat": (lambda x: torch.cat([x, torch.ones(8, 1, 5, dtype=x.dtype), x[:, :2]], 1), False),
    "stack": (lambda x: torch.stack([x, x], 1), False),
    "pad": (lambda x: nn.functional.pad(x, (1, 2), value=3.0), False),
    "flip": (lambda x: x.flip(0, 2), False),
    "roll": (lambda x: x.roll(2, 1), False),
    "repeat": (lambda x: x.repeat(2, 1, 1), False),
    "tril": (lambda x: x.tril(), False),
}  # fmt: skip


class Moves(nn.Module):
    def __init__(self, move):
        super().__init__()
        self.move, self.scale = move, nn.Parameter(torch.ones(()))

    def forward(self, x):
        found = self.move(x * self.scale)
        found = found if isinstance(found, tuple) else (found,)
        return sum((t * (k + 1)).square().sum() for k, t in enumerate(found))


def step(move, dtype):
    x = torch.arange(240.0, dtype=dtype).reshape(8, 6, 5)
    return miya.explain(Moves(move), x.requires_grad_(), optimizer="sgd").model


def moving(trace):
    """The calls that move, each with the role that x · scale or a part of it has there."""
    record = RECORDS["view"]
    return [
        (call, role)
        for call in trace.calls
        if RECORDS.get(call.name) is record
        for role, value in call.operands.items()
        if value.has_gradient
    ]


@pytest.mark.parametrize("name", MOVES)
def test_every_place_is_the_one_that_the_number_was_at(name):
    move, view = MOVES[name]
    call, role = moving(step(move, torch.float64))[-1]
    views, found = call.views(role), sources(call, role)
    told = views is not None and all(v.apart for v in views)
    assert told == view
    operand = call.operands[role].array.ravel()
    for slot, result in enumerate(call.results):
        for index, number in [(i, result.array[i]) for i in _every(result.shape)]:
            flat = int(found[slot][index])
            assert flat < 0 or operand[flat] == number
            assert views is None or views[slot].place(index) == flat
        if told:
            for flat in range(len(operand)):
                rows = [tuple(r) for r in views[slot].readers(flat).tolist()]
                assert sorted(rows) == [i for i in _every(result.shape) if found[slot][i] == flat]


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_terms_are_autograds_gradient_in_narrow_numbers_too(name, dtype):
    """240 places and 240 more are more than bfloat16 can count."""
    trace = step(MOVES[name][0], dtype)
    for call, role in moving(trace):
        operand = call.operands[role]
        whole = [use for use in operand.uses if use[0].results[0].has_gradient]
        if len(whole) > 1:
            continue
        for index in _every(operand.shape)[::7]:
            terms = RECORDS[call.name].backward(call, role, index)
            assert terms is not None
            total = sum(t.total for t in terms)
            assert total == pytest.approx(float(operand.gradient[index]), rel=2**-7)
            assert all(f.of is not None or f.symbol == "1" for t in terms for f in t.factors)


def _every(shape):
    return [tuple(int(k) for k in i) for i in torch.ones(shape).nonzero().tolist()]


def test_strides_that_overlap_are_told_apart_from_those_that_do_not():
    assert Strided((4, 3), (3, 1), 2).apart
    assert Strided((4, 5, 3), (3, 0, 1), 0).apart
    assert not Strided((4, 3), (1, 1), 0).apart
    assert not Strided((4, 4), (3, 1), 0).apart
    assert Strided((1, 4, 1), (1, 1, 9), 0).apart
    assert Strided((), (), 7).place(()) == 7
    assert Strided((), (), 7).readers(7).tolist() == [[]]
    assert Strided((), (), 7).readers(8).tolist() == []
    assert Strided((2, 3), (3, 1), 5).readers(4).tolist() == []
    assert Strided((2, 3), (3, 1), 5).readers(11).tolist() == []
    assert Strided((2, 3), (3, 1), 5).readers(9).tolist() == [[1, 1]]
    assert Strided((2, 2, 3), (3, 0, 1), 5).readers(9).tolist() == [[1, 0, 1], [1, 1, 1]]
