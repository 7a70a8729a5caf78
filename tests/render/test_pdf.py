"""The PDF: the digits of every format as text, nothing off the page, labels as text, fixed bytes."""

import io
import os
import pty
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest
import typst as engine
from networks import description, random_network
from PIL import Image
from pypdf import PdfReader

import miya
from miya.api import Explanation
from miya.core import activations, losses, optimizers
from miya.core.step import take_step
from miya.errors import MiyaInputError, MiyaWarning
from miya.render.pdf import pdf
from miya.render.text import one_line
from miya.render.typst import typst
from miya.render.typst_maths import maths, quoted
from miya.story.blocks import Calculation, Calculations, Formula, Story
from miya.story.closing import close
from miya.story.expression import Binary, Call, Number, total
from miya.story.quantity import Symbol

NUMBER = re.compile(r"\d+(?:\.\d+)?")


def pages(content):
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


def numbers_of(text):
    return NUMBER.findall(text)


def holds_in_order(needles, hay):
    found = iter(hay)
    return all(needle in found for needle in needles)


@pytest.mark.parametrize("name", ["original.toml", "relu_classifier.json", "xor_tanh.toml"])
def test_every_calculation_is_selectable_with_its_digits(name, example_files):
    file = next(f for f in example_files if f.name == name)
    told = miya.explain(file)
    shown = numbers_of(" ".join(pages(pdf(told.story))))
    for calculation in told.story.calculations:
        symbol, _, rest = one_line(calculation).partition(" = ")
        # exponents stand first in the text of a fraction, so its numbers are held together
        wanted = numbers_of(rest)
        assert set(wanted) <= set(shown), (symbol, rest)
    results = [NUMBER.search(c.closed.result).group() for c in told.story.calculations]
    assert holds_in_order(results, shown)


def test_a_table_shows_the_digits_of_the_text():
    told = miya.explain(only="update")
    shown = " ".join(pages(told.pdf())).replace("−", "-")
    rows = [line.split() for line in told.text().splitlines()]
    table = [row for row in rows if len(row) == 5 and row[0].startswith("W1[") and "%" not in row]
    assert len(table) == 9
    for row in table:
        assert " ".join(row[1:]) in " ".join(shown.split())


def networks_of_every_record():
    yield from (random_network(7, sizes=[2, 1, 1], loss=name) for name in losses.KINDS)
    for name in activations.KINDS:
        yield random_network(8, sizes=[1, 2, 1], activation=name)
    for name in optimizers.KINDS:
        yield random_network(9, sizes=[1, 1], optimizer={"name": name, "weight_decay": 0.1})


def test_the_formulas_of_every_record_are_typeset():
    found = set()
    for network in networks_of_every_record():
        blocks = Explanation(take_step(network)).story.blocks
        found |= {block.latex for block in blocks if isinstance(block, Formula)}
    source = "".join(f"${maths(text)}$\n\n" for text in sorted(found))
    layout = "#let times = $⋅$\n#let group(body) = body\n"
    assert len(found) > 60
    assert engine.compile((layout + source).encode(), format="pdf").startswith(b"%PDF")


def test_a_command_that_miya_does_not_write_is_refused():
    with pytest.raises(KeyError, match="input"):
        maths(r"\input{/etc/passwd}")


@pytest.mark.parametrize(
    ("seed", "fixed", "digits"),
    [
        (3, {}, 15),
        (11, {"sizes": [2, 3, 2], "optimizer": {"name": "adamw"}}, None),
        (900, {"sizes": [60, 1, 1]}, 15),
        (902, {"sizes": [3, 9, 14], "loss": "cross_entropy"}, 12),
        (903, {"sizes": [64, 20, 1], "activation": "gelu"}, 5),
    ],
)
def test_nothing_runs_off_the_page(seed, fixed, digits):
    story = Explanation(take_step(random_network(seed, **fixed)), digits).story
    assert margins_are_white(story)


def test_a_fraction_too_wide_for_the_page_goes_on_the_line():
    wide = total(Call("exp", Number(float(f"0.{k}2345678"))) for k in range(1, 30))
    value = sum(np.exp(float(f"0.{k}2345678")) for k in range(1, 30))
    item = Calculation("x", Symbol("p"), close(Binary("/", Number(1.0), wide), 1 / value, 9))
    story = Story("wide", "en", 9, "exact", (Calculations((item,)),))
    assert margins_are_white(story)


def margins_are_white(story):
    made = engine.compile(typst(story).encode(), format="png", ppi=45)
    for page in made if isinstance(made, list) else [made]:
        grey = np.asarray(Image.open(io.BytesIO(page)).convert("L"))
        margin = int(grey.shape[1] * 2.1 / 21)
        if grey[:, :margin].min() < 250 or grey[:, -margin:].min() < 250:
            return False
    return True


HOSTILE = [
    '"]; #panic("out")',
    '#import "/etc/passwd"',
    "$x$ #sys.inputs \\u{41}",
    "*bold* _it_ `raw` <label> @ref // gone",
    "\\",
    "end \u202e of \x1b[31m it",
]


@pytest.mark.parametrize("label", HOSTILE)
def test_a_label_is_text(label):
    network = description(5, sizes=[1, 1], loss="squared_error")
    network["title"] = label
    network["layers"][0] |= {"name": label, "neurons": [label]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MiyaWarning)
        told = miya.explain(network)
        shown = "".join(" ".join(pages(told.pdf())).split())
    expected = label.replace("\u202e", "U+202E").replace("\x1b", "\\x1b")
    assert "".join(expected.split()) in shown


def test_a_string_is_closed_by_nothing_inside():
    assert quoted('a"b\\c\nd') == '"a\\"b\\\\c\\nd"'


def test_the_same_story_gives_the_same_bytes():
    made = miya.explain().pdf()
    assert made == miya.explain().pdf()
    assert b"CreationDate" not in made and b"ModDate" not in made


def test_a_whole_story_opens_with_its_diagram():
    told = miya.explain()
    whole = PdfReader(io.BytesIO(told.pdf())).pages
    assert whole[0].mediabox.width > whole[0].mediabox.height
    assert whole[1].mediabox.width < whole[1].mediabox.height
    assert "0.01230" in whole[0].extract_text()
    assert "The original story" in whole[1].extract_text()
    part = PdfReader(io.BytesIO(miya.explain(only="update").pdf())).pages
    assert part[0].mediabox.width < part[0].mediabox.height


def test_characters_that_no_font_has_are_named():
    story = miya.explain(language="ja").story
    with pytest.warns(MiyaWarning, match=r"W641 no font here has .*fonts-noto-cjk"):
        pdf(story, system_fonts=False)


def test_english_needs_no_font_of_the_system():
    told = miya.explain()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pdf(told.story, diagram=told._diagram(), system_fonts=False)


def test_japanese_is_text_or_the_warning_says_so():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        shown = " ".join(pages(miya.explain(language="ja").pdf()))
    assert "順伝播" in shown or "W641" in str(caught[0].message)


def test_without_typst_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(MiyaInputError, match=r'E640 .*pip install "miya\[pdf\]"'):
        miya.explain().pdf()


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "miya", *arguments], stderr=subprocess.PIPE, check=False, **options
    )


def test_the_command_writes_a_file_and_a_pipe(tmp_path):
    path = tmp_path / "story.pdf"
    assert command("explain", "--format", "pdf", "-o", str(path)).returncode == 0
    piped = command("explain", "--format", "pdf", stdout=subprocess.PIPE)
    assert piped.stdout == path.read_bytes() == miya.explain().pdf()


def test_the_command_keeps_a_pdf_off_the_terminal():
    ours, theirs = pty.openpty()
    done = command("explain", "--format", "pdf", stdout=theirs)
    os.close(theirs)
    try:
        shown = os.read(ours, 1000)
    except OSError:  # nothing was written
        shown = b""
    os.close(ours)
    assert done.returncode == 2 and shown == b""
    assert b"E648" in done.stderr and b"-o" in done.stderr
