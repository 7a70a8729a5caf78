"""Exported programs reproduce the step, and network files read back to the last bit."""

import contextlib
import io
import json
import tomllib
import warnings

import numpy as np
import pytest
import torch
from web import states

import miya
from miya.core import activations, losses
from miya.web.actions import act
from miya.web.export import FORMS
from miya.web.training import traced

OPTIMIZERS = [
    {"name": "sgd"},
    {"name": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    {"name": "sgd", "momentum": 0.9, "dampening": 0.1, "maximize": True},
    {"name": "rmsprop", "centered": True, "momentum": 0.5},
    {"name": "adagrad", "lr_decay": 0.1, "initial_accumulator_value": 0.2},
    {"name": "adam", "amsgrad": True, "weight_decay": 0.1},
    {"name": "adamw"},
]


def network(activation, loss, optimizer, seed):
    rng = np.random.default_rng(seed)
    last = {"binary_cross_entropy": "sigmoid"}.get(loss, "identity")
    # a bias that all classes share moves no softmax: its gradient is noise around 0
    bias = [0.3, -0.1] if loss == "cross_entropy" else 0.3
    frozen = {"weight": [[True, False], [True, True], [False, True]], "bias": True}
    return {
        "learning_rate": 0.05,
        "loss": loss,
        "optimizer": optimizer,
        "layers": [
            {
                "weight": rng.normal(size=(3, 2)).tolist(),
                "bias": rng.normal(size=3).tolist(),
                "activation": activation,
                "trainable": frozen,
            },
            {"weight": rng.normal(size=(2, 3)).tolist(), "bias": bias, "activation": last},
        ],
        "examples": [
            {"input": rng.normal(size=2).tolist(), "target": [0.25, 0.75]} for _ in range(3)
        ],
    }


def run(program):
    names = {}
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(program, names)
    assert said.getvalue().startswith("loss ")
    torch.set_default_dtype(torch.float32)
    return names


CASES = [
    (a, loss, OPTIMIZERS[(i + 3 * j) % len(OPTIMIZERS)], (i + j) % 2)
    for i, a in enumerate(activations.KINDS)
    for j, loss in enumerate(losses.KINDS)
]


@pytest.mark.parametrize(("activation", "loss", "optimizer", "steps"), CASES)
def test_programs(activation, loss, optimizer, steps):
    text = json.dumps(network(activation, loss, optimizer, len(activation + loss)))
    state = states.opened(text, "json")
    if steps:
        state = act({"action": "step", "state": state, "steps": 3})["state"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", miya.MiyaWarning)
        trace = traced(state)
    for form in ("numpy", "torch"):
        made = run(act({"action": "export", "state": state, "form": form})["text"])
        assert made["loss"] == pytest.approx(trace.loss, rel=1e-12)
        for name, update in trace.updates.items():
            short = name.replace("weight", "W").replace("bias", "b")
            for of, value in (("gradient", update.gradient), ("after", update.after)):
                found = np.asarray(made[of][short].tolist())
                np.testing.assert_allclose(found, value, rtol=1e-9, atol=1e-12, err_msg=of)


def test_softmax_inside():
    text = json.dumps(network("softmax", "squared_error", {"name": "sgd"}, 4))
    made = run(
        act({"action": "export", "state": states.opened(text, "json"), "form": "numpy"})["text"]
    )
    assert set(made["gradient"]) == {"W1", "b1", "W2", "b2"}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_made(form):
    answer = act({"action": "export", "state": states.opened(), "form": form})
    assert "error" not in answer
    assert answer["name"] and (answer.get("text") or answer["base64"])


def test_files_read_back():
    state = states.opened()
    state = states.edit(state, kind="set", path=["title"], value='a "b" \\ \x7f é')["state"]
    state = states.edit(state, kind="set", path=["layers", 0, "weight", 0, 0], value="1/3")["state"]
    state = act({"action": "step", "state": state, "steps": 3})["state"]
    toml = act({"action": "export", "state": state, "form": "toml"})["text"]
    assert tomllib.loads(toml) == state["network"]
    made = act({"action": "export", "state": state, "form": "json"})["text"]
    assert json.loads(made) == state["network"]
