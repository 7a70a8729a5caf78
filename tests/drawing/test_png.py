"""The picture as pixels, beside the golden one, with room for another rasterizer's edges."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import miya

FOLDER = Path(__file__).parents[1] / "golden"
EXAMPLES = Path(__file__).parents[2] / "examples"
DIFFERENT = 0.005  # share of the pixels that may be far from the golden ones


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=float)


def differing(ours, theirs):
    assert ours.shape == theirs.shape
    return float((np.abs(ours - theirs).max(axis=2) > 48).mean())


@pytest.mark.parametrize(
    ("name", "source", "options"),
    [
        ("original", None, {}),
        ("dark", None, {"theme": "dark", "view": "blame"}),
        ("classifier", EXAMPLES / "relu_classifier.json", {"theme": "print", "view": "update"}),
    ],
)
def test_the_picture_looks_as_it_did(name, source, options):
    made = miya.draw(source, **options).png(scale=0.5)
    path = FOLDER / f"{name}.png"
    if os.environ.get("MIYA_UPDATE_GOLDEN"):
        path.write_bytes(made)
    assert differing(pixels(made), pixels(path.read_bytes())) < DIFFERENT


def test_a_picture_without_her_would_be_seen():
    with_her, without = (pixels(miya.draw(miya=m).png(scale=0.5)) for m in (True, False))
    rows, columns = (min(a, b) for a, b in zip(with_her.shape, without.shape) if a > 3)
    assert differing(with_her[:rows, :columns], without[:rows, :columns]) > DIFFERENT
