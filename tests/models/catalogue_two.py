"""Modules and functions whose records tell of normalising, dropping, looking up, choosing, losing."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import nn


class Given(nn.Module):
    """A module or function called on tensors that are its own parameters, so that what goes back
    to each of them is asked for too. `fixed` are called with after them."""

    def __init__(self, of, *given, fixed=(), **options):
        super().__init__()
        self.of, self.options = of, options
        self.given = nn.ParameterList([nn.Parameter(t) for t in given])
        self.fixed = fixed

    def forward(self):
        return self.of(*self.given, *self.fixed, **self.options)


class Weighed(nn.Module):
    """C = Σ c · y over the results y of a module, c drawn once: so no two slopes are alike."""

    def __init__(self, of):
        super().__init__()
        self.of = of
        self.weights = None

    def forward(self):
        found = results(self.of())
        if len(found) == 1 and found[0].numel() == 1:
            return found[0]
        if self.weights is None:
            made = torch.Generator().manual_seed(5)
            self.weights = [torch.randn(y.shape, generator=made, dtype=y.dtype) for y in found]
        parts = [(c * y).sum() for c, y in zip(self.weights, found)]
        return sum(parts[1:], parts[0])


def results(found):
    if isinstance(found, torch.Tensor):
        return [found] if found.is_floating_point() else []
    return [y for part in found if part is not None for y in results(part)]


def normal(*shape):
    return torch.randn(shape)


def uneven(module):
    """The same with parameters and running statistics that are not all 0 and 1."""
    for p in module.parameters():
        nn.init.normal_(p)
    for name, b in module.named_buffers():
        if "var" in name:
            nn.init.uniform_(b, 0.5, 2)
        elif "mean" in name:
            nn.init.normal_(b)
    return module


def of(module, *given, fixed=()):
    return Given(uneven(module), *given, fixed=fixed)


def classes(*shape, count=5, ignored=0):
    found = torch.randint(0, count, shape)
    found.view(-1)[:ignored] = -100
    return found


def signs(*shape):
    return torch.randint(0, 2, shape).double() * 2 - 1


def choices(*shape):
    return torch.softmax(torch.randn(*shape), 1)


NORMALISING = {
    "BatchNorm1d": lambda: of(nn.BatchNorm1d(4), normal(6, 4)),
    "BatchNorm1d of sequences": lambda: of(nn.BatchNorm1d(4), normal(3, 4, 5)),
    "BatchNorm2d": lambda: of(nn.BatchNorm2d(3), normal(4, 3, 2, 5)),
    "BatchNorm2d not affine": lambda: of(nn.BatchNorm2d(3, affine=False), normal(4, 3, 2, 5)),
    "BatchNorm2d without running": lambda: of(
        nn.BatchNorm2d(3, track_running_stats=False), normal(4, 3, 2, 5)
    ),
    "BatchNorm2d eval": lambda: of(nn.BatchNorm2d(3), normal(4, 3, 2, 5)).eval(),
    "BatchNorm3d eval not affine": lambda: of(
        nn.BatchNorm3d(2, affine=False), normal(2, 2, 3, 2, 2)
    ).eval(),
    "BatchNorm3d": lambda: of(nn.BatchNorm3d(2, eps=0.1), normal(2, 2, 3, 2, 2)),
    "InstanceNorm1d": lambda: of(nn.InstanceNorm1d(3), normal(2, 3, 6)),
    "InstanceNorm3d": lambda: of(nn.InstanceNorm3d(2), normal(2, 2, 2, 3, 2)),
    "InstanceNorm2d affine": lambda: of(nn.InstanceNorm2d(3, affine=True), normal(2, 3, 4, 3)),
    "InstanceNorm2d running eval": lambda: of(
        nn.InstanceNorm2d(3, affine=True, track_running_stats=True), normal(2, 3, 4, 3)
    ).eval(),
    "LayerNorm": lambda: of(nn.LayerNorm(6), normal(3, 4, 6)),
    "LayerNorm of two dimensions": lambda: of(nn.LayerNorm((4, 6)), normal(3, 4, 6)),
    "LayerNorm without bias": lambda: of(nn.LayerNorm(6, bias=False), normal(4, 6)),
    "LayerNorm plain": lambda: of(nn.LayerNorm(6, elementwise_affine=False), normal(6)),
    "RMSNorm": lambda: of(nn.RMSNorm(6), normal(3, 4, 6)),
    "RMSNorm of two dimensions": lambda: of(nn.RMSNorm((4, 6), eps=0.01), normal(3, 4, 6)),
    "RMSNorm plain": lambda: of(nn.RMSNorm(6, elementwise_affine=False), normal(4, 6)),
    "GroupNorm": lambda: of(nn.GroupNorm(2, 6), normal(3, 6, 2, 3)),
    "GroupNorm of vectors": lambda: of(nn.GroupNorm(3, 6, affine=False), normal(4, 6)),
    "LocalResponseNorm": lambda: of(nn.LocalResponseNorm(3), normal(2, 5, 3, 2)),
    "LocalResponseNorm of sequences": lambda: of(nn.LocalResponseNorm(2, k=2.0), normal(2, 5, 3)),
    "normalize": lambda: Given(F.normalize, normal(4, 5)),
    "normalize p 1": lambda: Given(F.normalize, normal(4, 5), p=1.0, dim=0),
}


def holed(*shape):
    """Zeros among the numbers: where a mask cannot be read from the result."""
    found = torch.randn(*shape)
    return torch.where(torch.rand(*shape) < 0.3, 0.0, found)


DROPPING = {
    "Dropout": lambda: of(nn.Dropout(0.4), holed(5, 6)),
    "Dropout eval": lambda: of(nn.Dropout(0.4), normal(5, 6)).eval(),
    "Dropout of a transpose": lambda: Given(
        lambda x: F.dropout(x.transpose(0, 1), 0.5), holed(5, 6)
    ),
    "Dropout1d": lambda: of(nn.Dropout1d(0.4), holed(4, 5, 3)),
    "Dropout2d": lambda: of(nn.Dropout2d(0.4), holed(4, 5, 2, 3)),
    "Dropout3d": lambda: of(nn.Dropout3d(0.4), holed(3, 4, 2, 2, 2)),
    "AlphaDropout": lambda: of(nn.AlphaDropout(0.3), holed(5, 6)),
    "FeatureAlphaDropout": lambda: of(nn.FeatureAlphaDropout(0.3), holed(4, 5, 3)),
    "Dropout twice": lambda: Given(nn.Sequential(nn.Dropout(0.3), nn.Dropout(0.5)), holed(5, 6)),
}

LOOKING_UP = {
    "Embedding": lambda: of(nn.Embedding(7, 3), fixed=(classes(4, 5, count=6),)),
    "Embedding padded": lambda: of(nn.Embedding(7, 3, padding_idx=2), fixed=(classes(4, 5),)),
    "Embedding by frequency": lambda: of(
        nn.Embedding(7, 3, scale_grad_by_freq=True), fixed=(classes(4, 5),)
    ),
    "Embedding sparse": lambda: of(nn.Embedding(7, 3, sparse=True), fixed=(classes(4, 5),)),
    "Embedding of one": lambda: of(nn.Embedding(7, 3), fixed=(torch.tensor(4),)),
    "EmbeddingBag mean": lambda: of(nn.EmbeddingBag(7, 3, padding_idx=1), fixed=(classes(4, 5),)),
    "EmbeddingBag sum": lambda: of(
        nn.EmbeddingBag(7, 3, mode="sum"), fixed=(classes(8), torch.tensor([0, 3, 3, 5]))
    ),
    "EmbeddingBag last offset": lambda: of(
        nn.EmbeddingBag(7, 3, mode="mean", include_last_offset=True, scale_grad_by_freq=True),
        fixed=(classes(8), torch.tensor([0, 3, 5, 8])),
    ),
    "EmbeddingBag max": lambda: of(nn.EmbeddingBag(7, 3, mode="max"), fixed=(classes(4, 5),)),
    "EmbeddingBag weighed": lambda: Given(
        lambda w, s, tokens: F.embedding_bag(tokens, w, mode="sum", per_sample_weights=s),
        normal(7, 3),
        normal(4, 5),
        fixed=(classes(4, 5),),
    ),
    "one_hot": lambda: Given(
        lambda x, tokens: F.one_hot(tokens, 5).double() @ x, normal(5, 3), fixed=(classes(4),)
    ),
}

CHOOSING = {
    "Softmax": lambda: of(nn.Softmax(-1), normal(3, 4, 5)),
    "Softmax dim 1": lambda: of(nn.Softmax(1), normal(3, 4, 5)),
    "softmax method": lambda: Given(lambda x: x.softmax(0), normal(4, 3)),
    "Softmax2d": lambda: of(nn.Softmax2d(), normal(2, 3, 2, 2)),
    "LogSoftmax": lambda: of(nn.LogSoftmax(-1), normal(3, 5)),
    "log_softmax far": lambda: Given(F.log_softmax, normal(3, 5) * 50, dim=1),
    "Softmin": lambda: of(nn.Softmin(-1), normal(3, 5)),
    "gumbel_softmax": lambda: Given(F.gumbel_softmax, normal(3, 5), tau=0.7),
    "gumbel_softmax hard": lambda: Given(F.gumbel_softmax, normal(3, 5), tau=0.7, hard=True),
}


def reductions(name, loss, make, **options):
    """A loss with each reduction."""
    return {
        f"{name} {reduction}": partial(
            lambda reduction: make(loss(reduction=reduction, **options)), reduction
        )
        for reduction in ("mean", "sum", "none")
    }


REGRESSING = {
    **reductions("MSELoss", nn.MSELoss, lambda m: of(m, normal(4, 3), normal(4, 3))),
    "mse_loss weighted": lambda: Given(
        F.mse_loss, normal(4, 3), normal(4, 3), weight=torch.rand(4, 3)
    ),
    "mse_loss older words": lambda: Given(
        F.mse_loss, normal(4, 3), normal(4, 3), size_average=False, reduce=True
    ),
    **reductions("L1Loss", nn.L1Loss, lambda m: of(m, normal(4, 3), normal(4, 3))),
    **reductions("SmoothL1Loss", nn.SmoothL1Loss, lambda m: of(m, normal(9, 3), normal(9, 3))),
    "SmoothL1Loss beta": lambda: of(nn.SmoothL1Loss(beta=0.3), normal(9, 3), normal(9, 3)),
    "SmoothL1Loss beta 0": lambda: of(nn.SmoothL1Loss(beta=0.0), normal(9, 3), normal(9, 3)),
    **reductions("HuberLoss", nn.HuberLoss, lambda m: of(m, normal(9, 3), normal(9, 3)), delta=0.7),
    "huber_loss weighted": lambda: Given(
        F.huber_loss, normal(9, 3), normal(9, 3), weight=torch.rand(9, 3)
    ),
    "huber_loss at the turn": lambda: Given(
        F.huber_loss, torch.tensor([1.0, -1.0, 0.0, 2.0]), torch.zeros(4)
    ),
    "smooth_l1_loss at the turn": lambda: Given(
        F.smooth_l1_loss, torch.tensor([1.0, -1.0, 0.0, 2.0]), torch.zeros(4)
    ),
    "PoissonNLLLoss": lambda: of(nn.PoissonNLLLoss(), normal(4, 3), torch.rand(4, 3) * 4),
    "PoissonNLLLoss full": lambda: of(
        nn.PoissonNLLLoss(full=True, reduction="sum"), normal(9, 3), torch.rand(9, 3) * 4
    ),
    "PoissonNLLLoss not log": lambda: of(
        nn.PoissonNLLLoss(log_input=False, full=True, reduction="none"),
        torch.rand(4, 3) + 0.1,
        torch.rand(4, 3) * 4,
    ),
    **reductions(
        "GaussianNLLLoss",
        nn.GaussianNLLLoss,
        lambda m: of(m, normal(4, 3), normal(4, 3), torch.rand(4, 3)),
        full=True,
        eps=0.3,
    ),
    "GaussianNLLLoss one variance": lambda: of(
        nn.GaussianNLLLoss(), normal(4, 3), normal(4, 3), torch.rand(4) + 0.1
    ),
    "GaussianNLLLoss kept dimension": lambda: of(
        nn.GaussianNLLLoss(), normal(4, 3), normal(4, 3), torch.rand(4, 1) + 0.1
    ),
    "gaussian_nll_loss number": lambda: Given(
        F.gaussian_nll_loss, normal(4, 3), normal(4, 3), var=0.7
    ),
}

CLASSIFYING = {
    **reductions(
        "CrossEntropyLoss",
        nn.CrossEntropyLoss,
        lambda m: of(m, normal(4, 5), fixed=(classes(4),)),
    ),
    **reductions(
        "CrossEntropyLoss all options",
        nn.CrossEntropyLoss,
        lambda m: of(m, normal(6, 5), fixed=(classes(6, ignored=2),)),
        weight=torch.rand(5, generator=torch.Generator().manual_seed(1), dtype=torch.float64),
        label_smoothing=0.2,
    ),
    "CrossEntropyLoss weighted": lambda: of(
        nn.CrossEntropyLoss(torch.rand(5)), normal(4, 5), fixed=(classes(4),)
    ),
    "CrossEntropyLoss ignoring 3": lambda: of(
        nn.CrossEntropyLoss(ignore_index=3), normal(9, 5), fixed=(classes(9),)
    ),
    "CrossEntropyLoss of positions": lambda: of(
        nn.CrossEntropyLoss(), normal(3, 5, 2, 2), fixed=(classes(3, 2, 2, ignored=3),)
    ),
    "CrossEntropyLoss of positions none": lambda: of(
        nn.CrossEntropyLoss(reduction="none"), normal(3, 5, 4), fixed=(classes(3, 4, ignored=3),)
    ),
    "CrossEntropyLoss of one": lambda: of(
        nn.CrossEntropyLoss(), normal(5), fixed=(torch.tensor(2),)
    ),
    **reductions(
        "CrossEntropyLoss of probabilities",
        nn.CrossEntropyLoss,
        lambda m: of(m, normal(4, 5), choices(4, 5)),
        label_smoothing=0.1,
        weight=torch.rand(5, generator=torch.Generator().manual_seed(1), dtype=torch.float64),
    ),
    "CrossEntropyLoss of probabilities and positions": lambda: of(
        nn.CrossEntropyLoss(), normal(3, 5, 2, 2), choices(3, 5, 2, 2)
    ),
    "CrossEntropyLoss far": lambda: of(
        nn.CrossEntropyLoss(), normal(4, 5) * 300, fixed=(classes(4),)
    ),
    **reductions(
        "NLLLoss", nn.NLLLoss, lambda m: of(m, normal(4, 5), fixed=(classes(4, ignored=1),))
    ),
    "NLLLoss weighted": lambda: of(
        nn.NLLLoss(torch.rand(5)), normal(4, 5), fixed=(classes(4, ignored=1),)
    ),
    "NLLLoss of positions": lambda: of(
        nn.NLLLoss(torch.rand(5), ignore_index=1), normal(3, 5, 2, 2), fixed=(classes(3, 2, 2),)
    ),
    "NLLLoss of positions none": lambda: of(
        nn.NLLLoss(reduction="none"), normal(3, 5, 4), fixed=(classes(3, 4),)
    ),
    **reductions(
        "BCELoss", nn.BCELoss, lambda m: of(m, torch.rand(4, 3) * 0.98 + 0.01, torch.rand(4, 3))
    ),
    "BCELoss weighted": lambda: of(
        nn.BCELoss(torch.rand(3)), torch.rand(4, 3) * 0.98 + 0.01, torch.rand(4, 3)
    ),
    "BCELoss cut": lambda: of(
        nn.BCELoss(),
        torch.tensor([0.0, 1.0, 0.5, 1e-60]),
        fixed=(torch.tensor([1.0, 0.0, 1.0, 1.0]),),
    ),
    **reductions(
        "BCEWithLogitsLoss",
        nn.BCEWithLogitsLoss,
        lambda m: of(m, normal(4, 3) * 3, torch.rand(4, 3)),
    ),
    "BCEWithLogitsLoss weights": lambda: of(
        nn.BCEWithLogitsLoss(torch.rand(4, 1), pos_weight=torch.rand(3) * 3),
        normal(4, 3),
        torch.rand(4, 3),
    ),
    "BCEWithLogitsLoss far": lambda: of(
        nn.BCEWithLogitsLoss(), normal(4, 3) * 300, torch.rand(4, 3)
    ),
    **reductions("KLDivLoss", nn.KLDivLoss, lambda m: of(m, normal(4, 5), choices(4, 5))),
    "KLDivLoss batchmean": lambda: of(
        nn.KLDivLoss(reduction="batchmean"), normal(4, 5), choices(4, 5)
    ),
    "KLDivLoss log_target": lambda: of(
        nn.KLDivLoss(reduction="batchmean", log_target=True), normal(4, 5), normal(4, 5)
    ),
    "KLDivLoss of zeros": lambda: of(
        nn.KLDivLoss(reduction="sum"), normal(2, 3), fixed=(torch.eye(3)[:2],)
    ),
}

MARGINS = {
    **reductions(
        "HingeEmbeddingLoss",
        nn.HingeEmbeddingLoss,
        lambda m: of(m, normal(9, 3), fixed=(signs(9, 3),)),
    ),
    **reductions(
        "MarginRankingLoss",
        nn.MarginRankingLoss,
        lambda m: of(m, normal(9), normal(9), fixed=(signs(9),)),
        margin=0.3,
    ),
    "MarginRankingLoss of equals": lambda: of(
        nn.MarginRankingLoss(), torch.ones(3), torch.ones(3), fixed=(signs(3),)
    ),
    **reductions(
        "CosineEmbeddingLoss",
        nn.CosineEmbeddingLoss,
        lambda m: of(m, normal(9, 4), normal(9, 4), fixed=(signs(9),)),
        margin=0.1,
    ),
    **reductions(
        "SoftMarginLoss", nn.SoftMarginLoss, lambda m: of(m, normal(4, 3), fixed=(signs(4, 3),))
    ),
    **reductions(
        "MultiMarginLoss", nn.MultiMarginLoss, lambda m: of(m, normal(4, 5), fixed=(classes(4),))
    ),
    "MultiMarginLoss squared": lambda: of(
        nn.MultiMarginLoss(p=2, margin=0.7, weight=torch.rand(5)),
        normal(4, 5),
        fixed=(classes(4),),
    ),
    "MultiMarginLoss of one": lambda: of(
        nn.MultiMarginLoss(), normal(5), fixed=(torch.tensor([2]),)
    ),
    **reductions(
        "MultiLabelMarginLoss",
        nn.MultiLabelMarginLoss,
        lambda m: of(m, normal(2, 4), fixed=(torch.tensor([[3, 0, -1, 1], [1, -1, 2, 0]]),)),
    ),
    "MultiLabelMarginLoss of one": lambda: of(
        nn.MultiLabelMarginLoss(), normal(4), fixed=(torch.tensor([3, 0, -1, 1]),)
    ),
    **reductions(
        "MultiLabelSoftMarginLoss",
        nn.MultiLabelSoftMarginLoss,
        lambda m: of(m, normal(4, 3), fixed=(torch.rand(4, 3),)),
        weight=torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64),
    ),
    **reductions(
        "TripletMarginLoss",
        nn.TripletMarginLoss,
        lambda m: of(m, normal(5, 4), normal(5, 4), normal(5, 4)),
    ),
    "TripletMarginLoss swapped": lambda: of(
        nn.TripletMarginLoss(swap=True, p=3.0, margin=2.0),
        normal(5, 4),
        normal(5, 4),
        normal(5, 4),
    ),
    "TripletMarginWithDistanceLoss": lambda: of(
        nn.TripletMarginWithDistanceLoss(swap=True), normal(5, 4), normal(5, 4), normal(5, 4)
    ),
    "TripletMarginWithDistanceLoss own": lambda: of(
        nn.TripletMarginWithDistanceLoss(
            distance_function=lambda a, b: 1 - F.cosine_similarity(a, b)
        ),
        normal(5, 4),
        normal(5, 4),
        normal(5, 4),
    ),
    "CosineSimilarity": lambda: of(nn.CosineSimilarity(1), normal(4, 5), normal(4, 5)),
    "CosineSimilarity broadcast": lambda: of(
        nn.CosineSimilarity(-1), normal(4, 1, 5), normal(3, 5)
    ),
    "CosineSimilarity short": lambda: of(
        nn.CosineSimilarity(1, eps=1.5), normal(6, 3), normal(6, 3)
    ),
    "PairwiseDistance": lambda: of(nn.PairwiseDistance(), normal(4, 5), normal(4, 5)),
    "PairwiseDistance p 1": lambda: of(
        nn.PairwiseDistance(p=1.0, keepdim=True), normal(4, 5), normal(1, 5)
    ),
    "PairwiseDistance p 3": lambda: of(nn.PairwiseDistance(p=3.0), normal(5), normal(5)),
}

LEVEL_OF_TENSORS = {
    "CTCLoss": lambda: of(
        nn.CTCLoss(),
        torch.log_softmax(normal(6, 2, 4), 2),
        fixed=(torch.tensor([[1, 2], [2, 2]]), torch.tensor([6, 6]), torch.tensor([2, 2])),
    ),
}

CATALOGUE = {
    **NORMALISING,
    **DROPPING,
    **LOOKING_UP,
    **CHOOSING,
    **REGRESSING,
    **CLASSIFYING,
    **MARGINS,
    **LEVEL_OF_TENSORS,
}


def model(make):
    """The model of an entry of a catalogue: called without inputs, it gives C."""
    torch.manual_seed(11)
    was = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        return Weighed(make()).double()
    finally:
        torch.set_default_dtype(was)
