"""An answer sheet to fill in: a symbol a row, as CSV or TOML."""

from __future__ import annotations

from ..core.trace import Trace
from ..errors import MiyaInputError
from ..story.symbols import plain_symbol
from ..story.teller import Teller
from ..story.worked import PARTS, calculations

FORMS = ("csv", "toml")
DIGITS = 5  # no result of theirs is shown
MOST = 5000  # parameters of a network whose every number is asked for


def symbols(trace: Trace) -> list[str]:
    """Every result that the story of the step works out in a line of its own, in its order; of a
    large network those that its story tells."""
    size = sum(u.before.size for u in trace.updates.values())
    teller = Teller(trace, "en", DIGITS, False, MOST if size <= MOST else None)
    lines = (c for part in PARTS for c in calculations(list(part(teller))))
    return list(dict.fromkeys(plain_symbol(c.symbol) for c in lines))


def template(trace: Trace, form: str = "csv") -> str:
    """A sheet with every symbol and no value. Raises MiyaInputError E706 for another form."""
    if form == "csv":
        return "symbol,value\n" + "".join(f"{s},\n" for s in symbols(trace))
    if form == "toml":
        return "".join(f'"{s}" = ""\n' for s in symbols(trace))
    raise MiyaInputError("E706", f"the form of the sheet is {form!r}", hint="choose csv or toml")
