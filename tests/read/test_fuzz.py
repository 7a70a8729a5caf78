"""Whatever is given, there is a Network or a MiyaInputError, and never anything else."""

import copy
import json
import warnings

import bad_inputs as table
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import miya
from miya.core.network import Network
from miya.read.file import loads

quick = settings(max_examples=300, deadline=2000)  # ms
KEYS = st.sampled_from(
    [
        "title",
        "learning_rate",
        "loss",
        "optimizer",
        "inputs",
        "layers",
        "examples",
        "name",
        "weight",
        "bias",
        "activation",
        "neurons",
        "trainable",
        "input",
        "target",
        "reduction",
        "outputs",
        "betas",
        "lr",
        "momentum",
        "nesterov",
        "alpha",
    ]
)
ODD = st.sampled_from(
    [
        "",
        "0,5",
        "1/0",
        "1/3",
        "abc",
        "sigmoid",
        "softmax",
        "cross_entropy",
        "huber",
        "adam",
        "sum",
        float("nan"),
        float("inf"),
        1e-320,
        10**400,
        -1,
        0,
        2**63,
        "9" * 5000,
        "\ud800",
        "é\x1b",
    ]
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | ODD
OBJECTS = PLAIN | st.sampled_from(
    [
        1 + 2j,
        b"x",
        np.float32(0.1),
        np.array(3.0),
        np.zeros((2, 0)),
        np.ones((1, 2)),
        {1: 2},
        np.array([1, "a", None], dtype=object),
        np.array(["1/3"]),
        np.ma.masked,
        set(),
        object,
    ]
)


def nested(leaves, keys):
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(keys, inner, max_size=4)
            | st.tuples(inner, inner)
        ),
        max_leaves=20,
    )


DATA = nested(PLAIN, KEYS | st.text(max_size=4))
ANYTHING = nested(OBJECTS, KEYS | st.integers() | st.none() | st.text(max_size=4))


def judged(make):
    """A Network, or a refusal that says something; None otherwise never happens."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", miya.MiyaWarning)
        try:
            assert isinstance(make(), Network)
        except miya.MiyaInputError as error:
            message = str(error)
            assert message[:5].strip() == error.code and len(message) < 3000
            assert error.place == "" or error.place.split(":")[-1].isdigit()


def paths(value, path=()):
    if path:
        yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(inner, (*path, key))


@st.composite
def mutations(draw, values):
    """The good description with up to three of its parts replaced, removed or doubled."""
    made = copy.deepcopy(table.PYTHON)
    for _ in range(draw(st.integers(1, 3))):
        found = sorted(paths(made), key=repr)
        if not found:
            break
        *way, last = draw(st.sampled_from(found))
        part = made
        for key in way:
            part = part[key]
        change = draw(st.sampled_from(["replace", "replace", "remove", "wrap", "add"]))
        if change == "remove":
            del part[last]
        elif change == "wrap":
            part[last] = [part[last]]
        elif change == "add" and isinstance(part, dict):
            part[draw(KEYS)] = copy.deepcopy(draw(values))
        else:
            part[last] = copy.deepcopy(draw(values))
    return made


@quick
@given(ANYTHING)
def test_anything_in_python(value):
    judged(lambda: miya.load({"layers": value, **(value if isinstance(value, dict) else {})}))


@quick
@given(mutations(ANYTHING))
def test_mutations_in_python(value):
    judged(lambda: miya.load(value))
    judged(lambda: miya.load(value, dtype="float32"))


@quick
@given(mutations(DATA) | DATA)
def test_mutations_in_json(value):
    judged(lambda: loads(json.dumps(value), "json"))


@quick
@given(mutations(DATA))
def test_mutations_in_toml(value):
    judged(lambda: loads(toml(value)))


def toml(value):
    """One inline table a key; what TOML cannot say (null) stands there as a fault."""
    return "\n".join(f"{json.dumps(str(k))} = {inline(v)}" for k, v in value.items())


def inline(value):
    if isinstance(value, dict):
        pairs = (f"{json.dumps(str(k))} = {inline(v)}" for k, v in value.items())
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(inline, value)) + "]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value)


@st.composite
def texts(draw, base):
    """A good text with a few cuts, doublings and insertions."""
    text = base
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        piece = draw(
            st.text(max_size=3) | st.sampled_from([*list("[]{}\",'#=\n.\\"), '"""', "'''"])
        )
        text = (
            text[:start] + draw(st.sampled_from([piece, piece + text[start:end] * 2])) + text[end:]
        )
    return text


@quick
@given(texts(table.TOML) | st.text())
def test_damaged_toml(text):
    judged(lambda: loads(text))


@quick
@given(texts(table.JSON) | st.text())
def test_damaged_json(text):
    judged(lambda: loads(text, "json"))
