"""Modules of torch.nn that squash, convolve, pool, reshape, attend and recur."""

from functools import partial

import torch
import torch.nn.functional as F
from models.catalogue_two import Given, classes, normal, of
from torch import nn

TURNS = (-6.0, -3.0, -2.0, -1.0, -0.5, 0.0, 0.3, 0.5, 1.0, 2.0, 3.0, 6.0)
FAR = (-800.0, -90.0, -38.0, -25.0, -12.0, -9.0, -7.0, 7.0, 9.0, 12.0, 25.0, 38.0, 90.0)

SQUASHES = {
    "ReLU": nn.ReLU,
    "ReLU6": nn.ReLU6,
    "LeakyReLU": partial(nn.LeakyReLU, 0.2),
    "ELU": partial(nn.ELU, 0.7),
    "SELU": nn.SELU,
    "CELU": partial(nn.CELU, 0.6),
    "GELU": nn.GELU,
    "GELU tanh": partial(nn.GELU, "tanh"),
    "SiLU": nn.SiLU,
    "Mish": nn.Mish,
    "Hardswish": nn.Hardswish,
    "Hardsigmoid": nn.Hardsigmoid,
    "Hardtanh": partial(nn.Hardtanh, -0.5, 2.0),
    "Hardshrink": partial(nn.Hardshrink, 0.3),
    "Softshrink": partial(nn.Softshrink, 0.3),
    "Tanhshrink": nn.Tanhshrink,
    "Softplus": nn.Softplus,
    "Softplus steep": partial(nn.Softplus, 2.0, 1.0),
    "Softsign": nn.Softsign,
    "LogSigmoid": nn.LogSigmoid,
    "Sigmoid": nn.Sigmoid,
    "Tanh": nn.Tanh,
    "PReLU": nn.PReLU,
    "Threshold": partial(nn.Threshold, 0.3, 20.0),
    "RReLU": nn.RReLU,
    "RReLU eval": lambda: nn.RReLU(0.1, 0.3).eval(),
    "GLU": partial(nn.GLU, 0),
}
SQUASHING = {
    **{name: partial(lambda make: of(make(), normal(6, 5)), make) for name, make in SQUASHES.items()},
    **{
        f"{name} at its turns": partial(
            lambda make: of(make(), torch.tensor(TURNS)), make
        )
        for name, make in SQUASHES.items()
    },
    **{
        f"{name} far": partial(lambda make: of(make(), torch.tensor((*FAR, 0.1))), make)
        for name, make in SQUASHES.items()
    },
    **{
        f"{name} in place": partial(
            lambda make: Given(lambda x: make(inplace=True)(x * 2), normal(4, 5)), make
        )
        for name, make in SQUASHES.items()
        if name in ("ReLU", "ReLU6", "LeakyReLU", "ELU", "SELU", "CELU", "SiLU", "Mish",
                    "Hardswish", "Hardsigmoid", "Hardtanh", "Threshold", "RReLU")
    },
    "PReLU of channels": lambda: of(nn.PReLU(3), normal(2, 3, 4)),
    "GLU of the last": lambda: of(nn.GLU(), normal(3, 6)),
}  # fmt: skip

MULTIPLYING = {
    "Linear": lambda: of(nn.Linear(4, 3), normal(5, 4)),
    "Linear without bias": lambda: of(nn.Linear(4, 3, bias=False), normal(5, 4)),
    "Linear of a vector": lambda: of(nn.Linear(4, 3), normal(4)),
    "Linear of sequences": lambda: of(nn.Linear(4, 3), normal(2, 3, 4)),
    "Bilinear": lambda: of(nn.Bilinear(3, 4, 2), normal(5, 3), normal(5, 4)),
    "Bilinear without bias": lambda: of(
        nn.Bilinear(3, 4, 2, bias=False), normal(2, 5, 3), normal(2, 5, 4)
    ),
    "Identity": lambda: of(nn.Sequential(nn.Identity(), nn.Linear(4, 3)), normal(5, 4)),
}

SIZES = {1: (9,), 2: (6, 7), 3: (4, 5, 4)}
CONVOLUTIONS = {
    "": {},
    " without bias": {"bias": False},
    " stride": {"stride": 2, "padding": 1},
    " groups": {"groups": 2, "padding": 1, "dilation": 2},
    " depthwise": {"groups": 4},
    " same": {"padding": "same"},
    " valid": {"padding": "valid", "stride": 2},
    " zeros around": {"padding": 2, "padding_mode": "zeros"},
    " reflected": {"padding": 1, "padding_mode": "reflect"},
    " replicated": {"padding": 1, "padding_mode": "replicate"},
    " circular": {"padding": 1, "padding_mode": "circular"},
}
TRANSPOSED = {
    "": {},
    " stride": {"stride": 2, "padding": 1, "output_padding": 1},
    " groups": {"groups": 2, "dilation": 2, "bias": False},
}


def convolution(kind, size, options):
    return of(kind(4, 4, 3, **options), normal(2, 4, *size))


CONVOLVING = {
    **{
        f"{kind.__name__}{how}": partial(convolution, kind, SIZES[n], options)
        for n, kind in enumerate((nn.Conv1d, nn.Conv2d, nn.Conv3d), 1)
        for how, options in CONVOLUTIONS.items()
    },
    **{
        f"{kind.__name__}{how}": partial(convolution, kind, [k - 2 for k in SIZES[n]], options)
        for n, kind in enumerate((nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d), 1)
        for how, options in TRANSPOSED.items()
    },
    "Conv1d same, even kernel": lambda: of(nn.Conv1d(2, 3, 4, padding="same"), normal(2, 2, 7)),
    "Conv1d of one": lambda: of(nn.Conv1d(2, 3, 2), normal(2, 7)),
    "Conv2d oblong": lambda: of(
        nn.Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(0, 1), dilation=(1, 2)), normal(2, 2, 6, 7)
    ),
    "Conv2d of one": lambda: of(nn.Conv2d(2, 3, 2), normal(2, 4, 5)),
    "Unfold": lambda: of(nn.Unfold(2, dilation=2, padding=1, stride=2), normal(2, 2, 5, 6)),
    "Fold": lambda: of(nn.Fold((4, 5), 2, padding=1, stride=2), normal(2, 8, 9)),
}


def pools(kind, n, size, variants, *before):
    """A kind of pooling in n dimensions, each variant."""
    return {
        f"{kind.__name__}{how}": partial(
            lambda args, options: of(kind(*args, **options), normal(2, 3, *size)), args, options
        )
        for how, (args, options) in variants.items()
    }


MAXIMUM = {
    "": ((2,), {}),
    " overlaps": ((3, 2, 1), {}),
    " dilated": ((2, 1), {"dilation": 2}),
    " ceil": ((2,), {"ceil_mode": True}),
    " with indices": ((2,), {"return_indices": True}),
}
AVERAGE = {
    "": ((2,), {}),
    " overlaps": ((3, 2, 1), {}),
    " of what is there": ((3, 2, 1), {"count_include_pad": False, "ceil_mode": True}),
}
POOLING = {
    **{k: v for n in SIZES for k, v in pools(getattr(nn, f"MaxPool{n}d"), n, SIZES[n], MAXIMUM).items()},
    **{k: v for n in SIZES for k, v in pools(getattr(nn, f"AvgPool{n}d"), n, SIZES[n], AVERAGE).items()},
    **{
        k: v
        for n in SIZES
        for word in ("Avg", "Max")
        for k, v in pools(
            getattr(nn, f"Adaptive{word}Pool{n}d"), n, SIZES[n], {"": ((3,), {}), " of all": ((1,), {})}
        ).items()
    },
    **{
        k: v
        for n in SIZES
        for k, v in pools(
            getattr(nn, f"LPPool{n}d"), n, SIZES[n], {"": ((2, 2), {}), " stride": ((2, 3, 2), {})}
        ).items()
    },
    "AvgPool2d divided": lambda: of(nn.AvgPool2d(2, divisor_override=3), normal(2, 3, 4, 5)),
    "AdaptiveAvgPool2d oblong": lambda: of(nn.AdaptiveAvgPool2d((2, None)), normal(2, 3, 5, 4)),
    "AdaptiveMaxPool2d with indices": lambda: of(
        nn.AdaptiveMaxPool2d(2, return_indices=True), normal(2, 3, 5, 4)
    ),
    "MaxPool2d of equals": lambda: of(nn.MaxPool2d(2), torch.ones(1, 1, 4, 4)),
    "FractionalMaxPool2d": lambda: of(nn.FractionalMaxPool2d(2, output_size=3), normal(2, 3, 7, 6)),
    "FractionalMaxPool3d": lambda: of(
        nn.FractionalMaxPool3d(2, output_size=2), normal(1, 2, 5, 5, 4)
    ),
    **{
        f"MaxUnpool{n}d": partial(
            lambda n: Given(
                lambda x: getattr(nn, f"MaxUnpool{n}d")(2)(
                    *getattr(nn, f"MaxPool{n}d")(2, return_indices=True)(x)
                ),
                normal(2, 2, *(4, 6, 4)[:n]),
            ),
            n,
        )
        for n in SIZES
    },
}  # fmt: skip

PADS = {"Zero": (), "Constant": (0.7,), "Reflection": (), "Replication": (), "Circular": ()}
RESHAPING = {
    "Flatten": lambda: of(nn.Flatten(), normal(2, 3, 4)),
    "Flatten inside": lambda: of(nn.Flatten(1, 2), normal(2, 3, 4, 2)),
    "Unflatten": lambda: of(nn.Unflatten(1, (2, 3)), normal(4, 6)),
    "PixelShuffle": lambda: of(nn.PixelShuffle(2), normal(2, 8, 3, 2)),
    "PixelUnshuffle": lambda: of(nn.PixelUnshuffle(2), normal(2, 2, 4, 6)),
    "ChannelShuffle": lambda: of(nn.ChannelShuffle(2), normal(2, 6, 3, 2)),
    **{
        f"{word}Pad{n}d": partial(
            lambda word, n: of(
                getattr(nn, f"{word}Pad{n}d")(2 * n * (1,), *PADS[word]), normal(2, 2, *SIZES[n])
            ),
            word,
            n,
        )
        for word in PADS
        for n in SIZES
    },
    "ZeroPad2d that cuts": lambda: of(nn.ZeroPad2d((-1, 2, 1, -2)), normal(2, 2, 4, 5)),
    "Upsample nearest": lambda: of(nn.Upsample(scale_factor=2), normal(2, 2, 3, 2)),
    "Upsample nearest 1d": lambda: of(nn.Upsample(size=7), normal(2, 2, 3)),
    "Upsample nearest 3d": lambda: of(nn.Upsample(scale_factor=2), normal(1, 2, 2, 2, 3)),
    "Upsample nearest-exact": lambda: of(nn.Upsample(5, mode="nearest-exact"), normal(2, 2, 3, 2)),
    "Upsample linear": lambda: of(nn.Upsample(5, mode="linear"), normal(2, 2, 3)),
    "Upsample bilinear": lambda: of(
        nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), normal(2, 2, 3, 2)
    ),
    "Upsample bicubic": lambda: of(nn.Upsample(5, mode="bicubic"), normal(1, 2, 3, 3)),
    "Upsample trilinear": lambda: of(nn.Upsample(3, mode="trilinear"), normal(1, 2, 2, 2, 2)),
    "UpsamplingNearest2d": lambda: of(nn.UpsamplingNearest2d(5), normal(2, 2, 3, 2)),
    "UpsamplingBilinear2d": lambda: of(nn.UpsamplingBilinear2d(5), normal(2, 2, 3, 2)),
}


def causal(size):
    return nn.Transformer.generate_square_subsequent_mask(size, dtype=torch.float64)


def padded():
    return torch.tensor([[False, False, False, True], [False, False, True, True]])


def attends(*shapes, options=None, call=None, **given):
    """nn.MultiheadAttention of embedding 4 with 2 heads."""
    module = nn.MultiheadAttention(4, 2, **(options or {}))
    made = of(module, *(normal(*s) for s in shapes))
    if len(shapes) == 1:
        made.of = Self(module)
    made.options = {**(call or {}), **given}
    return made


class Self(nn.Module):
    """Attention of a sequence to itself."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x, **options):
        return self.module(x, x, x, **options)


Q, K = (2, 3, 4), (2, 4, 4)
HEADS, KEYS = (2, 2, 3, 4), (2, 2, 5, 4)


def dots(queries=HEADS, keys=KEYS, values=KEYS, **options):
    return Given(
        F.scaled_dot_product_attention, *map(normal_of, (queries, keys, values)), **options
    )


def normal_of(shape):
    return normal(*shape)


ATTENDING = {
    "scaled_dot_product_attention": dots,
    "scaled_dot_product_attention plain": lambda: dots((3, 4), (5, 4), (5, 2)),
    "scaled_dot_product_attention causal": lambda: dots(keys=HEADS, values=HEADS, is_causal=True),
    "scaled_dot_product_attention causal, longer": lambda: dots(is_causal=True),
    "scaled_dot_product_attention mask": lambda: dots(
        attn_mask=torch.tensor([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [1, 0, 0, 0, 0]]).bool()
    ),
    "scaled_dot_product_attention empty row": lambda: dots(
        attn_mask=torch.tensor([[1, 1, 0, 1, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]]).bool()
    ),
    "scaled_dot_product_attention added mask": lambda: Given(
        lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, m, scale=0.7),
        *(normal(*s) for s in (HEADS, KEYS, KEYS, (3, 5))),
    ),
    "scaled_dot_product_attention dropout": lambda: dots(dropout_p=0.4),
    "scaled_dot_product_attention shared heads": lambda: dots(
        (2, 4, 3, 4), (2, 2, 5, 4), (2, 2, 5, 3), enable_gqa=True
    ),
    "MultiheadAttention": lambda: attends((3, 2, 4)),
    "MultiheadAttention batch first": lambda: attends((2, 3, 4), options={"batch_first": True}),
    "MultiheadAttention of others": lambda: attends(Q, K, K, options={"batch_first": True}),
    "MultiheadAttention of one": lambda: attends((3, 4), (5, 4), (5, 4)),
    "MultiheadAttention padded": lambda: attends(
        Q, K, K, options={"batch_first": True}, key_padding_mask=padded()
    ),
    "MultiheadAttention causal": lambda: attends(
        (2, 3, 4), options={"batch_first": True}, attn_mask=causal(3), is_causal=True
    ),
    "MultiheadAttention without weights": lambda: attends(
        (2, 3, 4), options={"batch_first": True}, need_weights=False
    ),
    "MultiheadAttention each head": lambda: attends(
        Q, K, K, options={"batch_first": True, "bias": False}, average_attn_weights=False
    ),
    "MultiheadAttention bias in keys": lambda: attends(
        (2, 3, 4), options={"batch_first": True, "add_bias_kv": True, "add_zero_attn": True}
    ),
    "MultiheadAttention other widths": lambda: attends(
        Q, (2, 5, 3), (2, 5, 6), options={"batch_first": True, "kdim": 3, "vdim": 6}
    ),
    "MultiheadAttention dropout": lambda: attends(
        (2, 3, 4), options={"batch_first": True, "dropout": 0.4}
    ),
}


def encoder_layer(**options):
    return nn.TransformerEncoderLayer(4, 2, 6, batch_first=True, **{"dropout": 0.0, **options})


def decoder_layer(**options):
    return nn.TransformerDecoderLayer(4, 2, 6, batch_first=True, **{"dropout": 0.0, **options})


STACKED = {
    "TransformerEncoderLayer": lambda: of(encoder_layer(), normal(2, 3, 4)),
    "TransformerEncoderLayer norm first": lambda: of(
        encoder_layer(norm_first=True, activation="gelu", bias=False), normal(2, 3, 4)
    ),
    "TransformerEncoderLayer dropout": lambda: of(encoder_layer(dropout=0.3), normal(2, 3, 4)),
    "TransformerEncoderLayer eval": lambda: of(encoder_layer(), normal(2, 3, 4)).eval(),
    "TransformerEncoder": lambda: of(
        nn.TransformerEncoder(encoder_layer(), 2, nn.LayerNorm(4), enable_nested_tensor=False),
        normal(2, 3, 4),
        fixed=(causal(3),),
    ),
    "TransformerDecoderLayer": lambda: of(decoder_layer(), normal(2, 3, 4), normal(2, 5, 4)),
    "TransformerDecoder": lambda: of(
        nn.TransformerDecoder(decoder_layer(norm_first=True), 2), normal(2, 3, 4), normal(2, 5, 4)
    ),
    "Transformer": lambda: of(
        nn.Transformer(4, 2, 1, 1, 6, 0.0, batch_first=True), normal(2, 4, 4), normal(2, 3, 4)
    ),
}

RECURRENT = {
    f"{kind.__name__}{how}": partial(
        lambda kind, options: of(kind(3, 4, **options), normal(4, 2, 3)), kind, options
    )
    for kind in (nn.RNN, nn.GRU, nn.LSTM)
    for how, options in {
        "": {},
        " without bias": {"bias": False, "batch_first": True},
        " both ways": {"bidirectional": True, "num_layers": 2},
        " dropout": {"num_layers": 3, "dropout": 0.4},
    }.items()
}
STEPPING = {
    "RNN relu": lambda: of(nn.RNN(3, 4, nonlinearity="relu"), normal(4, 2, 3), normal(1, 2, 4)),
    "GRU started": lambda: of(nn.GRU(3, 4), normal(4, 3), normal(1, 4)),
    "LSTM projected": lambda: of(nn.LSTM(3, 4, proj_size=2), normal(4, 2, 3)),
    "RNNCell": lambda: of(nn.RNNCell(3, 4), normal(2, 3), normal(2, 4)),
    "RNNCell relu": lambda: of(nn.RNNCell(3, 4, nonlinearity="relu"), normal(2, 3)),
    "GRUCell": lambda: of(nn.GRUCell(3, 4), normal(2, 3), normal(2, 4)),
    "GRUCell of one": lambda: of(nn.GRUCell(3, 4, bias=False), normal(3)),
    "LSTMCell": lambda: of(nn.LSTMCell(3, 4), normal(2, 3)),
}

OTHERS = {
    "AdaptiveLogSoftmaxWithLoss": lambda: of(
        nn.AdaptiveLogSoftmaxWithLoss(4, 9, [3, 6], div_value=2.0), normal(6, 4), fixed=(torch.tensor([0, 4, 8, 2, 5, 7]),)
    ),
    "LinearCrossEntropyLoss": lambda: of(
        nn.LinearCrossEntropyLoss(4, 5), normal(6, 4), fixed=(classes(6),)
    ),
    "LinearCrossEntropyLoss in chunks": lambda: of(
        nn.LinearCrossEntropyLoss(
            4, 5, options=nn.LinearCrossEntropyOptions(chunking_method=None, batch_chunk_size=2)
        ),
        normal(6, 4),
        fixed=(classes(6),),
    ),
    "CrossMapLRN2d": lambda: of(nn.CrossMapLRN2d(3), normal(2, 5, 3, 2)),
}  # fmt: skip

CATALOGUE = {
    **SQUASHING,
    **MULTIPLYING,
    **CONVOLVING,
    **POOLING,
    **RESHAPING,
    **ATTENDING,
    **STACKED,
    **RECURRENT,
    **STEPPING,
    **OTHERS,
}
