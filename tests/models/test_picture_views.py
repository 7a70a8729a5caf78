"""The views of a model's picture, and how it moves."""

import io
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch
from models.small import step
from torch import nn

import miya
from miya.drawing.model.build import model_scene
from miya.drawing.model.frames import reveals, waking, wire_cues
from miya.render.svg import draw
from miya.render.svg_motion import moment_rules
from miya.render.theme import style, theme_of

pytestmark = pytest.mark.filterwarnings("ignore::miya.errors.MiyaWarning")
NUMBER = r"(−?\d+(?:\.\d+)?(?:e−?\d+)?)"


@pytest.fixture(scope="module")
def trace():
    return step("residual")[0]


def numbers(pattern, text):
    return [float(t.replace("−", "-")) for t in re.search(pattern, text).groups()]


def said(block):
    return block.title


def boxes(scene):
    """Each box of a module, by its path."""
    return {b.title.split(":")[0]: b for b in scene.blocks if b.kind == "module"}


def signs(values):
    return [int(np.sign(v)) for v in values]


def test_forward_tells_what_each_box_gives(trace):
    found = boxes(model_scene(trace, view="forward", digits=12))
    assert {"stem", "fc"} <= set(found)
    for name, block in found.items():
        array = trace.values[name].array
        low, high, mean = numbers(f"from {NUMBER} to {NUMBER}, mean {NUMBER}", said(block))
        assert low == pytest.approx(array.min(), rel=1e-11)
        assert high == pytest.approx(array.max(), rel=1e-11)
        assert mean == pytest.approx(array.mean(), rel=1e-10, abs=1e-14)
        assert block.cat is None and block.bar is None
    last = trace.values["fc"].array.mean(axis=0)
    assert [c.sign for c in found["fc"].heat.cells] == signs(last)
    largest = int(np.abs(last).argmax())
    assert found["fc"].heat.cells[largest].size == 1


def test_blame_tells_the_size_of_each_delta(trace):
    found = boxes(model_scene(trace, view="blame", digits=12))
    for name, block in found.items():
        (size,) = numbers(f"√Σδ² = {NUMBER}", said(block))
        assert size == pytest.approx(np.linalg.norm(trace.values[name].gradient), rel=1e-11)


def test_update_tells_what_moved(trace):
    scene = model_scene(trace, view="update", digits=8)
    assert scene.measure == "step"
    found = boxes(scene)
    step_of = trace.parameters["fc.weight"], trace.parameters["fc.bias"]
    before, after, change = (
        np.concatenate([np.ravel(getattr(p, what)) for p in step_of])
        for what in ("before", "after", "change")
    )
    told = numbers(rf"√Σθ²: {NUMBER} → {NUMBER}; √ΣΔθ² = {NUMBER}", said(found["fc"]))
    exact = [np.linalg.norm(a) for a in (before, after, change)]
    assert told == pytest.approx(exact, rel=1e-7)
    assert len(found["fc"].heat.cells) == min(change.size, 60)
    assert all(b.bar is None and b.heat is None for b in scene.blocks if b.kind == "operation")


def test_infinite_and_cancelling_values_do_not_hide_the_others():
    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.last = nn.LayerNorm(4, elementwise_affine=False), nn.Linear(4, 3)

        def forward(self, x):
            scores = self.last(self.norm(x))
            return scores.masked_fill(torch.tensor([False, False, True]), -torch.inf)

    model, x = Masked().double(), torch.randn(5, 4).double()
    y = torch.tensor([0, 1, 0, 1, 0])
    told = miya.explain(model, x, y, loss="cross_entropy", optimizer="sgd")
    texts = [said(b) for b in model_scene(told.trace, view="forward").blocks]
    assert any("the finite: from" in t and "inf" not in t for t in texts)
    norm = next(t for t in texts if t.startswith("norm:"))
    assert norm.endswith("mean 0.")


@pytest.mark.parametrize("view", ["whole", "forward", "blame", "update"])
def test_each_view_moves(trace, view):
    drawn = miya.draw(trace, view=view)
    still, moving = drawn.svg(), drawn.svg(animate=True)
    ElementTree.fromstring(moving.encode())
    assert "@keyframes" in moving and "@keyframes" not in still
    for used in set(re.findall(r'class="(k\w+-\d+)"', moving)):
        assert f"@keyframes {used}{{" in moving
    picture = miya.draw(trace, view=view, theme="dark", miya=False).svg(animate=True)
    assert "@media (prefers-reduced-motion:no-preference)" in picture


def test_the_parts_come_in_their_order(trace):
    scene = model_scene(trace)
    at = {(r.part, r.ref): r.at for r in reveals(scene)}
    strips = [at["strip", b.ref] for b in scene.blocks if b.kind != "input"]
    assert strips == sorted(strips, reverse=True)
    assert at["loss", ""] < min(strips) and max(strips) < at["after", ""] < at["told", ""]
    for wire, cue in wire_cues(scene):
        assert wire.source < wire.target and cue.start < cue.end
    firsts = [c.start for w, c in wire_cues(scene) if c.motion == "forward"]
    backs = [c.end for w, c in wire_cues(scene) if c.motion == "back"]
    assert max(firsts) < min(backs)


def frame(scene, moment):
    rules = style("light") + moment_rules(scene, theme_of("light"), moment)
    return draw(scene, "light", rules, moment=moment)


def test_a_moment_hides_what_has_not_come(trace):
    scene = model_scene(trace)
    for moment in (0.02, 0.4, 0.69, 0.99):
        text = frame(scene, moment)
        gone = "".join(re.findall(r"([^{}]*)\{display:none\}", text))
        for k, block in enumerate(scene.blocks):
            if block.kind != "input":
                hidden = f'[data-ref="{block.ref}"]>.heat' in gone
                assert hidden == (moment < waking(scene, k)), (block.ref, moment)
        assert (".speech" in gone) == (moment < 0.85)
        asleep = sum(
            b.cat is not None and moment < waking(scene, k) for k, b in enumerate(scene.blocks)
        )
        assert text.count("<use ") == asleep


def test_gif_plays_the_whole_round(trace, monkeypatch):
    from PIL import Image

    from miya.render import picture

    monkeypatch.setattr(picture, "moments", lambda scene: [0.02, 0.5, 0.99])
    made = Image.open(io.BytesIO(miya.draw(trace).gif()))
    assert made.n_frames == 3
    seen = []
    for k in range(3):
        made.seek(k)
        seen.append(np.asarray(made.convert("L"), dtype=float))
    inks = [(s.max() - s).sum() for s in seen]
    assert inks[0] < inks[1] < inks[2]
