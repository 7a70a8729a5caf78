"""Where records go: past the rules, to the sinks; and what is said along the way."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from typing import Protocol

from ..errors import MiyaWarning
from .faults import odd_step
from .records import Finding, StepRecord


class Sink(Protocol):
    """Receives what was seen. `close` is called once, also when the watch was taken off."""

    def step(self, record: StepRecord) -> None: ...

    def finding(self, finding: Finding) -> None: ...

    def close(self) -> None: ...


class Judge(Protocol):
    """Looks at one record after the other, and says what it finds. wants: whether it looks at a
    step at all, if nothing is odd about that."""

    def wants(self, step: int) -> bool: ...

    def feed(self, record: StepRecord) -> Iterable[Finding]: ...


class Teller:
    """Says each thing once, as a warning. Where warnings are made errors it goes to stderr, since
    nothing is ever raised in the user's loop."""

    def __init__(self) -> None:
        self.said: set[str] = set()

    def say(self, code: str, text: str) -> None:
        if code in self.said:
            return
        self.said.add(code)
        try:
            warnings.warn(f"{code} {text}", MiyaWarning, stacklevel=4)
        except MiyaWarning:
            print(f"miya: {code} {text}", file=sys.stderr)

    def off(self, fault: Exception) -> None:
        what = f"{type(fault).__name__}: {fault}"
        self.say("W701", f"the watch is off, the training goes on: {what}")


class Delivery:
    """The sinks and the rules of one watch."""

    def __init__(self, sinks: Iterable[Sink], rules: Judge | None, teller: Teller) -> None:
        self.sinks, self.rules, self.teller = list(sinks), rules, teller

    @property
    def reads_all(self) -> bool:
        """Whether a sink takes every step; one that takes findings only says `steps = False`."""
        return any(getattr(sink, "steps", True) is not False for sink in self.sinks)

    def wants(self, step: int) -> bool:
        """Whether anybody looks at a step in which nothing is odd. To be asked of each in order."""
        due = self.rules is not None and self.rules.wants(step)
        return due or self.reads_all

    def tell(self, record: StepRecord) -> None:
        odd = odd_step(record)
        if odd is not None:
            self.teller.say(*odd)
        findings = list(self.rules.feed(record)) if self.rules is not None else []
        for sink in self.sinks:
            sink.step(record)
            for finding in findings:
                sink.finding(finding)

    def close(self) -> None:
        """Every sink is closed, also where another one cannot be."""
        sinks, self.sinks, self.rules = self.sinks, [], None
        for sink in sinks:
            try:
                sink.close()
            except Exception as fault:
                self.teller.off(fault)
