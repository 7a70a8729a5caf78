"""The story of a model's step as one HTML file: its diagram, the story, tables of blame."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from string import Template

from ..analysis.model.blame import ModelMeasure, model_blame
from ..analysis.model.credit import known_credit
from ..core.model import ModelTrace
from ..drawing.model.build import model_scene
from ..story.blocks import Story
from ..story.words import load
from . import html as page
from .escape import printable
from .mathml_names import element
from .notebook_model import model_blame_html
from .page import asset
from .page.blocks import Writer, chapters, text
from .page.picture import one_picture
from .svg import svg

MEASURES: tuple[ModelMeasure, ...] = ("pressure", "step", "first_order")
ROWS = 20
TABLES = (
    ".ranking table{border-collapse:collapse;margin:.5em 0}"
    ".ranking th,.ranking td{padding:.15em .8em;text-align:right;"
    "font-variant-numeric:tabular-nums}"
    ".ranking .miya-name,.ranking .miya-bar{text-align:left}"
    ".miya-scale rect{fill:#d55e00}.miya-scale rect.miya-negative{fill:#0072b2}"
)


def model_html(
    trace: ModelTrace,
    story: Story,
    *,
    miya: bool = True,
    measures: Sequence[ModelMeasure] | None = None,
) -> str:
    """One self-contained page. measures: those whose tables it has; None is pressure, step and
    first order, and credit where that has been worked out already."""
    steps = len(list(page._titles(chapters(story.blocks))))
    rankings = _rankings(trace, story, measures, steps + 1)
    scene = model_scene(trace, digits=story.digits, language=story.language, miya=miya)
    return one_page(story, lambda theme: svg(scene, theme=theme, standalone=False), rankings)


def one_page(
    story: Story,
    draw: Callable[[str], str],
    rankings: Sequence[tuple[str, str]] = (),
    hint: str = "picture_hint_model",
) -> str:
    """A story beside one picture. draw: the picture in a theme. rankings: the title and section
    of what follows the story. hint: the word for what pointing at the picture does."""
    words = load(story.language)["page"]
    parts = chapters(story.blocks)
    titles = list(page._titles(parts))
    drawn = one_picture(draw)
    script = asset("miya.js").decode()
    font = page.FONT.format(data=page._base64(asset("maths.woff2")))
    style = font + asset("miya.css").decode() + TABLES
    styles = [style, *re.findall(r"<style>(.*?)</style>", drawn, re.DOTALL)]
    titles += [title for title, _ in rankings]
    views = ["whole"] * len(titles)
    return Template(asset("page.html").decode()).substitute(
        language=story.language,
        policy=page.POLICY.format(
            script=page._hash(script), style=" ".join(map(page._hash, styles))
        ),
        title=text(story.title),
        style=style,
        picture=drawn,
        contents=page._contents(titles),
        story=Writer(story).chapters(1) + "\n" + "\n".join(made for _, made in rankings),
        data=page.data({"words": page._scripted(words), "views": views, "names": {}}),
        caption="",
        run_data="null",
        script=script,
        **{f"say_{key}": text(value) for key, value in words.items()}
        | {"say_picture_hint": text(words[hint])},
    )


def _rankings(
    trace: ModelTrace, story: Story, measures: Sequence[ModelMeasure] | None, first: int
) -> list[tuple[str, str]]:
    """The title and the section of each measure's tables, numbered as steps from `first`."""
    words = load(story.language)
    if measures is None:
        measures = (*MEASURES, "credit") if known_credit(trace) else MEASURES
    found = []
    for number, measure in enumerate(measures, first):
        short = words["model_diagram"][f"short_{measure}"]
        title = words["blame"]["heading"].format(measure=short)
        ranked = model_blame(trace, measure, top=ROWS)
        inside = model_blame_html(ranked, story.digits, story.language, level=2)
        step = element(
            "section",
            element(
                "div",
                inside,
                class_="scroll ranking",
                tabindex="0",
                role="group",
                aria_label=printable(title),
            ),
            class_="step",
            id=f"step-{number}",
            tabindex="-1",
            aria_label=printable(title),
        )
        found.append((title, element("section", step, class_="chapter")))
    return found
