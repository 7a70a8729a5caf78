"""The models that ship as examples are trained, load, and are told step by step."""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from documents import pictures

import miya
from miya.analysis.elements import element_of_model
from miya.core.contributions import contributions

MODELS = Path(__file__).parents[2] / "examples" / "models"
LEAST = {"lenet_digits": 0.97, "char_lstm": 0.9, "tiny_gpt": 0.8, "resnet": 0.97, "tied": 0.9}


@pytest.fixture
def example(request, monkeypatch):
    """The module of an example, with its folder importable."""
    monkeypatch.syspath_prepend(str(MODELS))
    torch.set_num_threads(1)
    yield importlib.import_module(request.param)
    for name in (*LEAST, "telling"):
        sys.modules.pop(name, None)


pytestmark = pytest.mark.filterwarnings("ignore:W406")  # of tied.py, told in its page
every = pytest.mark.parametrize("example", LEAST, indirect=True)


@every
def test_it_learns_what_it_says(example):
    started = time.process_time()
    torch.manual_seed(99)
    state = torch.get_rng_state()
    assert example.score(example.train()) >= LEAST[example.__name__]
    assert time.process_time() - started < 60
    assert torch.equal(torch.get_rng_state(), state)


@every
def test_the_weights_that_ship_are_as_good(example):
    step = example.make_model()
    assert example.score(step["model"]) >= LEAST[example.__name__]
    assert all(p.dtype == torch.float64 for p in step["model"].parameters())
    assert (MODELS / f"{example.__name__}.safetensors").stat().st_size < 300_000


@every
def test_its_step_is_told(example, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    expected, given = example.make_model(), example.make_model()
    told = sys.modules["telling"].tell(given, example.WHY)
    said = capsys.readouterr().out
    assert "What it brought" in said and "Blame by credit" in said and "drew step.svg" in said
    assert "</svg>" in (tmp_path / "step.svg").read_text("utf-8")
    trace = told.trace
    # torch's own step on a second copy
    loss = expected["loss"](expected["model"](expected["inputs"]), expected["target"])
    loss.backward()
    expected["optimizer"].step()
    assert trace.loss == pytest.approx(loss.item(), rel=1e-12)
    for name, p in expected["model"].named_parameters():
        np.testing.assert_allclose(
            trace.parameters[name].gradient, p.grad.numpy(), rtol=1e-9, atol=1e-15
        )
        np.testing.assert_allclose(
            trace.parameters[name].after, p.detach().numpy(), rtol=1e-9, atol=1e-12
        )


@every
def test_the_terms_of_its_chosen_weights_add_up(example):
    step = example.make_model()
    told = miya.explain(
        step["model"],
        step["inputs"],
        step["target"],
        loss=step["loss"],
        optimizer=step["optimizer"],
    )
    for chosen in example.WHY:
        element = element_of_model(told.trace, chosen)
        parts = contributions(element.value, element.index)
        assert parts and all(part.terms is not None for part in parts), chosen
        terms = [v for part in parts for t in part.terms for v in t.values]
        gradient = element.value.gradient[element.index]
        scale = max(np.abs(terms).sum(), 1e-300)
        assert abs(sum(terms) - gradient) <= 1e-10 * scale, chosen
        assert gradient != 0, "a weight that something is to be told of"
    blame = miya.blame(told, measure="credit")
    real = told.trace.loss_after - told.trace.loss
    assert abs(blame.credit.residual) <= 1e-6 * abs(real)
    assert blame.parameters[0].value != 0


@pytest.mark.parametrize("page", pictures.EXAMPLES)
def test_the_picture_of_its_page_is_fresh(page):
    shown = pictures.place(page).read_text("utf-8")
    assert pictures.same(shown, pictures.drawn(page)), "run scripts/refresh-docs"
    assert not pictures.same(shown, shown.replace("Loss", "Gain"))
