"""Which requests the server answers itself, and that it says the same as a worker."""

from copy import deepcopy

import pytest
from web import states
from web.serving import played

from miya.web.actions import act
from miya.web.quick import MOST_BYTES, MOST_NUMBERS, is_quick


def slid(value=0.5):
    edit = {"kind": "set", "path": ["layers", 0, "bias", 0], "value": value}
    return {"action": "edit", "state": states.opened(), "edit": edit}


def deep(request, layers):
    one = {"weight": [[1.0]], "bias": [0.0]}
    request["state"]["network"]["layers"] = [deepcopy(one) for _ in range(layers)]


def wide(request, numbers):
    request["state"]["network"]["examples"] = [{"input": [1.0] * numbers, "target": [1.0]}]


def test_a_slider_is():
    assert is_quick(slid(), 6000) and is_quick(slid(2), MOST_BYTES)


OTHERS = {
    "a step": lambda r: r.update(action="step"),
    "a list": lambda r: r.update(state=[]),
    "no edit": lambda r: r.update(edit=None),
    "another edit": lambda r: r["edit"].update(kind="dataset"),
    "a text to be read": lambda r: r["edit"].update(value="1/3"),
    "a switch": lambda r: r["edit"].update(value=True),
    "credit": lambda r: r["state"]["shown"].update(measure="credit"),
    "no measure": lambda r: r["state"].update(shown=None),
    "no layers": lambda r: r["state"]["network"].update(layers=None),
    "deep": lambda r: deep(r, 13),
    "wide": lambda r: wide(r, MOST_NUMBERS),
}


@pytest.mark.parametrize("name", OTHERS)
def test_anything_else_is_not(name):
    request = slid()
    OTHERS[name](request)
    assert not is_quick(request, 6000)


def test_no_table_and_no_long_request():
    assert not is_quick([slid()], 6000) and not is_quick(slid(), MOST_BYTES + 1)


@pytest.mark.parametrize("cards", [[], ["n1.0"], ["n2.0", "n1.2", "n9.9"]])
def test_only_the_cards_that_are_wanted(cards):
    whole = act(slid())["numbers"]
    some = act({**slid(), "cards": cards})["numbers"]
    told = some.pop("cards")
    assert told == {ref: whole["cards"][ref] for ref in cards if ref in whole["cards"]}
    assert some == {key: value for key, value in whole.items() if key != "cards"}


@pytest.mark.parametrize("cards", ["n1.0", [1], {"n1.0": 1}])
def test_cards_that_are_no_list_of_neurons(cards):
    error = act({**slid(), "cards": cards})["error"]
    assert (error["code"], error["text"]) == ("E808", "cards is no list of neurons")


def test_the_server_says_the_same_of_both():
    """A slider's number and the same as a text, which goes to a worker."""
    typed = slid()
    typed["edit"]["value"] = "0.5"
    with played() as server:
        server.open()
        assert server.api(slid()) == server.api(typed) == (200, act(slid()))
        bad = slid(float(10**300))
        bad["edit"]["path"] = ["layers", 9, "bias", 0]
        status, said = server.api(bad)
        assert (status, said["error"]["code"]) == (422, "E805")
