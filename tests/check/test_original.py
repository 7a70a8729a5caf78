"""The original page, as it is, read with no help: two real slips, three last digits."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import pytest

import miya

PAGE = Path(__file__).parent / "pages" / "original.txt"
LAST_DIGIT = {("σ'1", 0): "0.248", ("∂C/∂W2", 0): "-0.131", ("δ1", 0): "-0.0122"}


@lru_cache(maxsize=1)
def data():
    return json.loads(miya.check(PAGE).json())


def test_the_network_is_read_from_the_page():
    network = data()["network"]
    assert network["sizes"] == [3, 3, 1]
    assert network["activations"] == ["sigmoid", "sigmoid"]
    assert (network["loss"], network["learning_rate"]) == ("squared_error", 0.1)
    assert network["given"] == {"x": 11, "W1": 18, "b1": 24, "W2": 30, "b2": 30, "y": 35, "η": 133}


def test_exactly_two_real_slips():
    slips = [(s["symbol"], s["index"], s["stated"], s["line"]) for s in data()["first_slips"]]
    assert slips == [("z1", [0], "0.13", 46), ("z2", [0], "0.023", 57)]


def test_the_slips_come_with_the_correct_number_and_the_lines_own_arithmetic():
    first, second = data()["first_slips"]
    assert first["exact"] == pytest.approx(0.08) and first["arithmetic"]["value"] == pytest.approx(
        0.08
    )
    assert second["exact"] == pytest.approx(0.0281434, abs=1e-7)
    assert second["arithmetic"]["value"] == pytest.approx(0.0305)
    assert second["given_page"] == pytest.approx(0.0305)
    assert "line" in first["diagnosis"] and "line" in second["diagnosis"]


def test_the_last_digit_slips():
    found = [i for i in data()["items"] if i["verdict"] == "last_digit"]
    assert {(i["symbol"], i["index"][-1]): i["stated"] for i in found} == LAST_DIGIT
    assert all(i["diagnosis"] == ["cut"] for i in found)


def test_every_other_number_is_right_or_right_given_those():
    verdicts = [i["verdict"] for i in data()["items"]]
    assert len(verdicts) == 32
    assert set(verdicts) == {"right", "rounding", "last_digit", "wrong", "follows"}
    assert verdicts.count("wrong") == 2 and verdicts.count("last_digit") == 3


def test_what_follows_names_the_inherited_value():
    (found,) = [i for i in data()["items"] if i["symbol"] == "a1" and i["index"] == [0]]
    assert found["verdict"] == "follows"
    assert found["inherited"] == [{"symbol": "z1[0]", "stated": "0.13"}]


def test_its_claims_are_answered_by_every_measure():
    weight, neuron = data()["claims"]
    assert weight["text"] == "this weight caused the most loss"
    assert weight["holds"] == dict.fromkeys(("pressure", "step", "credit", "removal"), True)
    assert neuron["holds"]["pressure"] and neuron["line"] == 127


def test_the_wrong_greek_is_mended_and_mentioned():
    assert any("39 characters" in n["text"] for n in data()["assumed"])


def test_no_number_is_dropped():
    unread = {(u["number"], u["line"]) for u in data()["unread"]}
    assert ("0.14", 99) in unread and ("3", 7) in unread


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_every_format_tells_the_slips(form):
    told = getattr(miya.check(PAGE), form)()
    assert "0.0305" in told and "caused the most loss" in told
    assert ("z1[0]" in told) or (r"z1\[0\]" in told)


def test_the_page_is_marked_in_japanese():
    assert "最初の誤り" in miya.check(PAGE, language="ja").text()
