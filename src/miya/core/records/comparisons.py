"""Comparisons and tests: 1 where they hold, 0 where not. Nothing is passed back through them."""

from __future__ import annotations

from .elementwise import Elementwise, file

# name: (what is true of `out`, further names of the same)
TABLE: dict[str, tuple[str, tuple[str, ...]]] = {
    "eq": ("input == other", ()),
    "ne": ("input != other", ("not_equal",)),
    "lt": ("input < other", ("less",)),
    "le": ("input <= other", ("less_equal",)),
    "gt": ("input > other", ("greater",)),
    "ge": ("input >= other", ("greater_equal",)),
    "logical_and": ("input != 0 and other != 0", ()),
    "logical_or": ("input != 0 or other != 0", ()),
    "logical_not": ("input == 0", ()),
    "isnan": ("input != input", ()),
}
for _name, (_holds, _names) in TABLE.items():
    file(Elementwise(_name, _holds, {}), *_names)
