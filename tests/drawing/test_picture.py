"""PNG, PDF, GIF and WebP hold the picture."""

import sys
from io import BytesIO

import pytest
from click.testing import CliRunner
from networks import random_network
from PIL import Image, ImageChops, ImageSequence

import miya
from miya.cli import main
from miya.core.step import take_step
from miya.drawing import font
from miya.errors import MiyaInputError, MiyaWarning
from miya.render import picture


@pytest.fixture(scope="module")
def drawn():
    return miya.draw()


def image(data):
    return Image.open(BytesIO(data)).convert("RGB")


def test_png_shows_every_label(drawn):
    scale = 2
    picture = image(drawn.png(scale))
    assert picture.size == (round(drawn.scene.width * scale), round(drawn.scene.height * scale))
    for label in drawn.scene.all_labels():
        b = label.box
        area = [int(v * scale) for v in (b.x, b.y, b.right + 1, b.bottom + 1)]
        low, high = picture.crop(area).convert("L").getextrema()
        assert high - low > 60, label.text


def test_text_is_as_wide_as_it_was_measured(drawn):
    title = drawn.scene.labels[0]
    b = title.box
    strip = image(drawn.png(2)).crop([0, int(b.y * 2), int(drawn.scene.width), int(b.bottom * 2)])
    ink = ImageChops.difference(
        strip, Image.new("RGB", strip.size, strip.getpixel((0, 0)))
    ).getbbox()
    assert ink[2] / 2 <= b.right + 1
    assert ink[2] / 2 > b.right - 6


def test_the_font_has_what_miya_writes():
    from miya.story.words import load

    words = "".join(load("en")["diagram"].values())
    assert not font.lacking(words + "0123456789+−.e∞δ∂σ′→…·[]√Δ")
    assert font.lacking("a猫") == {"猫"}


def test_a_character_that_no_font_draws_is_told(monkeypatch):
    table = {
        "learning_rate": 0.1,
        "loss": "squared_error",
        "layers": [{"weight": [[0.5]], "bias": [0], "neurons": ["猫"]}],
        "examples": [{"input": [1], "target": [0]}],
    }
    drawn = miya.draw(table)
    whole = picture._drawn
    monkeypatch.setattr(picture, "_drawn", lambda c: whole(c, system=False))
    with pytest.warns(MiyaWarning, match="W657 no font here can draw 猫:"):
        drawn.png()


def test_gif_and_webp_move(drawn):
    from miya.drawing.frames import FRAMES

    for made in (drawn.gif(), drawn.webp()):
        frames = [f.convert("RGB") for f in ImageSequence.Iterator(Image.open(BytesIO(made)))]
        assert len(frames) == FRAMES
        for one, other in zip(frames, frames[1:]):
            assert ImageChops.difference(one, other).getbbox()


def test_pdf_is_one(drawn):
    made = drawn.pdf()
    assert made.startswith(b"%PDF-") and len(made) > 10_000


def test_a_scale_that_makes_no_picture(drawn):
    for scale in (0, -1, 1000, float("nan")):
        with pytest.raises(MiyaInputError, match="E653"):
            drawn.png(scale)


@pytest.fixture(scope="module")
def wide():
    return take_step(random_network(25, sizes=[8, 12, 12, 6]))


def test_where_none_is_given_the_scale_fits(wide, drawn, tmp_path, monkeypatch):
    large = miya.draw(wide).scene
    assert large.width * large.height * 2**2 > picture.MOST_PIXELS
    assert picture.fitting(large) == 1.75 and picture.fitting(drawn.scene) == 2
    monkeypatch.setattr(picture, "MOST_PIXELS", 1_000_000)
    assert CliRunner().invoke(main, ["draw", "-o", str(tmp_path / "a.png")]).exit_code == 0
    size = image((tmp_path / "a.png").read_bytes()).size
    assert 250_000 < size[0] * size[1] <= 1_000_000
    with pytest.raises(MiyaInputError, match="E653"):
        drawn.save(tmp_path / "b.png", scale=2)


def test_a_large_picture_moves_in_fewer_and_smaller_frames(wide):
    from miya.drawing.frames import FEW

    with Image.open(BytesIO(miya.draw(wide).gif())) as made:
        assert made.n_frames == FEW and made.size[0] * made.size[1] < 1.01 * picture.FEW_PIXELS


def test_what_is_missing_is_named(drawn, monkeypatch):
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(MiyaInputError, match=r'E654 .*resvg_py.*pip install "miya\[draw\]"'):
        drawn.png()
    assert drawn.svg()


def test_the_command(tmp_path):
    run = CliRunner().invoke
    for name in ("a.svg", "a.png", "a.pdf"):
        done = run(main, ["draw", "-o", str(tmp_path / name), "--view", "blame", "--no-miya"])
        assert done.exit_code == 0, done.output
        assert (tmp_path / name).stat().st_size > 5000
    assert "@keyframes" not in (tmp_path / "a.svg").read_text("utf-8")
    assert run(main, ["draw", "-o", str(tmp_path / "a.svg"), "--animate"]).exit_code == 0
    assert "@keyframes" in (tmp_path / "a.svg").read_text("utf-8")
    for wrong, code in (
        (["-o", str(tmp_path / "a.jpg")], "E656"),
        (["-o", str(tmp_path / "b.png"), "--animate"], "E655"),
        (["-o", str(tmp_path / "none" / "a.svg")], "E508"),
        (["-o", str(tmp_path / "b.svg"), "--example", "7"], "E651"),
    ):
        done = run(main, ["draw", *wrong])
        assert done.exit_code == 2 and code in done.output
    assert not list(tmp_path.glob("b.*")) and not (tmp_path / "a.jpg").exists()


def test_a_notebook_shows_it(drawn):
    assert drawn._repr_svg_().startswith("<svg")
