"""Callbacks for Lightning, Hugging Face's Trainer and Keras, run by the real trainers."""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from lightning.pytorch.plugins import MixedPrecision
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from transformers import Trainer, TrainingArguments

import miya
from miya.errors import MiyaInputError
from miya.watching.integrations import keras as for_keras
from miya.watching.integrations import keras_model
from miya.watching.integrations import lightning as for_lightning
from miya.watching.integrations import transformers as for_transformers
from miya.watching.reading import read_run
from miya.watching.sinks import MemorySink

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # of the libraries; ours are errors
    pytest.mark.filterwarnings("error::miya.errors.MiyaWarning"),
]
BATCH, STEPS, LR = 8, 6, 0.05
GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(BATCH * STEPS, 4, generator=GENERATOR)
Y = X.sum(1, keepdim=True).sin()


def net():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))


def by_hand(parts=1):
    """A plain loop: loss, gradient norm and step norm of the first layer in every step, and the
    parameters at the end. parts: micro-batches of a step."""
    model, rows = net().double(), []
    batches = list(zip(X.double().split(BATCH), Y.double().split(BATCH)))
    for at in range(0, STEPS, parts):
        model.zero_grad()
        losses = [((model(x) - y) ** 2).mean() / parts for x, y in batches[at : at + parts]]
        sum(losses).backward()
        own = list(model[0].parameters())
        norm = torch.cat([p.grad.flatten() for p in own]).norm()
        rows.append((sum(losses).item(), norm.item(), LR * norm.item()))
        with torch.no_grad():
            for p in model.parameters():
                p -= LR * p.grad
    return rows, list(model.parameters())


def agrees(sink, parts=1, every=1):
    """What was seen is what a plain loop gives; the training is in float32."""
    rows, _ = by_hand(parts)
    seen = [(r.loss, r.layers[0].gradient, r.layers[0].step) for r in sink.steps]
    np.testing.assert_allclose(seen, rows[::every], rtol=2e-5)
    assert [r.step for r in sink.steps] == list(range(1, len(rows) + 1, every))


class Broken:
    """A sink with a fault."""

    def step(self, record):
        raise OSError("no room")

    def finding(self, finding):
        raise OSError("no room")

    def close(self): ...


def no_hooks(*modules):
    return not any(m._forward_hooks or m._forward_pre_hooks for a in modules for m in a.modules())


# ---- Lightning


class Module(pl.LightningModule):
    def __init__(self, fail_at=None):
        super().__init__()
        self.net, self.fail_at = net(), fail_at

    def training_step(self, batch, at):
        if at == self.fail_at:
            raise ValueError("of the user's")
        x, y = batch
        return ((self.net(x) - y) ** 2).mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=LR)


def lightning(module, tmp_path, *callbacks, **options):
    options = {"precision": "32-true", "accumulate_grad_batches": 1} | options
    if "plugins" in options:
        del options["precision"]
    trainer = pl.Trainer(
        max_epochs=1, accelerator="cpu", devices=1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, callbacks=list(callbacks),
        default_root_dir=tmp_path, **options,
    )  # fmt: skip
    trainer.fit(module, DataLoader(TensorDataset(X, Y), batch_size=BATCH))
    return module


@pytest.mark.parametrize("parts", [1, 2])
def test_lightning(parts, tmp_path):
    sink = MemorySink()
    callback = for_lightning.MiyaCallback(sinks=[sink], every=1)
    module = lightning(Module(), tmp_path, callback, accumulate_grad_batches=parts)
    agrees(sink, parts)
    assert [a.layer for a in sink.steps[0].layers] == ["net.0", "net.2"]
    assert sink.steps[0].layers[0].delta and sink.steps[0].layers[0].activation == "relu"
    plain = lightning(Module(), tmp_path, accumulate_grad_batches=parts)
    for p, q in zip(module.parameters(), plain.parameters()):
        assert torch.equal(p, q)
    assert no_hooks(module) and callback.watching.watch is None


def test_lightning_tells_the_loss_without_its_scale(tmp_path):
    sink = MemorySink()
    plugin = MixedPrecision(
        "16-mixed", "cpu", scaler=torch.amp.GradScaler("cpu", init_scale=1024.0)
    )
    lightning(
        Module(), tmp_path, for_lightning.MiyaCallback(sinks=[sink], every=2), plugins=[plugin]
    )
    rows, _ = by_hand()
    seen = [(r.loss, r.layers[0].gradient, r.layers[0].step) for r in sink.steps]
    np.testing.assert_allclose(seen, rows[::2], rtol=0.02)


def test_lightning_lets_go_where_the_training_fails(tmp_path):
    module = Module(fail_at=3)
    callback = for_lightning.MiyaCallback(run=tmp_path / "run", every=1)
    with pytest.raises(ValueError, match="of the user's"):
        lightning(module, tmp_path, callback)
    assert no_hooks(module) and callback.watching.watch is None
    assert [r.step for r in read_run(tmp_path / "run").records()] == [1, 2, 3]


@pytest.mark.filterwarnings("default::miya.errors.MiyaWarning")
def test_lightning_trains_on_where_nothing_can_be_watched(tmp_path):
    (tmp_path / "file").write_text("")
    broken = for_lightning.MiyaCallback(run=tmp_path / "file" / "run")
    with pytest.warns(miya.errors.MiyaWarning, match="W782 the training is not watched: .* E741"):
        module = lightning(Module(), tmp_path, broken)
    again = for_lightning.MiyaCallback(sinks=[Broken()], every=1)
    with pytest.warns(miya.errors.MiyaWarning, match="W701 .* OSError: no room"):
        other = lightning(Module(), tmp_path, again)
    for p, q, right in zip(module.parameters(), other.parameters(), by_hand()[1]):
        assert torch.equal(p, q)
        torch.testing.assert_close(p.double(), right, rtol=1e-4, atol=1e-6)


def test_options_are_checked_where_they_are_given():
    for kind in (for_lightning, for_transformers, for_keras):
        with pytest.raises(MiyaInputError, match="E712 every is 0"):
            kind.MiyaCallback(every=0)


# ---- Hugging Face


class WithLoss(nn.Module):
    def __init__(self, fail_at=None):
        super().__init__()
        self.net, self.fail_at, self.calls = net(), fail_at, 0

    def forward(self, x, labels):
        self.calls += 1
        if self.calls == self.fail_at:
            raise ValueError("of the user's")
        out = self.net(x)
        return {"loss": ((out - labels) ** 2).mean(), "logits": out}


def hugging_face(model, tmp_path, *callbacks, parts=1):
    arguments = TrainingArguments(
        output_dir=str(tmp_path), per_device_train_batch_size=BATCH, max_steps=STEPS // parts,
        gradient_accumulation_steps=parts, use_cpu=True, report_to="none", save_strategy="no",
        disable_tqdm=True, learning_rate=LR, lr_scheduler_type="constant", max_grad_norm=0,
        logging_strategy="no", dataloader_drop_last=True,
    )  # fmt: skip

    class InOrder(Trainer):
        def _get_train_sampler(self, *_):
            return torch.utils.data.SequentialSampler(self.train_dataset)

    rows = [{"x": x, "labels": y} for x, y in zip(X, Y)]
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    schedule = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1)
    InOrder(
        model, arguments, train_dataset=rows, callbacks=list(callbacks),
        optimizers=(optimizer, schedule),
    ).train()  # fmt: skip
    return model


@pytest.mark.parametrize("parts", [1, 2])
def test_hugging_face(parts, tmp_path):
    sink = MemorySink()
    callback = for_transformers.MiyaCallback(sinks=[sink], every=2 // parts)
    model = hugging_face(WithLoss(), tmp_path, callback, parts=parts)
    agrees(sink, parts, 2 // parts)
    assert sink.steps[0].layers[0].delta and sink.steps[0].layers[0].activation == "relu"
    plain = hugging_face(WithLoss(), tmp_path, parts=parts)
    for p, q in zip(model.parameters(), plain.parameters()):
        assert torch.equal(p, q)
    assert no_hooks(model) and callback.watching.watch is None


def test_hugging_face_begins_anew_after_a_training_that_failed(tmp_path):
    sink = MemorySink()
    callback = for_transformers.MiyaCallback(sinks=[sink], every=1)
    failed = WithLoss(fail_at=3)
    with pytest.raises(ValueError, match="of the user's"):
        hugging_face(failed, tmp_path, callback)
    assert callback.watching.watch is not None
    hugging_face(WithLoss(), tmp_path, callback)
    assert no_hooks(failed) and [r.step for r in sink.steps] == [1, 2, 1, 2, 3, 4, 5, 6]


# ---- Keras


def keras_net(**options):
    """The same numbers as in `net`."""
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, activation="relu", name="hidden"),
            keras.layers.Dense(1, name="last"),
        ]
    )
    mine = net()
    for layer, of in zip(model.layers, (mine[0], mine[2])):
        layer.set_weights([of.weight.detach().numpy().T, of.bias.detach().numpy()])
    model.compile(
        optimizer=options.pop("optimizer", keras.optimizers.SGD(LR)), loss="mse", **options
    )
    return model


def fit(model, *callbacks):
    model.fit(
        X.numpy(), Y.numpy(), batch_size=BATCH, epochs=1, shuffle=False, verbose=0,
        callbacks=list(callbacks),
    )  # fmt: skip
    return model


def test_keras(tmp_path):
    sink = MemorySink()
    callback = for_keras.MiyaCallback(sinks=[sink], every=1)
    model = fit(keras_net(), callback)
    agrees(sink)
    first, last = sink.steps[0].layers
    assert (first.layer, first.kind, last.layer, last.kind) == ("hidden", "Dense", "last", "Dense")
    assert sink.steps[0].groups[0].learning_rate == pytest.approx(LR)
    plain = fit(keras_net())
    for p, q in zip(model.get_weights(), plain.get_weights()):
        assert np.array_equal(p, q)
    assert callback.watching.watch is None and callback.beside is None
    kinds = [layer.activation for layer in model.layers]
    assert kinds == [keras.activations.relu, keras.activations.linear]
    assert not {"apply", "scale_loss"} & set(vars(model.optimizer))


def test_keras_layers_are_seen_as_torch_layers_are():
    """δ, activations and the numbers of single neurons are those of the same network in torch."""
    sink, other = MemorySink(), MemorySink()
    fit(keras_net(), for_keras.MiyaCallback(sinks=[sink], every=1))
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    with miya.watch(model, optimizer, every=1, sinks=[other]):
        for x, y in zip(X.split(BATCH), Y.split(BATCH)):
            optimizer.zero_grad()
            ((model(x) - y) ** 2).mean().backward()
            optimizer.step()
    for a, b in zip(sink.steps, other.steps, strict=True):
        for found, right in zip(a.layers, b.layers, strict=True):
            for name in ("delta", "input_mean", "activation_mean", "bias_mean", "noise", "dead"):
                one, two = getattr(found, name), getattr(right, name)
                close = pytest.approx(two, rel=1e-4, abs=1e-6) if two is not None else None
                assert one == close, name
            assert found.activation == right.activation
        for found, right in zip(a.neurons, b.neurons, strict=True):
            for name in ("pressure", "gradient", "step", "mean", "silent"):
                np.testing.assert_allclose(
                    getattr(found, name), getattr(right, name), rtol=1e-4, atol=1e-6, err_msg=name
                )


def test_keras_convolutions_norms_and_embeddings():
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            layers.Embedding(10, 5, name="words"),
            layers.Conv1D(4, 3, activation="relu", name="conv"),
            layers.LayerNormalization(name="norm"),
            layers.DepthwiseConv1D(2, depth_multiplier=2, name="depth"),
            layers.LSTM(3, name="lstm"),
            layers.Dense(1, name="last"),
        ]
    )
    model.compile(optimizer="adam", loss="mse")
    sink = MemorySink()
    words = np.random.default_rng(0).integers(0, 10, (16, 6))
    model.fit(
        words, words.mean(1, keepdims=True), batch_size=8, epochs=1, verbose=0,
        callbacks=[for_keras.MiyaCallback(sinks=[sink], every=1)],
    )  # fmt: skip
    record = sink.steps[-1]
    kinds = {layer.layer.rpartition(".")[2]: layer.kind for layer in record.layers}
    assert kinds == {
        "words": "Embedding", "conv": "Conv1D", "norm": "LayerNormalization",
        "depth": "DepthwiseConv1D", "lstm_lstm_cell": "LSTMCell", "last": "Dense",
    }  # fmt: skip
    sizes = {n.layer: (len(n.pressure), len(n.gradient)) for n in record.neurons}
    assert sizes == {
        "words": (5, 5), "conv": (4, 4), "norm": (4, 4), "depth": (8, 8), "lstm_lstm_cell": (0, 12),
        "last": (1, 1),
    }  # fmt: skip
    assert all(layer.gradient and layer.step for layer in record.layers)


@pytest.mark.filterwarnings("default::miya.errors.MiyaWarning")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"optimizer": keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(LR))},
            "the optimizer scales the loss",
        ),
        (
            {"optimizer": keras.optimizers.SGD(LR, gradient_accumulation_steps=2)},
            "the optimizer accumulates gradients",
        ),
    ],
)
def test_keras_trains_on_where_it_cannot_be_watched(options, said):
    with pytest.warns(miya.errors.MiyaWarning, match=f"W782 the training is not watched: {said}"):
        fit(keras_net(**options), for_keras.MiyaCallback(sinks=[MemorySink()]))


def test_keras_that_is_compiled_is_refused():
    model = keras_net()
    model.jit_compile = True
    assert keras_model.refusal(model) == "the model is compiled with jit_compile=True"


def test_keras_on_another_backend_is_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "numpy")
    with pytest.raises(MiyaInputError) as caught:
        for_keras.MiyaCallback()
    assert str(caught.value) == (
        "E780 Keras runs on numpy. Set KERAS_BACKEND=torch before Keras is first imported"
    )


def test_keras_lets_go_with_stop_after_a_training_that_failed():
    class Fail(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                raise ValueError("of the user's")

    model, sink = keras_net(), MemorySink()
    callback = for_keras.MiyaCallback(sinks=[sink], every=1)
    with pytest.raises(ValueError, match="of the user's"):
        fit(model, callback, Fail())
    callback.stop()
    assert [r.step for r in sink.steps] == [1, 2, 3]
    assert not {"apply", "scale_loss"} & set(vars(model.optimizer))
