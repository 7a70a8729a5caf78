"""Functions and methods of tensors: element by element, put together, reduced, multiplied, chosen,
moved about and changed in place."""

from functools import partial

import torch
import torch.nn.functional as F
from models.catalogue_two import Given, normal


def given(of, *shapes, **options):
    return partial(lambda: Given(of, *(normal(*s) for s in shapes), **options))


X = (3, 4)


def positive(of):
    return lambda x: of(x.abs() + 1.1)


def inside(of):
    return lambda x: of(torch.tanh(x) * 0.9)


PLAIN = "neg abs sign exp exp2 expm1 square sin cos tan sinh cosh atan asinh erf erfc floor ceil"
FURTHER = "trunc frac round relu sigmoid tanh positive sgn absolute negative"
ELEMENTWISE = {
    **{
        f"torch.{name}": given(getattr(torch, name), X) for name in f"{PLAIN} {FURTHER}".split()
    },
    **{
        f"torch.{name}": given(positive(getattr(torch, name)), X)
        for name in ["log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal", "acosh"]
    },
    **{f"torch.{name}": given(inside(getattr(torch, name)), X) for name in ["asin", "acos", "atanh"]},
    "abs at 0": lambda: Given(torch.abs, torch.tensor([-1.0, 0.0, 2.0])),
    "clamp": given(lambda x: x.clamp(-0.5, 0.5), X),
    "clamp at its ends": lambda: Given(
        lambda x: x.clamp(-0.5, 0.5), torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0])
    ),
    "clamp by tensors": given(lambda x, low, high: x.clamp(low, high), X, X, (4,)),
    "clamp_min": given(lambda x: x.clamp_min(0.1), X),
    "clamp_max": given(lambda x: torch.clamp_max(x, 0.1), X),
    "nan_to_num": given(torch.nan_to_num, X),
    "logit": given(lambda x: torch.logit(torch.sigmoid(x)), X),
    "sinc": given(torch.sinc, X),
    "deg2rad": given(torch.deg2rad, X),
}  # fmt: skip

BINARY = {
    "add": given(lambda x, y: x + y, X, X),
    "add broadcast": given(lambda x, y: x + y, X, (4,)),
    "add alpha": given(lambda x, y: torch.add(x, y, alpha=0.3), X, (3, 1)),
    "sub": given(lambda x, y: x - y, X, (4,)),
    "sub alpha": given(lambda x, y: torch.sub(x, y, alpha=2), X, X),
    "rsub": given(lambda x: 2.5 - x, X),
    "torch.rsub": given(lambda x, y: torch.rsub(x, y, alpha=2), X, X),
    "mul": given(lambda x, y: x * y, X, (3, 1)),
    "mul with itself": given(lambda x: x * x, X),
    "div": given(lambda x, y: x / (y.abs() + 0.5), X, (4,)),
    "div by a number": given(lambda x: x / 3, X),
    "rdiv": given(lambda x: 2.5 / (x.abs() + 1), X),
    "div rounded down": given(lambda x: torch.div(x, 0.3, rounding_mode="floor") + x, X),
    "pow": given(lambda x: x**3, X),
    "pow of half": given(lambda x: x.abs() ** 0.5, X),
    "pow by a tensor": given(lambda x, y: x.abs() ** y, X, (4,)),
    "pow 0": given(lambda x: x**0 + x, X),
    "rpow": given(lambda x: 2**x, X),
    "float_power": given(lambda x: x.abs().float_power(1.5), X),
    "fmod": given(lambda x: torch.fmod(x, 0.7), X),
    "remainder": given(lambda x, y: x % y, X, X),
    "maximum": given(torch.maximum, X, (4,)),
    "minimum": given(torch.minimum, X, X),
    "maximum of equals": lambda: Given(torch.maximum, torch.ones(3), torch.ones(3)),
    "fmax": given(torch.fmax, X, X),
    "atan2": given(torch.atan2, X, X),
    "hypot": given(torch.hypot, X, X),
    "logaddexp": given(torch.logaddexp, X, (4,)),
    "xlogy": given(lambda x, y: torch.xlogy(x, y.abs() + 0.1), X, X),
    "lerp": given(lambda x, y: torch.lerp(x, y, 0.3), X, X),
    "lerp by a tensor": given(torch.lerp, X, X, (4,)),
    "addcmul": given(lambda x, y, z: torch.addcmul(x, y, z, value=0.7), X, X, (4,)),
    "addcdiv": given(lambda x, y, z: torch.addcdiv(x, y, z.abs() + 1, value=0.7), X, X, X),
    "where": given(lambda x, y: torch.where(x > 0, x, y), X, (4,)),
    "where a number": given(lambda x: torch.where(x > 0, x, 0.5), X),
    "where method": given(lambda x, y: x.where(y > 0, y), X, X),
    "copysign": given(torch.copysign, X, X),
}

REDUCED = {
    **{
        f"{name}{how}": given(partial(lambda name, a, k, x: getattr(torch, name)(x, *a, **k), name, a, k), (3, 4, 2))
        for name in ["sum", "mean", "prod"]
        for how, a, k in (("", (), {}), (" dim", (1,), {}), (" kept", (-1,), {"keepdim": True}))
    },
    **{
        f"{name}{how}": given(partial(lambda name, a, x: getattr(x, name)(*a), name, a), (3, 4, 2))
        for name in ["sum", "mean", "amax", "amin", "logsumexp", "var", "std"]
        for how, a in ((" of two", ((0, 2),)), (" last, kept", (-1, True)))
        if name not in ("var", "std") or how == " of two"
    },
    **{
        f"{name}{how}": given(partial(lambda name, a, x: pick(getattr(x, name)(*a)), name, a), (3, 5))
        for name in ["max", "min", "median"]
        for how, a in (("", ()), (" dim", (1,)))
    },
    "amax of equals": lambda: Given(lambda x: x.amax(1), torch.tensor([[1.0, 1, 0], [2, 2, 2]])),
    "max of equals": lambda: Given(lambda x: x.max(), torch.tensor([[1.0, 1, 0], [0, 1, 1]])),
    "var plain": given(lambda x: x.var(), X),
    "var, correction": given(lambda x: x.var(1, correction=0, keepdim=True), X),
    "std biased": given(lambda x: x.std(0, unbiased=False), X),
    "var_mean": given(lambda x: torch.var_mean(x, 1), X),
    "norm": given(lambda x: x.norm(), X),
    "norm p": given(lambda x: x.norm(3, dim=1), X),
    "norm p 1": given(lambda x: x.norm(p=1, dim=0, keepdim=True), X),
    "norm inf": given(lambda x: x.norm(float("inf"), dim=1), X),
    "vector_norm": given(lambda x: torch.linalg.vector_norm(x, 2, -1), X),
    "linalg.norm": given(torch.linalg.norm, X),
    "cumsum": given(lambda x: x.cumsum(1), X),
    "cumprod": given(lambda x: x.cumprod(1), X),
    "logcumsumexp": given(lambda x: x.logcumsumexp(0), X),
    "logsumexp far": lambda: Given(lambda x: x.logsumexp(1), normal(3, 4) * 300),
    "trace": given(torch.trace, (4, 4)),
    "prod with zeros": lambda: Given(lambda x: x.prod(1), torch.tensor([[1.0, 0, 3], [0, 0, 2]])),
    "sort": given(lambda x: x.sort(1)[0], X),
    "topk": given(lambda x: x.topk(2, 1)[0], X),
    "kthvalue": given(lambda x: x.kthvalue(2, 1)[0], X),
    "cummax": given(lambda x: x.cummax(1)[0], X),
    "nansum": given(torch.nansum, X),
    "dist": given(torch.dist, X, X),
    "cdist": given(lambda x, y: torch.cdist(x, y), X, (5, 4)),
}  # fmt: skip


def pick(found):
    return found if isinstance(found, torch.Tensor) else found[0]


MULTIPLIED = {
    "matmul": given(torch.matmul, (3, 4), (4, 2)),
    "matmul of vectors": given(torch.matmul, (4,), (4,)),
    "matmul vector, matrix": given(lambda x, y: x @ y, (4,), (2, 4, 3)),
    "matmul matrix, vector": given(lambda x, y: x @ y, (2, 3, 4), (4,)),
    "matmul broadcast": given(lambda x, y: x @ y, (2, 1, 3, 4), (3, 4, 2)),
    "matmul with itself": given(lambda x: x @ x, (3, 3)),
    "mm": given(torch.mm, (3, 4), (4, 2)),
    "bmm": given(torch.bmm, (2, 3, 4), (2, 4, 2)),
    "mv": given(torch.mv, (3, 4), (4,)),
    "dot": given(torch.dot, (4,), (4,)),
    "outer": given(torch.outer, (3,), (4,)),
    "addmm": given(lambda x, y, z: torch.addmm(x, y, z, beta=0.5, alpha=2), (2,), (3, 4), (4, 2)),
    "addmv": given(torch.addmv, (3,), (3, 4), (4,)),
    "addr": given(torch.addr, (3, 4), (3,), (4,)),
    "baddbmm": given(torch.baddbmm, (2, 3, 2), (2, 3, 4), (2, 4, 2)),
    "addbmm": given(torch.addbmm, (3, 2), (2, 3, 4), (2, 4, 2)),
    "kron": given(torch.kron, (2, 3), (3, 2)),
    "tensordot": given(lambda x, y: torch.tensordot(x, y, dims=2), (2, 3, 4), (3, 4, 2)),
    "inner": given(torch.inner, (2, 4), (3, 4)),
    "linalg.multi_dot": given(lambda x, y, z: torch.linalg.multi_dot([x, y, z]), X, (4, 2), (2, 3)),
    **{
        f"einsum {form}": given(partial(torch.einsum, form), *shapes)
        for form, *shapes in (
            ("ij,jk->ik", (3, 4), (4, 2)),
            ("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4)),
            ("ii->i", (4, 4)),
            ("ij->ji", (3, 4)),
            ("ij->", (3, 4)),
            ("i,i", (4,), (4,)),
            ("...ij,...jk", (2, 3, 4), (2, 4, 2)),
            ("bi,ij,bj->b", (2, 3), (3, 4), (2, 4)),
        )
    },
}
COUNTED = torch.tensor([2, 0, 2])
AT = torch.tensor([[0, 2, 1, 0], [1, 1, 0, 2]])
MASK = torch.tensor([[1, 0, 1, 1], [0, 0, 1, 0], [1, 1, 0, 1]]).bool()

CHOSEN = {
    "slices": given(lambda x: x[1:, ::2] * x[:-1, 1::2], X),
    "one row": given(lambda x: x[1] * x[-1], X),
    "new axis": given(lambda x: x[:, None] + x[None, ..., 0:1], X),
    "ellipsis": given(lambda x: x[..., 1], (2, 3, 4)),
    "by a list": given(lambda x: x[[2, 0, 2]], X),
    "by tensors": given(lambda x: x[COUNTED, COUNTED + 1], X),
    "by a tensor and a slice": given(lambda x: x[COUNTED, 1:3], X),
    "by a mask": given(lambda x: x[MASK], X),
    "by a mask of rows": given(lambda x: x[MASK[:, 0]], X),
    "index_select": given(lambda x: x.index_select(0, COUNTED), X),
    "gather": given(lambda x: x.gather(0, AT), X),
    "take_along_dim": given(lambda x: torch.take_along_dim(x, AT, 0), X),
    "take": given(lambda x: torch.take(x, torch.tensor([0, 5, 5, 11])), X),
    "masked_select": given(lambda x: x.masked_select(MASK), X),
    "masked_fill": given(lambda x: x.masked_fill(MASK, 0.5), X),
    "masked_fill by a tensor": given(lambda x, y: x.masked_fill(MASK, y), X, ()),
    "masked_scatter": given(lambda x, y: x.masked_scatter(MASK, y), X, (12,)),
    "scatter": given(lambda x, y: x.scatter(0, AT, y), X, (2, 4)),
    "scatter a number": given(lambda x: x.scatter(0, AT, 0.5), X),
    "scatter_add": given(lambda x, y: x.scatter_add(0, AT, y), X, (2, 4)),
    "index_add": given(lambda x, y: x.index_add(0, COUNTED, y, alpha=2), X, (3, 4)),
    "index_copy": given(lambda x, y: x.index_copy(0, COUNTED[:2], y), X, (2, 4)),
    "index_put": given(lambda x, y: x.index_put((COUNTED,), y, accumulate=True), X, (3, 4)),
    "index_fill": given(lambda x: x.index_fill(0, COUNTED[:1], 0.5), X),
    "select": given(lambda x: x.select(1, 2), X),
    "narrow": given(lambda x: x.narrow(1, 1, 2), X),
    "diagonal": given(lambda x: x.diagonal(), X),
    "unfold": given(lambda x: x.unfold(1, 2, 1), X),
    "tril": given(torch.tril, (4, 4)),
    "triu": given(lambda x: x.triu(1), (4, 4)),
}

MOVED = {
    "reshape": given(lambda x: x.reshape(2, -1), X),
    "view": given(lambda x: x.view(6, 2), X),
    "view_as": given(lambda x, y: x.view_as(y) * y, X, (2, 6)),
    "flatten": given(lambda x: x.flatten(1), (2, 3, 2)),
    "ravel": given(torch.ravel, X),
    "unflatten": given(lambda x: x.unflatten(1, (2, 2)), X),
    "transpose": given(lambda x: x.transpose(0, 2), (2, 3, 4)),
    "permute": given(lambda x: x.permute(2, 0, 1), (2, 3, 4)),
    "T": given(lambda x: x.T @ x, X),
    "mT": given(lambda x: x.mT, (2, 3, 4)),
    "movedim": given(lambda x: x.movedim(0, 2), (2, 3, 4)),
    "swapaxes": given(lambda x: x.swapaxes(0, 1), X),
    "squeeze": given(lambda x: x.squeeze(1).unsqueeze(0), (3, 1, 4)),
    "squeeze all": given(torch.squeeze, (1, 3, 1)),
    "expand": given(lambda x: x.expand(3, -1), (1, 4)),
    "expand in front": given(lambda x: x.expand(2, 3, 4), X),
    "expand_as": given(lambda x, y: x.expand_as(y) * y, (4,), X),
    "broadcast_to": given(lambda x: x.broadcast_to(2, 3, 4), (3, 1)),
    "broadcast_tensors": given(torch.broadcast_tensors, (4,), (3, 1)),
    "repeat": given(lambda x: x.repeat(2, 3), X),
    "repeat_interleave": given(lambda x: x.repeat_interleave(2, 1), X),
    "repeat_interleave by counts": given(lambda x: x.repeat_interleave(COUNTED, 0), X),
    "tile": given(lambda x: x.tile(2), X),
    "cat": given(lambda x, y: torch.cat([x, y, x], 1), X, (3, 2)),
    "stack": given(lambda x, y: torch.stack([x, y], -1), X, X),
    "hstack": given(lambda x, y: torch.hstack([x, y]), X, (3, 2)),
    "vstack": given(lambda x, y: torch.vstack([x, y]), X, (4,)),
    "dstack": given(lambda x, y: torch.dstack([x, y]), X, X),
    "chunk": given(lambda x: x.chunk(3, 1), X),
    "split": given(lambda x: x.split([1, 3], 1), X),
    "tensor_split": given(lambda x: x.tensor_split(3, 1), X),
    "unbind": given(lambda x: x.unbind(1), X),
    "iterated": given(lambda x: sum(row * k for k, row in enumerate(x)), X),
    "flip": given(lambda x: x.flip(0, 1), X),
    "roll": given(lambda x: x.roll(1, 0), X),
    "roll flat": given(lambda x: x.roll(2), X),
    "rot90": given(torch.rot90, X),
    "pad": given(lambda x: F.pad(x, (1, -1, 2, 0), value=0.5), X),
    "diag": given(torch.diag, (3,)),
    "diag_embed": given(torch.diag_embed, X),
    "meshgrid": given(lambda x, y: torch.meshgrid(x, y, indexing="ij"), (3,), (2,)),
    "cartesian_prod": given(torch.cartesian_prod, (3,), (2,)),
    "block_diag": given(torch.block_diag, X, (2, 2)),
    "clone": given(lambda x: x.clone().contiguous(), X),
    "detached": given(lambda x: x * x.detach(), X),
    "as double": given(lambda x: x.to(torch.float64).double() * 2, X),
    "as_strided": given(lambda x: x.as_strided((2, 2), (4, 1), 1), X),
    "pixel_shuffle": given(lambda x: F.pixel_shuffle(x, 2), (1, 4, 2, 2)),
}


def changed(x):
    """A tensor of its own, to be changed in place."""
    return x.clone()


def assigned(x, key, value):
    y = changed(x)
    y[key] = value
    return y * x


CHANGED = {
    "add_": given(lambda x, y: changed(x).add_(y, alpha=2), X, (4,)),
    "mul_": given(lambda x, y: changed(x).mul_(y), X, X),
    "iadd": given(lambda x, y: x * 1 + (changed(x).__iadd__(y)), X, X),
    "div_ by a number": given(lambda x: changed(x).div_(3), X),
    "exp_": given(lambda x: changed(x).mul_(2).exp_(), X),
    "clamp_": given(lambda x: changed(x).clamp_(-0.5, 0.5), X),
    "zero_": given(lambda x: changed(x).zero_() + x, X),
    "fill_": given(lambda x, y: changed(x).fill_(y), X, ()),
    "copy_": given(lambda x, y: changed(x).copy_(y) + x, X, (4,)),
    "masked_fill_": given(lambda x: changed(x).masked_fill_(MASK, 2.0), X),
    "scatter_": given(lambda x, y: changed(x).scatter_(0, AT, y), X, (2, 4)),
    "index_add_": given(lambda x, y: changed(x).index_add_(0, COUNTED, y), X, (3, 4)),
    "a number assigned": given(lambda x: assigned(x, 1, 0.5), X),
    "a row assigned": given(lambda x, y: assigned(x, 1, y), X, (4,)),
    "a slice assigned": given(lambda x, y: assigned(x, (slice(None), slice(1, 3)), y), X, (3, 2)),
    "an element assigned": given(lambda x, y: assigned(x, (0, 1), y), X, ()),
    "by a mask assigned": given(lambda x: assigned(x, MASK, 0.5), X),
    "by tensors assigned": given(lambda x, y: assigned(x, (COUNTED[:2], COUNTED[:2]), y), X, (2,)),
}

LEVEL_OF_TENSORS = {
    "torch.special.i0": given(torch.special.i0, X),
    "torch.lgamma": given(positive(torch.lgamma), X),
    "torch.digamma": given(positive(torch.digamma), X),
    "torch.linalg.inv": given(lambda x: torch.linalg.inv(x + 3 * torch.eye(3)), (3, 3)),
    "torch.linalg.det": given(torch.linalg.det, (3, 3)),
    "torch.linalg.solve": given(lambda a, b: torch.linalg.solve(a, b), (3, 3), (3, 2)),
    "torch.linalg.svdvals": given(torch.linalg.svdvals, (3, 4)),
    "torch.linalg.matrix_norm": given(lambda x: torch.linalg.matrix_norm(x, 2), (3, 4)),
}

CATALOGUE = {
    **ELEMENTWISE,
    **BINARY,
    **REDUCED,
    **MULTIPLIED,
    **CHOSEN,
    **MOVED,
    **CHANGED,
    **LEVEL_OF_TENSORS,
}
