"""What is read of a page, with line and assumptions; bad pages get a clear message."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

import pytest

import miya
from miya.read.page.encoding import repair
from miya.read.page.read import read_page, read_text

HERE = Path(__file__).parent / "pages"
NET = Path(__file__).parents[2] / "examples" / "original.toml"
GIVEN = (
    "x = [0.4, 0.6], y = 1, η = 0.5\n\nW1 = [[0.2, -0.3]]\n\nb1 = 0.1\n\nsigmoid, C = (a - y)^2\n\n"
)


def stated(text, form="markdown", network=None):
    page = read_text(text, form, "page", network)
    return [(str(s.of) if s.of else s.formula, s.stated.text) for s in page.statements]


def keys(page):
    return [n.key for n in page.assumed]


@pytest.mark.parametrize(
    "line, name, number",
    [
        ("z1 = 0.08", "z1[0]", "0.08"),
        ("z_1 = 2.10", "z1[0]", "2.10"),
        (r"$z^{(1)} \approx \boxed{-0.5}$", "z1[0]", "-0.5"),
        (
            r"\( \frac{\partial C}{\partial W_1} = \begin{bmatrix} 0.25 & 1 \end{bmatrix} \)",
            "∂C/∂W1[0][0]",
            "0.25",
        ),
        (r"$\dfrac{dL}{db} = 1.5 \times 10^{-3}$", "∂C/∂b1[0]", "1.5e-3"),
        ("dW1 = [0.1 -0.2]", "∂C/∂W1[0][0]", "0.1"),
        ("σ′(z₁) ≈ 0.249", "σ'1[0]", "0.249"),
        ("```\nprint(delta1)  # 0.3\n```", "δ1[0]", "0.3"),
        ("the loss is 0.244", "C", "0.244"),
        ("W_1^{new} = [0.1, 1/3]", "W1_new[0][0]", "0.1"),
        ("new b_1 = .75", "b1_new[0]", ".75"),
        ("| what | value |\n|---|---|\n| z1 | 0.5 |", "z1[0]", "0.5"),
        ("δ = −0.5", "δ1[0]", "-0.5"),
    ],
)
def test_notations(line, name, number):
    found = stated(GIVEN + line)
    assert (name, number) in found


def test_lines_and_givens_are_named():
    page = read_text(GIVEN + "z1 = 0.2*0.4 - 0.3*0.6 + 0.1 = 0")
    assert page.given == {"x": 1, "y": 1, "η": 1, "W1": 3, "b1": 5}
    assert page.statements[0].line == 9
    assert page.description["layers"][0]["weight"] == [[Decimal("0.2"), Decimal("-0.3")]]


def test_what_is_assumed_is_said():
    text = GIVEN.replace("b1 = 0.1", "").replace(", η = 0.5", "").replace(", C = (a - y)^2", "")
    assert {"assumed_no_bias", "assumed_no_rate", "assumed_loss"} <= set(
        keys(read_text(text + "z1 = 0.3"))
    )


def test_unbound_numbers_are_listed():
    page = read_text(GIVEN + "We saw 0.777 and 42 here.")
    assert ("0.777", 9, "We saw 0.777 and 42 here.") in page.unread
    assert ("42", 9, "We saw 0.777 and 42 here.") in page.unread


@pytest.mark.parametrize("code_page", ["cp1252", "cp1254", "latin-1"])
def test_greek_read_in_a_wrong_code_page_is_mended(code_page):
    broken = (
        "δ η ∂ σ ≈".encode().decode(code_page, "replace")
        if code_page == "latin-1"
        else (
            "".join(bytes([b]).decode(code_page, "ignore") or chr(b) for b in "δ η ∂ σ ≈".encode())
        )
    )
    assert repair(broken) == ("δ η ∂ σ ≈", 5)


def test_good_text_is_left_alone():
    assert repair("Österreich, façade, “ÿ”, naïve δ") == ("Österreich, façade, “ÿ”, naïve δ", 0)


def test_decimal_commas_are_understood_and_mentioned():
    page = read_page(HERE / "comma.txt")
    assert "assumed_comma" in keys(page)
    assert page.description["examples"][0]["input"] == [Decimal("0.2"), Decimal("0.8")]


def test_maths_is_never_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (
        GIVEN
        + "z1 = __import__('os').system('touch never') = 0.5\n\n2^99999999999 = 3\n\n9^9^9^9 = 1"
    )
    start = time.perf_counter()
    read_text(text)
    assert time.perf_counter() - start < 1
    assert not list(tmp_path.iterdir())


BAD = {
    "empty.md": (b"", "E701"),
    "blank.md": (b" \n\n\t", "E701"),
    "binary.md": (bytes(range(256)) * 20, "E702"),
    "sheet.csv": (b"symbol,value\nz1[0],0.3\n", "E703"),
    "broken.ipynb": (b'{"cells": 3}', "E704"),
    "broken.json": (b"[1, 2", "E704"),
    "words.md": (b"No numbers at all.", "E705"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_pages_get_one_clear_message(name, tmp_path):
    content, code = BAD[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(miya.MiyaInputError) as caught:
        miya.check(path)
    assert caught.value.code == code and caught.value.hint
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_page_and_a_folder(tmp_path):
    for path in (tmp_path / "none.md", tmp_path):
        with pytest.raises(miya.MiyaInputError, match="E220"):
            miya.check(path)


def test_a_page_without_its_network_says_what_is_missing_and_marks_the_rest(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("x = [1, 2]\n\nz1 = 3*0.2 + 0.5 = 1.2\n", "utf-8")
    made = miya.check(path)
    assert [m.verdict for m in made.marking.marks] == ["wrong"]
    assert "missing: weights" in made.text()


def test_a_contradictory_network_is_said(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(
        "x = [1, 2], y = 1\n\nW1 = [[1, 2, 3], [4, 5, 6]]\n\nb1 = 0\n\n2*3 = 7\n", "utf-8"
    )
    made = miya.check(path)
    assert made.marking.network is None and len(made.marking.first_slips) == 1
    assert "does not hold together" in made.text()


def test_deep_nesting_and_ten_megabytes_are_bounded(tmp_path):
    pages = {
        "deep.md": "$$" + r"\frac{" * 20_000 + "$$\n\n2*3 = 6\n",
        "brackets.md": "(" * 50_000 + "\n\n2*3 = 6\n",
        "long.md": "z = 0.1*0.2 + " * 750_000,
    }
    for name, text in pages.items():
        path = tmp_path / name
        path.write_text(text, "utf-8")
        start = time.process_time()
        made = miya.check(path)
        assert time.process_time() - start < 5, name
        assert name != "long.md" or "the first 0.5 MiB were read" in made.text()


def test_two_hundred_numbers_take_less_than_two_seconds(tmp_path):
    text = (HERE / "flat_names.md").read_text("utf-8")
    body = text[text.index("## The forward pass") :]
    path = tmp_path / "long.md"
    path.write_text(text + body * 8, "utf-8")
    miya.check(path)
    start = time.process_time()
    made = miya.check(path)
    assert time.process_time() - start < 2
    assert len(made.marking.marks) >= 200


def test_the_network_may_come_from_outside(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("z1[0] = 0.08\n\nδ1[1] = 0.018174\n", "utf-8")
    made = miya.check(path, network=NET)
    assert [m.verdict for m in made.marking.marks] == ["right", "rounding"]


@pytest.mark.parametrize("form", ["toml", "json", "csv"])
def test_answer_sheets(form, tmp_path):
    rows = {"z1[0]": "0.08", "∂C/∂W2[0][1]": "-0.1391", "W2_new[0][1]": "-0.28609", "C": "0.250"}
    texts = {
        "toml": "".join(f'"{k}" = {v}\n' for k, v in rows.items()),
        "json": "{" + ", ".join(f'"{k}": {v}' for k, v in rows.items()) + "}",
        "csv": "symbol,value\n" + "".join(f"{k},{v}\n" for k, v in rows.items()) + "b1_new[0],\n",
    }
    path = tmp_path / f"sheet.{form}"
    path.write_text(texts[form], "utf-8")
    marks = miya.check(path, network=NET).marking.marks
    assert [m.stated.text for m in marks] == list(rows.values())
    assert [m.verdict for m in marks] == ["right", "rounding", "rounding", "wrong"]


def test_thousands_of_digits_before_two_points_are_passed_in_no_time():
    import time

    from miya.read.page.tokens import plain_tokens

    start = time.perf_counter()
    assert plain_tokens("9" * 5000 + ".5.5")
    assert time.perf_counter() - start < 5
