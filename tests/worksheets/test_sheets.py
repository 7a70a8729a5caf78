"""Sheets tell what they are to tell, and no answer; keys close; answers are right."""

import csv
import io
import json
import re
from dataclasses import replace

import arithmetic
import nbformat
import pypdf
import pytest

import miya
from miya.render.typst import typst
from miya.story import worked
from miya.story import worksheet as module
from miya.story.blocks import Blank, Calculation, Calculations, Heading, Paragraph, Remark, Table
from miya.story.closing import Closed
from miya.story.expression import Binary, Number, plain
from miya.story.symbols import plain_symbol
from miya.story.trees import numbers

FADES = ("full", "last", "half", "solo")
FORMS = ("text", "markdown", "html", "notebook")
NETWORKS = {
    "sigmoid": {},
    "relu": {"layers": "2-3-1", "activation": "relu"},
    "sleeping": {"layers": "2-3-1", "activation": "relu", "dead": True},
    "tanh": {"layers": "2-2-2", "activation": "tanh"},
    "gelu": {"activation": "gelu"},
    "softmax": {"layers": "2-2-3", "activation": "sigmoid,softmax"},
    "classes": {"layers": "2-2-3", "activation": "tanh", "loss": "cross_entropy"},
    "logits": {"loss": "binary_cross_entropy_with_logits"},
    "absolute": {"loss": "absolute_error", "activation": "leaky_relu"},
    "huber": {"loss": "huber"},
    "adam": {"optimizer": "adam"},
    "batch": {"examples": 2},
}
everywhere = pytest.mark.parametrize("kind", NETWORKS)


def sheet(kind, **options):
    return miya.worksheet(**NETWORKS[kind], **{"seed": 3, **options})


def sources(made):
    """Everything that a learner could open, whole: attributes, metadata and outputs too."""
    return {form: getattr(made, form)() for form in FORMS} | {
        "csv": made.csv(),
        "typst": typst(made.sheets.sheet),
    }


def scrambled(part):
    """The part with other results everywhere, as another network's would be."""

    def other(tree):
        match tree:
            case Number(value, of) if of is not None and (of.head not in module.GIVEN or of.mark):
                return Number(value * 3 + 7, of)
            case Binary():
                return replace(tree, left=other(tree.left), right=other(tree.right))
            case _ if hasattr(tree, "of") and not isinstance(tree, Number):
                return replace(tree, of=other(tree.of))
        return tree

    def blocks(teller):
        for block in part(teller):
            match block:
                case Calculations(items):
                    closed = [
                        replace(
                            c, closed=Closed(other(c.closed.tree), c.closed.digits, "-987", "≈")
                        )
                        for c in items
                    ]
                    yield Calculations(tuple(closed))
                case Paragraph(_, tells) if tells:
                    yield Paragraph("It is 987.", tells=True)
                case Table():
                    yield Table(("987",), (("987",),))
                case Remark():
                    yield replace(block, text="987")
                case _:
                    yield block

    return blocks


@everywhere
@pytest.mark.parametrize("fade", ["half", "solo"])
def test_a_sheet_does_not_depend_on_its_answers(kind, fade, monkeypatch):
    """Whatever the results were, the sheet would be the same to the last byte: so none is in it."""
    before = sources(sheet(kind, fade=fade))
    numbers = miya.worksheet(**NETWORKS[kind], seed=3)
    monkeypatch.setattr(module, "PARTS", tuple(map(scrambled, module.PARTS)))
    monkeypatch.setattr(worked, "as_carried", lambda trace: True)
    after = sources(sheet(kind, fade=fade))
    assert numbers.network == sheet(kind).network
    assert {f: before[f] for f in before if before[f] != after[f]} == {}


@everywhere
def test_the_last_step_is_left_blank_and_nothing_tells_it(kind):
    made, worked = sheet(kind, fade="last"), sheet(kind, fade="full")
    kinds = {c.kind for c in made.sheets.sheet.calculations}
    assert not kinds & module.UPDATE and {"delta", "weight_gradient"} <= kinds
    told = {
        c.closed.result for c in worked.sheets.sheet.calculations if c.kind not in module.UPDATE
    }
    hidden = {c.closed.result for c in worked.sheets.sheet.calculations if c.kind in module.UPDATE}
    secret = {a for a in hidden - told if len(re.sub(r"\D", "", a).strip("0")) > 2}
    assert secret or kind == "relu"
    for form, text in sources(made).items():
        text = re.sub(r"base64,[\w+/=]+", "", text)
        found = {
            a for a in secret if re.search(rf"(?<![\d.]){re.escape(a.lstrip('-'))}(?!\d)", text)
        }
        shown = {t.lstrip("-") for t in told}
        assert {a for a in found if a.lstrip("-") not in shown} == set(), form


@everywhere
def test_the_pdf_holds_no_answer(kind):
    made = sheet(kind, fade="solo")
    reader = pypdf.PdfReader(io.BytesIO(made.pdf()))
    text = "".join(page.extract_text() for page in reader.pages) + str(reader.metadata)
    long = {a.lstrip("-") for a in made.answers.values() if len(re.sub(r"\D", "", a)) > 3}
    assert long and not {a for a in long if a in text.replace("−", "-")}
    assert "Name:" in text


@everywhere
def test_each_fade_leaves_blank_what_the_one_before_did(kind):
    blanks = [{b.symbol for b in sheet(kind, fade=f).sheets.sheet.blanks} for f in FADES]
    assert not blanks[0]
    assert blanks[0] < blanks[1] < blanks[2] == blanks[3]
    trees = [[b.tree for b in sheet(kind, fade=f).sheets.sheet.blanks] for f in ("half", "solo")]
    assert any(trees[0]) and not any(trees[1])


@everywhere
def test_the_key_closes_and_has_every_line(kind):
    made = sheet(kind, fade="solo")
    lines = made.sheets.key.calculations
    for line in lines:
        written = plain(line.closed.tree, line.closed.write)
        arithmetic.check({"expression": written, "result": line.closed.result})
    assert [plain_symbol(c.symbol) for c in lines] == list(made.answers)
    assert not made.sheets.key.blanks


@everywhere
@pytest.mark.parametrize("seed", [1, 2, 5])
def test_what_a_line_shows_is_what_the_next_one_takes(kind, seed):
    lines = sheet(kind, seed=seed).sheets.key.calculations
    shown = {c.symbol: float(c.closed.result) for c in lines}
    for line in lines:
        for number in numbers(line.closed.tree):
            assert number.value == shown.get(number.of, number.value), line


@everywhere
@pytest.mark.parametrize("fade", FADES[1:])
def test_the_keys_answers_are_all_right(kind, fade, tmp_path):
    page = tmp_path / "answers.csv"
    for seed in (1, 4):
        made = sheet(kind, fade=fade, seed=seed)
        page.write_text(made.csv(key=True), "utf-8")
        marks = miya.check(page, network=made.network).data()["items"]
        assert marks and {m["verdict"] for m in marks} <= {"right", "rounding"}, (kind, seed)


def test_a_wrong_answer_is_not_right(tmp_path):
    made = sheet("sigmoid", fade="solo")
    page = tmp_path / "answers.csv"
    rows = made.csv(key=True).replace(f"z1[0],{made.answers['z1[0]']}", "z1[0],9.99")
    page.write_text(rows, "utf-8")
    marks = miya.check(page, network=made.network).data()["items"]
    assert "wrong" in {m["verdict"] for m in marks}


@pytest.mark.parametrize("fade", FADES)
def test_the_answer_sheet_has_what_is_told_and_asks_for_the_rest(fade):
    made = sheet("sigmoid", fade=fade)
    (head, *rows) = csv.reader(io.StringIO(made.csv()))
    filled = list(csv.reader(io.StringIO(made.csv(key=True))))[1:]
    assert head == ["symbol", "value"]
    assert [s for s, _ in rows] == [s for s, _ in filled] and all(value for _, value in filled)
    assert {s for s, value in rows if value == ""} == set(made.answers)
    assert {s: v for s, v in filled if s in made.answers} == made.answers
    assert all(pair in filled for pair in rows if pair[1])
    if fade == "last":
        assert {"ΔW1[0][0]", "W2_new[0][1]"} <= set(made.answers)


def test_answers_keep_the_digits_that_were_asked_for():
    answers = miya.worksheet(seed=7, fade="solo").answers
    assert answers["z1[0]"] == "-1.3"  # exact, of givens alone
    assert answers["b2_new[0]"] == "0.2590" and answers["ΔW1[0][1]"] == "-0.01590"


@everywhere
@pytest.mark.parametrize("seed", [1, 7])
def test_the_key_has_the_digits_of_the_answer_sheet(kind, seed):
    made = sheet(kind, seed=seed, fade="solo")
    told = {plain_symbol(c.symbol): c.closed.result for c in made.sheets.key.calculations}
    assert told == made.answers
    rows = dict(list(csv.reader(io.StringIO(made.csv(key=True))))[1:])
    assert {s: told[s] for s in rows} == rows
    tables = [b for b in made.sheets.key.blocks if isinstance(b, Table)]
    for first, *_, after in (row for table in tables for row in table.rows):
        assert after == told[plain_symbol(replace(first, mark="new"))]


def test_a_bug_gives_itself_away_by_no_digits():
    for seed in range(1, 30):
        made = miya.worksheet(seed=seed, find_the_bug=True)
        for line in made.sheets.sheet.calculations:
            assert line.closed.result == worked.answer(line, 4)


@pytest.mark.parametrize("fade", FADES)
def test_the_notebook_is_one_and_runs_when_filled(fade, tmp_path, monkeypatch):
    made = sheet("sigmoid", fade=fade)
    book = nbformat.reads(made.notebook(), as_version=4)
    nbformat.validate(book)
    code = [c.source for c in book.cells if c.cell_type == "code"]
    assert all(c.outputs == [] for c in book.cells if c.cell_type == "code")
    if fade == "full":
        assert code == []
        return
    monkeypatch.chdir(tmp_path)
    filled = "\n".join(code)
    for symbol, value in made.answers.items():
        filled = filled.replace(f'answers["{symbol}"] = None', f'answers["{symbol}"] = "{value}"')
    assert "= None" not in filled
    exec(compile(filled, "notebook", "exec"), {})
    assert len((tmp_path / "answers.csv").read_text("utf-8").splitlines()) == len(made.answers) + 1


def test_paper_has_a_line_for_the_name_and_the_page_has_fields():
    made = sheet("sigmoid")
    assert "Name: ____" in made.text() and r"Name: \_\_\_\_" in made.markdown()
    page = made.html()
    assert page.count('class="blank"') == len(made.answers)
    assert 'id="name"' in page and "____" not in page
    assert "____" not in made.text(key=True) and 'id="name"' not in made.html(key=True)


def test_japanese_and_without_miya():
    made = miya.worksheet(language="ja", miya=False)
    assert "手で解く" in made.text() and "(=" not in made.text()


def test_the_sheets_own_blocks():
    story = sheet("sigmoid", fade="half").sheets.sheet
    assert isinstance(story.blocks[0], Heading)
    items = [c for b in story.blocks if isinstance(b, Calculations) for c in b.items]
    assert all(isinstance(c, Blank) for c in items) and not any(
        isinstance(c, Calculation) for c in items
    )
    text = sheet("sigmoid", fade="half").text()
    assert "δ1[0] = ∂C/∂a1[0] * σ'1[0] = ________" in text


def test_the_network_beside_a_sheet_is_the_one_worked_on(tmp_path):
    made = sheet("batch", fade="solo")
    wrote = made.save(tmp_path / "sheet.md")
    assert [p.name for p in wrote] == [
        "sheet.md",
        "sheet-key.md",
        "sheet-answers.csv",
        "sheet-network.json",
    ]
    told = miya.explain(tmp_path / "sheet-network.json", digits=4, carry="rounded")
    shown = {plain_symbol(c.symbol): float(c.closed.result) for c in told.story.calculations}
    assert {s: shown[s] for s in made.answers} == {
        plain_symbol(c.symbol): float(c.closed.result) for c in made.sheets.key.calculations
    }
    assert json.loads(wrote[3].read_text("utf-8")) == made.network
