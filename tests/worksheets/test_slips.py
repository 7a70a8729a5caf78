"""A sheet with a bug has one slip, everything after it follows, and its key names it."""

import arithmetic
import pytest

import miya
from miya.core.activations import KINDS
from miya.story.expression import plain, quantities
from miya.story.slip_kinds import SLIPS
from miya.story.symbols import plain_symbol
from miya.story.trees import numbers

NETWORKS = [
    {},
    {"layers": "2-3-1", "activation": "relu"},
    {"layers": "2-2-2", "activation": "tanh", "loss": "half_squared_error"},
    {"layers": "2-2-3", "activation": "sigmoid,identity", "loss": "cross_entropy"},
    {"examples": 2},
    {"activation": "leaky_relu", "loss": "huber"},
    {"optimizer": "adam"},
]


def sheet(network, seed):
    return miya.worksheet(**network, seed=seed, find_the_bug=True)


def wrong_lines(made):
    """Lines that do not follow from the numbers before them by the key's expression: found here
    by comparing each line's expression, quantity by quantity, with the key's."""
    key = {c.symbol: c for c in made.sheets.key.calculations[2:]}
    printed = {c.symbol: c for c in made.sheets.sheet.calculations}
    assert list(printed) == [c.symbol for c in made.sheets.key.calculations[2:]]
    found = []
    for symbol, line in printed.items():
        right = key[symbol].closed.tree
        carried = {s: float(c.closed.result) for s, c in printed.items()}
        taken = all(n.value == carried.get(n.of, n.value) for n in numbers(line.closed.tree))
        same = list(quantities(line.closed.tree)) == list(quantities(right)) and _shape(
            line.closed.tree
        ) == _shape(right)
        given = [n.value for n in numbers(line.closed.tree) if n.of not in carried]
        meant = [n.value for n in numbers(right) if n.of not in carried]
        try:
            written = plain(line.closed.tree, line.closed.write)
            arithmetic.check({"expression": written, "result": line.closed.result})
            closes = True
        except AssertionError:
            closes = False
        if not (taken and same and closes and given == meant):
            found.append(symbol)
    return found


def _shape(tree):
    parts = [getattr(tree, name) for name in ("left", "right", "of") if hasattr(tree, name)]
    label = getattr(tree, "sign", type(tree).__name__)
    if type(tree).__name__ == "Number":
        return label
    return label, *map(_shape, parts)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_there_is_one_slip_and_the_rest_follows(network):
    for seed in range(12):
        made = sheet(network, seed)
        assert wrong_lines(made) == [made.sheets.slip.symbol], seed


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_the_key_names_the_slip_and_what_follows(network):
    for seed in range(12):
        made = sheet(network, seed)
        slip, text = made.sheets.slip, made.text(key=True)
        name = plain_symbol(slip.symbol)
        assert f"The slip is in {name}: " in " ".join(text.split())
        printed = {c.symbol: c.closed.result for c in made.sheets.sheet.calculations}
        right = {c.symbol: c.closed.result for c in made.sheets.key.calculations[2:]}
        differ = [s for s in printed if printed[s] != right[s]]
        assert set(differ) == {slip.symbol, *slip.follows}
        assert float(made.answers[name]) == float(right[slip.symbol])
        assert float(made.answers[name]) != float(printed[slip.symbol])


def test_nothing_on_the_sheet_says_where_it_is():
    for seed in range(12):
        made = sheet({}, seed)
        assert "slip is in" not in made.text() + made.html() + made.notebook()
        right = made.answers[plain_symbol(made.sheets.slip.symbol)]
        text = made.text()
        if len(right.strip("-0.")) > 3:
            assert f" {right}\n" not in text
        assert made.csv() == "symbol,value\n"


def test_every_kind_of_slip_is_planted_sometime():
    kinds = {sheet(n, seed).sheets.slip.kind for n in NETWORKS[:4] for seed in range(60)}
    assert kinds == set(SLIPS)


@pytest.mark.parametrize("network", NETWORKS[:4], ids=str)
def test_check_finds_the_slip_and_takes_the_right_answer(network, tmp_path):
    for seed in range(4):
        made = sheet(network, seed)
        name = plain_symbol(made.sheets.slip.symbol)
        page, answers = tmp_path / "bug.md", tmp_path / "answers.csv"
        page.write_text(made.markdown(), "utf-8")
        first = miya.check(page, network=made.network).data()["first_slips"]
        assert name.partition("[")[0] in str(first), seed
        answers.write_text(made.csv(key=True), "utf-8")
        marks = miya.check(answers, network=made.network).data()["items"]
        assert [m["verdict"] in ("right", "rounding") for m in marks] == [True], (seed, name)


@pytest.mark.parametrize("activation", [k for k in KINDS if k != "softmax"])
def test_every_activation_makes_a_sheet_with_a_bug(activation):
    made = miya.worksheet(activation=activation, find_the_bug=True)
    assert made.sheets.slip is not None
