"""Her pose, size and side follow δ."""

import numpy as np
import pytest

import miya
from miya.drawing import cat
from miya.drawing.content import tone

ORDER = ["asleep", "loaf", "sit", "alarm"]
SIZES = np.linspace(0, 1, 201)


def test_pose_and_scale_never_fall_as_delta_grows():
    ranks = [ORDER.index(cat.pose_of(s)) for s in SIZES]
    scales = [cat.scale_of(s) for s in SIZES]
    assert ranks == sorted(ranks) and set(ranks) == {0, 1, 2, 3}
    assert all(a < b for a, b in zip(scales, scales[1:]))


def test_the_scale_is_centred_on_zero():
    assert tone(0.0, 3.0).sign == 0 and tone(0.0, 3.0).size == 0
    for value in (0.01, 1.0, 3.0):
        up, down = tone(value, 3.0), tone(-value, 3.0)
        assert (up.sign, down.sign) == (1, -1) and up.size == down.size
    assert tone(3.0, 3.0).size == 1


@pytest.mark.parametrize("pose", ORDER[1:])
def test_the_sign_is_seen_without_colour(pose):
    # she looks the other way, and her ears and tail are other shapes
    assert cat.mirrored(pose, -1) and not cat.mirrored(pose, 1)
    assert cat.miya(pose, 1) != cat.miya(pose, -1)


def test_cats_of_the_original_story():
    by_ref = {n.ref: n for n in miya.draw().scene.neurons}
    deltas = {
        f"n{layer.number}.{i}": float(layer.delta[0, i])
        for layer in miya.explain().trace.layers
        for i in range(layer.layer.outputs)
    }
    in_order = sorted(by_ref, key=lambda ref: abs(deltas[ref]))
    widths = [by_ref[ref].cat.box.width for ref in in_order]
    assert widths == sorted(widths) and widths[0] < widths[-1]
    assert all(by_ref[ref].cat.sign == np.sign(deltas[ref]) for ref in by_ref)
    assert by_ref["n2.0"].cat.pose == "alarm"
    assert [ref for ref in by_ref if by_ref[ref].pointed] == ["n1.1"]


def test_a_dead_neuron_sleeps(example_files):
    relu = next(f for f in example_files if f.name == "relu_classifier.json")
    by_ref = {n.ref: n for n in miya.draw(relu).scene.neurons}
    assert by_ref["n1.2"].cat.pose == "asleep" and by_ref["n1.2"].tone.sign == 0
