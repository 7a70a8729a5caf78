"""Models named in files: the user's own code, weights in safetensors, batches; and what is refused."""

from __future__ import annotations

import contextlib
import pickle
import sys
import zipfile

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch import nn

import miya
from miya.core import losses, optimizers
from miya.core.build import network as build
from miya.core.step import take_step
from miya.read.fit import fitted
from miya.read.pickled import refuse_pickle
from miya.read.source import kind_of
from miya.read.torch.code import made_by
from miya.read.torch.files import model_trace, read_model
from miya.read.torch.named import LOSSES, loss_named, optimizer_named
from miya.read.weights import read_weights

RANDOM = np.random.default_rng(5)
CODE = """
import torch
from torch import nn

calls = []

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(3, 4), nn.Linear(4, 2)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        return self.fc2(self.drop(torch.tanh(self.fc1(x))))

class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, left, right, scale=1.0):
        return self.fc(left * right) * scale

def make_model():
    calls.append(1)
    return Net()

def with_all():
    model = Net()
    return model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=0.5), torch.ones(2, 3), torch.tensor([0, 1])

def as_dict():
    return {"model": Net(), "loss": "cross_entropy", "optimizer": "adamw", "inputs": torch.ones(2, 3), "target": torch.tensor([0, 1]), "title": "Mine"}

def partly():
    return Net(), nn.MSELoss()

def with_arguments(width, depth=2):
    return Net()

def raises():
    raise ValueError("no such\\nlayer")

def leaves():
    raise SystemExit(3)

def number():
    return 7

def many():
    return tuple(range(7))

def other_key():
    return {"model": Net(), "los": None}

ready = Net()

class Held:
    make = staticmethod(make_model)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(CODE)
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("")
    (tmp_path / "pack" / "net.py").write_text(CODE)
    (tmp_path / "broken.py").write_text("import torch\nimport nosuchpackage\n")
    (tmp_path / "syntax.py").write_text("def make_model(:\n")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in ("mine", "pack", "pack.net", "broken", "syntax"):
        sys.modules.pop(name, None)


def batch(path, **arrays):
    np.savez(path, **arrays)
    return str(path)


def said(function, *arguments, **options):
    with pytest.raises(miya.MiyaInputError) as caught:
        function(*arguments, **options)
    return str(caught.value)


# what a source is


def test_a_source_is_told_from_its_text(folder):
    assert kind_of("package.module:make_model") == "code" == kind_of("a/b c.py:Net.make")
    assert kind_of("C:\\nets\\one.toml") == "network" == kind_of("net.toml")
    assert kind_of("a/model.safetensors") == "weights" and kind_of("M.ONNX") == "onnx"
    assert kind_of({"layers": []}) == "network"
    (folder / "odd:name").write_text("")
    assert kind_of("odd:name") == "network"


# code


@pytest.mark.parametrize(
    "source", ["mine:make_model", "pack.net:make_model", "mine.py:make_model", "pack/net.py:Net",
               "mine:ready", "mine:Held.make"]
)  # fmt: skip
def test_code_gives_a_model(folder, source):
    before = list(sys.path)
    assert type(made_by(source)["model"]).__name__ == "Net"
    assert sys.path == before


def test_code_runs_only_when_it_is_asked_for(folder):
    (folder / "mine.py").write_text("raise SystemError('was run')")
    assert said(miya.load, "mine.py").startswith("E219")
    assert "was run" in said(made_by, "mine:x")


@pytest.mark.parametrize(
    "source, expected",
    [
        ("nosuch.module:make", "E512 nosuch.module:make: there is no module nosuch. Name it as"),
        ("pack.nosuch:make", "E512 pack.nosuch:make: there is no module pack.nosuch. Name it as"),
        ("nosuch.py:make", "E220 nosuch.py does not exist"),
        ("mine:make_modle", "E512 mine:make_modle: it has no make_modle. Did you mean make_model?"),
        ("mine:zzz", "E512 mine:zzz: it has no zzz. It has Net, Two, make_model, with_all"),
        ("broken:make", "E513 broken:make: importing it raised ModuleNotFoundError (broken.py, line 2): No"),
        ("syntax.py:make", "E513 syntax.py:make: importing it raised SyntaxError"),
        ("mine:with_arguments", "E513 mine:with_arguments needs arguments: width. Name a function"),
        ("mine:raises", "E513 mine:raises: calling it raised ValueError (mine.py, line 42): no such layer."),
        ("mine:leaves", "E513 mine:leaves: calling it raised SystemExit (mine.py, line 45): 3"),
        ("mine:number", "E514 mine:number gives a int. Give a torch.nn.Module, or (model, loss"),
        ("mine:many", "E514 mine:many gives 7 parts"),
        ("mine:other_key", "E514 mine:other_key gives 'los'"),
        ("mine:calls", "E514 mine:calls gives a NoneType as the model"),
    ],
)  # fmt: skip
def test_code_that_gives_no_model_is_told(folder, source, expected):
    assert said(made_by, source).startswith(expected)


def test_parts_of_a_tuple_and_a_dict(folder):
    given = read_model("mine:with_all")
    assert isinstance(given.loss, nn.CrossEntropyLoss) and isinstance(
        given.optimizer, torch.optim.Adam
    )
    given = read_model("mine:as_dict", learning_rate=0.25)
    assert isinstance(given.optimizer, torch.optim.AdamW) and given.title == "Mine"
    assert given.optimizer.param_groups[0]["lr"] == 0.25
    assert {id(p) for p in given.optimizer.param_groups[0]["params"]} == {
        id(p) for p in given.model.parameters()
    }


def test_what_is_asked_for_goes_before_what_the_code_gives(folder):
    data = batch(folder / "b.npz", x=np.zeros((1, 3)), target=np.array([[0.5, 1.0]]))
    given = read_model("mine:with_all", data=data, loss="MSELoss", optimizer="RMSprop")
    assert isinstance(given.loss, nn.MSELoss) and isinstance(given.optimizer, torch.optim.RMSprop)
    assert given.inputs["x"].shape == (1, 3) and given.target.tolist() == [[0.5, 1.0]]
    given = read_model("mine:with_all", learning_rate=0.125)
    assert given.optimizer.param_groups[0]["lr"] == 0.125


def test_what_is_missing_is_told(folder):
    assert said(read_model, "mine:make_model").startswith(
        "E212 mine:make_model: there is no batch. Give one with data (--data batch.npz)"
    )
    data = batch(folder / "b.npz", input=np.zeros((1, 3)), target=np.array([0]))
    assert said(read_model, "mine:make_model", data=data).startswith(
        "E212 mine:make_model: there is no loss"
    )
    assert said(read_model, "mine.safetensors").startswith("E219 mine.safetensors names no model")


def test_a_seed_gives_the_same_model_masks_and_leaves_the_generator(folder):
    data = batch(
        folder / "b.npz", input=RANDOM.normal(size=(5, 3)), target=np.array([0, 1, 1, 0, 1])
    )
    torch.manual_seed(99)
    state = torch.get_rng_state()
    told = [
        model_trace("mine:make_model", data=data, loss="cross_entropy", seed=seed).loss
        for seed in (3, 3, 4)
    ]
    assert told[0] == told[1] != told[2]
    assert torch.equal(torch.get_rng_state(), state)


def test_the_step_is_torchs_own(folder):
    x, y = RANDOM.normal(size=(5, 3)), np.array([0, 1, 1, 0, 1])
    trace = model_trace(
        "mine:make_model", data=batch(folder / "b.npz", input=x, target=y), loss="cross_entropy",
        optimizer="adam", learning_rate=0.1, seed=3, dtype="float64",
    )  # fmt: skip
    torch.manual_seed(3)
    model = made_by("mine:make_model")["model"].double()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    loss = nn.functional.cross_entropy(model(torch.tensor(x)), torch.tensor(y))
    loss.backward()
    optimizer.step()
    assert trace.loss == loss.item() and trace.dtype == "float64"
    for name, p in model.named_parameters():
        np.testing.assert_array_equal(trace.parameters[name].after, p.detach().numpy())
        np.testing.assert_array_equal(trace.gradients[name], p.grad.numpy())


# batches


def test_inputs_by_the_names_of_arguments(folder):
    data = batch(
        folder / "b.npz", left=np.ones((2, 3)), right=np.ones((2, 3)), target=np.ones((2, 2))
    )
    given = read_model("mine:Two", data=data, loss="mean_squared_error")
    assert set(given.inputs) == {"left", "right"}
    assert given.inputs["left"].dtype == torch.float32
    batch(folder / "b.npz", left=np.ones((2, 3)), target=np.ones((2, 2)))
    assert said(read_model, "mine:Two", data=data, loss="huber") == (
        "E516 b.npz has the inputs left; the model takes left, right, scale. "
        "Name one input 'input', several as the model names them, and 'target'"
    ).replace("b.npz", data)
    batch(folder / "b.npz", left=np.ones((2, 3)), right=np.ones(3), wrong=np.ones(3))
    assert said(read_model, "mine:Two", data=data, loss="huber").startswith(
        f"E516 {data} has the inputs left, right, wrong"
    )
    batch(folder / "b.npz", target=np.ones(3))
    assert said(read_model, "mine:Net", data=data, loss="huber").startswith(
        f"E516 {data} has the inputs none"
    )


@pytest.mark.parametrize(
    "loss, kept", [("cross_entropy", torch.int64), ("squared_error", torch.float32), ("NLLLoss", torch.int64),
                   ("L1Loss", torch.float32)]
)  # fmt: skip
def test_a_target_is_in_the_dtype_that_its_loss_takes(folder, loss, kept):
    data = batch(folder / "b.npz", input=np.zeros((2, 3)), target=np.array([1, 0], dtype=np.uint8))
    assert read_model("mine:Net", data=data, loss=loss).target.dtype == kept


@pytest.mark.parametrize(
    "arrays, expected",
    [
        ({"input": np.array([1 + 2j]), "target": np.zeros(1)}, "E208 {}: input is complex"),
        ({"input": np.zeros(1), "target": np.array(["a"])}, "E206 {}: target holds <U1"),
        ({"input": np.array([None]), "target": np.zeros(1)}, "E502 {} refused: input.npy holds Python objects"),
        ({"input": np.zeros(33 * 2**17), "target": np.zeros(1)}, "E503 {} expands to 33 MiB"),
    ],
)  # fmt: skip
def test_a_batch_that_is_refused(folder, arrays, expected):
    path = folder / "b.npz"
    np.savez_compressed(path, **arrays)
    assert said(read_model, "mine:Net", data=path, loss="huber").startswith(expected.format(path))


def test_a_batch_that_is_none(folder):
    assert said(read_model, "mine:Net", data="nosuch.npz", loss="huber").startswith("E220")
    (folder / "b.npz").write_bytes(b"PK\x03\x04 and no more")
    assert said(read_model, "mine:Net", data="b.npz", loss="huber").startswith(
        "E220 b.npz is no .npz"
    )


# names of losses and optimizers


@pytest.mark.parametrize("name", losses.KINDS)
def test_a_loss_of_network_files_has_the_same_numbers_in_torch(name):
    assert set(LOSSES) == set(losses.KINDS)
    kind = losses.KINDS[name]
    a = RANDOM.uniform(0.1, 0.9, (4, 3))
    y = {"number": RANDOM.normal(size=(4, 3)), "probability": RANDOM.uniform(size=(4, 3)),
         "classes": np.eye(3)[[0, 2, 1, 1]]}[kind.target]  # fmt: skip
    net = {
        "learning_rate": 0.1, "loss": name, "layers": [{"weight": np.eye(3), "bias": [0, 0, 0]}],
        "examples": {"input": a, "target": y},
    }  # fmt: skip
    trace = take_step(build(net)) if name != "binary_cross_entropy" else None
    outputs = torch.tensor(a, requires_grad=True)
    cost = loss_named(name)(outputs, torch.tensor(y))
    cost.backward()
    if trace is None:  # needs probabilities by a sigmoid there
        z = np.log(a / (1 - a))
        net["layers"][0]["activation"], net["examples"]["input"] = "sigmoid", z
        trace = take_step(build(net))
    assert cost.item() == pytest.approx(trace.loss, rel=1e-12)
    np.testing.assert_allclose(trace.layers[-1].grad_a, outputs.grad.numpy(), rtol=1e-9)


def test_a_target_is_never_broadcast():
    with pytest.raises(miya.MiyaInputError, match=r"^E106 the target has shape"):
        loss_named("squared_error")(torch.ones(4, 1), torch.ones(4))


@pytest.mark.parametrize("name", [*optimizers.KINDS, "NAdam", "torch.optim.SGD", "Adamax"])
def test_optimizers_by_name(name):
    p = nn.Parameter(torch.ones(2))
    made = optimizer_named(name, [p], 0.25)
    assert made.param_groups[0]["lr"] == 0.25
    if name in optimizers.KINDS:
        kind = optimizers.KINDS[name]
        assert f"torch.optim.{type(made).__name__}" == kind.source
        for key, value in kind.defaults.items():
            assert made.param_groups[0][key] == value


def test_unknown_names_are_told_with_the_nearest():
    assert said(loss_named, "CrossEntropy").startswith(
        "E304 loss 'CrossEntropy' is unknown. Did you mean cross_entropy? known: squared_error"
    )
    assert said(loss_named, "Linear").startswith("E304 loss 'Linear' is unknown")
    assert said(optimizer_named, "adm", [nn.Parameter(torch.ones(1))], None).startswith(
        "E304 optimizer 'adm' is unknown. Did you mean "
    )


@pytest.mark.parametrize("rate, code", [(-1.0, "E302"), (float("nan"), "E303")])
def test_a_learning_rate_is_checked(folder, rate, code):
    assert said(read_model, "mine:with_all", learning_rate=rate).startswith(code)


# weights


def layers(*sizes, names=None, dtype=np.float32):
    found = {}
    for k, (before, after) in enumerate(zip(sizes, sizes[1:]), 1):
        name = names[k - 1] if names else f"fc{k}"
        found[f"{name}.weight"] = RANDOM.normal(size=(after, before)).astype(dtype)
        found[f"{name}.bias"] = RANDOM.normal(size=after).astype(dtype)
    return found


def net(*sizes, weights=True, names=None):
    made = []
    for k, (before, after) in enumerate(zip(sizes, sizes[1:])):
        layer = {"activation": "tanh"}
        if weights:
            layer |= {"weight": np.zeros((after, before)).tolist(), "bias": [0.0] * after}
        made.append(layer | ({"name": names[k]} if names else {}))
    return {
        "learning_rate": 0.1, "loss": "squared_error", "layers": made,
        "examples": [{"input": [0.5] * sizes[0], "target": [0.0] * sizes[-1]}],
    }  # fmt: skip


@pytest.mark.parametrize("names", [None, ["0", "2"], ["layers.0", "layers.1"], ["net.2", "net.10"]])
@pytest.mark.parametrize("weights", [True, False])
def test_weights_are_matched_by_their_numbers(names, weights):
    found = layers(3, 4, 4, names=names)
    shuffled = dict(sorted(found.items(), reverse=True))
    made = build(fitted(net(3, 4, 4, weights=weights), shuffled))
    for k, name in enumerate(names or ["fc1", "fc2"]):
        np.testing.assert_array_equal(made.layers[k].weight, found[f"{name}.weight"].astype(float))
        np.testing.assert_array_equal(made.layers[k].bias, found[f"{name}.bias"].astype(float))


def test_weights_are_matched_by_the_names_of_layers():
    names = ["encoder", "middle", "decoder"]
    found = layers(4, 4, 4, 4, names=names)
    made = build(fitted(net(4, 4, 4, 4, names=names), found))
    assert [la.name for la in made.layers] == names
    np.testing.assert_array_equal(made.layers[0].weight, found["encoder.weight"].astype(float))


def test_weights_are_matched_by_shape_where_one_order_fits():
    names = ["in", "body", "head"]
    found = layers(5, 4, 4, 2, names=names)
    made = build(fitted(net(5, 4, 4, 2, weights=False), found))
    for layer, name in zip(made.layers, names):
        np.testing.assert_array_equal(layer.weight, found[f"{name}.weight"].astype(float))


def test_several_orders_are_told():
    found = layers(4, 4, 4, 4, names=["up", "side", "down"])
    assert said(fitted, net(4, 4, 4, 4), found) == (
        "E511 the weights fit the layers in more than one order: down (4x4), side (4x4), up (4x4). "
        "Name the layers in the network file as their weights are named"
    )


@pytest.mark.parametrize(
    "network, found, expected",
    [
        (net(3, 4), layers(3, 4, 2), "E510 the network has 1 layers, the weights are of 2: fc1 (4x3), fc2 (2x4)"),
        (net(3, 5, 2), layers(3, 4, 2), "E510 layer 1 has weights of 5x3, the file has fc1 (4x3)"),
        (net(3, 4, 2), {**layers(3, 4), "fc2.weight": np.ones((2, 5))}, "E510 fc2 (2x5) does not follow fc1 (4x3)"),
        (net(3, 4), {"c.weight": np.ones((2, 3, 3, 3))}, "E510 a network file has dense layers only; the weights hold c.weight (2x3x3x3)"),
        (net(3, 4, 2, weights=False), layers(3, 4, 2, names=["a", "b"]) | {"b.weight": np.ones((2, 9))}, "E510 the weights fit the layers in no order"),
        ({"layers": 3}, layers(3, 4), "E206"),
        ({}, layers(3, 4), "E105"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit_are_told(network, found, expected):
    assert said(fitted, network, found).startswith(expected)


def test_a_layer_without_bias_keeps_none():
    found = layers(3, 2)
    del found["fc1.bias"]
    trace = take_step(build(fitted(net(3, 2), found)))
    assert not trace.layers[0].bias.after.any() and trace.layers[0].weight.change.any()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_weights_are_read_exactly(dtype, tmp_path):
    from safetensors.torch import save_file as save_torch

    tensor = torch.tensor(RANDOM.normal(size=(3, 5))).to(dtype)
    save_torch({"w": tensor}, tmp_path / "w.safetensors")
    found = read_weights(tmp_path / "w.safetensors")["w"]
    np.testing.assert_array_equal(found.astype(np.float64), tensor.double().numpy())


def test_weights_that_cannot_be_read_are_told(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"w": np.ones((2, 2), dtype=np.int8)}, path)
    assert said(read_weights, path).startswith(
        f"E407 {path}: w holds I8, whose numbers have no slope"
    )
    for content in (b"", b"\xff" * 20, b"\x08" + bytes(7) + b"not json"):
        path.write_bytes(content)
        assert said(read_weights, path).startswith(f"E220 {path} is no safetensors file")
    assert said(read_weights, tmp_path / "v.safetensors").startswith("E220")


def test_a_damaged_file_never_gives_a_traceback(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file(layers(3, 4, 2), path)
    whole = path.read_bytes()
    for _ in range(200):
        content = bytearray(whole)
        for at in RANDOM.integers(0, 300, 3):
            content[at] = RANDOM.integers(256)
        path.write_bytes(content)
        with contextlib.suppress(miya.MiyaInputError):
            fitted(net(3, 4, 2), read_weights(path))


# a state dict into code


def state(folder, change=lambda found: None):
    found = {**layers(3, 4, 2)}
    change(found)
    save_file(found, folder / "m.safetensors")
    return found


def test_a_state_dict_goes_into_the_users_model(folder):
    found = state(folder)
    data = batch(folder / "b.npz", input=np.zeros((1, 3)), target=np.array([0]))
    given = read_model("m.safetensors", network="mine:make_model", data=data, loss="cross_entropy")
    for name, tensor in given.model.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), found[name])


@pytest.mark.parametrize(
    "change, expected",
    [
        (lambda f: f.pop("fc1.bias"), "E510 m.safetensors does not fit the model: it misses fc1.bias. Make"),
        (lambda f: f.update(x=f.pop("fc1.bias")), "E510 m.safetensors does not fit the model: it misses fc1.bias; it has unexpected x."),
        (lambda f: f.update({"fc1.bias": np.ones(3)}), "E510 m.safetensors: fc1.bias has shape (3,), the model's (4,)"),
        (lambda f: f.update({"fc1.bias": np.ones(4, np.int8)}), "E407 m.safetensors: fc1.bias holds int8"),
    ],
)  # fmt: skip
def test_a_state_dict_that_does_not_fit_is_told(folder, change, expected):
    state(folder, change)
    assert said(read_model, "m.safetensors", network="mine:make_model").startswith(expected)


def test_a_tied_weight_stands_once_in_the_file(folder):
    (folder / "tied_pair.py").write_text(
        "from torch import nn\ndef make():\n"
        "    m = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 5, bias=False))\n"
        "    m[1].weight = m[0].weight\n    return m\n"
    )
    found = RANDOM.normal(size=(5, 3)).astype(np.float32)
    save_file({"1.weight": found}, folder / "m.safetensors")
    data = batch(folder / "b.npz", input=np.array([1, 2]), target=np.array([0, 4]))
    model = read_model(
        "m.safetensors", network="tied_pair:make", data=data, loss="cross_entropy"
    ).model
    assert model[0].weight is model[1].weight
    np.testing.assert_array_equal(model[0].weight.detach().numpy(), found)
    sys.modules.pop("tied_pair")


# pickles


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("the pickle was run",))


@pytest.mark.parametrize("name", ["m.pt", "m.pth", "m.pkl", "m.bin", "m.ckpt", "m.joblib"])
def test_pickles_are_refused_by_name(name, tmp_path):
    (tmp_path / name).write_bytes(pickle.dumps(Bomb()))
    assert said(miya.load, tmp_path / name) == (
        f"E501 {tmp_path / name} refused: pickles can run code. Write the weights from your own "
        "process as safetensors (safetensors.torch.save_file(model.state_dict(), ...)), TOML or JSON"
    )


@pytest.mark.parametrize("suffix", ["safetensors", "onnx", "npz", "toml", "dat"])
@pytest.mark.parametrize("form", ["plain", "torch", "old torch"])
def test_pickles_are_refused_by_content_whatever_their_name(form, suffix, tmp_path):
    path = tmp_path / f"m.{suffix}"
    if form == "plain":
        path.write_bytes(pickle.dumps(Bomb()))
    else:
        torch.save({"w": torch.ones(2)}, path, _use_new_zipfile_serialization=form == "torch")
    assert said(refuse_pickle, path).startswith(f"E501 {path} refused")
    if suffix == "safetensors":
        assert said(read_weights, path).startswith("E501")
    elif suffix in ("toml", "dat"):
        assert said(miya.load, path).startswith(
            "E501" if suffix == "dat" or form != "torch" else "E"
        )


def test_what_is_no_pickle_is_not_refused(tmp_path):
    for length in range(400, 640):
        save_file({"w" * length: np.ones(2)}, tmp_path / "m.safetensors")
        start = (tmp_path / "m.safetensors").read_bytes()[:2]
        if start[0] == 0x80:
            break
    assert start[0] == 0x80 and start[1] in range(2, 6), "as a pickle would start"
    refuse_pickle(tmp_path / "m.safetensors")
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr("a.txt", "x")
    refuse_pickle(tmp_path / "m.zip")
