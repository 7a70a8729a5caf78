"""A worksheet's picture shows its givens in every form, and never an answer."""

import base64
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from types import SimpleNamespace

import pypdf
import pytest

import miya
from miya.drawing.build import scene
from miya.render.svg import svg
from miya.render.typst import typst
from miya.story.blocks import Heading, Picture

URI = re.compile(r"!\[[^\]]*\]\(data:image/svg\+xml;base64,([\w+/=]+)\)")
NETWORKS = {
    "sigmoid": {"seed": 7},
    "relu": {"layers": "2-3-2", "activation": "relu,sigmoid", "seed": 3, "examples": 2},
    "classes": {"layers": "2-2-3", "activation": "tanh", "loss": "cross_entropy", "seed": 3},
    "adam": {"optimizer": "adam", "seed": 2, "language": "ja"},
}
everywhere = pytest.mark.parametrize("name", NETWORKS)
# a PDF in Japanese is laid out the same where no font here has its characters
pytestmark = pytest.mark.filterwarnings("ignore:W641")


def picture(made, key=False):
    (found,) = [b for b in made.story(key).blocks if isinstance(b, Picture)]
    return found


def texts(drawn):
    root = ElementTree.fromstring(drawn)
    return [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]


def in_markdown(text):
    (found,) = URI.findall(text)
    return base64.b64decode(found).decode()


def in_notebook(text):
    cells = [c for c in json.loads(text)["cells"] if c["cell_type"] == "markdown"]
    return in_markdown("\n".join("".join(c["source"]) for c in cells))


@everywhere
@pytest.mark.parametrize("key", [False, True])
def test_every_form_shows_the_same_picture(name, key):
    made = miya.worksheet(**NETWORKS[name])
    drawn = picture(made, key).svg
    assert in_markdown(made.markdown(key=key)) == drawn
    assert in_notebook(made.notebook(key=key)) == drawn
    assert made.html(key=key).count(drawn) == 1
    assert "#sketch(" in typst(made.story(key)) and made.pdf(key=key).startswith(b"%PDF")
    assert "svg" not in made.text(key=key)


@everywhere
def test_it_stands_right_after_the_givens(name):
    blocks = miya.worksheet(**NETWORKS[name]).story().blocks
    at = next(k for k, b in enumerate(blocks) if isinstance(b, Picture))
    after = blocks[at + 1]
    before = [b.text for b in blocks[:at] if isinstance(b, Heading) and b.level == 2]
    assert isinstance(after, Heading) and after.level == 2 and len(before) == 1


@everywhere
def test_it_shows_every_given_and_nothing_else(name):
    made = miya.worksheet(**NETWORKS[name])
    told = texts(picture(made).svg)
    for k, layer in enumerate(made.network["layers"], 1):
        for i, (row, bias) in enumerate(zip(layer["weight"], layer["bias"], strict=True)):
            pairs = [(f"W{k}[{i}][{j}]", w) for j, w in enumerate(row)] + [(f"b{k}[{i}]", bias)]
            for symbol, value in pairs:
                assert told[told.index(symbol) + 1] == f"{value:g}".replace("-", "−")
    given = {str(v) for v in re.findall(r"\d+(?:\.\d+)?", json.dumps(made.network))}
    shown = re.findall(r"(?<![\w\[.])\d+(?:\.\d+)?(?![\w\]])", " ".join(told))
    assert {f"{float(n):g}" for n in shown} <= {f"{float(n):g}" for n in given} | {"1"}


@everywhere
def test_no_result_is_read_for_it(name):
    """It is drawn of the network alone: there is no trace that it could read a result of."""
    made = miya.worksheet(**NETWORKS[name])
    alone = SimpleNamespace(network=miya.load(made.network), digits=4)
    options = {"example": "sum" if alone.network.examples > 1 else 0, "digits": 10}
    language = NETWORKS[name].get("language", "en")
    drawn = scene(alone, view="givens", language=language, **options)
    assert svg(drawn, theme="print", standalone=False) == picture(made).svg
    with pytest.raises(AttributeError):
        scene(alone, view="forward", **options)


def test_without_miya_no_cat_is_drawn():
    with_her, without = (picture(miya.worksheet(seed=7, miya=m)).svg for m in (True, False))
    assert 'class="miya sit' in with_her and 'class="miya ' not in without
    assert "I wait for your" in with_her and "I wait for your" not in without


@everywhere
def test_the_same_seed_draws_the_same_to_the_last_byte(name):
    first, second = (miya.worksheet(**NETWORKS[name]) for _ in range(2))
    assert picture(first).svg == picture(second).svg and first.pdf() == second.pdf()
    other = miya.worksheet(**{**NETWORKS[name], "seed": 40})
    assert picture(other).svg != picture(first).svg


def test_fades_do_not_change_it():
    assert len({picture(miya.worksheet(seed=7, fade=f)).svg for f in ("full", "last", "solo")}) == 1


def test_the_largest_fits_its_page():
    made = miya.worksheet("3-6-4-1", activation="tanh", seed=2)
    boxes = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', picture(made).svg)
    assert float(boxes[2]) > float(boxes[1])  # taller than wide, so its height is what must fit
    assert len(pypdf.PdfReader(io.BytesIO(made.pdf())).pages) < 20
