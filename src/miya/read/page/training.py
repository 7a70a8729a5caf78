"""What a page works over several steps: where each begins, and what the optimizer starts from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from ...core.network import Network
from ...core.page import Note, Page, Statement
from ...core.written import Chain, Quantity, Ref, Transposed, write
from .evidence import optimizer_kind, told_option
from .givens import Given
from .sections import Heading, Steps, headings, steps
from .states import Marker, States, labels, settings, state_tokens, subjects_joined
from .tokens import Token

Unread = tuple[str, int, str]
LONGEST = 2000  # characters of a line that are searched
AGAIN = ("x", "y", "η")  # what a later step may give anew


@dataclass(frozen=True)
class Training:
    """What the words of a page say of its training."""

    kind: str | None  # the optimizer that has numbers of its own
    headings: tuple[Heading, ...]
    states: States
    rows: tuple[str, ...] = ()  # the page, line by line

    def steps(self, page: Page) -> Steps:
        return steps(self.headings, page.statements)

    def give(self, given: Given, chains: list[Chain]) -> None:
        """What the page gives for the optimizer: its options."""
        for chain in settings(chains) if self.kind else ():
            given.chains.add(id(chain))
            given.lines.setdefault(write(chain.sides[0]), chain.lines[0])

    def staged(self, page: Page, found: Steps, sizes: tuple[int, ...]) -> Page:
        """`page` with the step of each statement, and what is given for each step."""
        kept: list[Statement] = []
        data: dict[int, dict[Quantity, float]] = {}
        given = dict(page.given)
        for of, value, line in self._everywhere(sizes):
            data.setdefault(1, {})[of] = value
            given[of.head.removesuffix("_W")] = line
        for s in page.statements:
            step = found.of(s.line)
            if s.of is not None and _plain(s) and _gives(s.of, step):
                data.setdefault(step, {})[s.of] = float(s.stated.value)
                given[s.of.symbol if step == 1 else f"{s.of} (t = {step})"] = s.line
            else:
                kept.append(replace(s, step=step))
        times = [t for line, t in self.states.times if found.of(line) == 1]
        first = times[0] if times else found.first if data.get(1) and self.kind else 1
        notes = list(page.assumed)
        if found.starts:
            lines = ", ".join(map(str, found.starts))
            notes.append(Note("steps", {"count": len(found.starts) + 1, "lines": lines}))
        if first > 1 and not data.get(1):
            notes.append(Note("assumed_state", {"number": first}))
        return replace(
            page,
            statements=tuple(kept),
            given=given,
            assumed=tuple(notes),
            unread=self._left(page.unread, found),
            loose=tuple(replace(s, step=found.of(s.line)) for s in page.loose),
            steps=len(found.starts) + 1,
            first=first,
            data=data,
        )

    def _left(self, unread: tuple[Unread, ...], found: Steps) -> tuple[Unread, ...]:
        """What is left when the numbers of headings and of the optimizer's options are read."""
        spent = [(h.text, h.line) for h in found.headings] if found.starts else []

        def option(number: str, line: int) -> bool:
            row = self.rows[line - 1] if 0 < line <= len(self.rows) else ""
            return self.kind is not None and told_option(number, row[:LONGEST], self.kind)

        return tuple(u for u in unread if u[:2] not in spent and not option(*u[:2]))

    def _everywhere(self, sizes: tuple[int, ...]) -> Iterator[tuple[Quantity, float, int]]:
        for state, (value, line) in self.states.everywhere.items():
            for k in range(1, len(sizes)):
                for i, j in product(range(sizes[k]), range(sizes[k - 1])):
                    yield Quantity(f"{state}_b", k, (i,)), value, line
                    yield Quantity(f"{state}_W", k, (i, j)), value, line


def _plain(s: Statement) -> bool:
    """Whether a number is only stated, beside names at most."""
    return all(isinstance(tree, Ref | Transposed) for tree in s.work)


def _gives(of: Quantity, step: int) -> bool:
    return ("_before_" in of.head and step == 1) or (of.head in AGAIN and step > 1)


def named(
    tokens: list[Token], said: str, network: Network | None
) -> tuple[str | None, list[Token]]:
    """The optimizer with numbers of its own, and the tokens with their spoken names joined."""
    kind = optimizer_kind(said)
    if network is not None:
        use = network.optimizer
        kind = use.name if use.name != "sgd" or use.options.get("momentum") else None
    return kind, state_tokens(tokens) if kind else tokens


def training(
    kind: str | None, tokens: list[Token], chains: list[Chain], said: str
) -> tuple[Training, list[Chain | None]]:
    """The training of a page, and its chains, None where one is used up in it."""
    chains = [subjects_joined(c) for c in chains]
    found = States(list(chains))
    if kind:
        found = Marker(kind, labels(tokens)).mark(chains)
    heads = tuple(headings(tokens, found.times))
    return Training(kind, heads, found, tuple(said.split("\n"))), found.chains
