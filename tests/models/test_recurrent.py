"""RNN, LSTM and GRU through time: δ of every time step against loops written out by hand, and every
form of them held against autograd."""

import numpy as np
import pytest
import torch
from models.exactness import exact
from torch import nn
from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence

from miya.core.contributions import contributions
from miya.read.torch.step import model_step

TIME, BATCH, WIDTH, STATE = 4, 2, 3, 5


def through(kind, nonlinearity="tanh"):
    """A layer's forward pass by hand, as torch.nn documents it: gives h of each time step, and what
    the time step works out, by name."""

    def rnn(x, h, c, w, u, b, d):
        z = x @ w.T + b + h @ u.T + d
        return getattr(torch, nonlinearity)(z), c, {"z": z}

    def lstm(x, h, c, w, u, b, d):
        z = x @ w.T + b + h @ u.T + d
        parts = z.chunk(4, -1)
        i, f, o = (torch.sigmoid(parts[k]) for k in (0, 1, 3))
        g = torch.tanh(parts[2])
        c = f * c + i * g
        return o * torch.tanh(c), c, {"z": z, "i": i, "f": f, "g": g, "o": o, "c": c}

    def gru(x, h, c, w, u, b, d):
        (xr, xz, xn), (hr, hz, hn) = ((x @ w.T + b).chunk(3, -1), (h @ u.T + d).chunk(3, -1))
        r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
        n = torch.tanh(xn + r * hn)
        return (1 - z) * n + z * h, c, {"r": r, "z": z, "n": n}

    return {"RNN": rnn, "LSTM": lstm, "GRU": gru}[kind]


def by_hand(layer, cell, x, reverse=False, layer_number=0):
    """(T, B, in) -> h of every time step (T, B, state), and by "t2.h" what is to be compared."""
    end = f"_l{layer_number}{'_reverse' if reverse else ''}"
    weights = [getattr(layer, f"{word}{end}") for word in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]  # fmt: skip
    h = c = x.new_zeros(x.shape[1], layer.hidden_size)
    found, kept = {}, {}
    for t in reversed(range(len(x))) if reverse else range(len(x)):
        h, c, parts = cell(x[t], h, c, *weights)
        found[t] = h
        for word, tensor in {**parts, "h": h}.items():
            tensor.retain_grad()
            kept[f"t{t}.{word}"] = tensor
    return torch.stack([found[t] for t in sorted(found)]), kept


def weigh(output, target=None):
    """C: no two elements alike."""
    weights = torch.linspace(-1, 2, output.numel(), dtype=output.dtype).view_as(output)
    return (weights * output.square()).sum()


class Reads(nn.Module):
    """The outputs of a recurrent layer."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x)[0]


def sequence(seed=3):
    torch.manual_seed(seed)
    return torch.randn(TIME, BATCH, WIDTH, dtype=torch.float64)


def compare(trace, path, kept):
    """Every number kept, and its δ."""
    for word, tensor in kept.items():
        told = inside(trace)[f"{path}.{word}"]
        np.testing.assert_allclose(told.array, tensor.detach(), rtol=1e-11, atol=1e-14)
        np.testing.assert_allclose(told.gradient, tensor.grad, rtol=1e-10, atol=1e-14, err_msg=word)


def inside(trace):
    """What is made inside the calls that are told by their steps, by name."""
    told = [c for call in trace.calls if call.inside is not None for c in call.inside.calls]
    return {v.name: v for c in told for v in c.results}


@pytest.mark.parametrize(
    ("kind", "nonlinearity"), [("RNN", "tanh"), ("RNN", "relu"), ("LSTM", "tanh"), ("GRU", "tanh")]
)
def test_the_delta_of_each_time_step(kind, nonlinearity):
    options = {"nonlinearity": nonlinearity} if kind == "RNN" else {}
    x = sequence()
    layer = getattr(nn, kind)(WIDTH, STATE, **options).double()
    trace = model_step(Reads(layer), x, loss=weigh)
    output, kept = by_hand(layer, through(kind, nonlinearity), x)
    weigh(output).backward()
    assert len(kept) == TIME * {"RNN": 2, "LSTM": 7, "GRU": 4}[kind]
    compare(trace, "layer", kept)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_two_layers_both_ways(kind):
    x = sequence()
    layer = getattr(nn, kind)(WIDTH, STATE, num_layers=2, bidirectional=True).double()
    trace = model_step(Reads(layer), x, loss=weigh)
    given, everything = x, {}
    for number in range(2):
        ways = [by_hand(layer, through(kind), given, back, number) for back in (False, True)]
        for word, (_, kept) in zip((f"l{number}", f"l{number}.reverse"), ways):
            everything |= {f"{word}.{name}": tensor for name, tensor in kept.items()}
        given = torch.cat([output for output, _ in ways], -1)
    weigh(given).backward()
    compare(trace, "layer", everything)


class Packed(nn.Module):
    """The last state of sequences of several lengths, and their outputs."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, packed):
        output, state = self.layer(packed)
        return pad_packed_sequence(output)[0].sum(0), state


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("options", [{}, {"bidirectional": True, "num_layers": 2, "dropout": 0.3}])
def test_sequences_of_several_lengths(kind, options):
    torch.manual_seed(4)
    parts = [torch.randn(n, WIDTH, dtype=torch.float64) for n in (2, 4, 1)]
    packed = pack_sequence(parts, enforce_sorted=False)
    model = Packed(getattr(nn, kind)(WIDTH, 3, **options).double())
    exact(model, packed, loss=lambda found: sum(weigh(t) for t in flat(found)))


def flat(found):
    return [found] if isinstance(found, torch.Tensor) else [t for part in found for t in flat(part)]


class Loops(nn.Module):
    """A cell called by hand for each time step; `all_states` also reads each c."""

    def __init__(self, cell, all_states=False):
        super().__init__()
        self.cell, self.all_states = cell, all_states

    def forward(self, x):
        state, found = None, []
        for row in x:
            state = self.cell(row, state)
            h, *c = state if isinstance(state, tuple) else (state,)
            found.append(torch.cat([h, *c], -1) if self.all_states else h)
        return torch.stack(found)


@pytest.mark.parametrize("all_states", [False, True])
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_cells_called_in_a_loop(kind, all_states):
    torch.manual_seed(5)
    cell = getattr(nn, f"{kind}Cell")(WIDTH, STATE).double()
    trace = exact(Loops(cell, all_states), sequence(), loss=weigh)
    layer = getattr(nn, kind)(WIDTH, STATE).double()
    for word in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        getattr(layer, f"{word}_l0").data = getattr(cell, word).data
    if not all_states:
        same = model_step(Reads(layer), sequence(), loss=weigh)
        assert trace.loss == pytest.approx(same.loss, rel=1e-13)
        for word in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            one, other = trace.gradients[f"cell.{word}"], same.gradients[f"layer.{word}_l0"]
            np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-14)


def test_the_state_of_an_lstm_cell_goes_back_by_h_and_by_c():
    """∂C/∂c holds what h passes back too, and `why` tells both."""
    torch.manual_seed(6)
    trace = model_step(Loops(nn.LSTMCell(WIDTH, STATE).double()), sequence(), loss=weigh)
    states = [call.results[1] for call in trace.calls if call.name == "lstm_cell"]
    for c, uses in ((states[0], ["tanh", "mul"]), (states[-1], ["tanh"])):
        assert [part.call.name for part in contributions(c, (0, 0))] == uses


def test_a_long_loop():
    """Hundreds of steps lead to no recursion."""
    torch.manual_seed(7)
    cell, x = nn.LSTMCell(WIDTH, 2).double(), torch.randn(700, 1, WIDTH, dtype=torch.float64)
    trace = model_step(Loops(cell), x, loss=weigh)
    first = next(call for call in trace.calls if call.name == "lstm_cell")
    back = first.passed("input")
    leaf = x.clone().requires_grad_()
    weigh(Loops(cell)(leaf)).backward()
    np.testing.assert_allclose(back, leaf.grad[0], rtol=1e-10, atol=1e-300)


def test_the_state_of_a_cell_as_the_loss():
    torch.manual_seed(8)
    cell, x = nn.LSTMCell(WIDTH, 1).double(), sequence()[0, :1]
    trace = exact(cell, x, loss=lambda state: state[1].reshape(()))
    assert trace.gradients["weight_ih"][:3].any() and not trace.gradients["weight_ih"][3:].any()
