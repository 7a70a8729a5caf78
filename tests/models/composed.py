"""Random models: a seed gives a model of several inputs, outputs and paths, a batch and a loss.

A model is a plan: each step applies one of APPLY to tensors that are there already (by number),
with a module of its own, a shared one, or none. Shapes are followed while the plan is made.
"""

import random

import torch
import torch.nn.functional as F
from torch import nn

BATCH, CLASSES, WORDS = 4, 3, 7
SQUASHES = ("relu", "tanh", "sigmoid", "gelu", "silu", "softplus", "elu", "leaky_relu", "mish", "exp_", "relu_", "softmax", "square", "hardswish", "log_sigmoid")  # fmt: skip


class Interrupted(Exception):
    """Raised half-way, by a model that is told to."""


class Composed(nn.Module):
    """plan: (name in APPLY, the part's number or None, the operands' numbers, options); outputs: the
    numbers of the tensors that it gives. breaks_at: before which step it raises."""

    def __init__(self, parts, plan, outputs, kind):
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.plan, self.outputs, self.kind = plan, outputs, kind
        self.breaks_at = None

    def forward(self, *inputs):
        made = list(inputs)
        for k, (name, part, operands, options) in enumerate(self.plan):
            if k == self.breaks_at:
                raise Interrupted
            module = None if part is None else self.parts[part]
            made.append(APPLY[name](module, *(made[i] for i in operands), **options))
        found = [made[i] for i in self.outputs]
        return KINDS[self.kind](found)


KINDS = {
    "tuple": tuple,
    "dict": lambda found: {f"out{k}": t for k, t in enumerate(found)},
    "nested": lambda found: (found[0], found[1:]),
}


def squash(module, x, how):
    if how == "softmax":
        return x.softmax(-1)
    if how == "square":
        return x.square() * 0.5
    if how == "exp_":  # in place, on a tensor of its own
        return (x * 0.3).exp_()
    if how == "relu_":
        return F.relu(x + 0.1, inplace=True)
    return getattr(F, {"log_sigmoid": "logsigmoid"}.get(how, how))(x)


def put(module, x, y):
    made = x * 1
    made[..., 0] = y[..., -1] * 2
    return made


def halves(module, x):
    one, two = x.tensor_split(2, -1)
    return torch.cat([two * 0.5, one], -1)


APPLY = {
    "call": lambda module, x: module(x),
    "tied": lambda module, x: F.linear(x, module.weight),
    "tied back": lambda module, x: x @ module.weight,
    "add": lambda module, x, y: x + y,
    "sub": lambda module, x, y: x - 0.5 * y,
    "mul": lambda module, x, y: x * y.sigmoid(),
    "where": lambda module, x, y: torch.where(x > y, x, y * 0.5),
    "cat": lambda module, x, y: torch.cat([x, y], -1),
    "stack": lambda module, x, y: torch.stack([x, y], 1),
    "squash": squash,
    "put": put,
    "halves": halves,
    "first": lambda module, x: module(x)[0],
    "self": lambda module, x: module(x, x, x)[0],
    "mean": lambda module, x, dim: x.mean(dim),
    "amax": lambda module, x, dim: x.amax(dim),
    "last": lambda module, x: x[:, -1],
    "along": lambda module, x: module(x.transpose(1, 2)).transpose(1, 2),
    "flat": lambda module, x: x.flatten(1),
    "as time": lambda module, x: x.flatten(2).transpose(1, 2),
    "no gradient": lambda module, x, y: x * y.detach().abs(),
}


class Plan:
    """A plan in the making. shapes: of each tensor by its number, without the batch."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.parts, self.steps, self.shapes, self.inputs = [], [], [], []

    def given(self):
        """The inputs: one to three, of several kinds."""
        kinds = self.draw.choices(["vector", "vector", "tokens", "image", "sequence"], k=self.draw.randint(1, 3))  # fmt: skip
        for kind in kinds:
            width = self.draw.randint(2, 4)
            shape = {"vector": (width,), "tokens": (3,), "image": (2, 4, 5), "sequence": (3, width)}[kind]  # fmt: skip
            tokens = kind == "tokens"
            found = torch.randint(0, WORDS, (BATCH, 3)) if tokens else torch.randn(BATCH, *shape)
            self.inputs.append(
                found if tokens or self.draw.random() < 0.6 else found.requires_grad_()
            )
            self.shapes.append(shape)
        for k, kind in enumerate(kinds):
            if kind == "tokens":
                width = 2 * self.draw.randint(1, 2)
                self.step("call", nn.Embedding(WORDS, width), [k], (3, width))
        self.usable = [
            k for k in range(len(self.shapes)) if k >= len(kinds) or kinds[k] != "tokens"
        ]

    def step(self, name, part, operands, shape, **options):
        if isinstance(part, nn.Module):
            self.parts.append(part)
            part = len(self.parts) - 1
        self.steps.append((name, part, tuple(operands), options))
        self.shapes.append(tuple(shape))
        if hasattr(self, "usable"):
            self.usable.append(len(self.shapes) - 1)
        return len(self.shapes) - 1

    def grow(self):
        """One more step, from a tensor that was made late."""
        at = self.draw.choice(self.usable[-3:])
        shape = self.shapes[at]
        first = {1: self.on_vector, 2: self.on_sequence, 3: self.on_image}[len(shape)]
        self.draw.choice([first, first, self.on_any])(at, shape)

    def on_any(self, at, shape):
        alike = [k for k in self.usable if self.shapes[k] == shape]
        other = self.draw.choice(alike)
        name = self.draw.choice(["squash", "add", "sub", "mul", "where", "put", "halves", "norm", "no gradient", "dropout"])  # fmt: skip
        if name == "squash":
            self.step(name, None, [at], shape, how=self.draw.choice(SQUASHES))
        elif name == "norm":
            kind = self.draw.choice([nn.LayerNorm, nn.RMSNorm])
            self.step("call", kind(shape[-1:]), [at], shape)
        elif name == "dropout":
            self.step("call", nn.Dropout(0.3), [at], shape)
        elif name == "halves":
            self.step(name, None, [at], shape)
        else:
            self.step(name, None, [at, other], shape)

    def on_vector(self, at, shape):
        (width,) = shape
        name = self.draw.choice(
            ["linear", "linear", "shared", "tied", "cat", "batch norm", "stack"]
        )
        vectors = [k for k in self.usable if len(self.shapes[k]) == 1]
        if name == "batch norm":
            self.step("call", nn.BatchNorm1d(width), [at], shape)
        elif name == "cat" and width < 6:
            other = self.draw.choice(vectors)
            self.step("cat", None, [at, other], (width + self.shapes[other][0],))
        elif name == "stack":
            self.step(name, None, [at, self.draw.choice([k for k in vectors if self.shapes[k] == shape])], (2, width))  # fmt: skip
        elif name == "shared" and (found := self.linears(lambda p: p.in_features == width)):
            k = self.draw.choice(found)
            self.step("call", k, [at], (self.parts[k].out_features,))
        elif name == "tied" and (found := self.linears(lambda p: p.out_features == width)):
            k = self.draw.choice(found)
            self.step("tied back", k, [at], (self.parts[k].in_features,))
        else:
            out = self.draw.randint(2, 5)
            self.step("call", nn.Linear(width, out, bias=self.draw.random() < 0.8), [at], (out,))

    def linears(self, fits):
        return [k for k, p in enumerate(self.parts) if isinstance(p, nn.Linear) and fits(p)]

    def on_sequence(self, at, shape):
        time, width = shape
        name = self.draw.choice(["rnn", "attention", "encoder", "linear", "conv", "mean", "last", "amax", "flat"])  # fmt: skip
        if name == "rnn":
            kind, both = self.draw.choice([nn.RNN, nn.GRU, nn.LSTM]), self.draw.random() < 0.3
            part = kind(width, 3, batch_first=True, bidirectional=both)
            self.step("first", part, [at], (time, 6 if both else 3))
        elif name == "attention":
            heads = 2 if width % 2 == 0 else 1
            self.step("self", nn.MultiheadAttention(width, heads, batch_first=True), [at], shape)
        elif name == "encoder":
            part = nn.TransformerEncoderLayer(width, 1, 4, 0.1, batch_first=True)
            self.step("call", part, [at], shape)
        elif name == "conv":
            self.step("along", nn.Conv1d(width, 3, 3, padding=1), [at], (time, 3))
        elif name == "linear":
            self.step("call", nn.Linear(width, 4), [at], (time, 4))
        elif name == "flat" and time * width < 13:
            self.step("flat", None, [at], (time * width,))
        elif name == "last":
            self.step("last", None, [at], (width,))
        else:
            self.step(self.draw.choice(["mean", "amax"]), None, [at], (width,), dim=1)

    def on_image(self, at, shape):
        channels, high, wide = shape
        name = self.draw.choice(
            ["conv", "norm", "group", "pool", "average", "mean", "time", "depth"]
        )
        if name in ("conv", "depth"):
            groups = channels if name == "depth" else 1
            self.step("call", nn.Conv2d(channels, 2 * groups if groups > 1 else 2, 3, padding=1, groups=groups), [at], (2 * groups if groups > 1 else 2, high, wide))  # fmt: skip
        elif name == "norm":
            self.step("call", nn.BatchNorm2d(channels), [at], shape)
        elif name == "group":
            self.step("call", nn.GroupNorm(1, channels), [at], shape)
        elif name in ("pool", "average") and high > 1 and wide > 1:
            kind = nn.MaxPool2d if name == "pool" else nn.AvgPool2d
            self.step("call", kind(2), [at], (channels, high // 2, wide // 2))
        elif name == "time":
            self.step("as time", None, [at], (high * wide, channels))
        else:
            self.step("mean", None, [at], (channels,), dim=(2, 3))

    def vector(self, at):
        """What was made at `at`, as vectors of the examples."""
        shape = self.shapes[at]
        return (
            at if len(shape) == 1 else self.step("flat", None, [at], (torch.Size(shape).numel(),))
        )

    def finish(self):
        """One to three outputs, the first of classes; unused and frozen parameters."""
        last = self.vector(len(self.shapes) - 1)
        outputs = [self.step("call", nn.Linear(self.shapes[last][0], CLASSES), [last], (CLASSES,))]
        more = self.draw.randint(0, 2)
        outputs += [
            self.vector(k) for k in self.draw.sample(self.usable, min(more, len(self.usable)))
        ]
        if self.draw.random() < 0.3:
            self.parts.append(nn.Linear(2, 2))  # nothing calls it
        if self.draw.random() < 0.3:
            self.step("call", nn.Linear(self.shapes[last][0], 2), [last], (2,))  # nothing uses it
        kind = self.draw.choice([k for k in KINDS if len(outputs) > 1 or k != "nested"])
        model = Composed(self.parts, self.steps, outputs, kind).double()
        for p in list(model.parameters()):
            if self.draw.random() < 0.15:
                p.requires_grad_(False)
        head = next(part for _, part, operands, _ in self.steps if operands == (last,))
        model.parts[head].weight.requires_grad_()
        return model


def cost(output, target):
    """C of the first output by class, and of each further one by its distance from a wave."""
    found = tensors(output)
    total = F.cross_entropy(found[0], target, label_smoothing=0.1)
    for k, y in enumerate(found[1:], 1):
        wave = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view_as(y)
        total = total + (F.smooth_l1_loss if k == 1 else F.mse_loss)(y, wave) / k
    return total


def tensors(found):
    if isinstance(found, torch.Tensor):
        return [found]
    return [
        t for part in (found.values() if isinstance(found, dict) else found) for t in tensors(part)
    ]


def composed(seed):
    """(model, inputs, target) of a seed."""
    torch.manual_seed(seed)
    was = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        plan = Plan(seed)
        plan.given()
        for _ in range(plan.draw.randint(3, 8)):
            plan.grow()
        model = plan.finish()
        if plan.draw.random() < 0.2:
            for module in plan.draw.sample(list(model.modules()), 2):
                module.eval()
        return model, tuple(plan.inputs), torch.randint(0, CLASSES, (BATCH,))
    finally:
        torch.set_default_dtype(was)
