"""What is wrong with a training, found from its records: one rule a fault, each told once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..records import Finding, StepRecord
from .broken import is_broken
from .rule import Finder, Rule
from .table import RULES

__all__ = ["RULES", "Rule", "Rules"]

MOST = 5  # findings of one rule in one step; how many more there were is a fact of the last
EARLY = 50  # watched steps of which every one is looked at
APART = 10  # steps from one look to the next, later


class Looks:
    """Which of the watched steps are looked at: every early one, later those that are APART."""

    def __init__(self) -> None:
        self.asked, self.last = 0, 0

    def due(self, step: int, *, counts: bool = True) -> bool:
        """Whether this one is; not where it does not count."""
        self.asked += 1
        due = counts and (self.asked <= EARLY or step >= self.last + APART)
        if due:
            self.last = step
        return due


class Rules:
    """Feed it every watched step in order. The findings of a rule and layer are told once.

    Most rules look at every one of the first 50 watched steps, and later at those that are at
    least 10 steps apart, so that watching every step costs no more. A step that the optimizer
    skipped moved nothing, and one whose numbers are not finite says nothing of anything else: only
    the rules about such steps see them.
    """

    def __init__(self, rules: Sequence[Rule] = RULES) -> None:
        self.finders: list[tuple[Rule, Finder]] = [
            (rule, rule.makes(rule.limits)) for rule in rules
        ]
        self.told: set[tuple[str, str]] = set()
        self.looks, self.wanted = Looks(), Looks()

    def wants(self, step: int) -> bool:
        """Whether a step that moved something, and whose numbers are finite, will be looked at.
        To be asked of every watched step in order; those that are not wanted need not be fed."""
        return self.wanted.due(step)

    def feed(self, record: StepRecord) -> list[Finding]:
        """What is found at this step, and was not before."""
        odd = record.skipped or is_broken(record)
        due = self.looks.due(record.step, counts=not odd)
        return [
            finding
            for rule, finder in self.finders
            if rule.always or due or (odd and rule.broken)
            for finding in self._new(list(finder.feed(record)))
        ]

    def _new(self, found: list[Finding]) -> list[Finding]:
        new = [f for f in found if (f.rule, f.layer) not in self.told]
        if not new:
            return new
        self.told |= {(f.rule, f.layer) for f in new}
        if len(new) <= MOST:
            return new
        last = new[MOST - 1]
        more = replace(last, facts={**last.facts, "more": len(new) - MOST})
        return [*new[: MOST - 1], more]
