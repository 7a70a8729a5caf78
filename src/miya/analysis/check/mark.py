"""Marking a page: every stated number, the claims in words, the conventions left open."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...core.build import network as build
from ...core.network import Network
from ...core.page import Claim, Note, Page
from ...core.trace import Trace
from ...core.written import Quantity
from ...errors import MiyaInputError, MiyaWarning
from ..blame import Measure, blame
from .bind import doubtful, without
from .exact import Table, table
from .judge import Mark, mark_line
from .rate import rated
from .steps import mark_steps

FITS = ("right", "rounding", "follows")
MISNAMED = 0.1  # of a page's numbers are slips, from which its names are doubted
SEVERAL = 2  # slips from which names may be misread
SWEEPS, GUESSED_SWEEPS = 2, 6  # times that misread names are looked for
SHARE = 0.75  # of the numbers that names bind
ASKED = ("loss",)  # settled always; the others only where something is wrong
LEAD = {
    "order": 2,
    "biases": 2,
    "orientation": 2,
    "activation": 2,
}  # how many more numbers must fit under an unusual choice
MEASURES: tuple[Measure, ...] = ("pressure", "step", "credit", "removal")


@dataclass(frozen=True)
class Answer:
    """A claim answered: each measure with whether it holds and who leads by it."""

    claim: Claim
    held: Mapping[str, bool]
    leads: Mapping[str, str]
    ties: tuple[str, ...] = ()


@dataclass(frozen=True)
class Convention:
    """What a page left open: how many numbers fit under each option, and the one that fits most."""

    name: str
    chosen: str
    fits: Mapping[str, int]
    total: int


@dataclass(frozen=True)
class Marking:
    """A page, marked. `first_slips` are the real slips; what follows from them is forgiven."""

    page: Page
    network: Network | None
    marks: tuple[Mark, ...]
    answers: tuple[Answer, ...] = ()
    conventions: tuple[Convention, ...] = field(default=())
    exact: Table = field(default_factory=dict)  # of the first step

    @property
    def first_slips(self) -> tuple[Mark, ...]:
        return tuple(m for m in self.marks if m.verdict == "wrong" and not m.trivial)

    @property
    def counts(self) -> dict[str, int]:
        return dict(Counter(m.verdict for m in self.marks))


def mark_page(page: Page, network: Network | None) -> Marking:
    """Mark `page` on `network`, or on the one that it gives, under the conventions that fit.

    Raises MiyaInputError E705 where there is nothing to mark.
    """
    made = _settled(page, network)
    if not made.marks and not page.unread:
        raise MiyaInputError(
            "E705",
            f"{page.name} has no worked numbers",
            hint="give lines such as z1 = 0.5*0.2 = 0.1",
        )
    return made


def explained(made: Marking) -> int:
    """How many numbers the network, or the page's own before them, give; less the slips."""
    return fitting(made) - len(made.first_slips)


def fitting(made: Marking) -> int:
    """How many numbers the network, or the page's own before them, give."""
    return sum(m.of is not None and m.verdict in FITS for m in made.marks)


def _settled(page: Page, network: Network | None) -> Marking:
    """The marking under the option of each open convention that fits most numbers."""
    told: list[Convention] = []
    whole: Marking | None = None
    while page.choices:
        ((name, options),) = page.choices.items()
        first = next(iter(options))
        if name not in ASKED:
            whole = whole or _whole(page, network)
            if not any(m.verdict == "wrong" for m in whole.marks):
                page = options[first]
                continue
        asked = None if name in ASKED else False
        made = {option: _mark_own(options[option], network, asked) for option in options}
        chosen, convention = choose(made, name)
        if whole is not None and name not in ASKED:
            made = {first: whole, chosen: whole}
            if chosen != first:
                made[chosen] = _whole(options[chosen], network)
                roughly = convention
                chosen, convention = choose(made, name)
                if convention is not None and roughly is not None:
                    fits = {**roughly.fits, **convention.fits}
                    convention = replace(convention, fits=fits)
        told += [convention] if convention is not None else []
        page, whole = options[chosen], made[chosen] if name not in ASKED else None
    whole = whole or _whole(page, network)
    return replace(_unnamed(whole, page), conventions=tuple(told))


def _unnamed(made: Marking, page: Page) -> Marking:
    """`made`, or the marking that trusts no name, where under it several slips are none.

    It must bind nearly as many numbers; one slip more could be one of the page's.
    """
    slips = len(made.first_slips)
    if made.network is None or page.steps > 1 or page.softmax:
        return made
    if slips < max(SEVERAL, MISNAMED * len(made.marks)):  # names that mostly hold are believed
        return made
    if not all(s.at for s in page.statements):  # a sheet, whose names are fixed
        return made
    free = tuple(replace(s, of=None, others=(), flipped=False) for s in page.statements)
    other = mark(replace(page, statements=(), loose=(*free, *page.loose)), made.network, infer=True)
    bound = sum(m.of is not None for m in made.marks)
    if len(other.first_slips) >= slips or SHARE * bound > len(other.marks):
        return made
    return other


def _whole(page: Page, network: Network | None) -> Marking:
    """The marking without the numbers whose names may be misread, with those that agree."""
    made = _sure(_mark_own(page, network, False))
    if made.network is None:
        return made
    return _sure(mark(made.page, made.network, infer=True), infer=True)


def _sure(made: Marking, infer: bool = False) -> Marking:
    """The marking without the numbers whose names may be misread."""
    unsure = any(n.key == "guessed" for n in made.page.assumed)
    for _ in range((GUESSED_SWEEPS if unsure else SWEEPS) if made.network is not None else 0):
        places = doubtful(made.page.statements, made.marks, made.exact, unsure)
        if not places:
            break
        made = mark(without(made.page, places), made.network, infer)
    return made


def _mark_own(page: Page, network: Network | None, infer: bool | None = None) -> Marking:
    infer = _thin(page) if infer is None else infer
    if network is not None or page.description is None:
        return mark(page, network, infer)
    page = rated(page)
    assert page.description is not None
    notes: list[Note] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MiyaWarning)
        try:
            made = mark(page, build(page.description), infer)
        except MiyaInputError as error:
            notes.append(Note("bad_network", {"error": str(error)}))
            made = mark(page, None)
    notes += [Note("warned", {"text": str(w.message)}) for w in caught]
    return replace(made, page=replace(page, assumed=(*page.assumed, *notes))) if notes else made


def _thin(page: Page) -> bool:
    """Whether names bind so few numbers of a page that the others must tell its conventions."""
    named = sum(s.of is not None for s in page.statements)
    return 2 * named < len(page.statements) + sum(bool(s.stated.unit) for s in page.loose)


def mark(page: Page, network: Network | None, infer: bool = False) -> Marking:
    """Mark `page` on its network; without one only its own arithmetic.

    infer: whether numbers that no name binds are bound by what agrees.
    """
    if network is None:
        lines = (mark_line(s) for s in page.statements)
        return Marking(page, None, tuple(m for m in lines if m.verdict != "unclear"))
    page, marks, traces = mark_steps(page, network, infer)
    exact = table(traces[0], page.softmax)
    return Marking(page, network, marks, answers(page, traces), (), exact)


def choose(options: Mapping[str, Marking], name: str) -> tuple[str, Convention | None]:
    """The option that fits most numbers, the first of equals; None where that tells nothing."""
    first = next(iter(options))
    if len({tuple(m.verdict for m in made.marks) for made in options.values()}) < 2:
        return first, None
    good = (*FITS, "not_carried", "last_digit") if name.startswith("activation") else FITS
    fits = {o: sum(m.verdict in good for m in made.marks) for o, made in options.items()}
    best = max(fits, key=lambda o: fits[o])
    if fits[best] < fits[first] + LEAD.get(name.split()[0], 1):
        best = first
        if name not in ASKED:
            return first, None
    return best, Convention(name, best, fits, len(options[best].marks))


def answers(page: Page, traces: Sequence[Trace]) -> tuple[Answer, ...]:
    """The page's claims in words, each under every measure in the step that it stands in."""
    found = []
    for claim in page.claims:
        if claim.of is None and claim.kind == "weight":
            continue
        steps = [s.step for s in page.statements if s.line <= claim.line]
        made = _answer(claim, traces[steps[-1] - 1 if steps else 0])
        if made is not None:
            found.append(made)
    return tuple(found)


def _answer(claim: Claim, trace: Trace) -> Answer | None:
    of = claim.of
    assert of is not None
    layer = of.layer or len(trace.layers)
    held: dict[str, bool] = {}
    leads: dict[str, str] = {}
    for measure in MEASURES:
        if measure == "credit" and not math.isfinite(trace.loss_after):
            continue
        rows = blame(trace, measure, top=None)
        chosen = (
            [r for r in rows.parameters if r.kind == "weight"]
            if claim.kind == "weight"
            else [r for r in rows.neurons if r.layer == layer]
        )
        mine = [r for r in chosen if (r.layer, r.index) == (layer, of.index)]
        if not mine:
            return None
        top = max(chosen, key=lambda r: abs(r.value))
        held[measure] = abs(mine[0].value) >= abs(top.value) * (1 - 1e-12)
        head = "W" if claim.kind == "weight" else "δ"
        leads[measure] = str(Quantity(head, top.layer, top.index))
    return Answer(claim, held, leads)
