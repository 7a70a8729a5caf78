"""What stands for NET on the command line: code, weights, ONNX, and a network file changed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from miya.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"
LEAN = EXAMPLES / "models" / "lean.safetensors"


def run(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def blame(*arguments):
    made = run("blame", "--format", "json", *arguments)
    assert made.exit_code == 0, made.output
    return json.loads(made.stdout)


def test_weights_of_a_network_file():
    told = run("explain", LEAN, "--network", EXAMPLES / "models" / "lean.toml")
    assert told.exit_code == 0, told.output
    first = blame(LEAN, "--network", EXAMPLES / "models" / "lean.toml")["parameters"][0]
    x, y = np.array([0.5, -1]), 0.25
    a = np.tanh(np.array([[0.5, -0.25], [0.75, 1], [-1, 0.5]]) @ x + [0, 0.125, 0.25])
    assert first["value"] == pytest.approx(2 * (np.array([1, -0.5, 0.25]) @ a + 0.5 - y))


def test_weights_alone_name_no_network():
    made = run("explain", LEAN)
    assert made.exit_code == 2
    assert made.stderr.startswith(f"miya: E219 {LEAN} holds weights only. Name their network")


def test_a_network_file_takes_another_loss_optimizer_and_batch(tmp_path):
    np.savez(tmp_path / "b.npz", input=np.array([[0.0, 1.0]]), target=np.array([[1.0]]))
    net = EXAMPLES / "xor_tanh.toml"
    changed = ("--loss", "HuberLoss", "--optimizer", "adam", "--learning-rate", 0.25)
    rows = blame(net, "--data", tmp_path / "b.npz", "--measure", "step", *changed)["parameters"]
    assert abs(rows[0]["value"]) == pytest.approx(0.25, rel=1e-4)  # Adam's first step is the rate


def test_code_by_name_with_a_batch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text("from torch import nn\ndef make():\n    return nn.Linear(2, 1)\n")
    np.savez("b.npz", input=np.ones((3, 2)), target=np.zeros((3, 1)))
    given = ("own.py:make", "--data", "b.npz", "--loss", "squared_error", "--measure", "step")
    one, same, other = (blame(*given, "--seed", seed) for seed in (1, 1, 2))
    assert one == same != other
    assert run("draw", *given[:5], "-o", "m.svg").exit_code == 0
    assert "</svg>" in Path("m.svg").read_text("utf-8")
    assert run("why", *given[:1], "weight[0,1]", *given[1:5]).exit_code == 0
    made = run("explain", "own.py:made")
    assert made.exit_code == 2 and "E512" in made.stderr and "Did you mean make?" in made.stderr
