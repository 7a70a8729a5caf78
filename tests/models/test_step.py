"""What a step records: names, gradients, terms, the runner, `only`, notes."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from models.steps import Mlp, adds_up, data, raw_step, seeded
from torch import nn

from miya.errors import MiyaInputError, MiyaWarning
from miya.read.torch.step import model_step

CROSS = nn.CrossEntropyLoss()


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.norm = nn.Linear(4, 4), nn.LayerNorm(4)

    def forward(self, x):
        return self.norm(self.fc(x).relu()) + x


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 4)
        self.blocks = nn.ModuleList([Block(), Block()])
        self.shared = nn.Linear(4, 4)
        self.lstm, self.same = nn.LSTM(4, 4, batch_first=True), nn.Identity()
        self.out = nn.Linear(4, 2)

    def forward(self, x):
        x = self.fc(x)
        for block in self.blocks:
            x = block(x)
        x = self.shared(self.shared(x))
        both = torch.stack(x.chunk(2, 0), 1)
        x, (h, c) = self.lstm(both)
        return self.out(self.same(h[0]) + c[0])


@pytest.fixture(scope="module")
def net():
    x, _ = data(dtype=torch.float64)
    return model_step(
        seeded(lambda: Net().double()),
        x,
        torch.tensor([0, 1, 1]),
        loss=CROSS,
        optimizer=torch.optim.SGD,
    )


def test_every_name_is_unique(net):
    distinct = {id(v): v for v in net.values.values()}.values()
    assert len({v.name for v in distinct}) == len(distinct)
    assert all(net.values[v.name] is v for v in distinct)
    assert {v for c in net.calls for v in c.results} <= set(distinct)


def test_names_of_module_outputs_and_operations(net):
    named = {c.results[0].name: c.name for c in net.calls}
    expected = {
        "fc": "linear", "blocks.0.fc": "linear", "blocks.0.relu": "relu", "blocks.0.norm": "layer_norm",
        "blocks.0.add": "add", "blocks.1.add": "add", "shared": "linear", "shared@2": "linear",
        "chunk": "chunk", "stack": "stack", "lstm": "lstm", "add": "add", "out": "linear", "loss": "cross_entropy",
    }  # fmt: skip
    assert expected.items() <= named.items()
    chunk = next(c for c in net.calls if c.name == "chunk")
    assert [v.name for v in chunk.results] == ["chunk", "chunk:1"]
    lstm = next(c for c in net.calls if c.name == "lstm")
    assert [v.name for v in lstm.results] == ["lstm", "lstm:1", "lstm:2"]


def test_outputs_of_containers_and_of_the_model_are_found_by_path(net):
    values = net.values
    assert values["blocks.0"] is values["blocks.0.add"]
    assert values["blocks.1"] is values["blocks.1.add"]
    assert values["output"] is values["out"] is net.outputs[0]
    assert values["same"].call.name in ("__getitem__", "getitem")
    assert values["loss"] is net.root
    assert [m for m in net.modules if m][:3] == ["fc", "blocks", "blocks.0"]


def test_a_loss_of_several_operations():
    x, y = data(dtype=torch.float64)

    def loss(out, target):
        return F.cross_entropy(out, target) + out.square().mean()

    trace = model_step(seeded(lambda: nn.Linear(3, 2).double()), x, y, loss=loss)
    assert [v.name for c in trace.calls for v in c.results] == [
        "linear", "loss.cross_entropy", "loss.square", "loss.mean", "loss.add",
    ]  # fmt: skip
    assert trace.values["loss"] is trace.root and trace.root.name == "loss.add"


def test_a_loss_made_within_the_model():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 2)

        def forward(self, x, y):
            return F.cross_entropy(self.fc(x), y)

    x, y = data()
    trace = model_step(seeded(Own), (x, y))
    assert trace.values["loss"] is trace.root is trace.values["output"]
    assert trace.root.name == "cross_entropy"


def test_tied_parameters_and_shared_modules_have_all_their_names():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.emb, self.head = nn.Embedding(7, 4), nn.Linear(4, 7, bias=False)
            self.head.weight = self.emb.weight
            self.first = self.second = nn.Linear(4, 4)

        def forward(self, x):
            return self.head(self.second(self.first(self.emb(x).mean(1))))

    x, y = torch.randint(0, 7, (5, 3)), torch.randint(0, 7, (5,))
    with pytest.warns(MiyaWarning) as warned:
        trace = model_step(
            seeded(lambda: Tied().double()), x, y, loss=CROSS, optimizer=torch.optim.SGD
        )
    step = trace.parameters["emb.weight"]
    assert step.aliases == ("head.weight",)
    assert trace.values["head.weight"] is trace.values["emb.weight"] is step.value
    assert {c.name for c, _ in step.value.uses} == {"embedding", "linear"}
    assert trace.values["second"] is trace.values["first"]
    texts = [str(w.message) for w in warned]
    assert texts == [f"{code} {text}" for code, text in trace.notes]
    assert (
        "W406 emb.weight is tied with head.weight: one parameter, 2 uses; its gradient is their sum"
        in texts
    )
    adds_up(trace)


def test_unused_parameters_have_no_gradient_and_that_is_said():
    model = seeded(Mlp)
    model.unused = nn.Linear(2, 2)
    x, y = data()
    with pytest.warns(
        MiyaWarning, match=r"W403 the loss does not use unused\.weight, unused\.bias"
    ):
        trace = model_step(model, x, y, loss=CROSS, optimizer=torch.optim.AdamW)
    for name in ("unused.weight", "unused.bias"):
        step = trace.parameters[name]
        assert (
            step.gradient is None and step.trained and not step.change.any() and step.value is None
        )


@pytest.mark.parametrize("make", [Mlp, Net])
def test_the_runner_runs_the_very_step_again(make):
    x, y = data(dtype=torch.float64)
    y = torch.tensor([0, 1, 1]) if make is Net else y
    model = seeded(lambda: make().double())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    trace = model_step(model, x, y, loss=CROSS, optimizer=optimizer)
    before = {n: p.before for n, p in trace.parameters.items()}
    loss, gradients = trace.runner.loss_and_gradients(before)
    assert loss == trace.loss == trace.runner.loss({})
    for name, gradient in gradients.items():
        np.testing.assert_array_equal(gradient, trace.gradients[name])
    after = trace.loss_after
    assert after == trace.runner.loss({n: p.after for n, p in trace.parameters.items()})
    assert trace.runner.loss({}) == trace.loss  # nothing stuck
    small = {n: p.before + 1e-6 * p.change / 0.05 for n, p in trace.parameters.items()}
    slope = (trace.runner.loss(small) - trace.loss) / 1e-6
    assert slope == pytest.approx(trace.predicted_change / 0.05, rel=1e-4)


class Counts(nn.Module):
    """Depends on its own attributes, which it changes."""

    def __init__(self):
        super().__init__()
        self.fc, self.count, self.state = nn.Linear(3, 2), 0, torch.zeros(2)

    def forward(self, x):
        x -= 1
        self.count += 1
        out = self.fc(x) * self.count + self.state
        self.state = out.detach().mean(0)
        return out


def test_the_runner_starts_from_the_modules_own_attributes():
    x, y = data()
    trace = model_step(seeded(Counts), x, y, loss=CROSS, optimizer=torch.optim.SGD)
    for _ in range(3):
        assert trace.runner.loss({}) == trace.loss


def test_replays_are_the_recorded_results(net):
    for call in net.calls:
        for made, value in zip(call.replay({}), call.results, strict=True):
            np.testing.assert_array_equal(made, value.array)


def test_a_mask_is_drawn_again_as_it_was():
    x, y = data(dtype=torch.float64)
    model = seeded(lambda: Mlp().double())
    trace = model_step(model, x, y, loss=CROSS)
    call = next(c for c in trace.calls if c.name == "dropout")
    np.testing.assert_array_equal(call.replay({})[0], call.results[0].array)
    assert (call.results[0].array == 0).any()


@pytest.mark.parametrize("only", ["blocks.0", "shared", "lstm"])
def test_only_records_one_module_and_the_loss(net, only):
    x, _ = data(dtype=torch.float64)
    model = seeded(lambda: Net().double())
    with pytest.warns(MiyaWarning, match="W422 only the calls inside"):
        trace = model_step(
            model, x, torch.tensor([0, 1, 1]), loss=CROSS, optimizer=torch.optim.SGD, only=only
        )
    modules = {c.module for c in trace.calls if c.name != "outside"}
    assert modules <= {only, f"{only}.fc", f"{only}.norm", "loss"}
    assert trace.loss == net.loss
    for name, step in trace.parameters.items():
        np.testing.assert_array_equal(step.gradient, net.gradients[name])
        np.testing.assert_array_equal(step.after, net.parameters[name].after)
    for call in trace.calls:
        for value in call.results:
            if value.name in net.values and net.values[value.name].gradient is not None:
                np.testing.assert_array_equal(value.gradient, net.values[value.name].gradient)
    recorded = sum(v.size for c in trace.calls for v in c.results)
    assert recorded < 0.6 * sum(v.size for c in net.calls for v in c.results)
    assert trace.values["out" if only != "out" else "loss"].gradient is not None


def test_only_of_no_module():
    x, y = data()
    with pytest.raises(
        MiyaInputError, match=r"E418 only: the model has no module 'fc3'. Did you mean 'fc2'\?"
    ):
        model_step(seeded(Mlp), x, y, loss=CROSS, only="fc3")


def test_modes_are_recorded_and_evaluation_draws_no_mask():
    model = seeded(Mlp).eval()
    x, y = data()
    trace = model_step(model, x, y, loss=CROSS)
    assert not trace.modules["drop"].training and trace.modules["drop"].kind == "Dropout"
    assert trace.values["drop"] is trace.values["relu"]  # nothing was made
    assert trace.modules["fc1"].says == "in_features=3, out_features=5, bias=True"


def test_a_loss_of_one_element_is_a_number():
    x, _ = data()
    model = seeded(lambda: nn.Linear(3, 1))
    trace = model_step(model, x[:1], None, loss=lambda out: out.flatten().square())
    assert trace.loss == pytest.approx(float(model(x[:1]).detach()) ** 2, rel=1e-6)


def test_gradients_are_those_of_a_raw_step():
    x, y = data(dtype=torch.float64)
    model = seeded(lambda: Mlp().double())
    state = torch.get_rng_state()
    trace = model_step(model, x, y, loss=CROSS)
    torch.set_rng_state(state)
    assert raw_step(model, x, y, CROSS, None) == trace.loss
    for name, p in model.named_parameters():
        np.testing.assert_array_equal(trace.gradients[name], p.grad.numpy())
    assert adds_up(trace, 1e-12) > 40
