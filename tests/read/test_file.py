"""The reader: positions, both forms alike, and a schema that agrees with it."""

import json
import random
import tomllib
from pathlib import Path

import bad_inputs as table
import jsonschema
import numpy as np
import pytest

import miya
from miya.read import places
from miya.read.file import loads, original
from miya.read.schema import schema

ROOT = Path(__file__).parents[2]


def test_byte_order_mark_and_windows_line_ends(tmp_path):
    path = tmp_path / "net.toml"
    path.write_bytes(b"\xef\xbb\xbf" + table.TOML.encode())
    assert miya.load(path).sizes == (2, 1)
    path.write_bytes(table.TOML.replace("[1, 2]", '[1, "x"]').replace("\n", "\r\n").encode())
    with pytest.raises(miya.MiyaInputError, match=r"net.toml:10:13: example 1, input\[1\]"):
        miya.load(path)
    path.write_bytes(table.TOML.replace("= [0.1]", "= 0,5").replace("\n", "\r\n").encode())
    with pytest.raises(miya.MiyaInputError, match=r"E204 .*net.toml:6:8: 0,5 is no number here"):
        miya.load(path)


def test_fractions_and_other_ways_to_write_a_number():
    text = table.TOML.replace("[[0.1, 0.2]]", '[["1/3", " −2.5e-3 "]]').replace("0.1\n", '".5"\n')
    net = loads(text)
    assert net.layers[0].weight.tolist() == [[1 / 3, -0.0025]] and net.learning_rate == 0.5


def test_both_forms_say_the_same():
    toml, js = loads(table.TOML), loads(table.JSON, "json")
    assert toml.parameters().keys() == js.parameters().keys()
    assert all(np.array_equal(toml.parameters()[k], js.parameters()[k]) for k in toml.parameters())
    assert np.array_equal(toml.inputs, js.inputs) and np.array_equal(toml.targets, js.targets)
    with pytest.raises(miya.MiyaInputError, match="E219 the form is 'yaml'"):
        loads("", "yaml")


def test_examples_as_one_table_of_arrays():
    rows = '[[examples]]\nname = "a"\ninput = [1, 2]\ntarget = [1]\n'
    rows += '[[examples]]\nname = "b"\ninput = [3, "1/2"]\ntarget = 0\n'
    arrays = '[examples]\nname = ["a", "b"]\ninput = [[1, 2], [3, "1/2"]]\ntarget = [1, 0]\n'
    one, other = (loads(table.TOML.replace(table.EXAMPLES, text)) for text in (rows, arrays))
    assert np.array_equal(one.inputs, other.inputs) and np.array_equal(one.targets, other.targets)
    assert one.example_names == other.example_names == ("a", "b") and other.batch


def test_original_story_ships_with_the_package():
    assert original().sizes == (3, 3, 1)


# --- positions -------------------------------------------------------------------------------

TRICKY = '''\
# layers = "not here"
title = """
[[layers]] # a text, not a table""""
"learning\\u005frate" = 0.1  # a key in quotes
optimizer.name = "adam"
optimizer . lr = 0.5

[[layers]]
name = 'a "b" ]'
weight = [ # rows
  [ 1, 2 ], # the first ]
  [
    3,
    4,
  ],
]
activation = { name = "elu", alpha = 2 }
[layers.trainable]
weight = true
[[layers]]
"a.b" = [[], [{ x = 1 }, { y = [7] }]]
[[examples]] # none
'''


@pytest.mark.parametrize(
    "keys, where",
    [
        (("title",), ":2:1"),
        (("learning_rate",), ":4:1"),
        (("optimizer",), ":5:1"),
        (("optimizer", "lr"), ":6:1"),
        (("optimizer", "betas"), ":5:1"),
        (("layers",), ":8:1"),
        (("layers", 0), ":8:1"),
        (("layers", 0, "name"), ":9:1"),
        (("layers", 0, "weight"), ":10:1"),
        (("layers", 0, "weight", 0), ":11:3"),
        (("layers", 0, "weight", 0, 1), ":11:8"),
        (("layers", 0, "weight", 1, 1), ":14:5"),
        (("layers", 0, "weight", 1, 2), ":12:3"),
        (("layers", 0, "activation", "alpha"), ":17:30"),
        (("layers", 0, "trainable"), ":18:1"),
        (("layers", 0, "trainable", "weight"), ":19:1"),
        (("layers", 1), ":20:1"),
        (("layers", 1, "bias"), ":20:1"),
        (("layers", 1, "a.b", 1, 1, "y", 0), ":21:33"),
        (("examples", 0, "input"), ":22:1"),
        (("nothing",), ":1:1"),
        ((), ":1:1"),
    ],
)
def test_place_in_toml(keys, where):
    tomllib.loads(TRICKY)
    assert places.place(TRICKY, places.find(TRICKY, "toml", keys)) == where


def test_place_after_a_text_that_ends_in_a_quote():
    double, single = '"' * 3, "'" * 3
    text = f"""names = [{double}a"{double}, "b]", {single}c'{single}, [1]]"""
    assert tomllib.loads(text)["names"] == ['a"', "b]", "c'", [1]]
    assert text[places.find(text, "toml", ("names", 3, 0))] == "1"


def every_path(value, path=()):
    yield path
    items = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key, inner in ((k, value[k]) for k in items):
        yield from every_path(inner, (*path, key))


@pytest.mark.parametrize("seed", range(20))
def test_place_of_every_value_in_json(seed):
    """Each value of random data is found by its path, and reads back from where it was found."""
    r = random.Random(seed)
    words = ["a", "b]", 'c"', "d\\", "{", "é", ","]

    def data(depth):
        if depth == 0 or r.random() < 0.3:
            return r.choice([1.5, "x, ]", None, True, '"', "\\"])
        if r.random() < 0.5:
            return [data(depth - 1) for _ in range(r.randrange(4))]
        return {k: data(depth - 1) for k in r.sample(words, r.randrange(4))}

    made = data(5)
    text = json.dumps(made, indent=r.choice([None, 2]), ensure_ascii=r.random() < 0.5)
    for path in every_path(made):
        wanted = made
        for key in path:
            wanted = wanted[key]
        at = places.find(text, "json", path)
        found, end = json.JSONDecoder().raw_decode(text, at)
        if path and isinstance(path[-1], str):  # a key's place is the key's
            assert found == path[-1]
            at = end + len(text[end:]) - len(text[end:].lstrip(": \n"))
            found, _ = json.JSONDecoder().raw_decode(text, at)
        assert found == wanted


@pytest.mark.parametrize(
    "text, where",
    [
        ("a = 1\nb = 2\na = 3", ":3:1"),
        ("[a]\n[b]\n[a]", ":3:1"),
        ("a = { x = 1 }\na.y = 2", ":2:1"),
        ("a = { x = 1, x = 2 }", ":1:19"),
        ("a = []\n[[a]]\n", ":2:1"),
        ('"a" = 1\nb = [\n1,\n]\na = 3', ":5:1"),
        ("[[a]]\nx = 1\n[[a]]\nx = 1\nx = 2", ":5:1"),
    ],
)
def test_place_of_a_key_given_twice_in_toml(text, where):
    with pytest.raises(miya.MiyaInputError) as caught:
        loads(text)
    assert caught.value.code == "E214" and caught.value.place == f"<text>{where}"


def test_a_warning_is_only_given_where_the_number_stands():
    """A text or comment that looks like the fault is not taken for it."""
    text = table.JSON.replace('"squared_error"', '"squared_error", "title": "NaN"')
    with pytest.raises(miya.MiyaInputError, match=r"E203 <text>:5:26: NaN is not JSON"):
        loads(text.replace("[1, 2]", "[NaN, 2]"), "json")
    digits = "9" * 5000
    with pytest.raises(miya.MiyaInputError, match=r"E209 <text>:11:13: an integer"):
        loads(f"# {digits}\n" + table.TOML.replace("[1, 2]", f"[1, {digits}]"))


# --- the schema ------------------------------------------------------------------------------


def plain(path):
    text = path.read_text("utf-8")
    return json.loads(text) if path.suffix == ".json" else tomllib.loads(text)


def validator():
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


def test_every_example_file_suits_the_schema_and_the_reader(example_files):
    assert len(example_files) > 3
    for path in example_files:
        validator().validate(plain(path))
        miya.load(path)


GOOD = [
    table.PYTHON,
    table.python(examples={"input": [[1, 2], [3, 4]], "target": [1, "1/2"]}),
    table.python(examples={"input": [[1, 2]], "target": [[0.5]], "name": ["a"]}),
    table.python(weight=[["1/3", " .5e-3 "]], bias="−2", target=1),
    table.python(optimizer={"name": "adam", "betas": [0.8, 0.9]}, trainable={"weight": False}),
    {k: v for k, v in table.python(optimizer={"name": "sgd", "lr": 1}).items() if k[:5] != "learn"},
]
WRONG = [
    {},
    [1],
    table.python(learning_rate=None),
    table.python(learning_rate="0,5"),
    table.python(layers=[]),
    table.python(layers=5),
    table.python(weight=[]),
    table.python(weight=[[]]),
    table.python(weight=[1, 2]),
    table.python(weight=[[True, 1]]),
    table.python(weight=[["abc", 1]]),
    table.python(weight=[["1/0", 1]]),
    table.python(weight=[["1+2j", 1]]),
    table.python(weight=[[None, 1]]),
    table.python(wieghts=3),
    table.python(bias=[[1]]),
    table.python(activation="relo"),
    table.python(activation={"alpha": 1}),
    table.python(activation=5),
    table.python(loss="squared"),
    table.python(loss={"name": "huber", "reduction": "max"}),
    table.python(optimizer={"name": "sgd", "nesterov": 1}),
    table.python(trainable="yes"),
    table.python(title=5),
    table.python(title="a" * 201),
    table.python(examples=[]),
    table.python(examples={}),
    table.python(examples={"input": [1, 2], "target": [1]}),
    table.python(input=[[1, 2]]),
    table.python(target=[[1]]),
    table.python(target=None),
]


@pytest.mark.parametrize("given", GOOD)
def test_schema_and_reader_take(given):
    validator().validate(given)
    miya.load(given)


@pytest.mark.parametrize("given", WRONG)
def test_schema_and_reader_refuse(given):
    assert not validator().is_valid(given)
    with pytest.raises(miya.MiyaInputError):
        loads(json.dumps(given), "json")
