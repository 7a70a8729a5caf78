"""What a notebook shows: rich where it can, text as the fallback, labels as text."""

import re
import subprocess
import sys
import warnings
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from networks import description

import miya
from miya.errors import MiyaWarning
from miya.render.notebook import MOST_ROWS, STYLE
from miya.render.text import one_line

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


class Balanced(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes = [], set(), []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.tags.add(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_story_shows_every_calculation_and_falls_back_on_text():
    told = miya.explain()
    shown = told._repr_mimebundle_()
    assert list(shown) == ["text/html", "text/markdown", "text/plain"]
    assert shown["text/plain"] == told.text() == str(told)
    assert shown["text/markdown"] == told.markdown()
    assert shown["text/html"] == told._repr_html_()
    lines = unescape(shown["text/html"])
    for calculation in told.story.calculations:
        assert one_line(calculation) in lines


def test_a_repr_is_short():
    assert repr(miya.explain()) == "<Explanation: (3, 3, 1), step 1; print() tells>"
    assert repr(miya.blame()) == "<Blame by pressure: 16 parameters, 4 neurons; print() ranks them>"


@pytest.mark.parametrize("made", [miya.explain, miya.blame])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_fragment_is_whole_and_needs_no_script(made, language):
    options = {"language": language} if made is miya.explain else {}
    found = Balanced(made(**options)._repr_html_())
    assert not found.tags & {"script", "link", "iframe", "img"}
    assert not [name for name, _ in found.attributes if name.startswith(("on", "href", "src"))]


def test_the_style_is_its_own_and_fits_a_dark_page():
    rules = re.sub(r"</?style>", "", STYLE)
    selectors = [
        part.strip() for rule in re.findall(r"([^{}]+)\{", rules) for part in rule.split(",")
    ]
    assert len(selectors) > 10 and all(s.startswith(".miya-view") for s in selectors)
    colours = set(re.findall(r"(?<!-)\bcolor: ([^;}]+?)(?=[;} ])", rules))
    assert colours == {"inherit"}


LABEL = "</div><script>alert(1)</script><img src=x onerror=alert(1)>&amp; \u202e"


def test_a_label_is_text():
    network = description(5, sizes=[1, 1], loss="squared_error")
    network["title"] = LABEL
    network["layers"][0] |= {"name": LABEL, "neurons": [LABEL]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MiyaWarning)
        shown = [miya.explain(network)._repr_html_(), miya.blame(network)._repr_html_()]
    for html in shown:
        assert not Balanced(html).tags & {"script", "img"}
        assert LABEL.replace("\u202e", "U+202E") in unescape(html)


def test_a_ranking_has_a_bar_for_each_share_and_a_colour_for_each_sign():
    found = miya.blame(measure="credit")
    html = found._repr_html_()
    widths = [float(w) for w in re.findall(r'style="width: ([\d.]+)%"', html)]
    rows = [*found.parameters, *found.neurons]
    assert len(widths) == len(rows)
    shares = [row.share / found.parameters[0].share * 100 for row in found.parameters]
    assert widths[: len(shares)] == pytest.approx(shares, abs=0.05)
    assert html.count("<span class=") == sum(row.value < 0 for row in rows)
    assert found._repr_mimebundle_()["text/plain"] == found.text() == str(found)


def test_a_long_ranking_says_what_it_leaves_out():
    network = description(5, sizes=[6, 6, 2], masks=False)
    found = miya.blame(network)
    html = found._repr_html_()
    assert html.count('<td class="miya-bar">') == MOST_ROWS + 8
    assert f"top {MOST_ROWS} of {found.total_parameters}" in html


def test_a_ranking_is_still_the_blame_of_the_analysis():
    from miya.analysis.blame import Blame, blame

    trace = miya.explain().trace
    found = miya.blame(trace, top=3)
    assert isinstance(found, Blame)
    assert found.to_dict() == blame(trace, top=3).to_dict()


def outputs(cell):
    return [output["data"] for output in cell.outputs if "data" in output]


def test_the_example_notebook_runs_and_shows_everything():
    notebook = nbformat.read(EXAMPLES / "notebook.ipynb", as_version=4)
    NotebookClient(notebook, timeout=300).execute()
    shown = [data for c in notebook.cells if c.cell_type == "code" for data in outputs(c)]
    story, delta, pressure, credit, diagram, plot = shown
    assert "<details" in story["text/html"] and "Two layers, one example" in story["text/plain"]
    assert delta["text/plain"].startswith("array([[")
    for ranking, measure in ((pressure, "pressure"), (credit, "credit")):
        assert f"Blame by {measure}" in ranking["text/html"]
        assert f"Blame by {measure}" in ranking["text/plain"]
    for picture in (diagram, plot):
        assert picture["image/svg+xml"].startswith("<svg") and picture["text/plain"]


def test_the_committed_notebook_holds_no_outputs():
    notebook = nbformat.read(EXAMPLES / "notebook.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code and not any(cell.outputs or cell.execution_count for cell in code)


SHOWN = """
import runpy, sys
import marimo
app = runpy.run_path(sys.argv[1])["app"]
_, made = app.run()
for name in ("told", "ranking", "diagram", "plot"):
    html = marimo.as_html(made[name]).text
    print(name, "<details" in html, 'class="miya-bar"' in html, "<svg" in html)
"""


def test_the_marimo_notebook_runs_and_shows_everything():
    path = str(EXAMPLES / "notebook_marimo.py")
    alone = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=120)
    assert (alone.returncode, alone.stderr) == (0, "")
    shown = subprocess.run(
        [sys.executable, "-c", SHOWN, path], capture_output=True, text=True, timeout=120
    )
    assert shown.stdout.splitlines() == [
        "told True False False",
        "ranking False True False",
        "diagram False False True",
        "plot False False True",
    ], shown.stderr
