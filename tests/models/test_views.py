"""A model's page, and blame and draw on the command line."""

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner
from models.small import CharLSTM, ids, step
from torch import nn, optim

import miya
from miya.cli import main

pytestmark = pytest.mark.filterwarnings("ignore::miya.errors.MiyaWarning")
CODE = """
from torch import nn, manual_seed

def make_model():
    manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3))
"""


def explained(**options):
    model = CharLSTM(1)
    return miya.explain(
        model,
        ids(),
        ids(),
        loss=nn.CrossEntropyLoss(),
        optimizer=optim.Adam(model.parameters()),
        **options,
    )


def test_the_page_opens_with_its_picture_and_tables(open_page):
    page = open_page(explained().html())
    assert page.locator(".picture .block").count() == 4
    page.click("#all")
    assert page.locator(".ranking table").count() == 12  # of four measures, three each
    first = page.locator(".ranking rect").first
    assert (
        first.evaluate("e => getComputedStyle(e).fill") == "rgb(213, 94, 0)"
        or first.evaluate("e => getComputedStyle(e).fill") == "rgb(0, 114, 178)"
    )


def test_the_page_tells_credit_once_it_is_known(monkeypatch):
    assert "Blame by credit" in explained().html()
    monkeypatch.setattr("miya.story.model.credit.cheap_credit", lambda trace: None)  # a dear one
    told = explained()
    assert "Blame by credit" not in told.html()
    miya.blame(told, measure="credit")
    html = told.html()
    assert "Blame by credit" in html and "Residual" in html
    assert len(re.findall(r'id="step-\d+"', html)) == html.count('class="step"')


def test_an_explanation_is_ranked_and_drawn_as_its_trace():
    told = explained()
    assert miya.blame(told).parameters == miya.blame(told.trace).parameters
    assert miya.draw(told).svg() == miya.draw(told.trace).svg()


def test_a_dense_model_is_a_network_and_a_model():
    model = nn.Sequential(nn.Linear(3, 4), nn.Sigmoid(), nn.Linear(4, 2))
    x, y = np.zeros((2, 3), np.float32), np.array([0, 1])
    import torch

    told = miya.explain(
        model, torch.from_numpy(x), torch.from_numpy(y), loss=nn.CrossEntropyLoss(), optimizer="sgd"
    )
    assert miya.blame(told).neurons
    assert miya.blame(told, first_order=True).measure == "first_order"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "own_model.py").write_text(CODE)
    r = np.random.default_rng(0)
    np.savez(
        tmp_path / "batch.npz",
        input=r.normal(size=(5, 1, 6, 6)).astype("float32"),
        target=r.integers(0, 3, 5),
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    done = CliRunner().invoke(main, [*arguments, *OPTIONS], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


OPTIONS = ["--data", "batch.npz", "--loss", "cross_entropy", "--optimizer", "adam"]


@pytest.mark.parametrize("measure", ["pressure", "step", "credit", "removal", "first_order"])
def test_blame_of_a_model_in_code(folder, measure):
    text = run("blame", "own_model.py:make_model", "--measure", measure, "--top", "3")
    assert "Layers" in text and ("3.weight[" in text or "0.weight[" in text or "bias[" in text)
    data = json.loads(
        run("blame", "own_model.py:make_model", "--measure", measure, "--format", "json")
    )
    assert data["measure"] == measure and data["total_layers"] == 2


def test_draw_of_a_model_in_code(folder):
    run("draw", "own_model.py:make_model", "-o", "model.svg", "--measure", "credit")
    assert (folder / "model.svg").read_text("utf-8").count('class="block ') == 4


def test_a_trace_of_the_helpers_is_the_models():
    trace, *_ = step("lstm")
    assert miya.draw(trace).scene.blocks[0].kind == "input"
