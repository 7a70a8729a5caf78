"""The picture of a model: nothing lies on anything else, and it says what the trace holds."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
import torch
from goldens import check
from models.small import GPT, MAKE, Residual, step
from torch import nn

import miya
from miya.analysis.model.boxes import boxes_of
from miya.analysis.model.summary import axis_of, told
from miya.drawing.model.build import model_scene
from miya.drawing.scene import Box
from miya.errors import MiyaInputError

pytestmark = pytest.mark.filterwarnings("ignore::miya.errors.MiyaWarning")
LARGE = {
    "gpt12": ("gpt", lambda: GPT(12)),
    "residual20": ("residual", lambda: Residual(20)),
    "deep": ("residual", lambda: nn.Sequential(nn.Flatten(), *deep(60), nn.Linear(72, 3))),
}
HOSTILE = '</svg><script>alert(1)</script>&\x1b[31m"'


def deep(count):
    for _ in range(count):
        yield nn.Linear(72, 72)
        yield nn.ReLU()


def trace_of(name):
    if name in LARGE:
        base, make = LARGE[name]
        return step(base, make=make)[0]
    return step(name)[0]


def segments(wire):
    for (x1, y1), (x2, y2) in pairwise(wire.points):
        yield Box(min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1))


def faults(scene):
    """What is wrong with where things are, in words."""
    page = Box(0, 0, scene.width, scene.height)
    blocks = [(b.box, b.ref) for b in scene.blocks] + [(scene.loss.box, "loss")]
    found = [f"{ref} leaves the picture" for box, ref in blocks if not page.holds(box)]
    found += [f"{a} lies on {b}" for (p, a), (q, b) in combinations(blocks, 2) if p.overlaps(q)]
    labels = [(t.box, t.text) for t in scene.all_labels()]
    found += [f"{text} leaves the picture" for box, text in labels if not page.holds(box)]
    found += [f"{a} lies on {b}" for (p, a), (q, b) in combinations(labels, 2) if p.overlaps(q)]
    for box in scene.obstacles():
        found += [f"{text} is on a cat or a bar" for other, text in labels if box.overlaps(other)]
    for block in scene.blocks:
        inside = [(t.box, t.text) for t in block.labels]
        parts = (block.heat, block.bar, block.cat)
        inside += [(part.box, block.ref) for part in parts if part]
        found += [f"{text} leaves its box" for box, text in inside if not block.box.holds(box)]
    for wire in scene.wires:
        for piece in segments(wire):
            inner = Box(piece.x + 0.1, piece.y + 0.1, piece.width - 0.2, piece.height - 0.2)
            found += [
                f"{wire.title} runs through {ref}" for box, ref in blocks if box.overlaps(inner)
            ]
    lines = [(s, w.title) for w in scene.wires for s in segments(w) if s.width + s.height > 1]
    found += [
        f"{a} runs along {b}" for (p, a), (q, b) in combinations(lines, 2) if a != b and along(p, q)
    ]
    return found


def along(one, other):
    """Whether two pieces lie on the same line and share a part of it."""
    if one.width == other.width == 0 and abs(one.x - other.x) < 1:
        return min(one.bottom, other.bottom) - max(one.y, other.y) > 1
    if one.height == other.height == 0 and abs(one.y - other.y) < 1:
        return min(one.right, other.right) - max(one.x, other.x) > 1
    return False


@pytest.mark.parametrize("miya_there", [True, False])
@pytest.mark.parametrize("name", [*MAKE, *LARGE])
def test_nothing_lies_on_anything_else(name, miya_there):
    trace = trace_of(name)
    for language in ("en", "ja"):
        scene = model_scene(trace, language=language, miya=miya_there)
        assert not faults(scene), language
    for measure in ("step", "first_order"):
        assert not faults(model_scene(trace, measure=measure, digits=12, miya=miya_there))
    for view in ("forward", "blame", "update"):
        for language in ("en", "ja"):
            scene = model_scene(trace, view=view, language=language, miya=miya_there)
            assert not faults(scene), (view, language)


def test_an_overlap_and_a_wire_through_a_box_are_found():
    scene = model_scene(trace_of("lenet"))
    first, second = scene.blocks[:2]
    moved = replace(second, box=replace(second.box, y=first.box.y))
    assert faults(replace(scene, blocks=(first, moved, *scene.blocks[2:])))
    wire = scene.wires[0]
    middle = first.box.x + 10, first.box.middle
    through = replace(wire, points=((middle[0] - 40, middle[1]), (middle[0] + 40, middle[1])))
    assert any("runs through" in f for f in faults(replace(scene, wires=(through,))))
    twice = replace(wire, title="another")
    assert any("runs along" in f for f in faults(replace(scene, wires=(wire, twice))))


@pytest.mark.parametrize("name", LARGE)
def test_many_calls_are_folded(name):
    trace = trace_of(name)
    boxes = boxes_of(trace)
    assert len(trace.calls) > 100 or name == "residual20"
    assert len(boxes.units) <= 40
    shown = [c for unit in boxes.units for c in unit.calls]
    assert len(shown) == len({c.number for c in shown})
    assert [c.number for c in shown] == sorted(c.number for c in shown)


def test_a_folded_block_keeps_its_first_open():
    boxes = boxes_of(trace_of("gpt12"))
    kinds = [u.kind for u in boxes.units]
    assert kinds.count("Block") >= 9 or any(u.many > 1 for u in boxes.units)
    assert any(u.path.startswith("blocks.0.") for u in boxes.units)


def test_residuals_shared_modules_and_ties_are_wires():
    boxes = boxes_of(trace_of("residual"))
    add = next(k for k, u in enumerate(boxes.units) if u.title == "add")
    assert len([link for link in boxes.links if link.target == add]) == 2
    tied = boxes_of(trace_of("tied"))
    names = [(tied.units[a].path, tied.units[b].path) for a, b in tied.same]
    assert names == [("tok", "head")]
    branches = boxes_of(trace_of("branches"))
    assert [v.name for v in branches.inputs] == ["input.0", "input.1"]
    shared = next(k for k, u in enumerate(branches.units) if u.path == "shared")
    assert len([link for link in branches.links if link.target == shared]) == 2


def test_movement_is_no_box():
    titles = [u.title for u in boxes_of(trace_of("gpt")).units]
    assert not {"view", "transpose", "split", "reshape"} & set(titles)


@pytest.mark.parametrize("name", MAKE)
def test_what_is_told_is_the_traces(name):
    trace = trace_of(name)
    boxes = boxes_of(trace)
    for one in told(trace, boxes, "pressure"):
        gradient = one.unit.result.gradient
        if gradient is None:
            assert one.delta is None
            continue
        axis = axis_of(one.unit.result)
        rest = tuple(a for a in range(gradient.ndim) if a != axis)
        np.testing.assert_allclose(one.delta, gradient.sum(axis=rest), atol=1e-13)
        assert one.size == pytest.approx(float(np.linalg.norm(gradient)))
    worth = [one.worth or 0.0 for one in told(trace, boxes, "pressure")]
    every = sum(np.abs(g).sum() for g in trace.gradients.values() if g is not None)
    assert sum(worth) == pytest.approx(every)


def test_sums_that_a_norm_takes_away_are_0():
    trace, *_ = step("residual", dtype=torch.float32)
    boxes = boxes_of(trace)
    stem = next(o for o in told(trace, boxes, "pressure") if o.unit.path == "stem")
    assert not stem.delta.any()


def test_golden():
    trace, *_ = step("branches")
    check("model.svg", NUMBERS.sub("…", miya.draw(trace).svg()))


# what another processor's last digits may change: lengths and digits
NUMBERS = re.compile(r"(?<=\d\.)\d+")


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
@pytest.mark.parametrize("measure", ["pressure", "credit", "removal"])
def test_svg_in_each_theme(theme, measure):
    trace, *_ = step("tied")
    drawn = miya.draw(trace, theme=theme, measure=measure)
    root = ElementTree.fromstring(drawn.svg().encode())
    groups = [g.get("class", "") for g in root.iter("{http://www.w3.org/2000/svg}g")]
    blocks = [g for g in groups if g.startswith("block ")]
    assert len(blocks) == len(drawn.scene.blocks)
    assert groups.count("same") == 2  # the wire and its sample in the legend
    cats = [g for g in groups if g.startswith("miya ")]
    assert len(cats) > 5 and drawn.png()[:4] == b"\x89PNG"


def test_without_miya_a_frame_says_where():
    drawn = miya.draw(trace_of("lenet"), miya=False).svg()
    assert 'class="miya ' not in drawn
    assert drawn.count('class="tap"') == 4 + 1


def test_names_are_text():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.add_module("w" + HOSTILE.replace(".", ""), nn.Linear(72, 3))

        def forward(self, x):
            return next(iter(self.children()))(x.flatten(1))

    trace, *_ = step("residual", make=Odd)
    drawn = miya.draw(trace).svg()
    ElementTree.fromstring(drawn.encode())
    assert "<script" not in drawn and "\x1b" not in drawn


def test_what_a_models_picture_cannot_do_is_refused():
    trace = trace_of("lenet")
    for example in (0, 3):
        with pytest.raises(MiyaInputError, match=rf"E658 example is {example}, and .*all examples"):
            miya.draw(trace, example=example)
    assert miya.draw(trace, example="sum").svg() == miya.draw(trace).svg()
    with pytest.raises(MiyaInputError, match="E650 view is 'inside'"):
        miya.draw(trace, view="inside")
    with pytest.raises(MiyaInputError, match="E608"):
        miya.draw(trace, measure="guilt")
