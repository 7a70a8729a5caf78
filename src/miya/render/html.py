"""The story as one HTML file that needs no network: text, maths, pictures, style and script."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from string import Template

from ..core.trace import Trace
from ..drawing.scene import View
from ..story.blocks import Calculations, Story
from ..story.words import load
from .escape import printable
from .mathml_names import element
from .page import asset
from .page.blocks import Chapter, Writer, chapters, text
from .page.picture import pictures
from .page.run import RunPage

# the picture that goes with a step, by the kind of its first calculation
VIEWS: Mapping[str, View] = {
    "pre_activation": "forward",
    "activation": "forward",
    "loss": "forward",
    "grad_a": "blame",
    "paths": "blame",
    "slope": "blame",
    "delta": "blame",
    "weight_gradient": "blame",
    "bias_gradient": "blame",
}
SCRIPTED = ("position", "lit", "picture")
POLICY = (
    "default-src 'none'; script-src {script}; style-src {style}; font-src data:; "
    "img-src data:; base-uri 'none'; form-action 'none'"
)
FONT = '@font-face{{font-family:"Miya Math";src:url(data:font/woff2;base64,{data})}}'


def html(trace: Trace, story: Story, *, miya: bool = True, run: RunPage | None = None) -> str:
    """One self-contained page. run: many steps, shown before the story of one of them."""
    words = load(story.language)["page"]
    parts = chapters(story.blocks)
    titles = [*([words["run_heading"]] if run else []), *_titles(parts)]
    views = list(_views(parts))
    if run:
        views.insert(0, "whole")
    drawn = pictures(trace, story, views, miya=miya)
    script = asset("miya.js").decode()
    style = FONT.format(data=_base64(asset("maths.woff2"))) + asset("miya.css").decode()
    styles = [style, *re.findall(r"<style>(.*?)</style>", drawn, re.DOTALL)]
    return Template(asset("page.html").decode()).substitute(
        language=story.language,
        policy=POLICY.format(script=_hash(script), style=" ".join(map(_hash, styles))),
        title=text(story.title),
        style=style,
        picture=drawn,
        contents=_contents(titles),
        story=(_run(run, words) if run else "") + Writer(story).chapters(2 if run else 1),
        data=data({"words": _scripted(words), "views": views, "names": dict(names_of(trace))}),
        caption=_caption(run, words) if run else "",
        run_data=data(run.data()) if run else "null",
        script=script,
        **{f"say_{key}": text(value) for key, value in words.items()},
    )


def data(value: object) -> str:
    """JSON that may stand in a script element: no "<" in it can end one."""
    made = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return made.replace("<", "\\u003c")


def _hash(content: str) -> str:
    return f"'sha256-{_base64(sha256(content.encode()).digest())}'"


def _scripted(words: Mapping[str, str]) -> dict[str, str]:
    """The words that the script says itself."""
    return {k: v for k, v in words.items() if k in SCRIPTED or k.startswith("guess_")}


def names_of(trace: Trace) -> Iterator[tuple[str, str]]:
    """What the parts of the picture that have a name are called."""
    for j, name in enumerate(trace.network.input_names):
        yield f"x[{j}]", printable(name)
    for layer in trace.layers:
        for i, name in enumerate(layer.layer.neurons):
            yield f"n{layer.number}.{i}", printable(name)


def _caption(run: RunPage, words: Mapping[str, str]) -> str:
    """The slider moves the tables alone, which the picture has to say itself."""
    said = words["run_picture"].format(number=run.kept.told.number)
    return element("p", text(said), class_="caption") + "\n"


def _base64(content: bytes) -> str:
    return b64encode(content).decode()


def _views(parts: Sequence[Chapter]) -> Iterator[View]:
    """What comes before the first calculation goes with the picture of the forward pass."""
    shown: View = "forward"
    for step in (step for chapter in parts for step in chapter.steps):
        kinds = [b.items[0].kind for b in step.blocks if isinstance(b, Calculations) and b.items]
        yield VIEWS.get(kinds[0], "whole") if kinds else shown
        shown = "whole" if kinds else shown


def chapters_of(story: Story) -> tuple[str, list[str], list[View]]:
    """The chapters as HTML, the title of every step, and the view of the picture beside it."""
    parts = chapters(story.blocks)
    return Writer(story).chapters(), list(_titles(parts)), list(_views(parts))


def _titles(parts: Sequence[Chapter]) -> Iterator[str]:
    """A step within a chapter is named by both."""
    for chapter in parts:
        for step in chapter.steps:
            yield step.title if step.level == 2 else f"{chapter.title} – {step.title}"


def _contents(titles: Sequence[str]) -> str:
    """A link a step."""
    links = [
        element("a", element("span", str(k)), " ", element("span", text(title)), href=f"#step-{k}")
        for k, title in enumerate(titles, 1)
    ]
    return "".join(element("li", link) for link in links)


def _run(run: RunPage, words: Mapping[str, str]) -> str:
    heading = element("h2", text(words["run_heading"]))
    return element("section", heading, run.html(), class_="chapter")
