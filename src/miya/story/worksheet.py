"""A worksheet: the story of a step with some of its results, and expressions, left blank.

What is left out fades from the end backwards, as Renkl and Atkinson found to teach best
(doi 10.1207/S15326985EP3801_3): each fade leaves blank what the one before it did, and more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ..analysis.shape import Shape
from ..core.trace import Trace
from ..errors import MiyaInputError
from .blocks import (
    Blank,
    Block,
    Calculation,
    Calculations,
    Heading,
    Paragraph,
    Picture,
    Remark,
    Story,
    Table,
)
from .expression import Expression, Named, Number, bind, parse, quantities
from .parts import setup
from .quantity import Symbol
from .slip import SIDED_LOSSES, Slip, plant
from .symbols import plain_symbol
from .teller import Teller
from .trees import named
from .worked import GIVEN, PARTS, answer, calculations, exactly, kept

UPDATE = frozenset({"change", "optimizer_state", "after"})
# lines whose expression may be that of one side of a kink
SIDED = ("activation", "slope", "intermediate")


@dataclass(frozen=True)
class Fade:
    """hides: which kinds of lines are blank, None for all. expressions: whether they are given."""

    hides: frozenset[str] | None
    expressions: bool

    def blanks(self, item: Calculation | Blank) -> bool:
        return self.hides is None or item.kind in self.hides


FADES: Mapping[str, Fade] = {
    "full": Fade(frozenset(), True),
    "last": Fade(UPDATE, True),
    "half": Fade(None, True),
    "solo": Fade(None, False),
}


@dataclass(frozen=True)
class Sheets:
    """sheet: what learners get. key: every calculation. answers: what belongs in the blanks, in
    their order, by symbol. told: every result of the sheet by symbol, "" where it is blank; of
    one with a bug nothing. slip: what was planted, where a bug is to be found."""

    sheet: Story
    key: Story
    answers: Mapping[str, str]
    told: Mapping[str, str]
    slip: Slip | None = None


def sheets(
    trace: Trace,
    shape: Shape,
    seed: int,
    *,
    fade: str,
    bug: bool,
    language: str,
    miya: bool,
    picture: Picture | None = None,
) -> Sheets:
    """The sheet and its key. picture: of the givens, shown after them. Raises MiyaInputError E602
    for a language, E681 for a fade and E683
    where no slip can be planted."""
    if fade not in FADES:
        raise MiyaInputError("E681", f"fade is {fade!r}", hint=f"choose {', '.join(FADES)}")
    assert trace.digits is not None
    teller = Teller(trace, language, trace.digits, miya)
    told = [list(part(teller)) for part in PARTS]
    lines = {c.symbol: c for part in told for c in calculations(part)}
    maker = Maker(teller, shape, seed, lines, picture)
    if bug:
        return _with_bug(maker, told)
    sheet = maker.story("title", [b for part in told for b in maker.faded(part, FADES[fade])], fade)
    answers = {plain_symbol(b.symbol): answer(lines[b.symbol], teller.digits) for b in sheet.blanks}
    results = {plain_symbol(s): answer(c, teller.digits) for s, c in lines.items()}
    shown = {s: "" if s in answers else result for s, result in results.items()}
    key = maker.story("key_title", [b for part in told for b in part], "key")
    return Sheets(sheet, key, answers, shown)


def _with_bug(maker: Maker, told: list[list[Block]]) -> Sheets:
    slip = plant(maker.teller.trace, maker.lines, maker.seed, exactly(maker.teller))
    shown = [b for part in told for b in _replaced(part, slip)]
    right = maker.lines[slip.symbol]
    key = [b for part in told for b in part]
    return Sheets(
        maker.story("bug_title", shown, "bug"),
        maker.story("key_title", key, "key", maker.slip(slip, right)),
        {plain_symbol(slip.symbol): answer(right, maker.teller.digits)},
        {},
        slip,
    )


def _replaced(blocks: list[Block], slip: Slip) -> Iterator[Block]:
    """The worked lines as somebody who made the slip wrote them, and nothing that gives it away."""
    for block in blocks:
        if isinstance(block, Calculations):
            yield Calculations(tuple(slip.lines[c.symbol] for c in block.items))
        elif not _tells(block):
            yield block


def _tells(block: Block) -> bool:
    return isinstance(block, Table | Remark) or (isinstance(block, Paragraph) and block.tells)


@dataclass(frozen=True)
class Maker:
    """Makes the stories of one worksheet in one language."""

    teller: Teller
    shape: Shape
    seed: int
    lines: Mapping[Symbol, Calculation]
    picture: Picture | None = None

    def say(self, key: str, **values: object) -> str:
        return self.teller.text("worksheet", key, **values)

    def story(
        self, title: str, blocks: list[Block], kind: str, lead: Iterable[Block] = ()
    ) -> Story:
        """kind: a fade, "bug" or "key"; it chooses what Miya and the opening say. lead: what
        comes before the givens."""
        t = self.teller
        words = self.say(title, layers="-".join(map(str, self.shape.sizes)), seed=self.seed)
        opening: list[Block] = [Heading(words, 1)]
        if kind != "key":
            opening.append(Paragraph(self.say("name_line")))
        opening.append(Paragraph(self.say(f"do_{kind}", digits=t.digits)))
        if kind != "key" and t.miya:
            opening.append(Remark(self.say(f"miya_{kind}"), "pointing"))
        shown = [self.picture] if self.picture else []
        told = kept([*lead, *setup.setup(t), *shown, *blocks], t.digits)
        whole = (*opening, *told)
        return Story(words, t.language, t.digits, "rounded", whole)

    def faded(self, blocks: list[Block], fade: Fade) -> Iterator[Block]:
        """A part with its blanks; where there are any, nothing else that tells results."""
        items = [c for b in blocks if isinstance(b, Calculations) for c in b.items]
        hidden = any(map(fade.blanks, items))
        for block in blocks:
            if isinstance(block, Calculations):
                yield Calculations(tuple(self._blank(c, fade) for c in block.items))
            elif not (hidden and _tells(block)):
                yield block

    def _blank(self, item: Calculation | Blank, fade: Fade) -> Calculation | Blank:
        if isinstance(item, Blank) or not fade.blanks(item):
            return item
        tree = self._asked(item, self.hidden(fade)) if fade.expressions else None
        if isinstance(tree, Number):
            tree = None  # a bare number would be the answer
        return Blank(item.kind, item.symbol, tree, item.closed.digits)

    def hidden(self, fade: Fade) -> Callable[[Symbol], bool]:
        """Whether a symbol's number is to be found; the givens' never are."""
        shown = {s for s, c in self.lines.items() if not fade.blanks(c)}
        return lambda s: not (s in shown or (s.head in GIVEN and not s.mark))

    def _asked(self, item: Calculation, found: Callable[[Symbol], bool]) -> Expression | None:
        """The line's expression; of an activation the formula for every z, for that of one side
        of a kink would tell the sign of z. None where there is no such formula."""
        layer = item.symbol.layer
        if self.teller.trace.network.loss.name in SIDED_LOSSES and _of_loss(item):
            return None
        if item.kind not in SIDED or layer is None:
            return named(item.closed.tree, found)
        kind = self.teller.layers[layer - 1].layer.activation.kind
        formula = {"activation": kind.formula, "slope": kind.slope_formula}.get(item.kind)
        if kind.slope is None or (item.kind == "intermediate" and len(kind.cases) == 1):
            return named(item.closed.tree, found)
        names = {head: Named(replace(item.symbol, head=head)) for head in ("z", "a")}
        try:
            return bind(parse(formula), names) if formula else None
        except (KeyError, ValueError):  # it names what is worked out between, or tells sides apart
            return None

    def slip(self, slip: Slip, right: Calculation) -> Iterator[Block]:
        """What was planted, for the key: the line, what is wrong with it, and what follows."""
        yield Heading(self.say("slip_heading"))
        yield Paragraph(self.say(f"slip_{slip.kind}", symbol=plain_symbol(slip.symbol)))
        yield Paragraph(self.say("slip_printed"))
        yield Calculations((slip.lines[slip.symbol],))
        yield Paragraph(self.say("slip_right"))
        yield Calculations((right,))
        if slip.follows:
            names = ", ".join(plain_symbol(s) for s in slip.follows)
            yield Paragraph(self.say("slip_follows", count=len(slip.follows), names=names))


def _of_loss(item: Calculation) -> bool:
    """Whether it is the loss of one output or its slope, or leads to them."""
    if item.kind == "loss":
        return all(s.head != "l" for s in quantities(item.closed.tree))
    return item.kind == "grad_a" or (item.kind == "intermediate" and item.symbol.layer is None)
