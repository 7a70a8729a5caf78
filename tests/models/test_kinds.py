"""Kinds of models: in-place operations, autograd.Functions, checkpoints, compiled and scripted
ones, autocast, and what they take and give. Every gradient is autograd's, and contributions add up
to it."""

from collections import namedtuple
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from models.steps import adds_up, data, raw_step, seeded, snapshot
from torch import nn
from torch.utils.checkpoint import checkpoint

from miya.errors import MiyaInputError, MiyaWarning
from miya.read.torch.step import model_step

CROSS = nn.CrossEntropyLoss()


def told(model, inputs, target, loss=CROSS, relative=1e-9, check=True, exact=True, **options):
    """The trace, its loss and gradients compared with a raw step's, its contributions added up."""
    state = torch.get_rng_state()
    before = snapshot(model, None, (inputs, target))
    trace = model_step(model, inputs, target, loss=loss, **options)
    assert snapshot(model, None, (inputs, target)) == before
    torch.set_rng_state(state)
    with torch.no_grad():  # a TorchScript copy made with gradients leads back to its original
        other = deepcopy(getattr(model, "module", model))
    for p, q in zip(other.parameters(), model.parameters()):
        p.requires_grad_(q.requires_grad)
    real = raw_step(other, deepcopy(inputs), target, loss, None)
    assert trace.loss == (real if exact else pytest.approx(real, rel=1e-14))
    for name, p in getattr(other, "_orig_mod", other).named_parameters():
        told = trace.gradients[name.removeprefix("_orig_mod.")]
        if not exact:
            np.testing.assert_allclose(told, p.grad.numpy(), rtol=1e-12)
        elif p.grad is None:
            assert told is None, name
        else:
            grad = p.grad.to_dense() if p.grad.is_sparse else p.grad
            np.testing.assert_array_equal(
                told,
                grad.float().numpy()
                if grad.dtype in (torch.bfloat16, torch.float16)
                else grad.numpy(),
            )
    if check:
        assert adds_up(trace, relative) > 0
    return trace


class Body(nn.Module):
    """fc1, what a test does in the middle, fc2."""

    def __init__(self, middle, inside=4):
        super().__init__()
        self.fc1, self.fc2, self.middle = nn.Linear(3, 4), nn.Linear(inside, 2), middle

    def forward(self, x):
        return self.fc2(self.middle(self.fc1(x)))


def in_place_ops(h):
    h += 1
    h.mul_(2).tanh_()
    return h


def set_items(h):
    h = h * 1
    h[:, 0] = h[:, 1] * 3
    h[1] = 0.5
    return h


def through_a_view(h):
    h = h * 1
    before = h + 1
    first = h[:, :2]
    earlier = first * 2
    first.mul_(3)
    first[:, 1] += earlier[:, 0]
    return h + before * first.sum()


def a_view_of_a_view(h):
    h = h + h.exp()
    row = h[2]
    end = row[1:]
    end.add_(row[0] * 2)
    return h * end.sum() + row


def into_zeros(h):
    made = torch.zeros(len(h), 4, dtype=h.dtype)
    made[:, 1:] = h[:, 1:]
    made.view(-1)[:3].add_(h[0, :3])
    return made


def out_argument(h):
    return F.relu_(h - 0.1) + F.leaky_relu(h * 2, 0.3, inplace=True)


def masked(h):
    h = h * 1
    h[h > 0] = 0.25
    h.masked_fill_(h < -0.5, 0.0)
    return h


def transposed(h):
    h = h * 2
    h.T.mul_(torch.arange(1.0, len(h) + 1, dtype=h.dtype))
    return h


MIDDLES = {
    f.__name__: f
    for f in (
        in_place_ops,
        set_items,
        through_a_view,
        a_view_of_a_view,
        into_zeros,
        out_argument,
        masked,
        transposed,
    )
}


@pytest.mark.parametrize("name", MIDDLES)
def test_operations_in_place(name):
    x, y = data(dtype=torch.float64)
    trace = told(seeded(lambda: Body(MIDDLES[name]).double()), x, y)
    assert "fc1" in trace.values


def test_what_a_value_was_before_it_was_overwritten():
    x, y = data(dtype=torch.float64)
    model = seeded(
        lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True), nn.Linear(4, 2)).double()
    )
    trace = told(model, x, y)
    z = x.numpy() @ model[0].weight.detach().numpy().T + model[0].bias.detach().numpy()
    np.testing.assert_allclose(trace.values["0"].array, z, rtol=1e-12)
    np.testing.assert_allclose(trace.values["1"].array, np.maximum(z, 0), rtol=1e-12)
    back = trace.values["1"].gradient
    np.testing.assert_array_equal(trace.values["0"].gradient, back * (z > 0))


class Double(torch.autograd.Function):
    """exp, with a backward pass that is twice the right one."""

    @staticmethod
    def forward(ctx, x, scale):
        ctx.save_for_backward(x.exp() * scale, x)
        return x.exp() * scale

    @staticmethod
    def backward(ctx, gradient):
        made, _ = ctx.saved_tensors
        return gradient * made * 2, (gradient * made).sum()


apply_double = Double.apply


class Custom(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.scale = nn.Linear(3, 2), nn.Parameter(torch.tensor(1.5))

    def forward(self, x):
        h = self.fc(x)
        return apply_double(h, self.scale) + h


def test_an_autograd_function_is_told_by_its_edges():
    x, y = data(dtype=torch.float64)
    with pytest.warns(MiyaWarning, match="W424 Double ran past the recorder"):
        trace = told(seeded(lambda: Custom().double()), x, y)
    call = next(c for c in trace.calls if c.name == "Double")
    assert trace.values["fc"] in call.operands.values()
    assert trace.parameters["scale"].value in call.operands.values()
    assert call.results[0].gradient is not None


class Penalty(nn.Module):
    """A gradient inside the forward pass."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, x):
        x = x * 1
        x.requires_grad_()
        out = self.fc(x).sigmoid()
        slope = torch.autograd.grad(out.sum(), x, create_graph=True)[0]
        return out.log() * slope.square().sum()


def test_a_gradient_within_the_model():
    x, y = data(dtype=torch.float64)
    with pytest.warns(MiyaWarning, match="W424 autograd.grad"):
        trace = told(seeded(lambda: Penalty().double()), x, y)
    assert "output" in trace.values


class Checkpointed(nn.Module):
    def __init__(self, reentrant):
        super().__init__()
        self.fc1, self.fc2, self.drop, self.reentrant = (
            nn.Linear(3, 4),
            nn.Linear(4, 2),
            nn.Dropout(0.3),
            reentrant,
        )

    def part(self, x):
        return self.drop(self.fc1(x)).tanh()

    def forward(self, x):
        return self.fc2(checkpoint(self.part, x, use_reentrant=self.reentrant))


def test_checkpoints():
    x, y = data(dtype=torch.float64)
    trace = told(seeded(lambda: Checkpointed(False).double()), x, y)
    assert trace.values["fc1"].gradient is not None and "drop" in trace.values
    with pytest.raises(MiyaInputError, match=r"E417 .*use_reentrant=False"):
        model_step(seeded(lambda: Checkpointed(True).double()), x.requires_grad_(), y, loss=CROSS)


def test_compiled_models_are_told_as_written():
    x, y = data()
    model = torch.compile(
        nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), backend="eager"
    )
    with pytest.warns(MiyaWarning, match="W420 the compiled model"):
        trace = told(model, x, y, relative=1e-5)
    assert [c.name for c in trace.calls] == ["linear", "relu", "linear", "cross_entropy"]
    assert "0.weight" in trace.parameters

    class Nested(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = torch.compile(nn.Linear(3, 2), backend="eager")

        def forward(self, x):
            return self.inner(x).relu()

    trace = told(Nested(), x, y, relative=1e-5)
    assert [c.name for c in trace.calls] == ["linear", "relu", "cross_entropy"]


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_scripted_modules_are_told_at_the_level_of_tensors():
    x, y = data(dtype=torch.float64)
    scripted = torch.jit.script(nn.Sequential(nn.Linear(3, 4), nn.Tanh()))
    model = nn.Sequential(scripted, nn.Linear(4, 2)).double()
    with pytest.warns(MiyaWarning, match="W424"):
        trace = told(model, x, y, exact=False)  # its executor is optimised from run to run
    call = trace.calls[0]
    assert call.name == "Tanh" and call.results[0].gradient is not None
    assert {v.name for v in call.operands.values()} == {"0.0.weight", "0.0.bias"}


def test_autocast():
    class Cast(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(3, 4), nn.Linear(4, 2)

        def forward(self, x):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return self.fc2(self.fc1(x).relu()).float()

    x, y = data()
    trace = told(seeded(Cast), x, y, relative=0.05)
    assert trace.values["fc1"].dtype == "bfloat16"
    with torch.autocast("cpu", dtype=torch.bfloat16):
        trace = told(seeded(lambda: nn.Linear(3, 2)), x, y, relative=0.05)
    call = trace.calls[0]
    np.testing.assert_array_equal(call.replay({})[0], call.results[0].array)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_dtypes(dtype):
    x, y = data(dtype=dtype)
    relative = {torch.float64: 1e-12, torch.float32: 1e-5}.get(dtype, 0.05)
    trace = told(seeded(lambda: Body(torch.relu).to(dtype)), x, y, relative=relative)
    assert trace.dtype == str(dtype).removeprefix("torch.")
    assert trace.values["fc1"].array.dtype == (np.float64 if dtype == torch.float64 else np.float32)


Pair = namedtuple("Pair", "logits hidden")


@dataclass
class Output:
    logits: torch.Tensor
    loss: torch.Tensor | None = None


class Gives(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.fc1, self.fc2, self.kind = nn.Linear(3, 4), nn.Linear(4, 2), kind

    def forward(self, x, labels=None):
        hidden = self.fc1(x).relu()
        logits = self.fc2(hidden)
        loss = None if labels is None else F.cross_entropy(logits, labels)
        return {
            "dict": lambda: {"logits": logits, "loss": loss},
            "tuple": lambda: (logits, [hidden]),
            "named": lambda: Pair(logits, hidden),
            "dataclass": lambda: Output(logits, loss),
            "loss": lambda: loss,
        }[self.kind]()


@pytest.mark.parametrize("kind", ["dict", "dataclass", "loss"])
def test_a_model_that_gives_the_loss_itself(kind):
    x, y = data(dtype=torch.float64)
    trace = told(seeded(lambda: Gives(kind).double()), {"x": x, "labels": y}, None, loss=None)
    assert trace.values["loss"] is trace.root
    assert [v.name for v in trace.inputs] == ["x", "labels"]


@pytest.mark.parametrize(
    ("kind", "loss"),
    [
        ("dict", lambda out, y: F.cross_entropy(out["logits"], y)),
        ("tuple", lambda out, y: F.cross_entropy(out[0], y) + out[1][0].mean()),
        ("named", lambda out, y: F.cross_entropy(out.logits, y)),
        ("dataclass", lambda out, y: F.cross_entropy(out.logits, y)),
    ],
)
def test_a_model_that_gives_several_things(kind, loss):
    x, y = data(dtype=torch.float64)
    trace = told(seeded(lambda: Gives(kind).double()), x, y, loss=loss)
    assert trace.values["fc2"] in trace.outputs


class Takes(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, parts, scale, *, shift):
        return self.fc(parts["a"][0] + parts["a"][1]) * scale + shift


def test_inputs_may_be_nested():
    x, y = data(dtype=torch.float64)
    model = seeded(lambda: Takes().double())
    trace = told(model, {"parts": {"a": (x, x * 2)}, "scale": 2.0, "shift": torch.ones(2)}, y)
    assert [v.name for v in trace.inputs] == ["a.0", "a.1", "shift"]


def test_the_same_tensor_as_input_and_target():
    x, _ = data(dtype=torch.float64)
    trace = told(seeded(lambda: nn.Linear(3, 3).double()), x, x, loss=nn.MSELoss())
    assert trace.inputs == trace.targets
    assert {c.name for c, _ in trace.inputs[0].uses} == {"linear", "mse_loss"}


def test_packed_sequences():
    class Packed(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.fc = nn.LSTM(3, 4), nn.Linear(4, 2)

        def forward(self, packed):
            _, (h, _) = self.lstm(packed)
            return self.fc(h[-1])

    packed = nn.utils.rnn.pack_sequence(
        [torch.randn(n, 3, dtype=torch.float64) for n in (4, 3, 1)], enforce_sorted=False
    )
    trace = told(seeded(lambda: Packed().double()), packed, torch.tensor([0, 1, 1]), check=False)
    assert any("lstm" in c.name and any(r.has_gradient for r in c.results) for c in trace.calls)
    for value in trace.values.values():
        if value.gradient is not None and value.uses:
            parts = [c.passed(role) for c, role in value.uses]
            found = sum(p for p in parts if p is not None)
            np.testing.assert_allclose(found, value.gradient, rtol=1e-9, atol=1e-12)


def test_wrappers():
    x, y = data(dtype=torch.float64)
    model = seeded(lambda: nn.DataParallel(nn.Linear(3, 2).double()))
    with pytest.warns(MiyaWarning, match="W421 the model inside DataParallel"):
        trace = model_step(
            model, x, y, loss=CROSS, optimizer=torch.optim.SGD(model.parameters(), lr=0.1)
        )
    assert list(trace.parameters) == ["weight", "bias"]
    assert trace.parameters["weight"].change.any()


def weight_norm_old(m):
    with pytest.warns(FutureWarning):
        return nn.utils.weight_norm(m)


@pytest.mark.parametrize(
    "wrap",
    [nn.utils.parametrizations.weight_norm, nn.utils.parametrizations.spectral_norm, nn.utils.parametrizations.orthogonal, weight_norm_old],
)  # fmt: skip
def test_parametrisations(wrap):
    x, y = data(dtype=torch.float64)
    model = seeded(lambda: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double())
    model[0] = wrap(model[0])
    state = {n: b.clone() for n, b in model.named_buffers()}
    trace = model_step(model, x, y, loss=CROSS)
    for n, b in model.named_buffers():
        assert torch.equal(b, state[n])
    raw_step(model, x, y, CROSS, None)
    for n, p in model.named_parameters():
        np.testing.assert_array_equal(trace.gradients[n], p.grad.numpy())
    adds_up(trace)


def test_running_statistics_are_those_before():
    class Stats(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.norm = nn.Linear(3, 2), nn.BatchNorm1d(2)

        def forward(self, x):
            return self.norm(self.fc(x))

    x, y = data(dtype=torch.float64)
    model = seeded(lambda: Stats().double())
    trace = told(model, x, y)
    call = next(c for c in trace.calls if c.name == "batch_norm")
    np.testing.assert_array_equal(call.operands["running_mean"].array, np.zeros(2))
    np.testing.assert_array_equal(call.operands["running_var"].array, np.ones(2))
    call.passed("input")
    np.testing.assert_array_equal(call.operands["running_mean"].array, np.zeros(2))
    model.eval()
    told(model, x, y)


def test_control_flow_that_depends_on_the_data():
    class Loops(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.out = nn.Linear(3, 3), nn.Linear(3, 2)

        def forward(self, x):
            count = 0
            while x.abs().max() < 4 and count < 6:
                x = self.fc(x) * 1.7
                count += 1
            return self.out(x) if x.sum() > 0 else -self.out(x)

    x, y = data(dtype=torch.float64)
    trace = told(seeded(lambda: Loops().double()), x, y)
    assert trace.values["fc"] is not None
    assert sum(c.name == "linear" for c in trace.calls) >= 2


def test_parts_without_gradient_and_torch_func_inside():
    class Mixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.out = nn.Linear(3, 3), nn.Linear(3, 2)

        def forward(self, x):
            with torch.no_grad():
                scale = self.fc(x).abs().mean()
            rows = torch.func.vmap(lambda row: row * row.sum())(x)
            return self.out(self.fc(rows) * scale)

    x, y = data(dtype=torch.float64)
    trace = told(seeded(lambda: Mixed().double()), x, y)
    assert trace.values["fc"].gradient is None and trace.values["fc@2"].gradient is not None


def test_complex_operations_are_told_at_the_level_of_tensors():
    class Waves(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.out = nn.Linear(3, 4), nn.Linear(3, 2)

        def forward(self, x):
            return self.out((torch.fft.rfft(self.fc(x)) * 2j).abs())

    x, y = data(dtype=torch.float64)
    trace = told(seeded(lambda: Waves().double()), x, y, check=False)
    assert "complex mul" in {c.name for c in trace.calls}
    value = trace.values["fc"]
    np.testing.assert_allclose(
        value.uses[0][0].passed(value.uses[0][1]), value.gradient, rtol=1e-12
    )


def test_full_backward_hooks_beside_operations_in_place():
    model = seeded(lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True), nn.Linear(4, 2)))
    model[0].register_full_backward_hook(lambda m, into, out: None)
    x, y = data()
    before = snapshot(model)
    with pytest.warns(MiyaWarning, match="W404 "):
        trace = model_step(model, x, y, loss=CROSS, optimizer=torch.optim.SGD)
    assert snapshot(model) == before
    assert [c.name for c in trace.calls] == ["linear", "relu", "linear", "cross_entropy"]
    assert trace.notes[0][0] == "W404"


def test_a_loss_with_parameters_of_its_own():
    class Learned(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))

        def forward(self, output, target):
            return F.cross_entropy(output * self.scale, target) + self.scale.square().sum()

    x, y = data(dtype=torch.float64)
    model, loss = seeded(lambda: nn.Linear(3, 2).double()), Learned()
    optimizer = torch.optim.SGD([*model.parameters(), *loss.parameters()], lr=0.1)
    trace = model_step(model, x, y, loss=loss, optimizer=optimizer)
    step = trace.parameters["loss.scale"]
    assert step.trained and step.change.any()
    assert trace.loss_after == pytest.approx(trace.loss + trace.predicted_change, rel=0.5)
    raw_step(model, x, y, loss, optimizer)
    np.testing.assert_array_equal(step.after, loss.scale.detach().numpy())


def test_generators_of_the_user_s_own():
    draw = torch.Generator().manual_seed(3)

    class Draws(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 2)

        def forward(self, x):
            return self.fc(x + torch.randn(x.shape, generator=draw, dtype=x.dtype))

    x, y = data()
    state = draw.get_state()
    model_step(seeded(Draws), x, y, loss=CROSS)
    assert torch.equal(draw.get_state(), state)
