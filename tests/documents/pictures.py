"""The pictures of the pages on models: the diagram of each example's step."""

from __future__ import annotations

import re
from pathlib import Path

from . import ROOT

EXAMPLES = {  # of a page, the file that makes its model
    "lenet": "lenet_digits",
    "char-lstm": "char_lstm",
    "tiny-gpt": "tiny_gpt",
    "resnet": "resnet",
    "tied": "tied",
}


def place(page: str) -> Path:
    return ROOT / "docs" / "pictures" / "models" / f"{page}.svg"


def drawn(page: str) -> str:
    import miya
    from miya.api.named import trace_of

    source = f"{ROOT / 'examples' / 'models' / EXAMPLES[page]}.py:make_model"
    return miya.draw(trace_of(source)).svg() + "\n"


def same(one: str, other: str) -> bool:
    """Whether two pictures show the same. The prefix of their ids is made from numbers in full,
    whose last digits differ from one number of threads to another."""
    marks = [re.search(r'aria-labelledby="(\w+)t ', text) for text in (one, other)]
    plain = [t.replace(m[1], "") if m else t for t, m in zip((one, other), marks, strict=True)]
    return plain[0] == plain[1]


def refresh(page: str) -> bool:
    """Draw it again; whether it has changed."""
    made = drawn(page)
    if place(page).is_file() and same(place(page).read_text("utf-8"), made):
        return False
    place(page).parent.mkdir(exist_ok=True)
    place(page).write_text(made, "utf-8")
    return True
