"""A worksheet or its key, or a comparison, as one HTML page: fields to fill in, made for paper."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from string import Template

from ..story.blocks import Paragraph, Story
from ..story.words import load
from .mathml_names import element
from .page import asset
from .page.blocks import Writer, text

POLICY = (
    "default-src 'none'; {script}style-src 'unsafe-inline'; font-src data:; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
FONT = '@font-face{{font-family:"Miya Math";src:url(data:font/woff2;base64,{data})}}'


def html(story: Story, *, fields: bool) -> str:
    """One page that needs no network. fields: whether it is to be filled in: it then asks for
    name and date, and saves what stands in its blanks as CSV."""
    script = asset("worksheet.js").decode() if fields and story.blanks else ""
    style = asset("miya.css") + asset("worksheet.css")
    return Template(asset("worksheet.html").decode()).substitute(
        language=story.language,
        policy=POLICY.format(script=f"script-src '{_hash(script)}'; " if script else ""),
        title=text(story.title),
        style=FONT.format(data=b64encode(asset("maths.woff2")).decode()) + style.decode(),
        fields=_fields(story) if fields else "",
        story=Writer(_without_name(story)).chapters() + (_save(story) if script else ""),
        script=f"<script>{script}</script>" if script else "",
    )


def _hash(script: str) -> str:
    return f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}"


def _without_name(story: Story) -> Story:
    """The line for the name is two fields here."""
    line = Paragraph(load(story.language)["worksheet"]["name_line"])
    return replace(story, blocks=tuple(b for b in story.blocks if b != line))


def _fields(story: Story) -> str:
    words = load(story.language)["worksheet"]
    return element("p", *(_field(key, words[key]) for key in ("name", "date")), class_="fields")


def _field(key: str, label: str) -> str:
    return element("label", text(label), f' <input type="text" id="{key}" autocomplete="off">')


def _save(story: Story) -> str:
    button = element("button", text(load(story.language)["worksheet"]["save"]), id="save")
    return element("p", button.replace("<button", '<button type="button"'), class_="save")
