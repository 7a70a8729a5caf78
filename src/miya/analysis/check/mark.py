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
from .judge import Mark, mark_line
from .steps import mark_steps

FITS = ("right", "rounding", "follows")
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
    made = _mark_own(page, network)
    while made.network is not None and made.page.choices:
        ((name, options),) = made.page.choices.items()
        made = _settled(made, name, options, network)
    made = _sure(made)
    if not made.marks and not page.unread:
        raise MiyaInputError(
            "E705",
            f"{page.name} has no worked numbers",
            hint="give lines such as z1 = 0.5*0.2 = 0.1",
        )
    return made


def _sure(made: Marking) -> Marking:
    """The marking without the numbers whose names may be misread."""
    for _ in range(2):
        places = doubtful(made.page.statements, made.marks) if made.network is not None else []
        if not places:
            break
        again = mark(without(made.page, places), made.network)
        made = replace(again, conventions=made.conventions)
    return made


def _settled(
    made: Marking, name: str, options: Mapping[str, Page], network: Network | None
) -> Marking:
    """The marking under the option of one convention that fits most numbers."""
    first, *others = options.items()
    left = replace(made, page=replace(made.page, choices=first[1].choices))
    if name not in ASKED and not any(m.verdict == "wrong" for m in made.marks):
        return left
    marked = {first[0]: left} | {option: _mark_own(page, network) for option, page in others}
    if len({tuple(m.verdict for m in one.marks) for one in marked.values()}) < 2:
        return left
    return choose(marked, name)


def _mark_own(page: Page, network: Network | None) -> Marking:
    if network is not None or page.description is None:
        return mark(page, network)
    notes: list[Note] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MiyaWarning)
        try:
            made = mark(page, build(page.description))
        except MiyaInputError as error:
            notes.append(Note("bad_network", {"error": str(error)}))
            made = mark(page, None)
    notes += [Note("warned", {"text": str(w.message)}) for w in caught]
    return replace(made, page=replace(page, assumed=(*page.assumed, *notes))) if notes else made


def mark(page: Page, network: Network | None) -> Marking:
    """Mark `page` on its network; without one only its own arithmetic."""
    if network is None:
        lines = (mark_line(s) for s in page.statements)
        return Marking(page, None, tuple(m for m in lines if m.verdict != "unclear"))
    marks, traces = mark_steps(page, network)
    return Marking(page, network, marks, answers(page, traces))


def choose(options: Mapping[str, Marking], name: str) -> Marking:
    """The marking under the option that fits most numbers; the first of equals."""
    good = (*FITS, "not_carried", "last_digit") if name.startswith("activation") else FITS
    fits = {o: sum(m.verdict in good for m in made.marks) for o, made in options.items()}
    first = next(iter(fits))
    best = max(fits, key=lambda o: fits[o])
    if fits[best] < fits[first] + LEAD.get(name.split()[0], 1):
        best = first
        if name not in ASKED:
            return options[first]
    made = options[best]
    found = Convention(name, best, fits, len(made.marks))
    return Marking(made.page, made.network, made.marks, made.answers, (*made.conventions, found))


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
