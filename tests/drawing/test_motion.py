"""The animation tells the flow: what each part of a round brings is hidden before it."""

import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

import miya
from miya.drawing.frames import BACK, FORWARD, TELL, UPDATE, moments, reveals
from miya.render import picture
from miya.render.svg import draw, svg
from miya.render.svg_motion import moment_rules
from miya.render.theme import style, theme_of
from miya.story.words import load


def frame_text(scene, moment):
    rules = style("light") + moment_rules(scene, theme_of("light"), moment)
    return draw(scene, "light", rules, moment=moment)


def frame(scene, moment):
    made = picture._raster(frame_text(scene, moment), 1.0)
    return np.asarray(Image.open(io.BytesIO(made)).convert("L"), dtype=float)


def seen(pixels, box):
    part = pixels[int(box.y) : int(box.bottom) + 1, int(box.x) : int(box.right) + 1]
    return part.max() - part.min() > 90


@pytest.fixture(scope="module")
def scene():
    return miya.draw().scene


def labels_of(scene):
    """What each part of a round brings, by its name."""
    neurons = scene.neurons
    rows = [row for n in neurons for row in n.rows]
    return {
        "signal": [t for n in neurons for t in n.labels if t.style == "plain"],
        "delta": [t for n in neurons for t in n.labels if t.style == "delta"],
        "path": [t for row in rows if row.ref.startswith("n") for t in row.labels],
        "gradient": [t for row in rows for t in row.labels if t.moment == "gradient"],
        "after": [t for row in rows for t in row.labels if t.moment == "after"],
        "speech": [t for p in scene.panels if p.bubble for t in p.labels],
    }


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (FORWARD[0] / 2, set()),
        ((FORWARD[1] + BACK[0]) / 2, {"signal"}),
        ((BACK[1] + UPDATE[0]) / 2, {"signal", "delta", "path", "gradient"}),
        ((UPDATE[1] + TELL) / 2, {"signal", "delta", "path", "gradient", "after"}),
        ((TELL + 1) / 2, {"signal", "delta", "path", "gradient", "after", "speech"}),
    ],
)
def test_a_frame_shows_what_has_come_and_nothing_else(scene, moment, shown):
    pixels = frame(scene, moment)
    for part, labels in labels_of(scene).items():
        assert labels
        assert {seen(pixels, t.box) for t in labels} == {part in shown}, part
    pointing = next(n.pointed for n in scene.neurons if n.pointed)
    paw = next(row.paw for n in scene.neurons for row in n.rows if row.paw)
    for box in (pointing.box, paw):
        assert seen(pixels, box) == ("speech" in shown)


def test_cats_sleep_until_blame_reaches_them(scene):
    for moment, asleep in ((0.1, 4), (0.42, 3), (0.7, 0)):
        assert frame_text(scene, moment).count("<use ") == asleep
    # rules that need an ancestor do not reach into what a <use> shows
    assert re.search(r'<g id="\w+z" class="miya-light">', svg(scene, animate=True))
    whole = frame_text(scene, 0.99)
    assert "display:none" not in whole and "opacity:0.18" not in whole


def test_blame_comes_back_term_by_term():
    trace = miya.explain("examples/xor_tanh.toml").trace
    scene = miya.draw(trace).scene
    at = {(r.part, r.layer, r.ref): r.at for r in reveals(scene)}
    rows = [(ref, when) for (part, _, ref), when in at.items() if part == "row"]
    for neuron in (n for n in scene.neurons if n.layer < scene.layers):
        own = [when for ref, when in rows if ref.startswith(f"{neuron.ref}.")]
        assert own == sorted(own) and own[-1] == at["sum", neuron.layer, ""]
        assert own[-2] < at["sum", neuron.layer, ""] < at["delta", neuron.layer, ""]
        assert at["delta", neuron.layer + 1, ""] < own[0]
    arrows = [when for (part, layer, _), when in at.items() if part == "arrow" and layer == 2]
    assert len(set(arrows)) == len(arrows) > 1
    assert at["after", 0, ""] > max(v for k, v in at.items() if k[0] not in ("after", "told"))
    assert at["told", 0, ""] > at["after", 0, ""]


@pytest.mark.parametrize("view", ["whole", "forward", "blame", "update"])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_caption_names_each_phase(view, language):
    drawn = miya.draw(view=view, language=language)
    words = load(language)["diagram"]
    moving = drawn.svg(animate=True)
    ET.fromstring(moving.encode())
    said = re.findall(r'<text class="p\d+"[^>]*>([^<]*)<', moving)
    assert said == [text for _, text in drawn.scene.captions] and len(said) > 1
    assert said[-1] == words["phase_tell"]
    told = [re.findall(r'class="p(\d)"', frame_text(drawn.scene, m)) for m in moments(drawn.scene)]
    assert all(len(one) == 1 for one in told)
    assert [k for (k,) in told] == sorted(k for (k,) in told)
    assert len({k for (k,) in told}) == len(said)


def test_without_motion_all_is_shown(scene):
    moving = miya.draw().svg(animate=True)
    rules = re.search(r"<style>(.*?)</style>", moving, re.S)[1]
    still = re.sub(r"@keyframes [\w-]+\{(?:[^{}]*\{[^{}]*\})*\}", "", rules)
    still = re.sub(r"@media[^{]*no-preference\)\{(?:[^{}]*\{[^{}]*\})*\}", "", still)
    hiding = re.findall(r"([^{}]*)\{[^{}]*(?:opacity:0|display:none)[^{}]*\}", still)
    assert hiding and all(".moving" in selector for selector in hiding)
    # what hides is bound to what there is
    names = set(re.findall(r"@keyframes ([\w-]+)", rules))
    assert names == set(re.findall(r"animation:([\w-]+) ", rules))
    assert len(moving) < 1.6 * len(miya.draw().svg())
