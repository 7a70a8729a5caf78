"""Rankings of a model's parameters, neurons and layers say what its trace says."""

import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from models.small import MAKE, CharLSTM, step
from torch import nn

import miya
from miya.analysis.model.blame import model_blame
from miya.analysis.model.neurons import neurons_of
from miya.analysis.model.ranking import Group, element, ranked
from miya.errors import MiyaInputError

pytestmark = pytest.mark.filterwarnings("ignore::miya.errors.MiyaWarning")
ALL = 10**6


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("measure", ["pressure", "step", "first_order"])
def test_every_element_has_its_own_value(name, measure):
    trace, *_ = step(name, optimizer=torch.optim.AdamW)
    found = model_blame(trace, measure, top=ALL)
    want = {
        "pressure": lambda p: p.gradient,
        "step": lambda p: p.change,
        "first_order": lambda p: p.gradient * p.change,
    }[measure]
    seen = 0
    for row in found.parameters:
        parameter, index = row.name.rsplit("[", 1)
        p = trace.parameters[parameter]
        assert row.index == tuple(map(int, index[:-1].split(",")))
        assert row.value == want(p)[row.index]
        seen += 1
    sizes = [abs(row.value) for row in found.parameters]
    assert seen == found.total_parameters
    assert all(b <= a * (1 + 1e-12) for a, b in pairwise(sizes))  # ties stand by place
    assert sum(row.share for row in found.parameters) == pytest.approx(1)


@pytest.mark.parametrize("top", [1, 7, 40])
def test_the_top_is_the_top_of_the_whole_ranking(top):
    trace, *_ = step("lenet", optimizer=torch.optim.Adam)
    for measure in ("pressure", "step"):
        some, every = (model_blame(trace, measure, top=k) for k in (top, ALL))
        for key in ("parameters", "neurons", "layers"):
            ours, theirs = getattr(some, key), getattr(every, key)[:top]
            assert [(r.name, r.rank, r.value, r.share) for r in ours] == [
                (r.name, r.rank, r.value, r.share) for r in theirs
            ]


def test_millions_of_ties_keep_the_order_of_places():
    values = np.ones((1000, 2000), np.float32)
    values[3, 4] = 2
    rows = ranked([Group("parameter", "", values, element("w"))], 3)
    assert [(r.name, r.rank, r.tied) for r in rows] == [
        ("w[3,4]", 1, False),
        ("w[0,0]", 2, True),
        ("w[0,1]", 2, True),
    ]


@pytest.mark.parametrize("name", ["lenet", "lstm", "gpt", "residual", "encoder"])
def test_a_neurons_pressure_is_the_gradient_of_its_bias(name):
    trace, *_ = step(name)
    checked = 0
    for layer in neurons_of(trace):
        biases = [n for n, _ in layer.incoming if n.endswith("bias")]
        if len(biases) == 1 and layer.kind != "head":
            pressure = layer.pressure(trace).ravel()
            gradient = trace.parameters[biases[0]].gradient.ravel()
            np.testing.assert_allclose(
                pressure, gradient, atol=1e-12 * np.abs(gradient).max() + 1e-15
            )
            checked += 1
    assert checked >= 1 or name == "lstm"


def test_gates_of_an_lstm_are_told_by_layer_and_gate():
    trace, *_ = step("lstm", make=lambda: CharLSTM(2))
    found = model_blame(trace, "pressure", top=ALL)
    gates = {r.name: r for r in found.neurons if r.kind == "gate"}
    assert len(gates) == 2 * 4 * 6
    gradient = trace.parameters["lstm.bias_ih_l1"].gradient
    assert gates["lstm.l1.f[2]"].value == gradient[6 + 2]


def test_inner_cells_add_up_to_the_calls_gates():
    """The pre-activations inside the expanded call have these δ."""
    trace, *_ = step("lstm", make=lambda: CharLSTM(1))
    call = next(c for c in trace.calls if c.name == "lstm")
    layer = next(n for n in neurons_of(trace) if n.kind == "gate")
    bias = call.operands["params.2"]
    leaf = call.inside.leaves["params.2"]
    np.testing.assert_allclose(leaf.gradient, bias.gradient, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(layer.pressure(trace).ravel(), bias.gradient)


@pytest.mark.parametrize("groups", [1, 2])
def test_a_transposed_convolution_has_its_own_channels(groups):
    def make():
        return nn.Sequential(
            nn.ConvTranspose2d(2, 4, 3, groups=groups), nn.Flatten(), nn.LazyLinear(3)
        )

    def ready():
        model = make()
        model(torch.zeros(1, 2, 6, 6))
        return model

    trace, *_ = step("residual", make=ready)
    found = model_blame(trace, "step", top=ALL)
    change = np.abs(trace.parameters["0.weight"].change)
    each = 4 // groups
    rows = change.reshape(groups, 2 // groups, each, -1).sum(axis=(1, 3)).ravel()
    rows += np.abs(trace.parameters["0.bias"].change)
    told = {r.index[0]: r.value for r in found.neurons if r.layer == "0"}
    np.testing.assert_allclose([told[k] for k in range(4)], rows)


def test_frozen_and_unused_parameters_are_said_and_not_ranked():
    trace, *_ = step("branches")
    found = model_blame(trace, "pressure", top=ALL)
    assert dict(found.unranked) == {
        "b.weight": "frozen",
        "unused.weight": "unused",
        "unused.bias": "unused",
    }
    assert not any(r.layer == "unused" for r in (*found.parameters, *found.layers))
    said = miya.blame(trace).text()
    assert "Frozen, so not ranked: b.weight." in said
    assert "no gradient comes back to it (None, not 0: " in said
    assert said.partition("autograd does not follow): ")[2].startswith(
        "unused.weight, unused.bias."
    )


def test_a_module_that_is_called_twice_has_its_neurons_once():
    trace, *_ = step("branches")
    shared = [n for n in neurons_of(trace) if n.layer == "shared"]
    assert len(shared) == 1 and len(shared[0].calls) == 2
    gradient = trace.parameters["shared.bias"].gradient
    np.testing.assert_allclose(shared[0].pressure(trace), gradient, rtol=1e-12)


def test_a_tied_parameter_counts_by_equal_parts():
    trace, *_ = step("tied")
    found = model_blame(trace, "step", top=ALL)
    layers = {r.name: r.value for r in found.layers}
    whole = np.abs(trace.parameters["tok.weight"].change).sum()
    assert layers["tok"] == layers["head"] == pytest.approx(whole / 2)
    neurons = [r.value for r in found.neurons if r.layer in ("tok", "head")]
    assert sum(neurons) == pytest.approx(whole)


def test_heads_of_attention():
    trace, *_ = step("gpt")
    found = model_blame(trace, "pressure", top=ALL)
    heads = sorted(r.name for r in found.neurons if r.kind == "head")
    assert heads == ["blocks.0.attn.head[0]", "blocks.0.attn.head[1]"]
    assert not any(r.kind == "head" for r in model_blame(trace, "step", top=ALL).neurons)


def test_layers_sum_their_parameters():
    trace, *_ = step("lenet")
    rows = {r.name: r.value for r in model_blame(trace, "pressure", top=ALL).layers}
    want = sum(np.abs(trace.parameters[n].gradient).sum() for n in ("3.weight", "3.bias"))
    assert rows["3"] == pytest.approx(want)


def test_weights_made_of_other_parameters_are_said():
    def make():
        layer = torch.nn.utils.parametrizations.weight_norm(nn.Linear(72, 3))
        return nn.Sequential(nn.Flatten(), layer)

    trace, *_ = step("residual", make=make)
    assert model_blame(trace, "pressure").total_neurons == 3
    found = model_blame(trace, "step")
    assert [row.layer for row in found.neurons] == ["1", "1", "1"]


@pytest.mark.parametrize("measure", ["pressure", "credit", "removal"])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_text_json_and_notebook(measure, language):
    trace, *_ = step("branches")
    found = miya.blame(trace, measure=measure, top=4)
    text = found.text(language=language)
    assert all(row.name in text for row in (*found.parameters, *found.layers))
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [r["value"] for r in data["parameters"]] == [r.value for r in found.parameters]
    html = found._repr_html_()
    assert html.count('class="miya-scale"') == sum(
        len(getattr(found, k)) for k in ("parameters", "neurons", "layers")
    )
    if measure == "credit":
        assert data["credit"]["met"] and ("Residual" in text or language == "ja")


def test_first_order_is_named_so():
    trace, *_ = step("branches")
    found = miya.blame(trace, first_order=True)
    assert found.measure == "first_order" and "first order" in str(found)
    total = sum(r.value for r in miya.blame(trace, first_order=True, top=ALL).parameters)
    assert total == pytest.approx(trace.predicted_change)


def test_unknown_measures_are_refused():
    trace, *_ = step("branches")
    with pytest.raises(MiyaInputError, match="E608 measure is 'guilt'"):
        miya.blame(trace, measure="guilt")
    with pytest.raises(MiyaInputError, match="E608 first_order and chunk are for models"):
        miya.blame(first_order=True)
