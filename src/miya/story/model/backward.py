"""Step 2: what came back to each module's result, and one number of each as its terms."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...analysis.outline import Unit
from ..blocks import Block, Heading, Table
from .narrator import Narrator, shape_of
from .through_time import time_steps
from .why import level_blocks

ASLEEP = 0.5  # of the numbers that came back are exactly 0


def backward(n: Narrator) -> Iterator[Block]:
    yield Heading(n.text("backward_heading"))
    yield n.say("backward")
    yield from _pressures(n)
    for unit in reversed(n.units):
        if unit.value.has_gradient:
            yield from _unit_backward(n, unit)


def _pressures(n: Narrator) -> Iterator[Block]:
    """What came back to each unit's result."""
    rows = []
    for unit in reversed(n.units):
        gradient = unit.value.gradient
        if gradient is None:
            continue
        sizes = np.abs(np.asarray(gradient, np.float64))
        index = np.unravel_index(int(sizes.argmax()), sizes.shape)
        place = f"[{','.join(str(int(i)) for i in index)}]"
        rows.append(
            (
                unit.value.name,
                shape_of(unit.value),
                n.v.number(float(np.sqrt((sizes**2).mean()))),
                n.v.signed(float(gradient[index])),
                place,
                n.v.percent(float((sizes == 0).mean())),
            )
        )
    yield Table(n.header("result", "shape", "typical", "largest", "at", "zero"), tuple(rows))
    yield from _asleep(n)
    yield n.say("typical_is")


def _asleep(n: Narrator) -> Iterator[Block]:
    """Where most of what came back is exactly 0, the farthest from the loss."""
    for unit in n.units:
        gradient = unit.value.gradient
        zero = 0.0 if gradient is None else float((np.asarray(gradient) == 0).mean())
        if zero >= ASLEEP:
            yield from n.v.remark("quiet", "sleepy", name=unit.value.name, share=n.v.percent(zero))
            return


def _unit_backward(n: Narrator, unit: Unit) -> Iterator[Block]:
    level = n.outline.level(unit.value, n.terms)
    title = n.v.name(level.value, level.index, gradient=True)
    yield from level_blocks(n.v, level, title, follow=False)
    for call in unit.calls:
        yield from time_steps(n, call)
