"""The page as text: its maths is well-formed and says what every other format says."""

import ast
import json
import re
import xml.etree.ElementTree as ElementTree
from base64 import b64encode
from hashlib import sha256
from html import unescape

import pytest
from networks import description, random_network

import miya
from miya.core import activations, losses, optimizers
from miya.render import mathml
from miya.render.mathml_names import math, symbol
from miya.render.notation import formulas
from miya.render.page.blocks import Writer, chapters
from miya.render.page.faces import MOODS
from miya.render.spoken import Speaker
from miya.story.blocks import Formula
from miya.story.expression import Binary, Name, Negative, Number, parse, plain
from miya.story.numbers import number
from miya.story.quantity import Symbol
from miya.story.symbols import plain_symbol
from miya.story.words import load

SIGNS = {"·": " * ", "−": "-", "≤": "<=", "≥": ">=", "∂": "∂"}


def linear(node):
    """MathML read back as plain arithmetic, by its structure alone."""
    parts = list(node)
    if node.tag in ("mn", "mi", "mtext"):
        return {"ln": "log"}.get(node.text, node.text)
    if node.tag == "mo":
        return SIGNS.get(node.text, node.text)
    if node.tag == "mfrac":
        return f"(({linear(parts[0])}) / ({linear(parts[1])}))"
    if node.tag == "msqrt":
        return f"({''.join(map(linear, parts))})**0.5"
    if node.tag == "msup" and parts[0].text == "e":
        return f"exp({linear(parts[1])})"
    if node.tag == "msup":
        return f"{linear(parts[0])}**({linear(parts[1])})"
    tags = [(p.tag, p.text) for p in parts]
    if tags[-2:-1] == [("mo", "·")] and parts[-1].tag == "msup" and parts[-1][0].text == "10":
        sign = "-" if tags[0] == ("mo", "−") else ""
        return f"{sign}{parts[-3].text}e{linear(parts[-1][1])}"
    return "".join(map(linear, parts))


def rows(html):
    for row in re.findall(r'<li [^>]*class="calculation".*?</li>', html):
        yield ElementTree.fromstring(row)


def said(row):
    """The arithmetic of a row, what relates it to its result, and the result."""
    found = row.find("span")
    whole = "".join(map(linear, found))
    result = linear(next(e for e in found.iter("mrow") if e.get("class") == "result"))
    body = whole.removesuffix(result)
    _, _, expression = body.partition("=")
    return expression.rstrip("=≈"), body[-1], result


def same(expression, other):
    return ast.dump(ast.parse(expression, mode="eval")) == ast.dump(ast.parse(other, mode="eval"))


@pytest.mark.parametrize("carry", ["exact", "rounded"])
@pytest.mark.parametrize("block", range(6))
def test_every_calculation_stands_there_with_exactly_its_digits(block, carry):
    for seed in range(block * 8, block * 8 + 8):
        told = miya.explain(random_network(seed), carry=carry)
        html = Writer(told.story).chapters()
        calculations = told.story.calculations
        found = list(rows(html))
        assert len(found) == len(calculations)
        for row, item in zip(found, calculations):
            expression, relation, result = said(row)
            assert row.get("data-ref") == plain_symbol(item.symbol)
            assert row.get("data-result") == result == item.closed.result
            text = plain(item.closed.tree, item.closed.write)
            if text != result:
                assert relation == item.closed.relation
                assert same(expression, text), (expression, text)


@pytest.mark.parametrize(
    "text",
    [
        "-(1.2345678 + 2.3456789 + 3.4567891) * (4.5678912 - 5.6789123)",
        "-0.1 * (0.12345678 / 0.2 + 0.34567891 / (0.45678912 - 0.3))",
        "(1.2345678 - (2.3456789 + 3.4567891 - 4.5678912)) / (5.6789123 * 6.7891234)",
        "-exp(1.2345678 + 2.3456789 + 3.4567891) / 2",
    ],
)
def test_long_parts_are_broken_and_say_the_same(text):
    tree = parse(text)
    made = mathml._pieces(tree, lambda v: number(v, 9), 0, first=True)
    assert len(made) > 1
    found = "".join(linear(ElementTree.fromstring(f"<m>{piece}</m>")) for piece in made)
    assert same(found, text), found


@pytest.mark.parametrize(
    "text",
    [
        "1 - (2 - 3)",
        "1 - (2 + 3) - 4",
        "2 * (3 + 4) / 5",
        "2 * (3 - 4)",
        "1 + 2 * -(3 - 4)",
        "-(2 - 3)",
        "1 - -2",
        "(2 / 3)**2",
        "(2**3)**4",
        "2**3**4",
        "exp(2)**2",
        "exp(1 - (2 - 3)) * (4 - (5 + 6))",
        "log(1 + exp(2)) - 3",
        "(1 + 2)**0.5 / 3",
        "1e-7 * 2 + 3e25",
        "(1e-7)**2",
    ],
)
def test_brackets_stand_where_they_are_needed(text):
    tree = parse(text)
    made = ElementTree.fromstring(f"<m>{mathml.tree(tree, lambda v: number(v, 5))}</m>")
    assert same("".join(map(linear, made)), text)


def test_negative_numbers_are_bracketed():
    def write(value):
        return number(value, 5)

    for sign in ("+", "-", "*", "**"):
        tree = Binary(sign, Number(2.0), Number(-3.0))
        made = ElementTree.fromstring(f"<m>{mathml.tree(tree, write)}</m>")
        assert same("".join(map(linear, made)), plain(tree, write))
    square = mathml.tree(Binary("**", Number(-3.0), Number(2.0)), write)
    assert same("".join(map(linear, ElementTree.fromstring(f"<m>{square}</m>"))), "(-3)**2")


def test_every_number_of_a_quantity_carries_its_name():
    row = next(r for r in rows(miya.explain().html()) if r.get("data-ref") == "z2[0]")
    refs = [e.get("data-ref") for e in row.iter() if e.get("data-ref")][1:]
    assert refs == ["W2[0][0]", "a1[0]", "W2[0][1]", "a1[1]", "W2[0][2]", "a1[2]", "b2[0]"]
    terms = [e for e in row.iter("mrow") if e.get("class") == "term"]
    assert [len([v for v in t.iter() if v.get("data-ref")]) for t in terms] == [2, 2, 2]


def test_given_numbers_carry_their_names():
    html = miya.explain().html()
    assert re.search(r'data-ref="W1\[1\]\[2\]">0.5<', html)
    assert re.search(r'data-ref="x\[0\]">0.5<', html)
    batch = miya.explain(random_network(1, examples=4, sizes=[2, 3, 1])).html()
    assert 'data-ref="x[3][1]"' in batch


def test_all_maths_is_well_formed():
    for net in (None, random_network(3), random_network(8, examples=4)):
        for found in re.findall(r"<math.*?</math>", miya.explain(net).html()):
            made = ElementTree.fromstring(found)
            if made.get("aria-hidden"):
                continue  # a piece of a calculation: what is around it all is read
            assert made.get("aria-label") == made.get("alttext") != ""
            assert "{" not in made.get("alttext")


def all_formulas():
    for kind in activations.KINDS.values():
        yield f"a1 = {kind.formula}"
        if kind.slope is not None:
            yield f"σ'(z1) = {kind.slope_formula}"
    for kind in losses.KINDS.values():
        yield f"ℓ = {kind.formula},  C = Σ ℓ / 4"
        yield f"∂C/∂a2 = ({kind.gradient_formula}) / 4"
    for name in optimizers.KINDS:
        for seed in range(12):
            net = random_network(seed, optimizer={"name": name, "weight_decay": 0.1 * (seed % 2)})
            for block in miya.explain(net).story.blocks:
                if isinstance(block, Formula):
                    yield block.plain


def test_every_formula_of_the_records_is_written_and_spoken():
    speakers = [Speaker(load(language)["spoken"]) for language in ("en", "ja")]
    for notation in set(all_formulas()):
        for speaker in speakers:
            sentence = speaker.formula(notation)
            made = ElementTree.fromstring(mathml.formula(notation, sentence))
            assert made.get("display") == "block"
            assert not re.search(r"[{}*/@⊙_∂Σ]", sentence), sentence


def test_a_formula_is_read_as_it_stands():
    (found,) = formulas("δ2 = ∂C/∂a2 ⊙ σ'(z2)")
    assert found.left == Name("δ2")
    assert isinstance(found.right, Binary) and found.right.sign == "⊙"
    assert found.right.left == Name("∂C/∂a2")
    right = formulas("ℓ = (a - y)**2,  C = Σ ℓ / 6")[1]
    assert right.right == Binary("/", Binary("*", Name("Σ"), Name("l")), Number(6.0))
    assert formulas("Δθ = -lr * g")[0].right == Binary("*", Negative(Name("lr")), Name("g"))
    with pytest.raises(ValueError, match="no formula"):
        formulas("what is this?")


def test_a_calculation_is_spoken_as_a_sentence():
    found = {
        r.get("data-ref"): r.find("span").get("aria-label") for r in rows(miya.explain().html())
    }
    assert found["z1[0]"] == (
        "z 1, number 0 equals 0.1 times 0.5 plus 0.2 times 0.2 plus minus 0.1 times 0.1 plus 0, "
        "which is 0.08"
    )
    assert found["a1[2]"] == (
        "a 1, number 2 equals 1 divided by open bracket 1 plus e to the power of "
        "minus minus 0.26 close bracket, which is about 0.43536"
    )
    assert found["∂C/∂W2[0][1]"].startswith("slope of C by W 2, row 0, column 1 equals minus")
    assert "squared, which is about 0.24301" in found["C"]


def test_a_sentence_is_cut_before_its_result():
    for row in rows(miya.explain(language="ja").html()):
        label = row.find("span").get("aria-label")
        result = Speaker(load("ja")["spoken"]).number(row.get("data-result"))
        ends = [f"、答えは {result}", f"、答えは約 {result}", f" {result} です"]
        assert label[int(row.get("data-cut")) :] in ends


def test_symbols():
    assert "<msub><mi>z</mi><mn>1</mn></msub><mtext>[0]</mtext>" in symbol(Symbol("z", 1, (0,)))
    assert "<mtext>new</mtext>" in symbol(Symbol("W", 1, (0, 1), "new"))
    assert symbol(Symbol("∂C/∂a", 1, (0,))).startswith("<mfrac>")


def test_labels_cannot_end_an_element():
    net = description(2, sizes=[2, 2, 1], examples=1, loss="squared_error")
    net["title"] = "</script><img src=x>&amp;"
    net["layers"][0]["name"] = '"><svg onload=x> #ffffff'
    html = miya.explain(net).html()
    assert "<img" not in html and "<svg onload" not in html
    assert "#ffffff" in html, "a colour in a label stays text"
    assert "&lt;/script&gt;" in html
    data = re.search(r'id="page-data">(.*?)</script>', html).group(1)
    assert json.loads(data)["words"]["position"]
    assert "<" not in data


def test_the_policy_allows_its_own_script_and_styles_alone():
    html = miya.explain().html()
    policy = unescape(re.search(r'Policy" content="(.*?)"', html).group(1))
    for tag, allowed in (("script", 1), ("style", 5)):
        found = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.S)
        digests = [b64encode(sha256(text.encode()).digest()).decode() for text in found]
        assert len(found) == allowed
        hashes = " ".join(f"'sha256-{digest}'" for digest in digests)
        assert f"{tag}-src {hashes};" in policy
    assert "unsafe" not in policy and ' style="' not in html
    assert "://" not in html.replace("http://www.w3.org/2000/svg", "")


def test_steps_are_grouped_under_chapters():
    found = chapters(miya.explain().story.blocks)
    assert len(found) == 8
    assert [len(c.steps) for c in found] == [1, 3, 1, 1, 1, 2, 1, 1]
    only = chapters(miya.explain(only="output").story.blocks)
    assert only and all(step.blocks for chapter in only for step in chapter.steps)


def test_the_page_speaks_the_language_of_the_story():
    html = miya.explain(language="ja").html()
    assert '<html lang="ja">' in html and "先に予想" in html
    assert not re.search(r">(Back|Forward|Guess first|Setup)<", html)


def test_every_mood_has_a_face():
    for mood, drawn in MOODS.items():
        assert ElementTree.fromstring(f"<svg>{drawn}</svg>") is not None, mood
    assert len(set(MOODS.values())) == 6
    assert math("", "x") == '<math aria-label="x" alttext="x" displaystyle="true"></math>'
