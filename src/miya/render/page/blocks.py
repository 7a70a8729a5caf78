"""The blocks of a story as HTML, gathered into chapters and steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from ...story.blocks import (
    Blank,
    Block,
    Bullets,
    Calculation,
    Calculations,
    Formula,
    Heading,
    Matrix,
    Paragraph,
    Picture,
    Remark,
    Story,
    Table,
)
from ...story.quantity import Symbol
from ...story.symbols import plain_symbol
from ...story.words import load
from .. import mathml
from ..escape import printable
from ..mathml_names import element, math, symbol
from ..spoken import Speaker
from .faces import face

# room to work where the expression is blank
WORK = '<span class="work" aria-hidden="true"></span><span aria-hidden="true">=</span> '


@dataclass
class Step:
    """What is shown at once: its title, blocks, and whether the title is a chapter's."""

    title: str
    blocks: list[Block] = field(default_factory=list)
    level: int = 2


@dataclass
class Chapter:
    title: str
    steps: list[Step] = field(default_factory=list)


def chapters(blocks: Sequence[Block]) -> list[Chapter]:
    """A chapter a heading of the second level; a step a heading, but what only sets up stays in
    one, and an empty opening goes with what follows it."""
    found: list[Chapter] = []
    for block in blocks:
        if isinstance(block, Heading):
            if block.level == 1:
                continue
            if block.level == 2 or not found:
                found.append(Chapter(block.text, [Step(block.text)]))
                continue
            now = found[-1].steps[-1]
            if any(isinstance(b, Calculations) for b in now.blocks):
                found[-1].steps.append(Step(block.text, level=3))
                continue
        if not found:
            found.append(Chapter("", [Step("")]))
        found[-1].steps[-1].blocks.append(block)
    return found


@dataclass(frozen=True)
class Writer:
    """Writes the blocks of one story in its language's words."""

    story: Story

    @property
    def words(self) -> Mapping[str, str]:
        return load(self.story.language)["page"]

    @property
    def speaker(self) -> Speaker:
        return Speaker(load(self.story.language)["spoken"])

    def chapters(self, number: int = 1) -> str:
        """Every chapter; its steps are numbered from `number`."""
        written = []
        for chapter in chapters(self.story.blocks):
            inside = [element("h2", text(chapter.title))] if chapter.title else []
            for step in chapter.steps:
                inside.append(self.step(step, number))
                number += 1
            written.append(element("section", *inside, class_="chapter"))
        return "\n".join(written)

    def step(self, step: Step, number: int) -> str:
        inside = [element("h3", text(step.title))] if step.level == 3 else []
        inside += [line for block in step.blocks for line in self.block(block)]
        return element(
            "section",
            *inside,
            class_="step",
            id=f"step-{number}",
            tabindex="-1",
            aria_label=printable(step.title),
        )

    def block(self, block: Block) -> Iterator[str]:
        match block:
            case Heading(words):
                yield element("h3", text(words))
            case Paragraph(words):
                yield element("p", text(words))
            case Bullets(items):
                yield element("ul", *(element("li", text(item)) for item in items))
            case Formula(plain=notation):
                yield _box(self._formula(notation), "formula")
            case Matrix():
                yield _box(mathml.matrix(block, self.speaker.matrix(block)), "given")
            case Calculations(items) if items:
                yield element("ol", *map(self.calculation, items), class_="calculations")
            case Table():
                yield self.table(block)
            case Remark():
                yield self.remark(block)
            case Picture():
                yield element("figure", block.svg, class_="sketch")

    def _formula(self, notation: str) -> str:
        try:
            return mathml.formula(notation, self.speaker.formula(notation))
        except ValueError:  # a notation that is not read yet is shown as it is written
            return element("p", text(notation), class_="notation")

    def calculation(self, item: Calculation | Blank) -> str:
        """A line of its own: data-cut says how much of the sentence comes before the result."""
        if isinstance(item, Blank):
            return self.blank(item)
        asked, answer = self.speaker.calculation(item)
        return element(
            "li",
            mathml.calculation(item, asked + answer),
            class_="calculation",
            tabindex="0",
            data_ref=plain_symbol(item.symbol),
            data_said=self.speaker.symbol(item.symbol),
            data_result=item.closed.result,
            data_cut=str(len(asked)),
        )

    def blank(self, item: Blank) -> str:
        """A line with a field for the result; a blank expression gets room to work."""
        said = self.speaker.blank(item)
        asks = element(
            "input",
            class_="blank",
            data_symbol=plain_symbol(item.symbol),
            type="text",
            autocomplete="off",
            aria_label=said,
        )
        field = asks.removesuffix("</input>")  # an element that never closes
        work = "" if item.tree is not None else WORK
        return element("li", mathml.blank(item, said), " ", work, field, class_="calculation asks")

    def table(self, block: Table) -> str:
        head = [element("th", text(cell), scope="col") for cell in block.header]
        rows = [self._row(row) for row in block.rows]
        whole = element(
            "table",
            element("thead", element("tr", *head)),
            element("tbody", *rows),
        )
        label = f"{', '.join(block.header)} ({self.words['scroll']})"
        return element("div", whole, class_="scroll", tabindex="0", role="group", aria_label=label)

    def _row(self, row: Sequence[str | Symbol]) -> str:
        first, *rest = row
        ref = plain_symbol(first) if isinstance(first, Symbol) else ""
        head = element("th", self._cell(first), scope="row")
        return element("tr", head, *(element("td", self._cell(c)) for c in rest), data_ref=ref)

    def _cell(self, value: str | Symbol) -> str:
        if isinstance(value, Symbol):
            return math(symbol(value), self.speaker.symbol(value))
        return text(value)

    def remark(self, block: Remark) -> str:
        words = element("p", text(block.text))
        if block.note:
            words += element("p", text(block.note), class_="measure")
        bubble = element("div", words, class_="bubble")
        return element("div", face(block.mood), bubble, class_=f"remark {block.mood}", role="note")


def _box(inside: str, kind: str) -> str:
    return element("div", inside, class_=f"maths {kind}", tabindex="0", role="group")


def text(words: str) -> str:
    return escape(printable(words))
