"""What a folder of examples is of, in a few words, so that it goes on with nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_flatten


def of_tensors(found: Mapping[str, torch.Tensor]) -> str:
    """A digest of names, shapes and numbers."""
    digest = hashlib.blake2b(digest_size=16)
    for name, tensor in found.items():
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        raw = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        digest.update(raw.numpy().tobytes())
    return digest.hexdigest()


def of_model(model: nn.Module) -> str:
    """Its parameters and buffers, and which of its modules are in training mode."""
    held = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    modes = "".join(str(int(m.training)) for m in model.modules())
    return f"{of_tensors(held)} {hashlib.blake2b(modes.encode(), digest_size=4).hexdigest()}"


def of_batch(inputs: Any, target: Any) -> str:
    leaves = [t for t in tree_flatten((inputs, target))[0] if isinstance(t, torch.Tensor)]
    return of_tensors({str(k): t for k, t in enumerate(leaves)})


def of_loss(loss: Any) -> str:
    """A loss in words: a module's own, or a function's name."""
    if isinstance(loss, nn.Module):
        options = {
            k: v
            for k, v in vars(loss).items()
            if isinstance(v, (bool, int, float, str)) and k != "training"
        }
        tensors = of_tensors(dict(loss.state_dict()))
        return f"{type(loss).__name__} {options} {tensors}"
    return "none" if loss is None else str(getattr(loss, "__qualname__", type(loss).__name__))
