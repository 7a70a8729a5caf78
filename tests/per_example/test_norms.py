"""Every example's gradient norms, against a backward pass of each example in float64."""

import pytest
import torch
from per_example import zoo
from torch import nn

import miya
from miya.errors import MiyaWarning
from miya.per_example.batch import together
from miya.per_example.capture import measured
from miya.per_example.evidence import Outer, Rows, squares_of

CROSS = nn.CrossEntropyLoss()


def agree(found, norms, losses):
    largest = norms.max(1, keepdim=True).values
    assert ((found.norms - norms).abs() <= 1e-10 * norms + 1e-14 * largest).all()
    assert (found.loss - losses).abs().max() < 1e-12


@pytest.mark.parametrize("name", zoo.CASES)
def test_one_pass_gives_what_single_passes_give(name):
    model, x, y = zoo.build(name)
    losses, norms = zoo.singles(model, CROSS, x, y)
    agree(together(model, CROSS, measured(model), x, y, len(y)), norms, losses)


def test_tied_weights_add_up_before_the_norm_is_taken():
    torch.manual_seed(0)
    model, x = zoo.Tied().double(), zoo.tokens()
    losses, norms = zoo.singles(model, zoo.sequence_loss, x, x)
    found = together(model, zoo.sequence_loss, measured(model), x, x, len(x))
    agree(found, norms, losses)
    untied = zoo.Tied().double()
    untied.head.weight = nn.Parameter(model.head.weight.detach().clone())
    untied.embedding.weight = nn.Parameter(model.head.weight.detach().clone())
    untied.twice = model.twice
    _, both = zoo.singles(untied, zoo.sequence_loss, x, x)
    squares = both[:, 0] ** 2 + both[:, 3] ** 2
    assert (found.norms[:, 0] - squares.sqrt()).abs().min() > 1e-3  # the cross term counts


@pytest.mark.parametrize("name", ["cnn", "encoder", "lstm", "windows"])
def test_in_float32_they_are_right_to_six_digits(name):
    model, x, y = zoo.build(name)
    _, norms = zoo.singles(model, CROSS, x, y)
    model, x = model.float(), x.float() if x.is_floating_point() else x
    found = together(model, CROSS, measured(model), x, y, len(y)).norms
    assert ((found - norms).abs() <= 1e-5 * norms + 1e-6 * norms.max()).all()


@pytest.mark.parametrize("positions", [1, 3, 40])
def test_a_square_that_leaves_float32_is_kept(positions):
    torch.manual_seed(0)
    a, b = (torch.randn(4, 1, positions, n) for n in (30, 20))
    right = squares_of(a.double().transpose(2, 3) @ b.double()) * 1e-60
    found = Outer(a * 1e-30, b, (30, 20)).squares()
    assert found == pytest.approx(right, rel=1e-5, abs=0)


def test_products_that_cancel_are_worked_out_directly():
    torch.manual_seed(0)
    a, b = (torch.randn(3, 1, 4, n, dtype=torch.float64) for n in (30, 20))
    a[:, :, 2:], b[:, :, 2:] = -a[:, :, :2], b[:, :, :2]  # the second half takes the first away
    a[:, :, 3] += 1e-9
    right = squares_of(a.transpose(2, 3) @ b)
    assert Outer(a, b, (30, 20)).squares() == pytest.approx(right, rel=1e-12, abs=0)


def test_rows_that_are_looked_up_again_add_up():
    index = torch.tensor([[1, 1, 2], [0, 3, 0]])
    delta = torch.randn(2, 3, 4, dtype=torch.float64)
    rows = Rows(index, delta, (5, 4))
    dense = torch.zeros(2, 5, 4, dtype=torch.float64)
    for k in range(2):
        for p in range(3):
            dense[k, index[k, p]] += delta[k, p]
    assert torch.equal(rows.gradient(slice(None)), dense)
    assert rows.squares() == pytest.approx(dense.square().sum((1, 2)))


def test_the_pressure_of_a_neuron_is_what_a_bias_of_its_own_would_get():
    model, x, y = zoo.build("cnn")
    found = together(model, CROSS, measured(model), x, y, len(y)).pressures
    for k in range(len(y)):
        cost = CROSS(model(x[k : k + 1]), y[k : k + 1])
        for layer in ("0", "1", "4", "5", "8"):
            slope = torch.autograd.grad(cost, model[int(layer)].bias, retain_graph=True)[0]
            assert (found[layer][k] - slope).abs().max() < 1e-12, layer


class Own(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx, delta):
        x, w = ctx.saved_tensors
        return delta @ w.T, x.T @ delta


class Hidden(nn.Module):
    """Its weight goes where no function of torch shows it."""

    def __init__(self):
        super().__init__()
        self.weight, self.head = nn.Parameter(torch.randn(4, 6)), nn.Linear(6, 5)

    def forward(self, x):
        return self.head(torch.tanh(Own.apply(x, self.weight)))


class Confusing(nn.Module):
    """As many time steps as examples: where the examples are can be guessed wrongly."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 5)
        self.weight = nn.Parameter(torch.randn(zoo.BATCH, 5))

    def forward(self, x):
        found = torch.stack([self.inner(x[:, k]) for k in range(x.shape[1])])  # (T, B, 5)
        return (found * self.weight[:, None]).sum(0)


def test_what_no_rule_follows_takes_single_passes_and_is_said():
    torch.manual_seed(0)
    model, x, y = Hidden().double(), torch.randn(6, 4).double(), zoo.classes()
    said = (
        "W773 every example took a forward and a backward pass of its own: the model uses weight "
        "in a way that no function of torch shows"
    )
    with pytest.warns(MiyaWarning) as caught:
        found = miya.blame_examples(model, (x, y), CROSS)
    assert [str(w.message) for w in caught] == [said] == found.notes()
    _, norms = zoo.singles(model, CROSS, x, y)
    assert found.values("weight") == pytest.approx(norms[:, 0].numpy(), rel=1e-12)
    assert found.facts.method == "single" and found.top(1)[0].neurons == ()


def test_as_many_steps_as_examples():
    torch.manual_seed(0)
    model, x, y = Confusing().double(), torch.randn(6, 6, 4).double(), zoo.classes()
    found = miya.blame_examples(model, (x, y), CROSS)
    _, norms = zoo.singles(model, CROSS, x, y)
    by = [n for n, _ in model.named_parameters()]
    for k, name in enumerate(by):
        assert found.values(name) == pytest.approx(norms[:, k].numpy(), rel=1e-10)


def test_a_wrong_rule_is_caught_by_single_runs(monkeypatch):
    from miya.per_example import evidence

    monkeypatch.setattr(evidence.Dense, "squares", lambda self: 2 * squares_of(self.g))
    model, x, y = zoo.build("mlp")
    with pytest.warns(MiyaWarning, match="uses 2.bias so that single runs give it other gradients"):
        found = miya.blame_examples(model, (x, y), CROSS)
    _, norms = zoo.singles(model, CROSS, x, y)
    assert found.values("0.bias") == pytest.approx(norms[:, 1].numpy(), rel=1e-12)


def test_several_inputs_by_place_and_by_name():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(3, 5), nn.Linear(2, 5)

        def forward(self, a, b):
            return self.one(a) + self.two(b)

    torch.manual_seed(0)
    model, y = Two().double(), zoo.classes()
    a, b = torch.randn(6, 3).double(), torch.randn(6, 2).double()
    by_place = miya.blame_examples(model, ((a, b), y), CROSS)
    by_name = miya.blame_examples(model, ({"b": b, "a": a}, y), CROSS)
    assert (by_place.values() == by_name.values()).all() and len(by_place) == 6
    assert by_place.values("one").min() > 0


def test_one_example_alone_and_a_last_batch_of_one():
    model, x, y = zoo.build("encoder")
    _, norms = zoo.singles(model, CROSS, x, y)
    right = norms.square().sum(1).sqrt().numpy()
    assert miya.blame_examples(model, (x[:1], y[:1]), CROSS).values() == pytest.approx(right[:1])
    assert miya.blame_examples(model, (x, y), CROSS, batch_size=5).values() == pytest.approx(right)


@pytest.mark.parametrize("name", [n for n in zoo.CASES if n.startswith("attention")])
def test_attention_of_a_batch_to_itself_is_one_product_and_one_pass(name, monkeypatch):
    from miya.per_example import capture

    taken, right = [], capture.self_attention
    monkeypatch.setattr(
        capture, "self_attention", lambda *given: taken.append(right(*given)) or taken[-1]
    )
    model, x, y = zoo.build(name)
    together(model, CROSS, measured(model), x, y, len(y))
    assert [found is not None for found in taken] == [True, False, False]
    found = taken[0][0]
    assert found.is_contiguous() == (not model.one.batch_first)  # as torch gives it


def test_a_layer_norm_of_large_numbers_keeps_its_digits():
    torch.manual_seed(0)
    model = nn.Sequential(nn.LayerNorm((4, 8)), nn.Flatten(), nn.Linear(32, 5)).double()
    nn.init.normal_(model[0].weight)
    x, y = torch.randn(6, 4, 8).double() + 1e3, zoo.classes()
    losses, norms = zoo.singles(model, CROSS, x, y)
    found = together(model, CROSS, measured(model), x, y, len(y))
    agree(found, norms, losses)


@pytest.mark.parametrize("positions", [2, 64, 1000])
def test_products_in_float32_keep_six_digits_whether_they_cancel_or_not(positions):
    torch.manual_seed(0)
    a, b = (torch.randn(5, 1, positions, n) for n in (60, 50))
    b[1] = b[1] - b[1].mean(1, keepdim=True)  # with the same input everywhere all cancels
    a[1] = a[1, :, :1] + 1e-2 * a[1]
    a[2], b[2] = a[2].abs(), b[2].abs()  # all agree
    right = squares_of(a.double().transpose(2, 3) @ b.double())
    assert Outer(a, b, (60, 50))._by_products() == pytest.approx(right, rel=1e-5, abs=0)
