"""Removals are what the model itself gives with that much taken away."""

import numpy as np
import pytest
import torch
from models.small import GPT, MAKE, CharLSTM, step
from torch import nn

from miya.analysis.model.blame import model_blame
from miya.read.torch.step import model_step

pytestmark = pytest.mark.filterwarnings("ignore::miya.errors.MiyaWarning")
ALL = 10**6


def loss_of(model, inputs, target):
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    with torch.no_grad():
        return float(nn.CrossEntropyLoss()(model(*given), target))


@pytest.mark.parametrize("name", [n for n in MAKE if n != "encoder"])
def test_parameters_and_layers_set_to_zero(name):
    trace, model, inputs, target = step(name)
    found = model_blame(trace, "removal", top=9)
    before = loss_of(model, inputs, target)
    for row in (*found.parameters[:4], *found.parameters[-2:]):
        p = dict(model.named_parameters())[row.name.rsplit("[", 1)[0]]
        kept = p.detach().clone()
        with torch.no_grad():
            p[row.index] = 0
        assert row.value == pytest.approx(loss_of(model, inputs, target) - before, abs=1e-12)
        with torch.no_grad():
            p.copy_(kept)
    row = found.layers[0]
    module = model.get_submodule(row.layer)
    kept = [p.detach().clone() for p in module.parameters(recurse=False)]
    with torch.no_grad():
        for p in module.parameters(recurse=False):
            p.zero_() if p.requires_grad else None
    assert row.value == pytest.approx(loss_of(model, inputs, target) - before, abs=1e-12)
    assert kept


def silenced(model, path, axis, index, inputs, target):
    """The loss with a hook that sets one neuron's output to 0."""

    def hook(module, given, output):
        output = output.clone()
        output.select(axis, index).zero_()
        return output

    handle = model.get_submodule(path).register_forward_hook(hook)
    try:
        return loss_of(model, inputs, target)
    finally:
        handle.remove()


def test_neurons_of_a_lenet_after_their_activation():
    trace, model, inputs, target = step("lenet")
    before = loss_of(model, inputs, target)
    found = model_blame(trace, "removal", top=ALL)
    after = {"0": ("1", 1), "3": ("4", 1), "7": ("8", 1), "9": ("9", 1)}
    assert found.removed_neurons == len(found.neurons) == 3 + 6 + 12 + 4
    for row in found.neurons:
        path, axis = after[row.layer]
        real = silenced(model, path, axis, row.index[0], inputs, target) - before
        assert row.value == pytest.approx(real, abs=1e-12), row.name


class Branch(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.norm = nn.Linear(6, 6), nn.LayerNorm(6)

    def forward(self, x):
        return x + torch.relu(self.fc(self.norm(x)))


@pytest.mark.parametrize("only", [None, "2", "2.fc"])
def test_neurons_of_the_one_module_that_was_recorded(only):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), Branch(), nn.Linear(6, 3)).double()
    x, y = torch.randn(7, 5).double(), torch.randint(0, 3, (7,))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    trace = model_step(model, x, y, loss=nn.CrossEntropyLoss(), optimizer=optimizer, only=only)
    found, before = model_blame(trace, "removal"), loss_of(model, x, y)
    assert found.removed_neurons == found.total_neurons
    rows = [row for row in found.neurons if row.layer == "2.fc"]
    assert len(rows) == 6
    for row in rows:
        with torch.no_grad():  # the activation that alone reads it is inside only="2"
            off = model[2].fc.bias.clone()
            kept = model[2].fc.weight[row.index].clone()
            model[2].fc.weight[row.index], model[2].fc.bias[row.index] = 0, 0
            real = loss_of(model, x, y) - before
            model[2].fc.weight[row.index], model[2].fc.bias[:] = kept, off
        assert row.value == pytest.approx(real, abs=1e-12)


def test_a_neuron_is_silent_after_a_sigmoid_too():
    trace, model, inputs, target = step(
        "residual",
        make=lambda: nn.Sequential(nn.Flatten(), nn.Linear(72, 5), nn.Sigmoid(), nn.Linear(5, 3)),
    )
    before = loss_of(model, inputs, target)
    for row in model_blame(trace, "removal", top=ALL).neurons:
        path = "2" if row.layer == "1" else "3"
        real = silenced(model, path, 1, row.index[0], inputs, target) - before
        assert row.value == pytest.approx(real, abs=1e-12)


def test_a_shared_module_is_silent_in_every_call():
    trace, model, inputs, target = step("branches")
    before = loss_of(model, inputs, target)
    rows = [r for r in model_blame(trace, "removal", top=ALL).neurons if r.layer == "shared"]
    assert len(rows) == 4
    for row in rows:
        real = silenced(model, "shared", 1, row.index[0], inputs, target) - before
        assert row.value == pytest.approx(real, abs=1e-12)


def test_channels_before_and_after_a_norm():
    trace, model, inputs, target = step("residual")
    before = loss_of(model, inputs, target)
    for row in model_blame(trace, "removal", top=ALL).neurons:
        if row.layer in ("stem", "blocks.0.0"):
            real = silenced(model, row.layer, 1, row.index[0], inputs, target) - before
            assert row.value == pytest.approx(real, abs=1e-12), row.name


def test_a_gate_without_its_parameters():
    trace, model, inputs, target = step("lstm", make=lambda: CharLSTM(1))
    before = loss_of(model, inputs, target)
    rows = [r for r in model_blame(trace, "removal", top=ALL).neurons if r.kind == "gate"]
    row = rows[0]
    with torch.no_grad():
        for p in model.lstm.parameters():
            p[row.index[0] * 6 + row.index[1]] = 0
    assert row.value == pytest.approx(loss_of(model, inputs, target) - before, abs=1e-12)


def test_a_head_is_silent():
    trace, model, inputs, target = step("gpt")
    before = loss_of(model, inputs, target)
    rows = {r.name: r.value for r in model_blame(trace, "removal", top=ALL).neurons}
    out = model.blocks[0].attn.out
    for head in range(2):
        with torch.no_grad():
            kept = out.weight.clone()
            out.weight[:, 4 * head : 4 * head + 4] = 0
            real = loss_of(model, inputs, target) - before
            out.weight.copy_(kept)
        assert rows[f"blocks.0.attn.head[{head}]"] == pytest.approx(real, abs=1e-12)


def test_how_many_were_worked_out_is_said():
    from miya.api.model_views import rank_model

    trace, *_ = step("gpt", make=lambda: GPT(3))
    found = rank_model(trace, "removal", top=5)
    assert (found.removed_parameters, len(found.parameters)) == (50, 5)
    assert f"Worked out for 50 of {found.total_parameters}" in found.text()
    strongest = max(np.abs(p.gradient).max() for p in trace.parameters.values())
    every = rank_model(trace, "removal", top=50)
    values = {r.name for r in every.parameters}
    top = rank_model(trace, "pressure", top=1).parameters[0]
    assert abs(top.value) == strongest and top.name in values


def test_masks_are_the_steps_own():
    trace, *_ = step("encoder")
    first, second = (model_blame(trace, "removal", top=5) for _ in range(2))
    assert [r.value for r in first.neurons] == [r.value for r in second.neurons]
    assert len(first.neurons) == 5
