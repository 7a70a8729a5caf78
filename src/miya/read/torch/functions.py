"""Torch's functions as the recorder knows them: names of their parameters, what is no operation,
and what is made of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from inspect import Parameter, signature
from types import FunctionType
from typing import Any

import torch

from .values import Again, TensorValue


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The names of positional parameters of built-in functions and methods, which have no signature.
# The first is also what a method is called on.
NAMES: dict[str, str] = {
    "linear": "input weight bias",
    "bilinear": "input1 input2 weight bias",
    **dict.fromkeys(
        ("conv1d", "conv2d", "conv3d"), "input weight bias stride padding dilation groups"
    ),
    **dict.fromkeys(
        ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
        "input weight bias stride padding output_padding groups dilation",
    ),
    "avg_pool1d": "input kernel_size stride padding ceil_mode count_include_pad",
    **dict.fromkeys(
        ("avg_pool2d", "avg_pool3d"),
        "input kernel_size stride padding ceil_mode count_include_pad divisor_override",
    ),
    **dict.fromkeys(
        words("adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d"), "input output_size"
    ),
    **dict.fromkeys(
        words(
            "adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d "
            "adaptive_max_pool1d_with_indices adaptive_max_pool2d_with_indices "
            "adaptive_max_pool3d_with_indices"
        ),
        "input output_size return_indices",
    ),
    **dict.fromkeys(
        words(
            "max_pool1d max_pool2d max_pool3d max_pool1d_with_indices max_pool2d_with_indices "
            "max_pool3d_with_indices"
        ),
        "input kernel_size stride padding dilation ceil_mode return_indices",
    ),
    **dict.fromkeys(("hardshrink", "softshrink"), "input lambd"),
    "scaled_dot_product_attention": "query key value attn_mask dropout_p is_causal scale "
    "enable_gqa",
    **dict.fromkeys(
        ("lstm", "gru", "rnn_tanh", "rnn_relu"),
        "input hx params has_biases num_layers dropout train bidirectional batch_first",
    ),
    **dict.fromkeys(
        ("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"),
        "input hx weight_ih weight_hh bias_ih bias_hh",
    ),
    **dict.fromkeys(("add", "sub", "rsub"), "input other alpha"),
    **dict.fromkeys(
        words(
            "mul multiply div divide true_divide floor_divide remainder pow float_power rpow rdiv "
            "rmod rmatmul matmul mm bmm mv dot vdot outer ger inner kron maximum minimum fmax fmin "
            "fmod atan2 arctan2 hypot xlogy logaddexp logaddexp2 copysign ldexp heaviside "
            "eq ne lt le gt ge logical_and logical_or logical_xor type_as expand_as "
            "view_as reshape_as"
        ),
        "input other",
    ),
    "addmm": "input mat1 mat2 beta alpha",
    **dict.fromkeys(("baddbmm", "addbmm"), "input batch1 batch2 beta alpha"),
    "addmv": "input mat vec beta alpha",
    "addr": "input vec1 vec2 beta alpha",
    "tensordot": "input other dims",
    "diff": "input n dim prepend append",
    "cdist": "x1 x2 p compute_mode",
    "dist": "input other p",
    "linalg_cross": "input other dim",
    "cross": "input other dim",
    "linalg_multi_dot": "tensors",
    "addcmul": "input tensor1 tensor2 value",
    "addcdiv": "input tensor1 tensor2 value",
    "lerp": "input end weight",
    "where": "condition input other",
    **dict.fromkeys(("clamp", "clip"), "input min max"),
    "clamp_min": "input min",
    "clamp_max": "input max",
    **dict.fromkeys(
        words("sum mean prod amax amin logsumexp special_logsumexp all any"), "input dim keepdim"
    ),
    **dict.fromkeys(
        words("max min argmax argmin median nanmedian mode aminmax nansum nanmean"),
        "input dim keepdim",
    ),
    **dict.fromkeys(("var", "std", "var_mean", "std_mean"), "input dim unbiased keepdim"),
    "norm": "input p dim keepdim",
    **dict.fromkeys(
        ("linalg_vector_norm", "linalg_norm", "linalg_matrix_norm"), "input ord dim keepdim"
    ),
    **dict.fromkeys(words("cumsum cumprod logcumsumexp cummax cummin"), "input dim"),
    "sort": "input dim descending",
    "topk": "input k dim largest sorted",
    "kthvalue": "input k dim keepdim",
    "softmax": "input dim dtype",
    "log_softmax": "input dim dtype",
    "one_hot": "input num_classes",
    "nan_to_num": "input nan posinf neginf",
    "cosine_similarity": "x1 x2 dim eps",
    "pairwise_distance": "x1 x2 p eps keepdim",
    "_pack_padded_sequence": "input lengths batch_first",
    "_pad_packed_sequence": "input batch_sizes batch_first padding_value total_length",
    "gelu": "input approximate",
    "leaky_relu": "input negative_slope",
    "softplus": "input beta threshold",
    "prelu": "input weight",
    "hardtanh": "input min_val max_val",
    "transpose": "input dim0 dim1",
    "swapaxes": "input dim0 dim1",
    "permute": "input dims",
    "flatten": "input start_dim end_dim",
    "unflatten": "input dim sizes",
    "squeeze": "input dim",
    "unsqueeze": "input dim",
    "cat": "tensors dim",
    "concat": "tensors dim",
    "stack": "tensors dim",
    "chunk": "input chunks dim",
    "unbind": "input dim",
    "narrow": "input dim start length",
    "select": "input dim index",
    "index_select": "input dim index",
    "gather": "input dim index",
    "take": "input index",
    "take_along_dim": "input indices dim",
    **dict.fromkeys(("scatter", "scatter_add"), "input dim index src"),
    "scatter_reduce": "input dim index src reduce",
    **dict.fromkeys(("index_add", "index_copy"), "input dim index source"),
    "index_fill": "input dim index value",
    "index_put": "input indices values accumulate",
    "masked_fill": "input mask value",
    "masked_scatter": "input mask source",
    "__getitem__": "input index",
    "__setitem__": "input index value",
    "tril": "input diagonal",
    "triu": "input diagonal",
    "flip": "input dims",
    "roll": "input shifts dims",
    "pad": "input pad mode value",
    **dict.fromkeys(("T", "H", "mT", "mH", "real", "imag", "data"), "input"),
}

# Python functions that call other operations: what they call is recorded, not they themselves.
COMPOSITE = words(
    "multi_head_attention_forward local_response_norm normalize softmin gumbel_softmax "
    "multilabel_soft_margin_loss triplet_margin_with_distance_loss lp_pool1d lp_pool2d lp_pool3d"
)

# Operations that draw from torch's generators.
RANDOM = words(
    "dropout dropout1d dropout2d dropout3d alpha_dropout feature_dropout "
    "feature_alpha_dropout rrelu bernoulli multinomial rand_like randn_like lstm gru rnn_tanh "
    "rnn_relu normal poisson scaled_dot_product_attention fractional_max_pool2d "
    "fractional_max_pool3d uniform exponential gumbel_softmax randint_like"
)

# Attributes of a tensor that are operations: `x.T`.
READS = words("T H mT mH real imag data")

# Functions of autograd whose results only its own graph links to what they were made of.
BY_GRAPH = frozenset({"grad"})

# What an operation changes beside what it makes, by role.
CHANGES = dict.fromkeys(("batch_norm", "instance_norm"), ("running_mean", "running_var"))

# Methods of operators, by the operation that they are.
DUNDER = {
    "__radd__": "add",
    "__rmul__": "mul",
    "__rsub__": "rsub",
    "__rtruediv__": "rdiv",
    "__rdiv__": "rdiv",
    "__mod__": "remainder",
    "__imod__": "remainder_",
    "__floordiv__": "floor_divide",
    "__truediv__": "div",
    "__itruediv__": "div_",
    "__getitem__": "__getitem__",
    "__setitem__": "__setitem__",
}

# Reads of a tensor that make no number of the computation.
NO_OPERATION = words(
    "__get__ __set__ dim size stride numel is_contiguous is_floating_point is_complex "
    "element_size data_ptr storage_offset __len__ __bool__ __format__ __repr__ __str__ item "
    "tolist numpy requires_grad_ register_hook retain_grad backward get_device is_cuda "
    "untyped_storage is_same_size is_nonzero __hash__ dense_dim has_names type is_tensor "
    "is_set_to _is_view __deepcopy__ __reduce_ex__ nelement"
)


def called(func: Any) -> str:
    """What an intercepted function is called, of a read of an attribute the attribute; "__get__"
    where that read is no operation (READS has those that are)."""
    name: str = getattr(func, "__name__", "")
    if name != "__get__":
        return name
    read: str = getattr(getattr(func, "__self__", None), "__name__", "")
    return read if read in READS else name


@lru_cache(maxsize=1024)
def parameters_of(func: Callable[..., Any], name: str) -> tuple[str, ...]:
    """The names of a function's positional parameters, as far as they are known."""
    if name in NAMES:
        return tuple(NAMES[name].split())
    try:
        found = signature(func).parameters.values()
    except (TypeError, ValueError):
        return ()
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(p.name for p in found if p.kind in kinds)


# Parameters of calls that differ from others of their name by what they are given: the name, what
# tells them apart, the parameters.
FORMS: tuple[tuple[frozenset[str], Callable[[Any, tuple[Any, ...]], bool], str], ...] = (
    (
        words("lstm gru rnn_tanh rnn_relu"),
        lambda func, args: isinstance(args[3], (tuple, list)),
        "input batch_sizes hx params has_biases num_layers dropout train bidirectional",
    ),
    (
        words("max min"),
        lambda func, args: len(args) > 1 and isinstance(args[1], torch.Tensor),
        "input other",
    ),
    (
        words("var std var_mean std_mean"),
        lambda func, args: len(args) > 1 and isinstance(args[1], bool),
        "input unbiased",
    ),
    (words("where"), lambda func, args: func is torch.Tensor.where, "input condition other"),
    (
        words("einsum"),
        lambda func, args: True,
        "equation " + " ".join(f"operand{k}" for k in range(1, 53)),
    ),
)


def names_of(func: Callable[..., Any], name: str, args: tuple[Any, ...]) -> tuple[str, ...]:
    """The same for one call."""
    for named, fits, parameters in FORMS:
        if name in named and fits(func, args):
            return tuple(parameters.split())
    return parameters_of(func, name)


@lru_cache(maxsize=1024)
def plain_name(name: str) -> tuple[str, bool]:
    """An operation's name without the marks of a method, and whether it works in place."""
    if name in DUNDER:
        name = DUNDER[name]
    elif name.startswith("__i") and name.endswith("__") and name != "__invert__":
        name = name[3:-2] + "_"
    elif name.startswith("__") and name.endswith("__"):
        name = name[2:-2]
    if name == "__setitem__":
        return name, True
    in_place = name.endswith("_") and not name.endswith("__")
    return (name.rstrip("_") if in_place else name), in_place


def again(
    func: Any, name: str, arguments: Mapping[str, Any], positional: tuple[str, ...], in_place: bool
) -> Again:
    """A call to make once more, with other tensors in the place of some operands."""
    copied = CHANGES.get(name, ())

    def run(tensors: Mapping[str, torch.Tensor]) -> Any:
        def built(found: Any, role: str) -> Any:
            if isinstance(found, TensorValue):
                tensor = tensors.get(role, found.tensor)
                return tensor.clone() if in_place or role in copied else tensor
            if isinstance(found, tuple):
                return tuple(built(item, f"{role}.{k}") for k, item in enumerate(found))
            return found.clone_state() if isinstance(found, torch.Generator) else found

        made = {role: built(found, role) for role, found in arguments.items()}
        target = made[positional[0]] if positional else None
        result = func(*[made.pop(role) for role in positional], **made)
        return target if result is None else result

    return run


def opened(func: Any) -> Any:
    """A composite Python function of torch that calls its parts instead of asking who overrides
    it: the same code, whose `has_torch_function` says no."""
    func = getattr(func, "__wrapped__", func)
    blind = dict.fromkeys(
        ("has_torch_function", "has_torch_function_unary", "has_torch_function_variadic"), _no
    )
    made = FunctionType(
        func.__code__,
        {**func.__globals__, **blind},
        func.__name__,
        func.__defaults__,
        func.__closure__,
    )
    made.__kwdefaults__ = func.__kwdefaults__
    return made


def _no(*args: Any) -> bool:
    return False
