"""Bad input in a field, a link or an upload: said in full, where it was, and nothing changes."""

import json
import tomllib
from copy import deepcopy
from importlib import resources

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


def classes(target, **parts):
    """Three classes; target: of the one example."""
    one = {"weight": [[0.5, -0.25], [1, 1], [0, 1]], "bias": [0, 0, 0], **parts}
    return changed(
        loss="cross_entropy", layers=[one], examples=[{"input": [1, 2], "target": target}]
    )


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
    ("json", rows({"input": [1, 2], "target": [1]}, {"input": [[1, 2]], "target": [1]}), "E107"),
    ("json", layer(bias=["inf"]), "E202"),
    ("json", '{"learning_rate": Infinity}', "E203"),
    ("json", layer(weight=[["0,5", 1]]), "E204"),
    ("json", layer(weight=[["abc", 1]]), "E206"),
    ("json", '{"learning_rate": 9' + "9" * 5000 + "}", "E209"),
    ("json", layer(weight=[[None, 1]]), "E212"),
    ("json", changed(loss=None), "E212"),
    ("json", "{}", "E105"),
    ("json", changed(learning_rate="nan"), "E303"),
    ("json", classes(3), "E306"),
    ("json", classes([0.3, 0.3, 0.3]), "E307"),
    ("json", changed(loss="huber!"), "E304"),
    ("yaml", "!!python/object:os.system", "E505"),
    ("yml", "&a [*a, *a]", "E505"),
    ("pkl", "cos\nsystem\n", "E501"),
    ("pt", "PK", "E501"),
    ("npz", "PK", "E219"),
    ("../../etc/passwd", "", "E219"),
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


def opened(text):
    return act({"action": "open", "form": "json", "text": text})


WARNED = [
    (layer(weight=[[1e-320, 1]]), "W211"),
    (changed(learning_rate=0), "W301"),
    (classes(1, activation="softmax"), "W308"),
]


@pytest.mark.parametrize(("text", "code"), WARNED)
def test_what_is_taken_with_a_warning(text, code):
    answer = opened(text)
    assert "error" not in answer and any(w.startswith(code) for w in answer["warnings"])


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "C:\\x", "\\\\host\\share", "", 7, None, ["original"]]
)
def test_an_example_is_one_of_ours(name):
    error = act({"action": "open", "example": name})["error"]
    assert error["code"] == "E806" and "original" in error["hint"]


def output(bias, target, **parts):
    """A state with one output neuron and its loss against the target."""
    one = {"weight": [[0.0, 0.0]], "bias": [bias], "activation": "sigmoid"}
    text = changed(layers=[one], examples=[{"input": [1, 2], "target": [target]}], **parts)
    return opened(text)["state"]


def test_a_certain_output_that_is_wrong_is_refused_beside_the_loss():
    state = output(0, 0, loss="binary_cross_entropy")
    error = states.edit(state, kind="set", path=["layers", 0, "bias", 0], value="1000")["error"]
    assert error["code"] == "E309" and "logits" in error["hint"] and error["path"] == ["loss"]


def test_a_target_that_the_loss_cannot_have_is_refused_beside_it():
    place = ["examples", 0, "target", 0]
    state = output(0, 0, loss="binary_cross_entropy")
    for typed in ("1,2", "-0.1"):
        error = states.edit(state, kind="set", path=place, value=typed)["error"]
        assert error["code"] == "E305" and error["path"] == place
    soft = states.edit(state, kind="set", path=place, value="0,9")
    assert soft["state"]["network"]["examples"][0]["target"] == [0.9]


def test_saturation_and_the_corner_of_relu_are_no_errors():
    state = output(1000, 0)
    assert act({"action": "numbers", "state": state})["numbers"]["value"] == 0.5
    assert "error" not in act({"action": "picture", "state": state})
    at_zero = states.edit(state, kind="activation", layer=0, name="relu")["state"]
    at_zero = states.edit(at_zero, kind="set", path=["layers", 0, "bias", 0], value="0")["state"]
    assert "error" not in act({"action": "story", "state": at_zero})


def test_a_step_that_overflows_leaves_the_state():
    state = opened(changed(learning_rate=1e300, layers=[{"weight": [[1e10, 1]], "bias": [0]}]))[
        "state"
    ]
    kept = deepcopy(state)
    answer = act({"action": "step", "state": state, "steps": 3})
    assert answer["error"]["code"] == "E311" and "weight[0][0]" in answer["error"]["text"]
    assert "state" not in answer and state == kept


def test_too_few_digits_on_a_page_ask_for_more():
    page = "z1[0] = 0.1\n"
    answer = act({"action": "check", "state": states.opened(), "page": page, "name": "page.md"})
    assert "not enough digits to tell" in answer["html"]


EVIL = "=cmd|'/C calc'!A0 | [x](javascript:alert(1)) \\input{/etc/passwd} \\write18{ls} \x1b[31m\u202e </svg><script>"


@pytest.mark.parametrize(
    "form", ["svg", "markdown", "latex", "html", "toml", "json", "numpy", "torch"]
)
def test_labels_are_texts_in_every_file(form):
    """Escaped as each form needs it; in a network file they are what they were."""
    net = json.loads(layer(neurons=[EVIL], name=EVIL)) | {"title": EVIL, "inputs": [EVIL, "x"]}
    state = opened(json.dumps(net))["state"]
    text = act({"action": "export", "state": state, "form": form})["text"]
    if form in ("toml", "json"):
        read = tomllib.loads(text) if form == "toml" else json.loads(text)
        assert read["title"] == EVIL
        return
    assert "\x1b" not in text and "\u202e" not in text
    never = {
        "svg": ["<script", "</svg><"],
        "html": ["</svg><script>"],
        "markdown": ["[x](javascript", " <script"],
        "latex": ["\\input{/etc", "\\write18{"],
        "numpy": [EVIL[:8]],
        "torch": [EVIL[:8]],
    }[form]
    for piece in never:
        assert piece not in text, piece


def test_every_fault_of_a_form_is_said_in_japanese():
    """Its sentence, and what was met."""
    codes = {code for *_, code in FILES} | {code for _, _, code, _ in TYPED}
    codes |= {code for _, code, _ in CHOSEN} | {code for _, code in WARNED}
    said = tomllib.loads((resources.files("miya.web") / "faults.ja.toml").read_text("utf-8"))
    assert codes <= set(said)
    state = states.opened()
    request = {"action": "edit", "state": state, "edit": {"kind": "set", "path": W, "value": "abc"}}
    error = act(request | {"language": "ja"})["error"]
    assert error["text"] == f"{said['E206']}（layer 1, weight[0][0] is 'abc', not a number）"
    assert error["hint"] == "" and error["path"] == W
    request["edit"] = {"kind": "set", "path": ["learning_rate"], "value": "0"}
    (warning,) = act(request | {"language": "ja"})["warnings"]
    assert warning.startswith(f"W301 {said['W301']}（")


@pytest.mark.parametrize("language", ["de", None, 7, ["ja"]])
def test_another_language_is_told_in_english(language):
    answer = act({"action": "none", "language": language})
    assert answer["error"]["text"] == "the action is 'none'"
