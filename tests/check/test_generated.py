"""A share of the measured runs (docs/checking.md): random pages with a mistake, and mutated ones."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import fuzz
import generator
from measure import SETS, measure


@pytest.mark.parametrize("name", SETS)
def test_mistakes_are_found_and_clean_pages_have_none(name):
    found = measure(40, 4242, list(SETS[name]))
    assert found["place"] >= 0.95 and found["kind"] >= 0.85, found["missed"]
    assert found["clean without slip"] == 1, found["missed"]
    assert found["numbers marked"] == 1


def test_twenty_kinds_can_be_planted():
    assert len(set(generator.KINDS)) == 20
    for kind in generator.KINDS:
        page, _ = generator.worked(1, kind)
        assert page.planted is not None


def test_mutated_pages_give_no_traceback_and_no_hang():
    came, slowest, failures = fuzz.fuzz(200, 99)
    assert not failures, failures[0][2:]
    assert sum(came.values()) == 200 and came["marked"] > 125
    assert slowest < 5
