"""The diagrams of a page: one a view, in colours that follow the reader's light or dark."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ...core.trace import Trace
from ...drawing.build import scene
from ...drawing.scene import View
from ...story.blocks import Story
from ..mathml_names import element
from ..svg import svg

# in an attribute or in the style's rules, never in a label's text
COLOUR = re.compile(r'(?<==")#[0-9a-f]{6}(?=")|(?<=:)#(?:[0-9a-f]{6}|fff)\b(?=[^<>]*</style>)')
NAME = re.compile(r"\bm[0-9a-f]{10}(?=[a-z])")  # ids are made of what they are drawn with
LARGE = 250_000  # characters of a picture; beyond it one view has to do
Palette = dict[tuple[str, str], str]


def pictures(trace: Trace, story: Story, views: Iterable[View], *, miya: bool) -> str:
    """The pictures of the views, or of a large network one, in the colours of both themes."""

    def draw(view: View, theme: str) -> str:
        alone = trace.network.examples == 1
        placed = scene(
            trace,
            view=view,
            example=0 if alone else "sum",
            digits=story.digits,
            language=story.language,
            miya=miya,
        )
        return svg(placed, theme=theme, standalone=False)

    wanted = list(dict.fromkeys(views)) or ["whole"]
    if len(draw("whole", "light")) > LARGE:
        wanted = ["whole"]
    palette: Palette = {}
    drawn = [
        element("div", _both(draw, view, palette), class_="view", data_view=view) for view in wanted
    ]
    return _style(palette) + "".join(drawn)


def one_picture(draw: Callable[[str], str]) -> str:
    """The only picture of a page; draw: the SVG in a theme. Its colours are its own: those of the
    root would have a live page styled anew with each picture."""
    palette: Palette = {}
    drawn = _both(lambda view, theme: draw(theme), "whole", palette)
    return _style(palette, ".view") + element("div", drawn, class_="view", data_view="whole")


def _both(draw: Callable[[View, str], str], view: View, palette: Palette) -> str:
    """The light picture with each colour a variable that also knows the dark one's."""
    light, dark = draw(view, "light"), draw(view, "dark")
    light_colours, dark_colours = COLOUR.findall(light), COLOUR.findall(dark)
    if _shape(light) != _shape(dark):
        raise AssertionError("the themes draw different shapes")
    pairs = iter(zip(light_colours, dark_colours, strict=True))

    def variable(_: re.Match[str]) -> str:
        pair = next(pairs)
        return f"var(--{palette.setdefault(pair, f'p{len(palette)}')})"

    return COLOUR.sub(variable, light)


def _shape(drawn: str) -> str:
    return NAME.sub("m", COLOUR.sub("#", drawn)).replace("miya-dark", "miya-light")


def _style(palette: Palette, scope: str = ":root") -> str:
    def rules(theme: int) -> str:
        return "".join(f"--{name}:{pair[theme]};" for pair, name in palette.items())

    dark = f"@media screen and (prefers-color-scheme:dark){{{scope}{{{rules(1)}}}}}"
    return element("style", f"{scope}{{{rules(0)}}}{dark}")
