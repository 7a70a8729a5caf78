"""Bad input in a field, a link or an upload: said in full, where it was, and nothing changes."""

import json
from copy import deepcopy

import pytest
from web import states

from miya.web.actions import act
from miya.web.state import encode

W = ["layers", 0, "weight", 0, 0]
NETWORK = {
    "learning_rate": 0.1,
    "loss": "half_squared_error",
    "layers": [{"weight": [[0.5, -0.25]], "bias": [0.1]}],
    "examples": [{"input": [1, 2], "target": [1]}],
}

# what is typed into which field: the error's code, and what it says
TYPED = [
    (W, "nan", "E201", "NaN"),
    (W, "inf", "E202", "inf"),
    (W, "1e999", "E202", "1e999"),
    (W, "1/0", "E205", "1/0"),
    (W, "abc", "E206", "abc"),
    (W, "", "E206", "''"),
    (W, "1+2j", "E208", "1+2j"),
    (W, True, "E207", "true"),
    (W, None, "E212", "missing"),
    (W, "9" * 5000, "E209", "5000"),
    (W, [1], "E805", "no place"),
    (["learning_rate"], "-0,5", "E302", "-0.5"),
    (["learning_rate"], "nan", "E303", "nan"),
    (["layers", 0, "activation"], "relo", "E304", "relu"),
    (["examples", 0, "target", 0], "abc", "E206", "abc"),
    (["examples", 0, "input", 0], "1e999", "E202", "1e999"),
    (["layers", 0, "bias", 2**70], "1", "E805", "no place"),
    (["layers", -1, "bias", 0], "1", "E805", "no place"),
]


@pytest.mark.parametrize(("path", "value", "code", "said"), TYPED)
def test_typed(path, value, code, said):
    state = states.opened()
    kept = deepcopy(state)
    answer = states.edit(state, kind="set", path=path, value=value)
    error = answer["error"]
    assert error["code"] == code, error
    assert said in error["text"] + error["hint"], error
    assert error["path"] == (path if code != "E805" else [])
    assert state == kept and "state" not in answer


def test_allowed_but_rarely_meant_is_warned_of():
    answer = states.edit(states.opened(), kind="set", path=["learning_rate"], value="0")
    assert answer["state"]["network"]["learning_rate"] == 0
    assert any(w.startswith("W301") for w in answer["warnings"])


# an edit by a list or a button: the error's code, and the field that it is shown beside
CHOSEN = [
    ({"kind": "dataset", "name": "xor", "count": "abc"}, "E803", ["count"]),
    ({"kind": "dataset", "name": "xor", "count": "1,5"}, "E803", ["count"]),
    ({"kind": "dataset", "name": "xor", "count": "1e9"}, "E803", ["count"]),
    ({"kind": "dataset", "name": "xor", "noise": "-1"}, "E806", ["noise"]),
    ({"kind": "dataset", "name": "xor", "noise": "nan"}, "E806", ["noise"]),
    ({"kind": "dataset", "name": "xor", "seed": ""}, "E803", ["seed"]),
    ({"kind": "optimizer", "name": "sgd", "options": {"momentum": "abc"}}, "E206", ["optimizer", "momentum"]),
    ({"kind": "loss", "name": "huber", "options": {"delta": "x"}}, "E206", ["loss", "delta"]),
    ({"kind": "activation", "layer": 0, "name": "relo"}, "E304", ["layers", 0, "activation", "name"]),
    ({"kind": "loss", "name": "cross_entropie"}, "E304", ["loss", "name"]),
    ({"kind": "remove_layer", "layer": 9}, "E803", []),
    ({"kind": "csv", "text": ""}, "E806", []),
    ({"kind": "csv", "text": "a,b\n1,2\n3"}, "E806", []),
    ({"kind": "csv", "text": "1,2\n3,=cmd|' /C calc'!A0"}, "E806", []),
    ({"kind": "csv", "text": "1,NaN"}, "E806", []),
    ({"kind": "csv", "text": "1,2\n1,1e999"}, "E806", []),
    ({"kind": "csv", "text": "x\n" * 600}, "E806", []),
    ({"kind": "csv", "text": "\x00\x01"}, "E806", []),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "code", "path"), CHOSEN)
def test_chosen(edit, code, path):
    state = states.opened()
    kept = deepcopy(state)
    error = states.edit(state, **edit)["error"]
    assert error["text"] and error["hint"]
    assert (error["code"], error["path"]) == (code, path), error
    assert state == kept


def changed(**parts):
    return json.dumps(NETWORK | parts)


def layer(**parts):
    return changed(layers=[NETWORK["layers"][0] | parts])


def rows(*examples):
    return changed(examples=list(examples))


TOO_LARGE = json.dumps(NETWORK | {"layers": [{"weight": [[0.0] * 150] * 150, "bias": 0}]})
# a network file that is opened: its form, text and the error's code
FILES = [
    ("json", layer(weight=[[0.5, 1, 2]]), "E101"),
    ("json", layer(bias=[0.1, 0.2]), "E102"),
    ("json", layer(weight=[[1, 2], [3]]), "E103"),
    ("json", layer(weight=[]), "E104"),
    ("json", changed(layers=[]), "E105"),
    ("json", rows({"input": [1, 2], "target": [1, 2]}), "E106"),
    ("json", changed(examples={"input": [[1, 2], [3, 4]], "target": [[1]]}), "E108"),
    ("json", layer(weight=[[0.5, "NaN"]]), "E201"),
    ("json", '{"learning_rate": NaN}', "E203"),
    ("json", layer(weight=[[0.5, "1/0"]]), "E205"),
    ("json", layer(weight=[[0.5, True]]), "E207"),
    ("json", layer(wieghts=1), "E213"),
    ("json", '{"loss": 1, "loss": 2}', "E214"),
    ("json", changed(learning_rate=-1), "E302"),
    ("json", layer(activation="relo"), "E304"),
    ("json", changed(loss="binary_cross_entropy", examples=[{"input": [1, 2], "target": [1.2]}]), "E305"),
    ("json", "[" * 100_000, "E504"),
    ("json", TOO_LARGE, "E507"),
    ("json", "{", "E215"),
    ("toml", "learning_rate = ", "E215"),
    ("toml", "\x00", "E215"),
    ("yaml", "!!python/object:os.system", "E219"),
    ("pkl", "cos\nsystem\n", "E219"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "text", "code"), FILES)
def test_opened(form, text, code):
    answer = act({"action": "open", "form": form, "text": text})
    assert answer["error"]["code"] == code, answer["error"]
    assert answer["error"]["text"] and "state" not in answer


@pytest.mark.parametrize("text", ["../../etc/passwd", "a" * 200_000, "AAAA", "💥", "%00", "=" * 9])
def test_links(text):
    answer = act({"action": "link", "hash": text})
    assert answer["error"]["code"] in ("E801", "E802") and "state" not in answer


def test_a_link_to_a_bad_network():
    state = states.opened()
    state["network"]["layers"][0]["weight"][0][0] = "abc"
    error = act({"action": "link", "hash": encode(state)})["error"]
    assert error["code"] == "E206" and error["path"] == W


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("\\input{/etc/passwd} \\write18{ls}", "page.tex"),
        ("<img src=x onerror=alert(1)><script>alert(1)</script> z1 = [1, 2, 3]", "page.md"),
        ("| a | [x](javascript:alert(1)) |\n|---|---|\n| z1 | 0.5 |", "page.md"),
        ("z1 = \x1b[31m0.5\u202e", "page.txt"),
        ("[" * 50_000, "page.json"),
        ("", "page.md"),
        ("z1 = 0,5", "../../etc/passwd"),
    ],
)
def test_pages_of_hand_work(page, name):
    answer = act({"action": "check", "state": states.opened(), "page": page, "name": name})
    if "error" in answer:
        assert answer["error"]["code"][0] == "E" and answer["error"]["text"]
        return
    for never in ("<script", "<img", 'href="javascript', "\x1b", "\u202e", "root:"):
        assert never not in answer["html"]
