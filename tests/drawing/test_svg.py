"""The SVG says what the trace holds, safely, in each theme and view."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from goldens import check
from networks import random_network

import miya
from miya.core.step import take_step
from miya.drawing.build import scene
from miya.errors import MiyaInputError
from miya.render.svg import svg

NS = {"s": "http://www.w3.org/2000/svg"}
HOSTILE = "</svg><script>alert(1)</script>&\x1b[31m\u202e\"'"
TOLERANCE = 0.6  # of the last digit shown


def parsed(text):
    return ET.fromstring(text.encode())


def groups(root, kind):
    return {
        g.get("data-ref"): g
        for g in root.iter(f"{{{NS['s']}}}g")
        if kind == (g.get("class") or "").split()[0] and g.get("data-ref")
    }


def value(text):
    return float(text.replace("−", "-").replace("∞", "inf"))


def near(text, exact):
    """Whether `text` is `exact` to its last digit."""
    figures = re.sub(r"e.*|[^0-9]", "", text).lstrip("0")
    return abs(value(text) - exact) <= 10.0 ** (-len(figures) + 1) * abs(exact) * TOLERANCE or (
        value(text) == exact
    )


def texts(group):
    return [t.text for t in group.iter(f"{{{NS['s']}}}text")]


@pytest.mark.parametrize("seed", range(12))
def test_every_number_is_the_traces(seed):
    trace = take_step(random_network(seed, examples=1))
    root = parsed(svg(scene(trace, digits=6)))
    neurons = groups(root, "neuron")
    assert len(neurons) == sum(trace.network.sizes[1:])
    for layer in trace.layers:
        for i in range(layer.layer.outputs):
            group = neurons[f"n{layer.number}.{i}"]
            said = dict(t.split(" = ") for t in texts(group) if " = " in t)
            assert near(said["δ"], layer.delta[0, i])
            assert near(said["z"], layer.z[0, i]) and near(said["a"], layer.a[0, i])
            rows = {
                r.get("data-row"): texts(r)
                for r in group.iter(f"{{{NS['s']}}}g")
                if r.get("class") == "row"
            }
            for j in range(layer.layer.inputs):
                name, before, _, after, gradient = rows[f"W{layer.number}[{i}][{j}]"]
                assert name == f"W{layer.number}[{i}][{j}]"
                assert near(before, layer.weight.before[i, j])
                assert near(after, layer.weight.after[i, j])
                assert near(gradient, layer.weight.gradient[i, j])
            if layer is not trace.layers[-1]:
                back = trace.layers[layer.number]
                for k, term in enumerate(back.path_terms((0, i))):
                    assert near(rows[f"n{layer.number}.{i}.{k}"][1], term.value)


@pytest.mark.parametrize("seed", range(6))
def test_the_forward_view_tells_what_each_weight_carries(seed):
    trace = take_step(random_network(seed, examples=1))
    root = parsed(svg(scene(trace, view="forward", digits=6)))
    rows = [r for r in root.iter(f"{{{NS['s']}}}g") if r.get("class") == "row"]
    told = iter(texts(r) for r in rows)
    for layer in trace.layers:
        for i in range(layer.layer.outputs):
            for term in layer.z_terms((0, i)):
                assert near(next(told)[-1], term.value)
    assert next(told, None) is None


def test_every_part_is_named_and_titled():
    root = parsed(miya.draw().svg())
    assert root.get("role") == "img"
    named = {e.get("id") for e in root.iter() if e.get("id")}
    assert set(root.get("aria-labelledby").split()) <= named
    edges = groups(root, "edge")
    assert {f"W1[{i}][{j}]" for i in range(3) for j in range(3)} <= set(edges)
    assert {"W2[0][0]", "W2[0][1]", "W2[0][2]", "b1[0]", "b1[2]", "b2[0]"} <= set(edges)
    assert all("bias" in edges[ref].get("class") for ref in edges if ref.startswith("b"))
    assert set(groups(root, "input")) == {"x[0]", "x[1]", "x[2]"}
    assert set(groups(root, "loss")) == {"C"}
    for kind in ("neuron", "edge", "input", "loss"):
        for group in groups(root, kind).values():
            assert group.find("s:title", NS).text
    assert len(root.findall(".//s:g[@class='constant']", NS)) == 2


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
@pytest.mark.parametrize("view", ["whole", "blame", "update"])
@pytest.mark.parametrize("cats", [True, False])
def test_the_sign_is_never_told_by_colour_alone(theme, view, cats):
    picture = miya.draw(theme=theme, view=view, miya=cats)
    root = parsed(picture.svg())
    edges, neurons = groups(root, "edge"), groups(root, "neuron")
    for edge in picture.scene.edges:
        if edge.kind == "link":
            continue
        dashed = edges[edge.ref].find("s:path", NS).get("stroke-dasharray") is not None
        assert dashed == (edge.tone.sign <= 0)
    signs = set()
    for neuron in picture.scene.neurons:
        group = neurons[neuron.ref]
        signs.add(neuron.tone.sign)
        assert (group.find("s:circle[@class='hatch']", NS) is not None) == (neuron.tone.sign < 0)
        badge = "positive" if neuron.tone.sign > 0 else "negative"
        assert group.find(f"s:g[@class='sign {badge}']", NS) is not None
    assert signs == {1, -1}


def test_thicker_edges_have_more_of_the_measure():
    picture = miya.draw(measure="step")
    changes = {
        f"W{layer.number}[{i}][{j}]": abs(layer.weight.change[i, j])
        for layer in miya.explain().trace.layers
        for i in range(layer.layer.outputs)
        for j in range(layer.layer.inputs)
    }
    sizes = {e.ref: e.tone.size for e in picture.scene.edges}
    ranked = sorted(changes, key=changes.get)
    assert [sizes[r] for r in ranked] == sorted(sizes[r] for r in ranked)


def test_hostile_labels_stay_text():
    table = {
        "title": HOSTILE,
        "inputs": [HOSTILE],
        "learning_rate": 0.1,
        "loss": "squared_error",
        "layers": [{"name": HOSTILE, "weight": [[0.5]], "bias": [0], "neurons": [HOSTILE]}],
        "examples": [{"input": [1], "target": [0], "name": HOSTILE}] * 2,
    }
    for text in (miya.draw(table).svg(), miya.draw(table, example="sum").svg(animate=True)):
        root = parsed(text)
        assert not [e for e in root.iter() if e.tag.endswith("script")]
        assert "\x1b" not in text and "\u202e" not in text
        assert any(t.text and t.text.startswith("</svg>") for t in root.iter(f"{{{NS['s']}}}text"))


def test_without_miya_there_is_no_cat():
    with_her, without = parsed(miya.draw().svg()), parsed(miya.draw(miya=False).svg())

    def cats(root):
        return [g for g in root.iter() if (g.get("class") or "").startswith("miya ")]

    assert len(cats(with_her)) > 4 and not cats(without)
    assert len(without.findall(".//s:circle[@class='body']", NS)) == 4


def test_it_moves_only_where_motion_is_welcome():
    still, moving = miya.draw().svg(), miya.draw().svg(animate=True)
    assert "animation" not in still and "@keyframes" in moving
    parsed(moving)
    style = re.search(r"<style>(.*?)</style>", moving, re.S)[1]
    assert "@media (prefers-reduced-motion:reduce){.miya-light .moving{display:none}" in style
    outside = re.sub(
        r"@media \(prefers-reduced-motion:\w+(-\w+)?\)\{(?:[^{}]*\{[^{}]*\})*\}", "", style
    )
    assert "animation:" not in outside
    # blame goes back term by term: the terms of a layer start one after another
    from miya.drawing.frames import edge_cues

    cues = [(e, c) for e, c in edge_cues(miya.draw().scene) if c.motion == "back"]
    starts = {e.ref: c.start for e, c in cues}
    assert starts["C"] < starts["W2[0][0]"] < starts["W2[0][1]"] < starts["W1[0][0]"]


def test_the_same_picture_is_the_same_text():
    assert miya.draw().svg() == miya.draw().svg()
    check("original.svg", miya.draw().svg())


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"view": "side"}, "E650"),
        ({"example": 1}, "E651"),
        ({"example": "all"}, "E651"),
        ({"theme": "pink"}, "E652"),
        ({"measure": "guilt"}, "E608"),
        ({"language": "xx"}, "E602"),
        ({"digits": 0}, "E604"),
    ],
)
def test_what_there_is_not_is_said(options, code):
    with pytest.raises(MiyaInputError) as caught:
        miya.draw(**options)
    assert caught.value.code == code


def test_a_batch_says_which_example(example_files):
    xor = next(f for f in example_files if f.name == "xor_tanh.toml")
    assert "Example 2 of 4 (1 xor 0)" in miya.draw(xor, example=2).svg()
    told = miya.draw(xor, example="sum")
    assert "Sum over all 4 examples" in told.svg()
    delta = miya.explain(xor).trace.layers[1].delta.sum()
    root = parsed(told.svg())
    said = next(t for t in texts(groups(root, "neuron")["n2.0"]) if t.startswith("δ = "))
    assert near(said.removeprefix("δ = "), delta)


def test_a_notebook_shows_it_and_text_is_the_fallback():
    drawn = miya.draw()
    bundle = drawn._repr_mimebundle_()
    assert list(bundle) == ["text/html", "image/svg+xml", "text/plain"]
    assert drawn._repr_svg_() in drawn._repr_html_() == bundle["text/html"]
    assert bundle["text/plain"].startswith("The original story\n") and len(str(drawn)) < 1500


def story(rate):
    trace = miya.explain().trace
    return take_step(replace(trace.network, learning_rate=rate))


def changed(drawn):
    """(before, after) of each weight and bias, as shown."""
    for row in (row for n in drawn.scene.neurons for row in n.rows):
        cells = [t.text for t in row.labels]
        if "→" in cells:
            yield row.ref, *cells[cells.index("→") - 1 : cells.index("→") + 2 : 2]


@pytest.mark.parametrize("view", ["whole", "update"])
def test_before_and_after_are_told_apart(view):
    trace = story(2e-4)
    values = {
        f"W{u.number}[{i}][{j}]": (u.weight.before[i, j], u.weight.after[i, j])
        for u in trace.layers
        for i, j in np.ndindex(u.weight.before.shape)
    }
    told = {ref: (before, after) for ref, before, after in changed(miya.draw(trace, view=view))}
    for ref, (before, after) in values.items():
        assert value(told[ref][0]) != value(told[ref][1])
        assert near(told[ref][0], before) and near(told[ref][1], after)
    assert any(len(after) > 7 for _, after in told.values())


def test_a_change_below_eight_digits_is_told_itself():
    trace = story(1e-11)
    told = {ref: after for ref, _, after in changed(miya.draw(trace))}
    change = trace.layers[1].weight.change[0, 0]
    assert told["W2[0][0]"].startswith("Δ +") and near(told["W2[0][0]"][3:], change)


def test_the_update_shows_the_step():
    drawn = miya.draw(view="update")
    assert drawn.scene.measure == "step"
    assert miya.draw().scene.measure == "pressure"
    assert miya.draw(view="update", measure="pressure").scene.measure == "pressure"
    assert {e.tone.sign for e in drawn.scene.edges if e.ref == "W2[0][0]"} == {1}


def test_without_miya_a_frame_and_a_ring_mark_who_is_named():
    root = parsed(miya.draw(miya=False).svg())
    assert len(root.findall(".//s:g[@data-row='b2[0]']/s:rect[@class='tap']", NS)) == 1
    ringed = [
        ref
        for ref, group in groups(root, "neuron").items()
        if group.find("s:circle[@class='greediest']", NS) is not None
    ]
    assert ringed == ["n1.1"]
    said = " ".join(t.text for t in root.iter(f"{{{NS['s']}}}text"))
    assert "frame: first by pressure" in said and "ring: the greediest neuron" in said
    assert parsed(miya.draw().svg()).find(".//s:circle[@class='greediest']", NS) is None


def test_she_says_of_how_many_it_is_the_first():
    said = [t.text for p in miya.draw().scene.panels if p.bubble for t in p.labels]
    assert said[0].startswith("I tap b2[0], first of 16 weights and biases")
