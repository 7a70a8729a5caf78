"""The tables of records: what is said of each, and that each slope is the derivative of the formula
that it stands beside. What the records tell of real computations is held against autograd in
test_modules."""

import numpy as np
import pytest
import torch
from models.test_reductions import Of

from miya.core.records import RECORDS, activation, arithmetic, functions, pointwise
from miya.core.records.elementwise import CONSTANTS, OUT
from miya.core.records.formula import cases, evaluate, select
from miya.read.torch.step import model_step

STEP = 1e-6  # of central differences: their own error is below 1e-8 of smooth functions
PLACES = {  # away from kinks, inside every domain
    "asin": (-0.9, 0.7),
    "acos": (-0.9, 0.7),
    "atanh": (-0.9, 0.7),
    "acosh": (1.2, 3.0),
    "logit": (0.1, 0.8),
    **dict.fromkeys(("log", "log2", "log10", "sqrt", "rsqrt", "xlogy", "pow", "rpow"), (0.3, 2.6)),
    "log1p": (-0.4, 2.6),
}
EVERYWHERE = (-2.7, -1.3, -0.6, 0.4, 1.2, 2.6)
OPTIONS = {
    "min_val": -1.5,
    "max_val": 2.0,
    "lambd": 0.5,
    "alpha": 0.7,
    "beta": 1.3,
    "threshold": 0.9,
    "value": 0.8,
    "scale": 1.1,
    "min": -0.9,
    "max": 1.1,
    "weight": 0.3,
    "other": 0.83,
    "end": 1.7,
    "tensor1": -0.7,
    "tensor2": 1.9,
    "condition": 1.0,
    "mask": 0.0,
    "nan": 0.0,
    "posinf": 9.0,
    "neginf": -9.0,
}
ROWS = {
    **{name: (value, {"input": slope}) for name, (value, slope) in functions.TABLE.items()},
    **{name: (value, {"input": slope}) for name, (value, slope, _) in activation.TABLE.items()},
    **{name: (value, slopes) for name, (value, slopes, _) in arithmetic.TABLE.items()},
}


def chosen(given, numbers):
    return float(select(cases(given), {k: np.array([v]) for k, v in numbers.items()}, 1)[0])


@pytest.mark.parametrize("name", ROWS)
def test_each_slope_is_the_derivative_of_its_formula(name):
    value, slopes = ROWS[name]
    for x in PLACES.get(name, EVERYWHERE):
        numbers = {**CONSTANTS, **OPTIONS, "input": x}
        numbers[OUT] = chosen(value, numbers)
        for role, slope in slopes.items():
            told = chosen([c for c in cases(slope) if c[0] != "inplace"], numbers)
            up, down = (chosen(value, {**numbers, role: numbers[role] + h}) for h in (STEP, -STEP))
            assert told == pytest.approx((up - down) / (2 * STEP), rel=1e-6, abs=1e-8), (role, x)


TWO_SIDES = [
    {"x": 0.6, "t": 0.3, "v": 0.8, "p": 1.7, "x1": 0.2, "x2": 0.9, "m": 0.4},
    {"x": -2.1, "t": 1.3, "v": 0.2, "p": 0.4, "x1": 1.9, "x2": 0.3, "m": 0.1},
    {"x": 0.2, "t": 1.0, "v": 2.1, "p": 1.7, "x1": -0.7, "x2": 0.9, "m": 0.9},
    {"x": 0.7, "t": -1.0, "v": 2.1, "p": 1.7, "x1": -0.7, "x2": 0.9, "m": 0.9},
]


class Options:
    """As much of a call as the pieces of a loss ask for."""

    def __init__(self, **given):
        self.given, self.operands = given, {"pos_weight": None} if given.get("weighted") else {}

    def option(self, name, default=None):
        return self.given.get(name, default)


@pytest.mark.parametrize(
    "options", [{}, {"full": True, "log_target": True, "weighted": True, "log_input": False}]
)
@pytest.mark.parametrize("name", pointwise.TABLE)
def test_each_slope_of_a_loss_is_the_derivative_of_its_formula(name, options):
    row, compared = pointwise.TABLE[name], 0
    for given in TWO_SIDES:
        numbers = {**pointwise.CONSTANTS, "β": 1.1, "h": 0.9, "ε": 0.7, **given}
        piece = next(
            p for p in row.pieces(Options(**options)) if not p.when or evaluate(p.when, numbers)
        )
        for role, short in row.names.items():
            if role not in piece.slopes or piece.when == "x <= exp(-100)":
                continue  # BCELoss cuts the slope as torch does: held against autograd
            up, down = (
                float(evaluate(piece.formula, {**numbers, short: numbers[short] + h}))
                for h in (STEP, -STEP)
            )
            if np.isnan(up) or (role == "var" and "ε" in piece.formula):
                continue  # the gradient passes through the raising to ε
            slope = float(evaluate(piece.slopes[role], numbers))
            assert slope == pytest.approx((up - down) / (2 * STEP), rel=1e-6, abs=1e-8)
            compared += 1
    assert compared


def test_every_record_says_what_it_is():
    for name, record in RECORDS.items():
        assert record.formula and record.source, name
        assert all(record.gradients.values()), name


def test_a_view_of_a_weight_keeps_the_numbers_from_before_the_step():
    torch.manual_seed(4)
    module = Of(lambda x: x.T @ x, [[1.0, 2, 3], [4, 5, 6], [7, 8, 10]])
    before = module.given[0].detach().clone().numpy()
    trace = model_step(module, (), optimizer=torch.optim.SGD(module.parameters(), lr=1.0))
    seen = [v for v in trace.values.values() if v.call and v.call.name in ("T", "transpose")]
    assert seen and all(np.array_equal(v.array, before.T) for v in seen)
