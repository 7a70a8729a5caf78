"""Golden documents: MIYA_UPDATE_GOLDEN=1 writes them anew; read the difference before it is kept."""

import json
import os
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "golden"
# what float64 misses differs from one processor to the next; its own test holds it below 1e-9
NOISE = re.compile(r"(residual\}?\}? &?= ).*")


def check(name: str, made: str) -> None:
    made = NOISE.sub(r"\1…", made)
    path = FOLDER / name
    if os.environ.get("MIYA_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(made, "utf-8")
    assert path.exists(), f"{path} is missing: MIYA_UPDATE_GOLDEN=1 writes it"
    assert made == path.read_text("utf-8")


def check_json(name: str, made: str) -> None:
    """The same texts and the same numbers, to the last but a few of float64's digits."""
    path = FOLDER / name
    if os.environ.get("MIYA_UPDATE_GOLDEN"):
        path.write_text(made, "utf-8")
    same(json.loads(made), json.loads(path.read_text("utf-8")), "$")


def same(ours: object, theirs: object, where: str) -> None:
    assert type(ours) is type(theirs), where
    if isinstance(ours, dict):
        assert list(ours) == list(theirs), where
        if ours.get("kind") == "residual":
            return
        for key in ours:
            same(ours[key], theirs[key], f"{where}.{key}")
    elif isinstance(ours, list):
        assert len(ours) == len(theirs), where
        for k, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            same(a, b, f"{where}[{k}]")
    elif isinstance(ours, float):
        assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-14), where
    else:
        assert ours == theirs, where
