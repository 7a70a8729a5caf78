"""The layers of a watched model: modules that own parameters, and what a neuron of each is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import torch
from torch import nn
from torch.nn.modules import batchnorm, conv, instancenorm

from .foreign import Foreign
from .sharded import is_counted_here, kind_of, local, split_of

SMALL = 65_536  # numbers: vectors up to this size are looked at whole, on the CPU
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
CHANNELS = (batchnorm._NormBase, instancenorm._InstanceNorm, nn.GroupNorm)
FEATURES = (nn.LayerNorm, nn.RMSNorm)
EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)
RECURRENT = (nn.RNNBase, nn.RNNCellBase)
Shape = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(eq=False)
class Held:
    """One trained parameter: its layer, its full name, the optimizer and group that hold it.

    shape: how it is viewed for a norm of each neuron's part, dims: what such a norm goes over
    (the rows of a weight; the columns of an embedding). small: a vector, looked at whole. Of a
    parameter that is split among processes, all this is of the part that is here.
    """

    layer: int
    name: str
    whole: nn.Parameter
    optimizer: int
    group: int
    shape: tuple[int, ...]
    dims: tuple[int, ...]

    def __post_init__(self) -> None:
        self.here = local(self.whole) is self.whole

    @property
    def parameter(self) -> torch.Tensor:
        return self.whole if self.here else local(self.whole)

    @property
    def gradient(self) -> torch.Tensor | None:
        found = self.whole.grad
        return found if found is None or self.here else local(found)

    @property
    def is_bias(self) -> bool:
        return self.name.rpartition(".")[2].startswith("bias")

    @property
    def neurons(self) -> int:
        """How many a norm over `dims` tells apart."""
        kept = (n for d, n in enumerate(self.shape) if d not in self.dims)
        return prod(kept)

    @property
    def small(self) -> bool:
        return self.parameter.dim() <= 1 and self.parameter.numel() <= SMALL


@dataclass(eq=False)
class WatchedLayer:
    """path and kind of a module that owns parameters; a tied parameter is its first owner's.

    axis: of its output, which counts its neurons (from the end where negative). seen_at: the
    module whose output is this layer's, None where none is. own: all its parameters; held: those
    of them that an optimizer holds, and that are counted here. optimized: whether one holds
    any at all. split: how its parameters are split among processes (split_of), "" mostly.
    """

    path: str
    kind: str
    axis: int = -1
    seen_at: nn.Module | None = None
    own: list[nn.Parameter] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    optimized: bool = False
    split: str = ""

    @property
    def probe(self) -> Held | None:
        """The parameter that stands for the layer: its bias, otherwise its first one."""
        return next((h for h in self.held if h.is_bias), self.held[0] if self.held else None)

    @property
    def frozen(self) -> bool:
        return not any(p.requires_grad for p in self.own)


def layers_of(
    model: nn.Module, optimizers: Sequence[torch.optim.Optimizer]
) -> tuple[list[WatchedLayer], list[Held]]:
    """Every layer, and every parameter that an optimizer holds, in the model's order."""
    where = {
        id(p): (k, g)
        for k, optimizer in enumerate(optimizers)
        for g, group in enumerate(optimizer.param_groups)
        for p in group["params"]
    }
    layers: list[WatchedLayer] = []
    held: list[Held] = []
    known: set[int] = set()
    root = plain(model)
    outputs = _outputs(root)
    for path, module in root.named_modules():
        own = [(n, p) for n, p in module.named_parameters(recurse=False) if id(p) not in known]
        if not own:
            continue
        layer = WatchedLayer(path, kind_of(module), _axis(module), outputs.get(module))
        layer.own = [p for _, p in own]
        layer.optimized = any(id(p) in where for p in layer.own)
        layer.split = split_of(layer.own)
        for name, p in own:
            known.add(id(p))
            if id(p) in where and is_counted_here(p, layer.split):
                full = f"{path}.{name}" if path else name
                shape = _shape(module, local(p))
                layer.held.append(Held(len(layers), full, p, *where[id(p)], *shape))
        held += layer.held
        layers.append(layer)
    return layers, held


def _outputs(root: nn.Module) -> dict[nn.Module, nn.Module]:
    """By layer, the module whose output is the layer's. Attention calls its last projection as a
    function, so that one's output is the attention's; its own projections go in and are unseen."""
    found = {module: module for module in root.modules()}
    for module in root.modules():
        if isinstance(module, nn.MultiheadAttention):
            found.pop(module)
            found[module.out_proj] = module
    return found


def _axis(module: nn.Module) -> int:
    if isinstance(module, CHANNELS):
        return 1
    if isinstance(module, (*CONVOLUTIONS, *TRANSPOSED)):
        return -1 - len(module.kernel_size)
    return -1


def _shape(module: nn.Module, p: torch.Tensor) -> Shape:
    """The table of docs/blame.md: which part of a parameter comes in to each neuron."""
    if isinstance(module, conv._ConvTransposeNd) and p.dim() > 1:
        groups = module.groups
        rest = p.numel() // max(p.shape[0] * p.shape[1], 1)
        return (groups, p.shape[0] // groups, p.shape[1], rest), (1, 3)
    if isinstance(module, Foreign) and p.dim() > 1:
        neurons = module.neurons_of(p)
        return (p.numel() // max(neurons, 1), neurons), (0,)
    if isinstance(module, EMBEDDINGS):
        return (p.shape[0], p.shape[1]), (0,)
    if isinstance(module, (*CHANNELS, *FEATURES)) or p.dim() <= 1:
        return (p.numel(), 1), (1,)
    return (p.shape[0], p.numel() // max(p.shape[0], 1)), (1,)


def plain(model: nn.Module) -> nn.Module:
    """The model inside a wrapper of torch's own (torch.compile, DataParallel, DDP)."""
    while True:
        inner: Any = getattr(model, "_orig_mod", None)
        if inner is None and isinstance(
            model, (nn.DataParallel, nn.parallel.DistributedDataParallel)
        ):
            inner = model.module
        if inner is None:
            return model
        model = inner


def is_compiled(module: nn.Module) -> bool:
    return (
        getattr(module, "_compiled_call_impl", None) is not None
        or getattr(module, "_orig_mod", None) is not None
    )


def compiled_parts(model: nn.Module) -> set[nn.Module]:
    """Modules that run inside something compiled: a hook there would be compiled in."""
    return {part for module in model.modules() if is_compiled(module) for part in module.modules()}


def gates(root: nn.Module, layers: Iterable[WatchedLayer]) -> dict[int, nn.Module | None]:
    """By layer, the module that its hook must wait for: torch's encoder layers take another way
    in evaluation where a hook is inside them, so hooks are there in training passes only. None
    where no module that is called is outside of them."""
    modules = dict(root.named_modules())
    sensitive = [p for p, m in modules.items() if isinstance(m, nn.TransformerEncoderLayer)]
    found: dict[int, nn.Module | None] = {}
    for k, layer in enumerate(layers):
        around = [s for s in sensitive if _inside(layer.path, s)]
        if around:
            found[k] = _caller(modules, min(around, key=len))
    return found


def _inside(path: str, outer: str) -> bool:
    return not outer or path == outer or path.startswith(f"{outer}.")


def _caller(modules: dict[str, nn.Module], path: str) -> nn.Module | None:
    """The module around it that is called itself, as lists of modules are not."""
    while path:
        path = path.rpartition(".")[0]
        if not isinstance(modules[path], (nn.ModuleList, nn.ModuleDict)):
            return modules[path]
    return None
