"""No label overlaps another, leaves the picture or its card, or sits on a cat."""

import random
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from networks import random_network

import miya
from miya.core.build import network
from miya.core.step import take_step
from miya.drawing import font
from miya.drawing.build import fits, scene
from miya.drawing.scene import VIEWS, Box, Label

MEASURES = ["pressure", "step", "pressure", "credit", "removal"]
LONG = [
    "a neuron whose name goes on, and on, and on, far beyond its card",
    "神経細胞の長い長い名前" * 5,
]


def faults(picture):
    """What is wrong with where the labels are, in words."""
    page = Box(0, 0, picture.width, picture.height)
    boxes = sorted(((t.box, t.text) for t in picture.all_labels()), key=lambda b: b[0].y)
    found = [f"{text} leaves the picture" for box, text in boxes if not page.holds(box)]
    for k, (box, text) in enumerate(boxes):
        for other, second in boxes[k + 1 :]:
            if other.y >= box.bottom:
                break
            if box.overlaps(other):
                found.append(f"{text} lies on {second}")
    obstacles = list(picture.obstacles())
    found += [f"{text} is on a cat" for box, text in boxes for o in obstacles if box.overlaps(o)]
    for part in (*picture.neurons, *picture.sources, picture.loss):
        inside = [*part.labels, *(t for row in getattr(part, "rows", ()) for t in row.labels)]
        found += [f"{t.text} leaves its card" for t in inside if not part.box.holds(t.box)]
    for panel in picture.panels:
        frame = panel.bubble or panel.box
        inside = [*panel.labels, *(t for s in panel.samples for t in s.labels)]
        found += [f"{t.text} leaves its panel" for t in inside if not frame.holds(t.box)]
    return found


def crossings(picture):
    """Edges that do not stay between the columns they join."""
    cards = [n.box for n in picture.neurons]
    found = []
    for edge in picture.edges:
        (left, _), (right, _) = edge.start, edge.end
        found += [edge.ref for b in cards if b.x < right - 0.1 and left + 0.1 < b.right]
    return found


def picture_of(seed):
    r = random.Random(seed)
    hidden = [r.randint(1, 12) for _ in range(r.choice([0, 1, 1, 2]))]
    sizes = [8, 12, 12, 6] if seed % 25 == 0 else [r.randint(1, 8), *hidden, r.randint(1, 6)]
    trace = take_step(random_network(seed, sizes=sizes))
    if seed % 7 == 0:
        names = tuple(LONG[i % 2] for i in range(sizes[-1]))
        last = replace(trace.network.layers[-1], neurons=names)
        layers = (*trace.network.layers[:-1], last)
        trace = take_step(replace(trace.network, layers=layers, title=LONG[seed % 2] * 3))
    assert fits(trace)
    return scene(
        trace,
        view=VIEWS[seed % 4],
        measure=r.choice(MEASURES) if sum(sizes) < 20 else r.choice(MEASURES[:3]),
        example=r.choice([0, "sum"]),
        digits=r.choice([None, None, *range(1, 16)]),
        language=r.choice(["en", "en", "ja"]),
        miya=r.random() < 0.8,
    )


@pytest.mark.parametrize("block", range(8))
def test_labels_of_200_random_networks(block):
    for seed in range(25 * block, 25 * block + 25):
        picture = picture_of(seed)
        assert not faults(picture), seed
        assert not crossings(picture), seed


@pytest.mark.parametrize("digits", range(1, 16))
def test_labels_at_every_number_of_digits(digits):
    for view in VIEWS:
        for cats in (True, False):
            for trace in (take_step(network_of_the_story()), take_step(large(20, 3))):
                picture = scene(trace, view=view, digits=digits, miya=cats)
                assert not faults(picture), (view, cats)


def test_an_overlap_a_leaver_and_a_label_on_a_cat_are_found():
    picture = picture_of(1)
    first = picture.labels[0]
    assert any("lies on" in f for f in faults(replace(picture, labels=(*picture.labels, first))))
    away = Label("away", -5, 50)
    assert "away leaves the picture" in faults(replace(picture, labels=(away,)))
    circle = picture.neurons[0].circle
    on = Label("on", circle.x + 5, circle.middle)
    assert "on is on a cat" in faults(replace(picture, labels=(on,)))


def network_of_the_story():
    return miya.explain().trace.network


def layers(*sizes, seed=0):
    r = np.random.default_rng(seed)
    return [
        {
            "weight": (r.normal(size=(after, before)) / before**0.5).tolist(),
            "bias": (r.normal(size=after) * 0.1).tolist(),
            "activation": "tanh",
        }
        for before, after in pairwise(sizes)
    ]


def large(*sizes):
    return network(
        {
            "learning_rate": 0.05,
            "loss": "mean_squared_error",
            "layers": layers(*sizes),
            "examples": [{"input": [0.5] * sizes[0], "target": [1.0] * sizes[-1]}],
        }
    )


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("sizes", [(30, 2), (8, 13, 2), (300, 40, 3), (2, 500), (3,) * 16])
def test_the_summary_of_a_large_network(view, sizes):
    trace = take_step(large(*sizes))
    for language in ("en", "ja"):
        picture = scene(trace, view=view, language=language)
        assert picture.strips and not picture.edges
        assert not faults(picture)


@pytest.mark.parametrize("sizes", [(13, 1), (24, 6), (1, 1, 12), (8, 12, 12, 6)])
def test_what_fits_is_drawn_in_full(sizes):
    picture = scene(take_step(large(*sizes)))
    assert picture.edges and not picture.strips and not faults(picture)
    assert sum(e.kind != "link" for e in picture.edges) == sum(
        (before + 1) * after for before, after in pairwise(sizes)
    )


def test_a_summary_lists_the_largest_paths():
    trace = take_step(large(30, 6, 7, 2))
    neurons = {n.ref: n for n in scene(trace, digits=6).neurons}
    back = trace.layers[1].weight.before * trace.layers[1].delta[0][:, None]
    for ref, neuron in neurons.items():
        if ref.startswith("n1."):
            told = [row.labels[0].text for row in neuron.rows if row.ref.startswith(f"{ref}.")]
            i = int(ref[3:])
            top = sorted(np.argsort(-np.abs(back[:, i]))[:3])
            names = [f"W2[{m}][{i}]·δ2[{m}]" for m in top]
            assert told == [*names, "… 4 more", "∂C/∂a"]


def test_the_summary_shows_what_miya_names():
    for seed in range(6):
        network = random_network(seed, sizes=[20, 30, 25, 4], activation="tanh")
        picture = scene(take_step(network), measure=["pressure", "step"][seed % 2])
        assert sum(row.paw is not None for n in picture.neurons for row in n.rows) == 1
        assert sum(n.pointed is not None for n in picture.neurons) == 1


def test_a_million_weights_make_a_small_picture():
    picture = scene(take_step(large(1000, 900, 110, 10)))
    assert not faults(picture)
    assert all(len(strip.cells) <= 160 for strip in picture.strips)
    from miya.render.svg import svg

    assert len(svg(picture)) < 400_000


def test_a_bin_shows_its_largest_value_by_size():
    from miya.drawing.summary import binned

    values = np.zeros(1000)
    values[[3, 500, 999]] = [-2, 5, -7]
    values[501] = -4
    found = binned(values, 10)
    assert found.tolist() == [-2, 0, 0, 0, 0, 5, 0, 0, 0, -7]


@pytest.mark.parametrize("bold", [False, True])
def test_widths_are_those_of_the_font(bold):
    from PIL import ImageFont

    drawn = ImageFont.truetype(str(font.path(bold)), 1000)
    for text in ("δ = −0.2464", "W2[0][1]·δ2[0]", "∂C/∂w", "before → after", "Jürgen σ′ Σ …"):
        assert font.width(text, 1000, bold) >= drawn.getlength(text) * 0.999
        assert font.width(text, 1000, bold) <= drawn.getlength(text) * 1.05


def test_text_is_cut_and_broken_to_its_room():
    assert font.width(font.fit("x" * 500, 100, 12), 12) <= 100
    assert font.fit("short", 100, 12) == "short"
    for text in ("one two three " * 9, "長い日本語の文章です。" * 9, "y" * 300):
        lines = font.wrap(text, 120, 12)
        assert lines and all(font.width(line, 12) <= 120 for line in lines)
    assert "".join(font.wrap("one two three", 40, 12)).replace(" ", "") == "onetwothree"
