"""Any sequence of edits and steps: the numbers are the core's, links open the same, undo is exact."""

import json
import os
import warnings
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from web import states

import miya
from miya.drawing.build import fits, scene
from miya.web.actions import act
from miya.web.state import decode, encode


def in_the_picture(trace, shown):
    """The texts of each card's labels in the picture, without names and heads."""
    placed = scene(
        trace,
        measure=shown["measure"],
        view=shown["view"],
        example=shown["example"],
        digits=shown["digits"],
        miya=shown["miya"],
    )
    found = {}
    for neuron in placed.neurons:
        texts = [t.text for t in neuron.labels if t.style not in ("name", "head")]
        for row in neuron.rows:
            texts += [t.text for t in row.labels if t.style != "symbol"]
        found[neuron.ref] = texts
    return found


def check_numbers(state, numbers):
    """The loss and what leads to it are those of the network alone; what the update does also
    depends on the optimizer's memory, once there is one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", miya.MiyaWarning)
        trace = miya.explain(miya.load(state["network"])).trace
    assert numbers["value"] == trace.loss
    if fits(trace) and not state["steps"]:
        assert numbers["cards"] == in_the_picture(trace, state["shown"])


SEQUENCES = int(os.environ.get("MIYA_SEQUENCES", "50"))


@settings(max_examples=SEQUENCES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_sequences(data):
    """As the page does: every change is a state more, undo and redo go through them."""
    history, at, told = [states.opened()], 0, [None]
    for _ in range(data.draw(st.integers(1, 8))):
        what = data.draw(st.sampled_from(["edit"] * 5 + ["step", "rewind", "undo", "redo"]))
        state = history[at]
        if what in ("undo", "redo"):
            at = min(max(at + (1 if what == "redo" else -1), 0), len(history) - 1)
            again = act({"action": "numbers", "state": decode(encode(history[at]))})["numbers"]
            assert told[at] in (None, again)
            continue
        before = deepcopy(state)
        request = {"action": what, "state": state}
        if what == "edit":
            request["edit"] = data.draw(states.edits(state))
        answer = act(request)
        assert state == before, "an action changed the state that it was given"
        if "error" in answer:
            assert answer["error"]["code"][0] == "E" and answer["error"]["text"]
            continue
        made = json.loads(json.dumps(answer["state"]))
        history, told, at = [*history[: at + 1], made], [*told[: at + 1], answer["numbers"]], at + 1
        assert decode(encode(made)) == made
        check_numbers(made, answer["numbers"])


@pytest.mark.parametrize("view", ["whole", "forward", "blame", "update"])
@pytest.mark.parametrize("measure", ["pressure", "step", "credit", "removal"])
@pytest.mark.parametrize("example", [0, 1, "sum"])
def test_numbers_stand_where_the_picture_has_them(view, measure, example):
    state = states.opened(states_file("adam_batch.toml"))
    shown = {**state["shown"], "view": view, "measure": measure, "example": example}
    state = {**state, "shown": shown}
    check_numbers(state, act({"action": "numbers", "state": state})["numbers"])


def test_steps_are_those_of_train():
    state = states.opened(states_file("adam_batch.toml"))
    answer = act({"action": "step", "state": state, "steps": 7})
    traces = list(miya.train(states_path("adam_batch.toml"), steps=7))
    assert [t["loss"] for t in answer["trail"]] == [t.loss for t in traces]
    last = traces[-1].after
    for table, layer in zip(answer["state"]["network"]["layers"], last.layers, strict=True):
        assert np.array_equal(table["weight"], layer.weight)
    twice = act({"action": "step", "state": state, "steps": 3})["state"]
    assert act({"action": "step", "state": twice, "steps": 4})["state"] == answer["state"]
    rewound = act({"action": "rewind", "state": answer["state"]})["state"]
    assert rewound["network"]["layers"] == state["network"]["layers"]
    assert rewound["memory"] == {} and rewound["steps"] == 0


def states_path(name):
    return Path(__file__).parents[2] / "examples" / name


def states_file(name):
    return states_path(name).read_text("utf-8")


def test_a_neuron_added_and_removed_leaves_the_network():
    state = states.opened()
    more = states.edit(state, kind="add_neuron", layer=0)["state"]
    assert len(more["network"]["layers"][0]["weight"]) == 4
    back = states.edit(more, kind="remove_neuron", layer=0, neuron=3)["state"]
    assert back["network"] == state["network"]


def test_outputs_bring_their_targets():
    state = states.opened()
    more = states.edit(state, kind="add_neuron", layer=1)["state"]
    assert more["network"]["examples"][0]["target"] == [1, 0.0]
    less = states.edit(more, kind="remove_neuron", layer=1, neuron=0)["state"]
    assert less["network"]["examples"][0]["target"] == [0.0]


@pytest.mark.parametrize(
    ("path", "value", "code", "at"),
    [
        (["layers", 0, "weight", 0, 0], "abc", "E206", ["layers", 0, "weight", 0, 0]),
        (["learning_rate"], "-1", "E302", ["learning_rate"]),
        (["layers", 0, "weight", 0, 9], 1, "E805", []),
        (["layers", 7, "weight", 0, 0], 1, "E805", []),
        (["layers", 0, "weight"], 1, "E206", ["layers", 0, "weight"]),
        (["layers", 0, "activation"], "relo", "E304", ["layers", 0, "activation"]),
        (["__class__"], 1, "E805", []),
        (["examples", 0, "input", 0], "1e999", "E202", ["examples", 0, "input", 0]),
        (["examples", 0, "input", 0], True, "E207", ["examples", 0, "input", 0]),
        (["examples", 0, "input", 0], None, "E212", ["examples", 0, "input", 0]),
    ],
)
def test_refused_edits_say_where(path, value, code, at):
    answer = states.edit(states.opened(), kind="set", path=path, value=value)
    assert (answer["error"]["code"], answer["error"]["path"]) == (code, at)


def test_decimal_commas_and_minus_signs_are_understood():
    state = states.opened()
    for typed, value in (("0,5", 0.5), ("−2", -2.0), (" 1e-3 ", 1e-3), ("-,5", -0.5)):
        found = states.edit(state, kind="set", path=["layers", 0, "bias", 0], value=typed)["state"]
        assert found["network"]["layers"][0]["bias"][0] == value


def test_kept_memory_must_fit():
    state = states.opened(states_file("adam_batch.toml"))
    after = act({"action": "step", "state": state})["state"]
    broken = {**after, "memory": {"weight1": {"m": [[0]]}}}
    assert act({"action": "numbers", "state": broken})["error"]["code"] == "E801"
    other = states.edit(after, kind="optimizer", name="sgd")
    assert other["state"]["memory"] == {}


@pytest.mark.parametrize("text", ["", "abc", "!!!", "AAAA", encode({"version": 9})])
def test_a_broken_link_is_refused(text):
    assert act({"action": "link", "hash": text})["error"]["code"] in ("E801", "E802", "E215")


def test_a_link_that_grows_is_refused():
    import base64
    import zlib

    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    text = base64.urlsafe_b64encode(bomb.compress(b" " * 2**26) + bomb.flush()).decode()
    assert act({"action": "link", "hash": text.rstrip("=")})["error"]["code"] == "E802"


def test_large_networks_are_sent_to_python():
    wide = [[0.0] * 200 for _ in range(101)]
    text = json.dumps(
        {
            "learning_rate": 1,
            "loss": "huber",
            "layers": [{"weight": wide, "bias": 0}],
            "examples": [{"input": [0] * 200, "target": [0] * 101}],
        }
    )
    error = act({"action": "open", "text": text, "form": "json"})["error"]
    assert error["code"] == "E507" and "20,000" in error["text"]
