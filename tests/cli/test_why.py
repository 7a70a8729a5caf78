"""miya why, and explain of a model, from the command line."""

import json

import pytest
from click.testing import CliRunner

from miya.cli import main

MODEL = """
import torch
from torch import nn


def make_model():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2))
    return {
        "model": model,
        "inputs": torch.randn(3, 1, 6),
        "target": torch.tensor([0, 1, 1]),
        "loss": nn.CrossEntropyLoss(),
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.1),
    }
"""


@pytest.fixture
def code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.py").write_text(MODEL)
    return "small.py:make_model"


def run(*arguments, code=0):
    done = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def test_of_the_original_story():
    text = run("why", "-", "weight2[0,1]")
    assert "∂C/∂W2[0][1] = 0.564636 * (-0.246434) ≈ -0.13915" in text
    assert run("why", "-", "W2[0,1]") == text


def test_every_format(tmp_path):
    for form in ("text", "markdown", "latex", "json"):
        path = tmp_path / form
        run("why", "-", "z1[0]", "--format", form, "-o", str(path))
        assert path.read_text("utf-8").count("0.08") > 0
    assert json.loads((tmp_path / "json").read_text("utf-8"))["element"] == "z1"


def test_options():
    assert "Miya" not in run("why", "-", "z1[0]", "--no-miya")
    assert "損失" in run("why", "-", "z1[0]", "--language", "ja")
    data = json.loads(run("why", "-", "x[1]", "--top", "2", "--follow", "2", "--format", "json"))
    assert data["levels"][0]["followed"] == 2
    assert len(data["levels"][0]["sum"]["terms"]) == 2 and data["levels"][0]["sum"]["others"] == 1


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("-", "nosuch[0]"), "E620"),
        (("-", "W1[0]"), "E621"),
        (("-", "W1[0,0]", "--follow", "two"), "E622"),
        (("-", "W1[0,0]", "--follow", "7"), "E622"),
        (("nosuch.toml", "W1[0,0]"), "E220"),
    ],
)
def test_bad_input_is_one_message(arguments, message):
    done = CliRunner().invoke(main, ["why", *arguments])
    assert done.exit_code == 2 and message in done.output and "Traceback" not in done.output


def test_of_a_model(code):
    text = run("why", code, "3.weight[1,4]")
    assert "Why 3.weight[1,4]?" in text and "∂C/∂C = 1" in text
    story = run("explain", code)
    assert "Step 2: Backward, from the loss to the input" in story and "3: Linear" in story
    assert "Backward" not in run("explain", code, "--only", "forward")
    assert json.loads(run("explain", code, "--format", "json"))["modules"]
