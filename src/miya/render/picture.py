"""The SVG as PNG, PDF, GIF or WebP. Each needs the extra `draw`."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from importlib import import_module
from io import BytesIO
from typing import Any

from ..core.numbers_in import warn
from ..drawing import font
from ..drawing.frames import SECONDS, is_large, moments
from ..drawing.scene import Scene
from ..errors import MiyaInputError
from . import svg as drawing
from .svg_motion import moment_rules
from .theme import style, theme_of

MOST_PIXELS = 60_000_000  # of a PNG; larger ones are for SVG and PDF
SCALE, STEP = 2.0, 0.25  # of a PNG where none is given, and what it is lowered by to fit
# of a frame of an animation, which is scaled down to so many, and of a large one, whose text is
# too small to read in either
FRAME_PIXELS, FEW_PIXELS = 900_000, 450_000
MOST_CHECKED = 300  # characters looked for in the system's fonts
NOWHERE = "\U0010fffd"  # no font has it


def png(scene: Scene, *, theme: str = "light", scale: float | None = None) -> bytes:
    """The still picture, `scale` pixels a unit; None is 2, or less where that is too large.

    Raises MiyaInputError E653 for a scale that gives no picture or too large a one, E654 without
    the extra.
    """
    scale = fitting(scene) if scale is None else scale
    pixels = scene.width * scene.height * scale**2 if scale > 0 else 0.0
    if not 1 <= pixels <= MOST_PIXELS:
        raise MiyaInputError(
            "E653",
            f"scale {scale:g} makes a picture of {scene.width * scale:.0f} × "
            f"{scene.height * scale:.0f} pixels",
            hint=f"choose a scale that makes at most {MOST_PIXELS // 10**6} million, or use SVG",
        )
    text = drawing.svg(scene, theme=theme)
    _warn_of_lost(text)
    return _raster(text, scale)


def fitting(scene: Scene) -> float:
    """The largest scale up to 2, in steps of a quarter, whose picture is not too large."""
    most: float = (MOST_PIXELS / (scene.width * scene.height)) ** 0.5
    return min(SCALE, most // STEP * STEP or most)


def pdf(scene: Scene, *, theme: str = "light") -> bytes:
    """One page of the picture's size, all of it vectors and text."""
    typst = _need("typst")
    text = drawing.svg(scene, theme=theme, standalone=False)
    _warn_of_lost(text)
    page = (
        f"#set page(width: {scene.width:.1f}pt, height: {scene.height:.1f}pt, margin: 0pt)\n"
        f'#image(bytes(sys.inputs.picture), format: "svg", width: 100%)\n'
    )
    made: bytes = typst.compile(
        page.encode(),
        format="pdf",
        font_paths=[str(font.path().parent)],
        sys_inputs={"picture": text},
    )
    return made


def gif(scene: Scene, *, theme: str = "light") -> bytes:
    return _animation(scene, theme, "GIF", {"disposal": 1, "optimize": False})


def webp(scene: Scene, *, theme: str = "light") -> bytes:
    return _animation(scene, theme, "WEBP", {"quality": 80, "method": 2})


def _animation(scene: Scene, theme: str, form: str, options: dict[str, Any]) -> bytes:
    _warn_of_lost(drawing.svg(scene, theme=theme))
    images = [_image(picture) for picture in frames(scene, theme)]
    if form == "GIF":
        # one palette for all frames, so that what stands still does not flicker
        colours = _together(images[:: max(len(images) // 9, 1)]).quantize(200)
        images = [image.quantize(palette=colours, dither=0) for image in images]
    out = BytesIO()
    images[0].save(
        out,
        form,
        save_all=True,
        append_images=images[1:],
        duration=round(1000 * SECONDS / len(images)),
        loop=0,
        **options,
    )
    return out.getvalue()


def _together(images: list[Any]) -> Any:
    wide, high = images[0].size
    sheet = _need("PIL.Image").new("RGB", (wide, high * len(images)))
    for k, image in enumerate(images):
        sheet.paste(image, (0, high * k))
    return sheet


def frames(scene: Scene, theme: str) -> list[bytes]:
    """The moments of one round, each as a PNG."""
    most = FEW_PIXELS if is_large(scene) else FRAME_PIXELS
    scale = min(1.0, (most / (scene.width * scene.height)) ** 0.5)
    rules, look = style(theme), theme_of(theme)
    return [
        _raster(
            drawing.draw(scene, theme, rules + moment_rules(scene, look, moment), moment=moment),
            scale,
        )
        for moment in moments(scene)
    ]


def _image(picture: bytes) -> Any:
    return _need("PIL.Image").open(BytesIO(picture)).convert("RGB")


def _warn_of_lost(text: str) -> None:
    """Warn W657 of characters that neither the shipped font nor one of the system can draw."""
    lost = [c for c in sorted(font.lacking(text))[:MOST_CHECKED] if _drawn(c) == _drawn(NOWHERE)]
    if lost:
        warn(
            "W657",
            f"no font here can draw {''.join(lost[:12])}{'…' if len(lost) > 12 else ''}: install "
            "one that does, such as Noto Sans CJK JP for Japanese, or use SVG",
        )


@lru_cache(maxsize=MOST_CHECKED + 1)
def _drawn(character: str, system: bool = True) -> bytes:
    """What a character looks like, with the system's fonts or without."""
    size = 'xmlns="http://www.w3.org/2000/svg" width="24" height="24"'
    return _raster(
        f'<svg {size}><text y="20" font-size="20">{escape(character)}</text></svg>', 1.0, system
    )


def _raster(text: str, scale: float, system: bool = True) -> bytes:
    resvg = _need("resvg_py")
    # the shipped font first; the system's own, slow to load, only where a label needs one
    made = resvg.svg_to_bytes(
        svg_string=text,
        zoom=scale,
        font_files=[str(font.path()), str(font.path(True))],
        skip_system_fonts=not (system and font.lacking(text)),
        font_family=font.FAMILY,
        sans_serif_family=font.FAMILY,
    )
    return bytes(made)


def _need(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise MiyaInputError(
            "E654",
            f"this picture needs the package {name.split('.')[0]}, which is not installed",
            hint='install it with: pip install "miya[draw]"; SVG needs nothing',
        ) from error
