"""Keeps what was seen, for a notebook or a test."""

from __future__ import annotations

from collections import deque

from ..records import Finding, StepRecord


class MemorySink:
    """`steps` and `findings`, the newest `most` of each, or all."""

    def __init__(self, most: int | None = None) -> None:
        self.steps: deque[StepRecord] = deque(maxlen=most)
        self.findings: deque[Finding] = deque(maxlen=most)
        self.closed = False

    def step(self, record: StepRecord) -> None:
        self.steps.append(record)

    def finding(self, finding: Finding) -> None:
        self.findings.append(finding)

    def close(self) -> None:
        self.closed = True
