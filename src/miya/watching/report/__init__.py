"""`miya report`: a run folder as one self-contained HTML page."""

from __future__ import annotations

from .page import report

__all__ = ["report"]
