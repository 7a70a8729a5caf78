"""A watched training is the same, bit for bit, as one that is not watched."""

import copy
import random
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

import miya
from miya.watching.sinks import MemorySink

STEPS = 1000


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Small operations wait for their threads."""
    count = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(count)


def digest(models, optimizers):
    """Everything that a step may change, as bytes."""
    tensors = [t for m in models for t in m.state_dict().values()]
    for optimizer in optimizers:
        state = optimizer.state_dict()["state"]
        tensors += [v for s in state.values() for v in s.values() if isinstance(v, torch.Tensor)]
    parts = [t.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes() for t in tensors]
    generators = random.getstate(), np.random.get_state()[1].tobytes()
    return parts, torch.get_rng_state().numpy().tobytes(), generators


def seeded():
    torch.manual_seed(11)
    random.seed(11)
    np.random.seed(11)


def batch(k, size=8, inputs=6):
    generator = torch.Generator().manual_seed(k)
    x = torch.randn(size, inputs, generator=generator)
    return x, torch.randint(0, 3, (size,), generator=generator)


def mlp(*extra):
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), *extra, nn.Linear(8, 3))


class Loop:
    """One training: `step(k)` makes step k. steps: how many."""

    steps = STEPS

    def __init__(self):
        self.models = [self.model()]
        self.optimizers = [torch.optim.Adam(self.models[0].parameters(), lr=1e-2)]
        self.criterion = nn.CrossEntropyLoss()

    def model(self):
        return mlp(nn.Dropout(0.2))

    def step(self, k):
        self.optimizers[0].zero_grad()
        x, y = batch(k)
        self.criterion(self.models[0](x), y).backward()
        self.optimizers[0].step()

    def watched(self):
        return self.models[0], self.optimizers[0]


class Amp(Loop):
    """Autocast, and a GradScaler that skips the steps whose gradients are infinite."""

    def __init__(self):
        super().__init__()
        self.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=50)
        self.skipped = 0

    def step(self, k):
        self.optimizers[0].zero_grad()
        x, y = batch(k)
        with torch.autocast("cpu", torch.bfloat16):
            loss = self.criterion(self.models[0](x), y)
        if k % 37 == 5:
            loss = loss * float("inf")
        self.scaler.scale(loss).backward()
        scale = self.scaler.get_scale()
        self.scaler.step(self.optimizers[0])
        self.scaler.update()
        self.skipped += self.scaler.get_scale() < scale


class Bfloat16(Loop):
    def model(self):
        return mlp().to(torch.bfloat16)

    def step(self, k):
        self.optimizers[0].zero_grad()
        x, y = batch(k)
        self.criterion(self.models[0](x.bfloat16()).float(), y).backward()
        self.optimizers[0].step()


class Accumulation(Loop):
    def step(self, k):
        for micro in range(3):
            x, y = batch(3 * k + micro)
            (self.criterion(self.models[0](x), y) / 3).backward()
        self.optimizers[0].step()
        self.optimizers[0].zero_grad(set_to_none=False)


class Clipping(Loop):
    def step(self, k):
        self.optimizers[0].zero_grad()
        x, y = batch(k)
        self.criterion(self.models[0](x), y).backward()
        nn.utils.clip_grad_norm_(self.models[0].parameters(), 0.1)
        self.optimizers[0].step()


class Checkpointed(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 8)
        self.blocks = nn.ModuleList(nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.1)) for _ in "ab")
        self.last = nn.Linear(8, 3)

    def forward(self, x):
        x = torch.relu(self.first(x))
        for block, reentrant in zip(self.blocks, (False, True), strict=True):
            x = checkpoint(block, x, use_reentrant=reentrant)
        return self.last(x)


class Checkpointing(Loop):
    def model(self):
        return Checkpointed()


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.mix = nn.Embedding(9, 6), nn.Linear(6, 6)
        self.head = nn.Linear(6, 9, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens):
        return self.head(torch.tanh(self.mix(self.embedding(tokens)))).flatten(0, 1)


class TiedWeights(Loop):
    def model(self):
        return Tied()

    def step(self, k):
        self.optimizers[0].zero_grad()
        tokens = torch.randint(0, 9, (4, 5), generator=torch.Generator().manual_seed(k))
        self.criterion(self.models[0](tokens), tokens.roll(1, 1).flatten()).backward()
        self.optimizers[0].step()


class InPlaceNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv1d(1, 4, 3), nn.BatchNorm1d(4)
        self.first = nn.Sequential(nn.Linear(16, 8), nn.ReLU(inplace=True))
        self.last = nn.Linear(8, 3)

    def forward(self, x):
        x = F.relu_(self.norm(self.conv(x[:, None])))
        return self.last(self.first(x.flatten(1)))


class InPlace(Loop):
    def model(self):
        return InPlaceNet()


class Frozen(Loop):
    """The first layer is frozen, and thawed halfway."""

    def __init__(self):
        super().__init__()
        self.models[0][0].requires_grad_(False)

    def step(self, k):
        if k == self.steps // 2:
            self.models[0][0].requires_grad_(True)
        super().step(k)


class Several(Loop):
    """A generator and a discriminator, each with its optimizer; the second steps twice."""

    def __init__(self):
        self.models = [nn.ModuleDict({"g": nn.Linear(4, 6), "d": nn.Sequential(*mlp())})]
        pair = self.models[0]
        self.optimizers = [
            torch.optim.SGD(pair["g"].parameters(), lr=1e-2, momentum=0.9),
            torch.optim.RMSprop(pair["d"].parameters(), lr=1e-3),
        ]

    def step(self, k):
        pair = self.models[0]
        for part in range(2):
            x, _ = batch(2 * k + part)
            self.optimizers[1].zero_grad()
            fake = pair["g"](torch.randn(8, 4))
            (pair["d"](fake.detach()).sum(1).mean() - pair["d"](x).sum(1).mean()).backward()
            self.optimizers[1].step()
        self.optimizers[0].zero_grad()
        (-pair["d"](pair["g"](torch.randn(8, 4))).sum(1).mean()).backward()
        self.optimizers[0].step()

    def watched(self):
        return self.models[0], self.optimizers


class Changing(Loop):
    """Other batch sizes, and evaluation with and without gradients in between."""

    def model(self):
        encoder = nn.TransformerEncoderLayer(6, 2, 8, batch_first=True, dropout=0.1)
        return nn.Sequential(encoder, nn.Linear(6, 3))

    def step(self, k):
        self.optimizers[0].zero_grad()
        x, y = batch(k, size=2 + k % 7)
        self.criterion(self.models[0](x[:, None])[:, 0], y).backward()
        if k % 3 == 0:
            self.models[0].eval()
            with torch.no_grad():
                self.validated = self.models[0](x[:, None])
            self.models[0].train()
        self.optimizers[0].step()


LOOPS = [
    Amp,
    Bfloat16,
    Accumulation,
    Clipping,
    Checkpointing,
    TiedWeights,
    InPlace,
    Frozen,
    Several,
    Changing,
]


def trained(loop_type, every=0, steps=None, **options):
    """The digest after the steps, the loop, and the records; every 0: not watched."""
    seeded()
    loop = loop_type()
    sink = MemorySink(most=50)
    watch = None
    if every:
        watch = miya.watch(*loop.watched(), every=every, sinks=[sink], **options)
    for k in range(steps or loop.steps):
        loop.step(k)
    if watch is not None:
        assert watch.active, "the watch was taken off"
        watch.stop()
    return digest(loop.models, loop.optimizers), loop, sink


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.__name__)
def test_a_thousand_steps_are_the_same_bit_for_bit(loop):
    plain, _, _ = trained(loop)
    watched, ran, sink = trained(loop, every=5)
    assert watched == plain
    assert len(sink.steps) == 50 and any(r.delta is not None for r in sink.steps[-1].layers)
    skips = [r.step for r in sink.steps if r.skipped]
    assert bool(skips) == (loop is Amp)
    if loop is Amp:
        assert ran.skipped >= 25
    if loop is Changing:
        assert torch.isfinite(ran.validated).all()


def test_evaluation_takes_the_same_way_while_a_step_is_watched():
    """torch's encoder layers compute otherwise in evaluation where a hook is inside them."""
    plain, other, _ = trained(Changing, steps=4)
    watched, ran, sink = trained(Changing, every=1, steps=4)
    assert watched == plain and torch.equal(other.validated, ran.validated)
    assert sink.steps[-1].layers[2].delta > 0  # a layer inside the encoder was seen all the same
    loop = Changing()
    encoder = loop.models[0][0]
    with miya.watch(*loop.watched(), every=1, sinks=[sink]):
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in encoder.modules())


@pytest.mark.parametrize("given", ["criterion", "closure"])
def test_working_the_loss_out_again_changes_nothing_either(given):
    class Again(Loop):
        def model(self):
            return mlp(nn.BatchNorm1d(8), nn.Dropout(0.3))

    plain, _, _ = trained(Again, steps=60)
    seeded()
    loop = Again()
    sink = MemorySink()
    last = {}

    def closure():
        return loop.criterion(loop.models[0](last["x"]), last["y"])

    options = {"loss": loop.criterion, "real": True} if given == "criterion" else {"loss": closure}
    watch = miya.watch(*loop.watched(), every=3, sinks=[sink], **options)
    for k in range(60):
        last["x"], last["y"] = batch(k)
        loop.step(k)
    watch.stop()
    assert digest(loop.models, loop.optimizers) == plain
    assert all(record.real is not None and record.loss is not None for record in sink.steps)


def test_a_copy_of_a_watched_model_has_no_part_in_the_watch(tmp_path):
    loop = Loop()
    sink = MemorySink()
    watch = miya.watch(*loop.watched(), every=1, sinks=[sink])
    twin = copy.deepcopy(loop.models[0])
    torch.save(loop.models[0], tmp_path / "model.pt")
    loaded = torch.load(tmp_path / "model.pt", weights_only=False)
    for other in (twin, loaded):
        other(batch(0)[0]).sum().backward()
    loop.step(0)
    watch.stop()
    assert sink.steps[0].examples == 8


def test_a_compiled_model_is_not_compiled_again_and_breaks_nowhere():
    from torch._dynamo.utils import counters

    class Compiled(Loop):
        steps = 40
        whole = False

        def __init__(self):
            super().__init__()
            torch._dynamo.reset()
            counters.clear()
            self.inner = self.models[0]
            self.outer = torch.compile(self.inner, backend="aot_eager")
            if self.whole:
                self.train = torch.compile(self.forward, backend="aot_eager")

        def forward(self, x, y):
            return self.criterion(self.inner(x), y)

        def step(self, k):
            self.optimizers[0].zero_grad()
            x, y = batch(k)
            loss = self.train(x, y) if self.whole else self.criterion(self.outer(x), y)
            loss.backward()
            self.optimizers[0].step()

        def watched(self):
            return (self.inner if self.whole else self.outer), self.optimizers[0]

    class Whole(Compiled):
        whole = True

    for loop in (Compiled, Whole):
        found = []
        for every in (0, 3):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                state, _, sink = trained(loop, every=every)
            found.append((state, dict(counters["stats"]), dict(counters["graph_break"])))
        assert found[0][1:] == found[1][1:], loop.__name__
        assert found[0][0] == found[1][0]
        assert sink.steps[-1].layers[0].gradient > 0
