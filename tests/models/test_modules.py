"""Every module of torch.nn in common use and the functions of tensors, held against autograd."""

import numpy as np
import pytest
import torch
from models import catalogue_one, catalogue_three, catalogue_two
from models.catalogue_two import model
from models.exactness import exact, one_thread
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook

from miya.core.calls import Terms, local
from miya.core.records import RECORDS

CATALOGUE = {**catalogue_one.CATALOGUE, **catalogue_two.CATALOGUE, **catalogue_three.CATALOGUE}

# What is told at the level of tensors by design: no element of its result is a sum or formula of a
# few elements, or torch alone knows which. By the entry: the operations.
NO_FORMULA = "its derivative is no elementary function"
WHOLE_MATRIX = "each element depends on the whole matrix"
ALL_PATHS = "it sums over all the ways to read the target"
ITS_OWN = "an autograd.Function ran past the recorder: only autograd's graph is known"
HIDDEN_DRAW = "where its windows lie is drawn inside torch"
WHOLE = {
    "torch.special.i0": ("special_i0", NO_FORMULA),
    "torch.lgamma": ("lgamma", NO_FORMULA),
    "torch.digamma": ("digamma", NO_FORMULA),
    "torch.linalg.inv": ("linalg_inv", WHOLE_MATRIX),
    "torch.linalg.det": ("linalg_det", WHOLE_MATRIX),
    "torch.linalg.solve": ("linalg_solve", WHOLE_MATRIX),
    "torch.linalg.svdvals": ("linalg_svdvals", WHOLE_MATRIX),
    "torch.linalg.matrix_norm": ("linalg_matrix_norm", WHOLE_MATRIX),
    "CTCLoss": ("ctc_loss", ALL_PATHS),
    "CrossMapLRN2d": ("CrossMapLRN2d", ITS_OWN),
    "FractionalMaxPool2d": ("fractional_max_pool2d", HIDDEN_DRAW),
    "FractionalMaxPool3d": ("fractional_max_pool3d", HIDDEN_DRAW),
}

# Modules of torch.nn that are in no entry.
LEFT_OUT = {
    **dict.fromkeys(
        (n for n in dir(nn) if n.startswith("Lazy")), "refused until they have a shape (E417)"
    ),
    **dict.fromkeys(
        ("Module", "Container", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict"),
        "they compute nothing",
    ),
    **dict.fromkeys(("RNNBase", "RNNCellBase"), "bases of the others"),
    "NLLLoss2d": "an older name of NLLLoss",
    "DataParallel": "unwrapped before the step (test_kinds)",
    "SyncBatchNorm": "runs on several GPUs alone",
}

torch_warns = pytest.mark.filterwarnings(
    "ignore:Using padding='same'", "ignore:size_average and reduce", "ignore:reduction. 'mean'"
)


@torch_warns
@pytest.mark.parametrize("name", CATALOGUE)
def test_every_number_is_autograd_s(name):
    exact(model(CATALOGUE[name]), whole=WHOLE.get(name, ())[:1])


@torch_warns
def test_the_catalogue_holds_the_modules_of_torch():
    parts = (catalogue_one, catalogue_two, catalogue_three)
    assert len(CATALOGUE) == sum(len(part.CATALOGUE) for part in parts)
    assert set(WHOLE) <= set(CATALOGUE)
    met = set()
    handle = register_module_forward_pre_hook(lambda module, given: met.add(type(module)))
    try:
        with one_thread():
            for make in CATALOGUE.values():
                model(make)()
    finally:
        handle.remove()
    every = {
        n for n in dir(nn) if isinstance(c := getattr(nn, n), type) and issubclass(c, nn.Module)
    }
    held = {n for n in every if getattr(nn, n) in met}
    assert held | set(LEFT_OUT) == every and not held & set(LEFT_OUT)
    assert len(held) >= 60


def test_a_slope_that_is_off_is_seen(monkeypatch):
    real = RECORDS["tanh"]

    def off(call, role, index):
        (terms,) = real.backward(call, role, index)
        return [Terms((*terms.factors, local(np.full(len(terms), 1 + 1e-9), "off")))]

    monkeypatch.setitem(RECORDS, "tanh", type(real)(**{**vars(real), "backward": off}))
    with pytest.raises(AssertionError, match=r"of\.given\.0 .* not "):
        exact(model(CATALOGUE["Tanh"]))


def test_a_gradient_that_is_off_is_seen(monkeypatch):
    from miya.read.torch.values import TensorValue

    real = TensorValue.read_gradient

    def off(self):
        found = real(self)
        return found if found is None or self.name != "mul" else found * (1 + 1e-11)

    monkeypatch.setattr(TensorValue, "read_gradient", off)
    with pytest.raises(AssertionError, match="Value mul"):
        exact(model(CATALOGUE["Tanh"]))


def test_what_is_told_without_terms_is_seen(monkeypatch):
    monkeypatch.delitem(RECORDS, "tanh")
    with pytest.raises(AssertionError, match=r"told at the level of tensors: \{'tanh'\}"):
        exact(model(CATALOGUE["Tanh"]))


def test_a_model_that_is_changed_is_seen(monkeypatch):
    from models import exactness

    real = exactness.model_step

    def changes(module, *args, **options):
        trace = real(module, *args, **options)
        next(module.parameters()).grad = torch.zeros(6, 5, dtype=torch.float64)
        return trace

    monkeypatch.setattr(exactness, "model_step", changes)
    with pytest.raises(AssertionError, match="the user's has changed"):
        exact(model(CATALOGUE["Tanh"]))
