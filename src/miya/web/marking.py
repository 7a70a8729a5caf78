"""A pasted page of hand work, marked against the network beside it."""

from __future__ import annotations

from typing import Any

from ..analysis.check.mark import mark_page
from ..errors import MiyaInputError
from ..read.page.read import FORMS, read_text
from ..render.check import check_sections_html, item
from .state import State, network_of

LONGEST = 200_000  # characters


def marked(state: State, text: str, name: str, language: str) -> dict[str, Any]:
    """html: the report; slips: the first slip of each chain as plain data.

    Where the page gives a network of its own, that is what it is marked by. Raises MiyaInputError
    E507 for a page that is too long, and what the reader raises.
    """
    if len(text) > LONGEST:
        raise MiyaInputError(
            "E507",
            f"the page has {len(text):,} characters, limit {LONGEST:,}",
            hint="use the command line: miya check PAGE",
        )
    suffix = f".{name.rpartition('.')[2].lower()}" if "." in name else ""
    network = network_of(state)
    made = mark_page(read_text(text, FORMS.get(suffix, "markdown"), name[:80], network), network)
    return {
        "html": check_sections_html(made, language),
        "slips": [item(m) for m in made.first_slips],
    }
