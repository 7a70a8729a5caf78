"""The operations of recorded computations, a record each: formula, terms, source."""

from __future__ import annotations

from . import linear as _linear
from .record import RECORDS, Record

__all__ = ["RECORDS", "Record"]
_FILED = (_linear,)
