"""The playground in a notebook: the widget's protocol, and the page in its frame in a browser."""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from web import states

import miya
from miya.web.widget import SCRIPT, opening

ROOT = Path(__file__).parents[2]


@pytest.fixture
def widget():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return miya.play(ROOT / "examples" / "xor_tanh.toml")


def asked(widget, request, number=1):
    """What the widget answers, by the message that a frontend would send."""
    sent = []
    widget.send = lambda content, buffers=None: sent.append(content)
    widget._handle_custom_msg({"miya": number, "request": request}, [])
    (message,) = sent
    assert message["miya"] == number
    return message["answer"]


def test_it_opens_what_it_was_given(widget):
    state = asked(widget, {"action": "open"}, 7)["state"]
    assert state == widget.state
    assert (
        state["network"] == states.opened((ROOT / "examples/xor_tanh.toml").read_text())["network"]
    )
    assert (
        miya.explain(widget.network).trace.loss
        == miya.explain(ROOT / "examples/xor_tanh.toml").trace.loss
    )


def test_it_answers_as_the_server_does(widget):
    edit = {"kind": "set", "path": ["learning_rate"], "value": "0,5"}
    answer = asked(widget, {"action": "edit", "state": widget.state, "edit": edit})
    assert answer == states.edit(widget.state, **edit)
    assert asked(widget, {"action": "none"})["error"]["code"] == "E808"
    assert asked(widget, "x")["error"]["code"] == "E808"


def test_every_form_of_a_network_opens():
    path = ROOT / "examples" / "xor_tanh.toml"
    network = miya.load(path)
    table = {
        "learning_rate": 0.1,
        "loss": "huber",
        "layers": [{"weight": np.array([[0.5, 0.25]]), "bias": np.array([0.1])}],
        "examples": {"input": np.array([[1.0, 2.0]]), "target": np.array([[1.0]])},
    }
    for given in (None, path, str(path), network, states.opened()["network"], table):
        state = opening(given)
        told = miya.explain(state["network"]).trace.loss
        assert told == miya.explain(given).trace.loss
        assert json.loads(json.dumps(state)) == state


def test_what_is_no_network_is_refused():
    with pytest.raises(miya.MiyaInputError) as caught:
        opening({"learning_rate": 0.1})
    assert caught.value.code[0] == "E"


HOST = """<!doctype html><title>host</title><div id="cell"></div>
<script type="module">
const heard = [];
const values = { state: null, language: %s, height: 700 };
const model = {
  get: (key) => values[key],
  set: (key, value) => { values[key] = value; window.state = value; },
  save_changes: () => {},
  send: (content) => window.ask(content).then((answer) => heard.forEach((f) => f(answer))),
  on: (name, f) => heard.push(f),
  off: (name, f) => heard.splice(heard.indexOf(f), 1),
};
window.model = model;
%s
window.stop = widget.render({ model, el: document.getElementById("cell") });
</script>"""


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Miya's playground"), ("ja", "ミヤの遊び場")]
)
def test_the_page_in_its_frame(browser, widget, tmp_path, language, title):
    script = widget._esm.replace("export default", "const widget =")
    file = tmp_path / "host.html"
    file.write_text(
        HOST % (json.dumps(language), script.replace("</script", "<\\/script")), "utf-8"
    )
    page, troubles = browser.new_page(), []
    page.on("pageerror", lambda e: troubles.append(str(e)))
    page.on("console", lambda m: troubles.append(m.text))
    page.on("request", lambda r: troubles.append(r.url) if r.url.startswith("http") else None)
    page.expose_function(
        "ask",
        lambda content: {"miya": content["miya"], "answer": asked(widget, content["request"])},
    )
    page.goto(file.as_uri())
    frame = page.frame_locator("iframe")
    frame.locator("section.step").first.wait_for(state="attached")
    assert frame.locator("h1").inner_text() == title
    assert page.evaluate("window.state.network.layers.length") == len(widget.network["layers"])
    frame.locator("#step-once").click()
    page.wait_for_function("window.state.steps === 1")
    stepped = states.act({"action": "step", "state": widget.state})["state"]
    assert page.evaluate("window.state.network") == stepped["network"]
    assert frame.locator("html").evaluate("() => window.origin") == "null"
    page.evaluate("window.stop()")
    page.close()
    assert not troubles


def test_it_shows_in_jupyter():
    code = "import miya\nshown = miya.play()\nshown"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, timeout=120).execute()
    (data,) = [o["data"] for o in notebook.cells[0].outputs if "data" in o]
    assert "application/vnd.jupyter.widget-view+json" in data


MARIMO = """
import marimo, miya
app = marimo.App()
@app.cell
def cell():
    import marimo, miya
    shown = marimo.ui.anywidget(miya.play(language="ja"))
    return shown,
_, made = app.run()
html = marimo.as_html(made["shown"]).text
print("marimo-anywidget" in html, made["shown"].widget.network["title"][:2])
"""


def test_it_shows_in_marimo(tmp_path):
    file = tmp_path / "notebook.py"
    file.write_text(MARIMO, "utf-8")
    shown = subprocess.run([sys.executable, file], capture_output=True, text=True, timeout=120)
    assert shown.stdout.startswith("True "), shown.stderr


def test_a_plain_install_says_what_is_missing(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(miya.MiyaInputError) as caught:
        miya.play()
    assert str(caught.value) == (
        'E640 miya.play needs the anywidget package. Install it with: pip install "miya[widget]"'
    )


def test_the_script_is_one_module():
    assert SCRIPT.count("export default") == 1
