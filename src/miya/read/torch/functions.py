"""Torch's functions as the recorder knows them: names of their parameters, what is no operation,
and what is made of others."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from inspect import Parameter, signature
from typing import Any

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
    "adaptive_avg_pool1d": "input output_size",
    "scaled_dot_product_attention": "query key value attn_mask dropout_p is_causal scale enable_gqa",
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
        "mul div true_divide floor_divide remainder pow matmul mm bmm mv dot outer maximum minimum fmod atan2 "
        "eq ne lt le gt ge logical_and logical_or type_as expand_as view_as reshape_as".split(),
        "input other",
    ),
    "addmm": "input mat1 mat2 beta alpha",
    "baddbmm": "input batch1 batch2 beta alpha",
    "addcmul": "input tensor1 tensor2 value",
    "addcdiv": "input tensor1 tensor2 value",
    "lerp": "input end weight",
    "where": "condition input other",
    "clamp": "input min max",
    **dict.fromkeys(
        ("sum", "mean", "prod", "amax", "amin", "logsumexp", "all", "any"), "input dim keepdim"
    ),
    **dict.fromkeys(("max", "min", "argmax", "argmin", "median"), "input dim keepdim"),
    **dict.fromkeys(("var", "std", "var_mean", "std_mean"), "input dim"),
    "norm": "input p dim keepdim",
    "cumsum": "input dim",
    "softmax": "input dim dtype",
    "log_softmax": "input dim dtype",
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
    "masked_fill": "input mask value",
    "__getitem__": "input index",
    "__setitem__": "input index value",
    "tril": "input diagonal",
    "triu": "input diagonal",
    "flip": "input dims",
    "roll": "input shifts dims",
    "pad": "input pad mode value",
}

# Python functions that call other operations: what they call is recorded, not they themselves.
COMPOSITE = frozenset({"multi_head_attention_forward"})

# Reads of a tensor that make no number of the computation.
NO_OPERATION = frozenset(
    "__get__ __set__ dim size stride numel is_contiguous is_floating_point is_complex element_size "
    "data_ptr storage_offset __len__ __bool__ __format__ __repr__ __str__ item tolist numpy "
    "requires_grad_ register_hook retain_grad backward get_device is_cuda untyped_storage "
    "is_same_size is_nonzero __hash__ dense_dim has_names type is_tensor is_set_to _is_view "
    "__deepcopy__ __reduce_ex__ nelement".split()
)


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
