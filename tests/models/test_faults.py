"""Bad input: each fault is one message with its code, where it is, what was met and what to do."""

import threading

import pytest
import torch
import torch.nn.functional as F
from models.steps import Mlp, data, seeded, snapshot
from torch import nn

import miya
from miya.errors import MiyaInputError, MiyaWarning
from miya.read.torch.step import model_step

CROSS = nn.CrossEntropyLoss()
X, Y = data()


class Does(nn.Module):
    """fc, and then what a test does with it."""

    def __init__(self, then, inputs=3, outputs=2):
        super().__init__()
        self.fc, self.then = nn.Linear(inputs, outputs), then

    def forward(self, x):
        return self.then(self.fc(x))


def images(*shape):
    return torch.randn(*shape)


def frozen():
    model = Mlp()
    for p in model.parameters():
        p.requires_grad_(False)
    return model


def quantised():
    model = Mlp()
    model.table = nn.Parameter(torch.ones(3, dtype=torch.int8), requires_grad=False)
    return model


def lazy():
    return nn.Sequential(nn.LazyLinear(2))


def holds_a_lock():
    model = Mlp()
    model.fc1.lock = threading.Lock()
    return model


def with_complex():
    model = Mlp()
    model.wave = nn.Parameter(torch.ones(2, dtype=torch.complex64))
    return model


def post_hook():
    model = Mlp()
    model.fc1.weight.register_post_accumulate_grad_hook(lambda p: None)
    return model


def elsewhere():
    model = Mlp()
    model.fc2.to("meta")
    return model


LEAK = {}


def leaking():
    """Its forward reads another model's parameter, which is the user's own."""
    model = Does(lambda out: out + LEAK["model"].fc.bias)
    LEAK["model"] = model
    return model


class Keeps(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.state = nn.Linear(3, 2), None

    def forward(self, x):
        out = self.fc(x)
        if self.state is not None:
            out = out + self.state
        self.state = out
        return out


def kept():
    model = Keeps()
    model(X)
    return model


def global_graph(out):
    return out + F.relu(LEAK["graph"])


def second_backward():
    made = (torch.ones(2, requires_grad=True) * 2).exp()
    made.sum().backward()
    LEAK["graph"] = made
    return Does(global_graph)


def raises(out):
    raise KeyError("no such thing")


FAULTS = {
    "loss of a shape": (Mlp, X, Y, nn.CrossEntropyLoss(reduction="none"), r"E401 the loss is no single number but of shape \(6,\)\. Choose a scalar: loss\.mean\(\)\?$"),
    "loss of another kind": (Mlp, X, Y, lambda o, t: 1.0, r"E401 the loss is no single number but a float"),
    "no loss": (Mlp, X, None, None, r"E401 .* of shape \(6, 2\)\. Give a loss"),
    "nothing requires grad": (frozen, X, Y, CROSS, r"E402 no parameter requires grad\. Set requires_grad_"),
    "cut off": (lambda: Does(torch.Tensor.detach), X, None, torch.mean, r"E402 the loss requires no grad: the way from the parameters ends at detach"),
    "no gradient mode": (Mlp, X, Y, torch.no_grad()(lambda o, t: CROSS(o, t)), r"E402 .* ends at cross_entropy in loss"),
    "second backward": (second_backward, X, Y, CROSS, r"E405 backward goes through a graph a second time"),
    "state kept with its graph": (kept, X, Y, CROSS, r"E405 state is kept with its graph from an earlier step.*detach"),
    "integer weights": (quantised, X, Y, CROSS, r"E407 table holds integers \(int8\), which have no gradient"),
    "complex weights": (with_complex, X, Y, CROSS, r"E208 wave is complex \(complex64\)"),
    "linear": (Mlp, torch.randn(4, 5), torch.tensor([0, 1, 1, 0]), CROSS, r"E408 fc1 \(linear\): the input is \(4, 5\), its last dimension 5; the weight \(5, 3\) takes 3\. Give inputs of 3 features, or make the layer with in_features=5"),
    "conv2d": (lambda: nn.Sequential(nn.Conv2d(3, 2, 3)), images(2, 4, 8, 8), None, torch.mean, r"E408 0 \(conv2d\): the input \(2, 4, 8, 8\) has 4 channels; the weight \(2, 3, 3, 3\) takes 3"),
    "conv2d, dimensions": (lambda: nn.Sequential(nn.Conv2d(3, 2, 3)), images(8, 8), None, torch.mean, r"E408 0 \(conv2d\): the input is \(8, 8\), of 2 dimensions\. Give \(examples, channels, height, width\)"),
    "conv2d, kernel": (lambda: nn.Sequential(nn.Conv2d(3, 2, 5)), images(2, 3, 4, 4), None, torch.mean, r"E408 0 \(conv2d\): the kernel \(5, 5\) is larger than the input \(4, 4\)"),
    "broadcast": (lambda: Does(lambda h: h + torch.ones(3)), X, Y, CROSS, r"E408 the model \(add\): \(6, 2\) and \(3,\) do not fit each other: 2 meets 3 in dimension -1"),
    "matmul": (lambda: Does(lambda h: h @ torch.ones(3, 2)), X, Y, CROSS, r"E408 the model \(matmul\): \(6, 2\) times \(3, 2\): the first ends in 2, which meets 3"),
    "reshape": (lambda: Does(lambda h: h.view(5, 2)), X, Y, CROSS, r"E408 the model \(view\): \(6, 2\) holds 12 numbers, which \(5, 2\) does not"),
    "cat": (lambda: Does(lambda h: torch.cat([h, torch.ones(5, 2)], 1)), X, Y, CROSS, r"E408 the model \(cat\): \(6, 2\), \(5, 2\) differ beside dimension 1"),
    "layer_norm": (lambda: Does(nn.LayerNorm(3)), X, Y, CROSS, r"E408 then \(layer_norm\): the input \(6, 2\) does not end in \(3,\)"),
    "batch_norm": (lambda: Does(nn.BatchNorm1d(3)), X, Y, CROSS, r"E408 then \(batch_norm\): the input \(6, 2\) has 2 channels, the layer 3"),
    "embedding": (lambda: nn.Embedding(4, 2), torch.tensor([1, 7]), torch.tensor([0, 1]), CROSS, r"E408 the model \(embedding\): it has 4 rows, 0 to 3, and is asked for row 7"),
    "another operation": (lambda: Does(lambda h: torch.linalg.inv(h)), X, Y, CROSS, r"E408 the model: \w*inv\w* does not fit its operands \(fc \(6, 2\)\): "),
    "dtype": (Mlp, X.double(), Y, CROSS, r"E409 fc1 \(linear\) cannot take these types together: input is float64, fc1\.weight is float32, .*\.to\(torch\.float32\)"),
    "integer input": (Mlp, torch.ones(6, 3, dtype=torch.int64), Y, CROSS, r"E409 fc1 \(linear\) cannot take these types together: input is int64"),
    "embedding of floats": (lambda: nn.Embedding(4, 2), torch.ones(3), torch.tensor([0, 1, 1]), CROSS, r"E409 the model \(embedding\)"),
    "device": (elsewhere, X, Y, CROSS, r"E410 fc2 \(linear\) meets several devices: drop on cpu, fc2\.weight on meta"),
    "class out of range": (Mlp, X, torch.tensor([0, 1, 2, 0, 0, 0]), CROSS, r"E411 cross_entropy: target\[2\] is class 2, and there are 2: 0 to 1\. Count classes from 0"),
    "classes as floats": (Mlp, X, Y.float(), CROSS, r"E411 cross_entropy: class indices are whole numbers \(int64\), the target is float32\. Use y\.long\(\)"),
    "classes in a column": (Mlp, X, Y[:, None], CROSS, r"E411 cross_entropy: the output \(6, 2\) takes class indices of shape \(6,\), the target is \(6, 1\)"),
    "bce shape": (lambda: Does(torch.sigmoid), X, Y.float(), nn.BCELoss(), r"E411 binary_cross_entropy: the output is \(6, 2\), the target \(6,\)"),
    "bce of logits": (lambda: Does(lambda h: h * 9), X, torch.ones(6, 2), nn.BCELoss(), r"E411 binary_cross_entropy: it takes probabilities, the output goes from -"),
    "bce of integers": (lambda: Does(torch.sigmoid), X, torch.ones(6, 2, dtype=torch.int64), nn.BCELoss(), r"E411 binary_cross_entropy: the target is int64, the output float32"),
    "target that is no tensor": (Mlp, X, [0, 1], CROSS, r"E411 .*"),
    "output of several parts": (lambda: Does(lambda h: {"logits": h}), X, Y, CROSS, r"E411 .*loss=lambda output, y: criterion\(output\.logits, y\)"),
    "copy": (holds_a_lock, X, Y, CROSS, r"E414 the model cannot be copied: fc1\.lock is a lock, TypeError"),
    "own error": (lambda: Does(raises), X, Y, CROSS, r"E416 the model raised KeyError: 'no such thing'"),
    "own error inside": (lambda: nn.Sequential(nn.Linear(3, 2), Does(raises, 2)), X, Y, CROSS, r"E416 1 raised KeyError"),
    "no model": (lambda: lambda x: x, X, Y, CROSS, r"E416 the model is function, no torch\.nn\.Module"),
    "no loss function": (Mlp, X, Y, "cross_entropy", r"E416 the loss is 'cross_entropy', which cannot be called"),
    "overwritten": (lambda: Does(lambda h: h.exp().add_(h.exp().sigmoid_()).mul_(2)), X, Y, CROSS, r"E416 backward needs a value that an operation in place has overwritten"),
    "reads the user's own": (leaking, X, Y, CROSS, r"E417 the computation reads the model's own fc\.bias from outside"),
    "lazy": (lazy, X, Y, CROSS, r"E417 0\.weight has no shape yet"),
    "post hook": (post_hook, X, Y, CROSS, r"E417 fc1\.weight has a hook that runs after its gradient"),
    "max_norm": (lambda: nn.Embedding(4, 2, max_norm=1.0), torch.tensor([1]), torch.tensor([0]), CROSS, r"E417 the model has max_norm"),
    "missing argument": (Mlp, (X, X), Y, CROSS, r"E419 the inputs do not fit the model: Mlp\.forward\(\) takes 2 positional"),
    "unknown argument": (Mlp, {"z": X}, Y, CROSS, r"E419 the inputs do not fit the model: Mlp\.forward\(\) got an unexpected keyword argument 'z'"),
    "dropout": (lambda: Does(nn.Dropout(1.0)), X, Y, CROSS, r"E312 then is dropout with p = 1"),
    "dropout called": (lambda: Does(lambda h: F.dropout(h, 1.0)), X, Y, CROSS, r"E312 the model calls dropout with p = 1"),
    "one example": (Mlp, X[:1], Y[:1], CROSS, r"E313 norm normalises over the batch, and there is one example\. Give two"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_message(name):
    make, x, y, loss, message = FAULTS[name]
    model = seeded(make)
    real = isinstance(model, nn.Module) and name not in (
        "copy",
        "lazy",
        "complex weights",
        "device",
    )
    before = snapshot(model) if real else None
    with pytest.raises(MiyaInputError, match=message) as raised:
        model_step(model, x, y, loss=loss, optimizer=torch.optim.SGD)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 600
    if real:
        assert snapshot(model) == before


def test_the_user_s_own_error_is_the_cause():
    with pytest.raises(MiyaInputError) as raised:
        model_step(Does(raises), X, Y, loss=CROSS)
    assert isinstance(raised.value.__cause__, KeyError)


class Logs(nn.Module):
    def __init__(self, last):
        super().__init__()
        self.fc, self.last = nn.Linear(2, 2), last
        with torch.no_grad():
            self.fc.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, -1.0]]))
            self.fc.bias.zero_()

    def forward(self, x):
        return self.last(self.fc(x).relu())


POINTS = torch.tensor([[1.0, -2.0], [2.0, 0.52]])

NOT_FINITE = {
    "log of 0": (torch.log, r"E412 the loss is -infinite: log\[1, 1\] is -infinite, log of 0: relu\[1, 1\] is 0, because fc\[1, 1\] is -0\.52"),
    "0 / 0": (lambda h: h / (h * 0), r"E412 the loss is NaN: div\[1, 1\] is NaN, 0 / 0: relu\[1, 1\] is 0, because fc\[1, 1\] is -0\.52; mul\[1, 1\] is 0"),
    "root of a negative": (lambda h: (h - 1).sqrt(), r"E412 the loss is NaN: sqrt\[1, 1\] is NaN, sqrt of -1: sub\[1, 1\] is -1, because relu\[1, 1\] is 0, because fc\[1, 1\] is -0\.52"),
    "overflow": (lambda h: (h * 100).exp(), r"E412 the loss is infinite: exp\[0, 0\] is infinite, exp of 100: mul\[0, 0\] is 100, because relu\[0, 0\] is 1"),
    "overflow before NaN": (lambda h: (h * 100).exp() / (h * 100).exp(), r"E412 the loss is NaN: exp\[0, 0\] is infinite, exp of 100"),
    "a row that is all masked": (lambda h: h.masked_fill(h >= 0, -torch.inf).softmax(1), r"E412 the loss is NaN: softmax\[0, 0\] is NaN"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_FINITE)
def test_what_is_not_finite_is_traced_to_where_it_was_made(name):
    last, message = NOT_FINITE[name]
    with pytest.raises(MiyaInputError, match=message):
        model_step(Logs(last), POINTS, None, loss=torch.mean, optimizer=torch.optim.SGD)


def test_a_gradient_that_is_not_finite_is_traced_too():
    model = Does(lambda h: h.abs().sqrt(), 2)
    nn.init.zeros_(model.fc.bias)
    message = (
        r"E412 the gradient of fc\.weight is not finite: sqrt passes infinite back to abs\[0, 0\]: "
        r"abs\[0, 0\] is 0, because fc\[0, 0\] is 0\."
    )
    with pytest.raises(MiyaInputError, match=message):
        model_step(model, torch.zeros(1, 2), None, loss=torch.mean)


def test_an_input_that_is_not_finite():
    x = X.clone()
    x[3, 1] = torch.nan
    with pytest.raises(
        MiyaInputError, match=r"E412 the loss is NaN: the input input\[3, 1\] is NaN"
    ):
        model_step(Mlp(), x, Y, loss=CROSS)


def test_masks_of_infinity_are_no_fault():
    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 4)

        def forward(self, x):
            mask = torch.tensor([False, True, False, True])
            return self.fc(x).masked_fill(mask, -torch.inf).softmax(1)[:, ::2].log()

    assert model_step(Masked(), X, Y, loss=CROSS, optimizer=torch.optim.SGD).loss > 0


def test_a_step_that_leaves_what_is_finite():
    with pytest.raises(MiyaInputError, match=r"E311 weight is not finite after the step"):
        model_step(
            nn.Linear(3, 2),
            X * 1e20,
            Y,
            loss=CROSS,
            optimizer=lambda p: torch.optim.SGD(p, lr=1e30),
        )


class Deep(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(*[nn.Linear(50, 50) for _ in range(20)])
        self.second, self.last = nn.Sequential(nn.Linear(50, 50), nn.Tanh()), nn.Linear(50, 2)

    def forward(self, x):
        return self.last(self.second(self.first(x)))


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB"), MemoryError(),
     RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")],
)  # fmt: skip
def test_out_of_memory_says_which_part_fits(monkeypatch, error):
    def no_memory(*args):
        raise error

    model = seeded(Deep)
    model.last.forward = no_memory
    x, y = torch.randn(64, 50), torch.zeros(64, dtype=torch.int64)
    with pytest.raises(
        MiyaInputError, match=r"E413 out of memory in last, with 0\.3 MiB recorded"
    ) as raised:
        model_step(model, x, y, loss=CROSS)
    assert 'only="second" holds 0.0 MiB' in str(
        raised.value
    ) or 'only="second" holds 0.1 MiB' in str(raised.value)
    del model.last.forward
    with pytest.warns(MiyaWarning, match="W422"):
        trace = model_step(model, x, y, loss=CROSS, only="second")
    assert trace.values["second.0"].gradient is not None


def test_out_of_memory_without_a_part_that_fits():
    class Small(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 2)

        def forward(self, x):
            self.fc(x)
            raise MemoryError

    with pytest.raises(MiyaInputError, match=r"E413 out of memory, .*Give fewer examples at once"):
        model_step(Small(), X, Y, loss=CROSS)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_quantised_models_are_refused():
    model = nn.Sequential(nn.Linear(3, 2))
    made = torch.ao.quantization.quantize_dynamic(model, {nn.Linear})
    with pytest.raises(MiyaInputError, match=r"E407 0 is a quantised Linear"):
        model_step(made, X, Y, loss=CROSS)


def test_a_traceback_is_never_torch_s_own():
    for name, (make, x, y, loss, _) in FAULTS.items():
        try:
            model_step(seeded(make), x, y, loss=loss)
        except MiyaInputError as error:
            assert error.code.startswith("E"), name
        else:
            pytest.fail(name)


def test_a_class_is_no_loss():
    x, y = torch.randn(2, 3), torch.tensor([0, 1])
    with pytest.raises(MiyaInputError) as raised:
        miya.explain(nn.Linear(3, 2), x, y, loss=nn.CrossEntropyLoss)
    assert str(raised.value) == (
        "E416 the loss is the class CrossEntropyLoss, not one made of it. Make one: "
        "CrossEntropyLoss()"
    )


def test_a_model_without_parameters_is_told_by_its_input():
    x = torch.tensor([[1.0, -2.0]]).double().requires_grad_()
    told = miya.explain(nn.ReLU(), x, torch.zeros(1, 2).double(), loss=nn.MSELoss())
    assert told.trace.dtype == "float64"
    assert told.why("input[0,0]").answer.levels[0].sum.total == 1.0
    assert told.text() and told.html()
