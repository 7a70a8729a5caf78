"""Why one number: its terms against autograd, the whole chain down to the loss, its update."""

import json
import random
import time

import numpy as np
import pytest
import torch
from arithmetic import check
from models.told import GIVEN, explained, mlp
from networks import random_network
from torch import nn

import miya
from miya.analysis.element_update import TORCH


def places(shape, seed, count=3):
    chooser = random.Random(seed)
    return [tuple(chooser.randrange(n) for n in shape) for _ in range(count)]


def written(name, index):
    return f"{name}[{','.join(map(str, index))}]"


@pytest.fixture(scope="module", params=GIVEN)
def told(request):
    return explained(request.param)


def test_every_level_is_autograds_number(told):
    checked = 0
    for k, parameter in enumerate(told.trace.parameters.values()):
        if parameter.gradient is None:
            continue
        for index in places(parameter.shape, k):
            answer = told.why(written(parameter.name, index)).answer
            first = answer.levels[0]
            assert first.gradient == float(parameter.gradient[index])
            for level in answer.levels:
                total = level.sum.total
                assert level.agrees, (level.value.name, total, level.gradient)
                shown = sum(p.number for p in level.sum.parts) + level.sum.others_total
                assert shown == pytest.approx(total, rel=1e-12, abs=1e-15)
            checked += len(answer.levels)
    assert checked > 60


def test_the_chain_ends_in_the_loss(told):
    for name, value in list(told.trace.values.items())[::5]:
        if not value.has_gradient or value is told.trace.root:
            continue
        gradient = value.gradient
        index = np.unravel_index(np.abs(gradient).argmax(), gradient.shape)
        levels = told.why(written(name, [int(i) for i in index])).answer.levels
        last = levels[-1].followed
        assert last is not None
        reached = last.onward.of if last.onward else last.call.results[0]
        assert reached is told.trace.root, name
        assert levels[0].gradient == gradient[index]


def test_each_level_goes_on_from_the_term_that_is_followed(told):
    name = next(n for n, p in told.trace.parameters.items() if p.gradient is not None)
    index = places(told.trace.parameters[name].shape, 3)[0]
    levels = told.why(written(name, index)).answer.levels
    for now, following in zip(levels, levels[1:]):
        piece = now.followed.onward
        if piece is not None:
            assert piece.number == pytest.approx(following.sum.total, rel=1e-9, abs=1e-15)
            assert piece.index == following.index


def test_largest_terms_first_and_the_one_asked_for_followed():
    told = explained("cnn")
    levels = told.why("fc.weight[1,7]", top=2).answer.levels
    sizes = [abs(p.number) for p in levels[0].sum.parts]
    assert len(sizes) == 2 and sizes == sorted(sizes, reverse=True)
    assert levels[0].sum.others == levels[0].sum.count - 2
    second = told.why("fc.weight[1,7]", follow=2).answer.levels
    assert second[0].followed.rank == 2
    assert second[1].index != levels[1].index
    with pytest.raises(miya.MiyaInputError, match=r"E622 fc\.weight has 3 terms, and number 9"):
        told.why("fc.weight[1,7]", follow=9)


def test_tied_weights_gather_the_terms_of_every_use():
    told = explained("tied")
    gradient = told.trace.parameters["emb.weight"].gradient
    index = tuple(int(i) for i in np.unravel_index(np.abs(gradient).argmax(), gradient.shape))
    levels = told.why(written("head.weight", index)).answer.levels
    assert {u.call.name for u in levels[0].uses} >= {"linear"}
    assert levels[0].sum.total == pytest.approx(gradient[index], rel=1e-10)


def test_no_gradient_is_none_and_said_why():
    told = explained("tied")
    frozen = told.why("enc.layers.0.linear1.bias[2]")
    assert frozen.answer.absent == "frozen" and not frozen.answer.levels
    assert "None, and that is not 0" in frozen.text() and "frozen" in frozen.text()
    unused = told.why("spare.weight[1,1]")
    assert unused.answer.absent == "unused" and "does not depend on" in unused.text()
    assert json.loads(unused.json())["without_gradient"] == "unused"
    assert told.why("input[0,1]").answer.absent == "constant"


@pytest.mark.parametrize("name", ["cnn", "lstm"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_printed_arithmetic_closes(name, dtype):
    told = explained(name, dtype=dtype)
    for k, (label, parameter) in enumerate(told.trace.parameters.items()):
        for digits in (3, 5):
            found = told.why(written(label, places(parameter.shape, k)[0]), digits=digits)
            steps = json.loads(found.json())["steps"]
            assert steps
            for step in steps:
                check(step)


OPTIMIZERS = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.01, amsgrad=True),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
    "RMSprop": lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True),
    "Adagrad": lambda p: torch.optim.Adagrad(p, lr=0.1, lr_decay=0.1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_optimizers_lines_give_its_own_result(name):
    assert set(OPTIMIZERS) == set(TORCH)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2)).double()
    optimizer = OPTIMIZERS[name](model.parameters())
    x, y = torch.randn(4, 1, 6).double(), torch.tensor([0, 1, 1, 0])
    for step in range(3):  # from the state of the steps before
        told = miya.explain(model, x, y, loss="cross_entropy", optimizer=optimizer, apply=True)
        update = told.why("2.weight[1,3]").answer.update
        assert update.lines[-1].name == "change" and update.optimizer == name
        assert update.agrees, (step, update.difference)
        assert update.after == float(model[2].weight.detach()[1, 3])


def test_an_optimizer_without_formulas_tells_before_and_after():
    told = explained("cnn", optimizer=lambda p: torch.optim.Rprop(p, lr=0.01))
    found = told.why("fc.bias[1]")
    assert not found.answer.update.lines
    assert "not one that Miya has the formulas of" in found.text()
    assert found.answer.update.after == told.trace.parameters["fc.bias"].after[1]


@pytest.mark.parametrize("seed", range(6))
def test_a_network_file_has_the_same_why(seed):
    trace = miya.explain(random_network(seed, sizes=[3, 4, 2])).trace
    for name, gradient in trace.gradients.items():
        for index in places(gradient.shape, seed):
            answer = trace.why(written(name, index)).answer
            assert answer.levels[0].sum.total == pytest.approx(
                gradient[index], rel=1e-10, abs=1e-15
            )
            assert all(level.agrees for level in answer.levels)
            for step in json.loads(trace.why(written(name, index)).json())["steps"]:
                check(step)


def test_a_networks_own_names():
    trace = miya.explain().trace
    for text in ("W1[1,0]", "W1[1][0]", "weight1[1,0]", "∂C/∂W1[1,0]"):
        assert trace.why(text).answer.element.name == "weight1"
    assert trace.why("z1[2]").answer.index == trace.why("δ1[0,2]").answer.index == (0, 2)
    assert trace.why("hidden[1]").answer.element.value.name == "a1"
    assert "∂C/∂C = 1" in trace.why("C").text()


def test_carried_rounded_values_are_no_difference():
    trace = miya.explain(carry="rounded", digits=3).trace
    assert all(level.agrees for level in trace.why("W1[1,0]").answer.levels)


@pytest.mark.parametrize(
    "text, message",
    [
        ("fc.wieght[0,0]", "E620 the trace has no 'fc.wieght'. Did you mean fc.weight"),
        ("fc.weight[0]", r"E621 fc.weight is 3 x 36, and the index is \[0\]"),
        ("fc.weight[3,0]", r"E621 .*fc.weight\[2,35\] is the last"),
        ("fc.weight[-1,0]", "E621"),
        ("fc.weight[a,0]", "E621"),
        ("[1]", "E620"),
    ],
)
def test_what_is_not_there_is_named(text, message):
    with pytest.raises(miya.MiyaInputError, match=message):
        explained("cnn").why(text)


def test_an_explanation_may_be_asked_and_what_is_none_may_not():
    told = explained("cnn")
    assert miya.why(told, "fc.bias[0]").text() == told.why("fc.bias[0]").text()
    with pytest.raises(miya.MiyaInputError, match="E623 why is asked of int"):
        miya.why(3, "fc.bias[0]")


def test_a_why_shows_itself():
    found = explained("lstm").why("lstm.weight_hh_l0[3,2]")
    assert str(found) == found.text() and "levels; print() tells" in repr(found)
    assert "miya-view" in found._repr_html_() and found.markdown() and found.latex()
    assert found.pdf().startswith(b"%PDF")
    japanese = explained("lstm", language="ja").why("head.bias[0]").text()
    assert "損失" in japanese and "It is read" not in japanese


def test_an_mlp_has_torchs_names_too():
    torch.manual_seed(0)
    x, y = torch.randn(3, 4), torch.tensor([0, 1, 1])
    told = miya.explain(
        mlp(), x, y, loss="cross_entropy", optimizer=lambda p: torch.optim.SGD(p, lr=0.1)
    )
    assert (
        told.why("0.weight[1,2]").answer.levels[0].gradient
        == told.model.gradients["0.weight"][1, 2]
    )


class Statistics(nn.Module):
    """Numbers that are read, and that nothing is passed back to."""

    def __init__(self):
        super().__init__()
        self.fc, self.teacher = nn.Linear(3, 4), nn.Linear(3, 4)
        self.norm, self.spare = nn.BatchNorm1d(4), nn.Linear(2, 2)

    def forward(self, x):
        return self.norm(self.fc(x)) - self.teacher(x).detach()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.filterwarnings("ignore::miya.MiyaWarning")
def test_what_nothing_is_passed_back_to_has_no_gradient_of_0(training):
    torch.manual_seed(0)
    model = Statistics().double().train(training)
    x, y = torch.randn(5, 3).double(), torch.randn(5, 4).double()
    told = miya.explain(model, x, y, loss="mean_squared_error", optimizer=torch.optim.SGD)
    for name in (
        "norm.running_mean[1]",
        "norm.running_var[0]",
        "teacher.weight[0,1]",
        "teacher[2,0]",
    ):
        found = told.why(name)
        assert found.answer.absent == "stopped" and not found.answer.levels, name
        assert "and no gradient is passed back to it" in " ".join(found.text().split())
        assert found.data()["without_gradient"] == "stopped"
    assert told.why("spare.weight[0,0]").answer.absent == "unused"
    assert told.why("fc.weight[0,0]").answer.absent is None


def test_a_sum_that_is_not_the_number_that_is_shown_says_so():
    """In bfloat16 the terms add up to another number than autograd's, and a step may be lost."""
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(40, 8), nn.BatchNorm1d(8), nn.GELU(), nn.Linear(8, 3))
    model = model.bfloat16()
    x, y = torch.randn(16, 40).bfloat16(), torch.randint(0, 3, (16,))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    told = miya.explain(model, x, y, loss="cross_entropy", optimizer=optimizer)
    said = 0
    for k in range(8):
        found = told.why(f"1.weight[{k}]")
        level, text = found.answer.levels[0], found.text()
        shown = [f"{n:.4e}" for n in (level.sum.total, level.gradient)]
        first = text.split("\n2. ")[0]
        assert ("Autograd's own number is" in first) == (shown[0] != shown[1]), text
        said += shown[0] != shown[1]
        assert found.answer.update.after == found.answer.update.before == 1.0
        assert "it really moves by 0." in " ".join(text.split())
    assert said > 4


def test_under_autocast_a_parameters_terms_are_of_the_narrower_dtype():
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.LayerNorm(8), nn.Linear(8, 3))
    x, y = torch.randn(5, 4), torch.randint(0, 3, (5,))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        told = miya.explain(model, x, y, loss="cross_entropy", optimizer=torch.optim.SGD)
    for name, step in told.trace.parameters.items():
        for index in places(step.shape, 1):
            found = told.why(written(name, index))
            assert all(level.agrees for level in found.answer.levels), (name, index)
            assert "more than rounding" not in found.text()


def test_why_is_quick():
    told = explained("tied")
    told.why("enc.layers.2.linear1.weight[3,3]").text()
    start = time.perf_counter()
    told.why("enc.layers.1.linear1.weight[3,3]").text()
    assert time.perf_counter() - start < 1.0
