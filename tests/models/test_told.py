"""The story of one step of a model: closed, bounded, in every form."""

import json
import re

import goldens
import numpy as np
import pytest
import torch
from arithmetic import check
from models.told import GIVEN, explained
from torch import nn

import miya
from miya.story.words import load

ENDINGS = {"text": "txt", "markdown": "md"}


@pytest.fixture(scope="module", params=GIVEN)
def told(request):
    return explained(request.param)


@pytest.mark.parametrize("form", ENDINGS)
@pytest.mark.parametrize("name", ["cnn", "lstm"])
def test_the_stories_as_they_are_read(name, form):
    goldens.check(f"model_{name}.{ENDINGS[form]}", getattr(explained(name), form)())


@pytest.mark.parametrize("name", GIVEN)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_printed_calculation_closes(name, dtype):
    steps = json.loads(explained(name, dtype=dtype, digits=4).json())["steps"]
    assert len(steps) > 15
    for step in steps:
        check(step)


def test_the_parts_stand_in_their_order(told):
    text = told.text()
    words = load("en")["model"]
    heads = [
        words[k]
        for k in (
            "setup_heading",
            "forward_heading",
            "backward_heading",
            "weights_heading",
            "update_heading",
            "outcome_heading",
        )
    ]
    places = [text.index(f"\n{head}\n--") for head in heads]
    assert places == sorted(places)


def test_every_module_with_parameters_is_told(told):
    text = told.text()
    alike = re.search(r"Told once: (.*) do the same", text.replace("\n", " "))
    for name in told.trace.parameters:
        module = name.rpartition(".")[0]
        repeated = alike and any(module.startswith(p) for p in alike[1].split(", "))
        assert module in text or repeated, module


def test_only_tells_one_part():
    assert "Backward" not in explained("cnn", only="forward").text()
    assert "Forward pass" not in explained("cnn", only="update").text()
    one = explained("cnn", only="conv2").text()
    assert "conv2.weight" in one and "fc.weight" not in one.replace("∂C/∂fc", "")
    with pytest.raises(
        miya.MiyaInputError,
        match=r"E603 the story has no part or module .conv9.\. Did you mean conv2 or conv1",
    ):
        explained("cnn", only="conv9").text()


def test_top_tells_more_weights():
    def worked(text):
        part = text[text.index("Step 3:") : text.index("Step 4:")]
        return part.count("It is read by") + part.count("No record tells")

    assert worked(explained("cnn", top=1).text()) == 1
    assert worked(explained("cnn", top=6).text()) == 6


def test_tied_frozen_and_unused_are_said():
    text = " ".join(explained("tied").text().split())
    assert "Tied: emb.weight, head.weight are one parameter with 2 uses." in text
    assert "Frozen, so without a gradient (None, not 0): enc.layers.0.linear1.bias." in text
    assert "since the loss does not depend on it: spare.weight, spare.bias." in text
    assert "enc.layers.1, enc.layers.2 do the same as enc.layers.0" in text


def test_an_lstm_is_told_by_time_step():
    told = explained("lstm")
    text = told.text()
    rows = re.findall(r"^    lstm\.t(\d) ", text, re.MULTILINE)
    assert rows == ["3", "2", "1", "0"]
    call = next(c for c in told.trace.calls if c.name == "lstm")
    h = next(v for c in call.inside.calls for v in c.results if v.name == "lstm.t2.h")
    typical = float(np.sqrt((h.gradient**2).mean()))
    line = next(line for line in text.splitlines() if line.startswith("    lstm.t2 "))
    assert f"{typical:.4e}"[:5] in f"{float(line.split()[-1]):.4e}"


class Deep(nn.Module):
    """A hundred layers."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(4, 6)
        self.blocks = nn.Sequential(
            *(nn.Sequential(nn.Linear(6, 6), nn.LayerNorm(6), nn.ReLU()) for _ in range(100))
        )
        self.out = nn.Linear(6, 2)

    def forward(self, x):
        return self.out(self.blocks(self.stem(x)))


def test_a_long_model_does_not_drown_its_reader():
    torch.manual_seed(0)
    x, y = torch.randn(2, 4), torch.tensor([0, 1])
    told = miya.explain(Deep(), x, y, loss=nn.CrossEntropyLoss(), optimizer=torch.optim.SGD)
    text = told.text()
    assert len(text.splitlines()) < 500
    assert "blocks.1, …, blocks.99 (99) do the same as blocks.0" in " ".join(text.split())


def test_what_has_no_record_is_named_as_such():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 3)

        def forward(self, x):
            return torch.special.i0(self.fc(x)).sum()

    torch.manual_seed(0)
    told = miya.explain(Odd(), torch.randn(2, 3), optimizer=lambda p: torch.optim.SGD(p, lr=0.1))
    text = " ".join(told.text().split())
    assert "special_i0" in text and "Miya has no record of that operation" in text
    assert "No record tells the terms of special_i0" in text
    assert "for want of a record: " in text


@pytest.mark.parametrize("form", ["latex", "html", "pdf", "json"])
def test_every_form_is_written(told, form):
    made = getattr(told, form)()
    assert len(made) > 2000
    if form == "pdf":
        assert made.startswith(b"%PDF")


def test_it_shows_itself(told):
    assert str(told) == told.text() and "print() tells" in repr(told)
    assert "miya-view" in told._repr_html_()


@pytest.mark.parametrize("name", GIVEN)
def test_the_story_in_japanese(name):
    text = explained(name, language="ja").text()
    english = [v for v in load("en")["model"].values() if len(v) > 20 and "{" not in v]
    assert "順伝播" in text and not [v for v in english if v in text]


def test_no_miya_leaves_her_remarks_out():
    told = explained("cnn", miya=False)
    assert "(=^" not in told.text() and not json.loads(told.json())["remarks"]


def test_the_json_holds_every_parameter_and_gradient(told):
    data = json.loads(told.json())
    assert [p["name"] for p in data["parameters"]] == list(told.trace.parameters)
    for p in data["parameters"]:
        found = told.trace.parameters[p["name"]]
        assert np.array_equal(np.array(p["after"]["values"]), found.after)
        if found.gradient is None:
            assert p["gradient"] is None and p["without_gradient"] in ("frozen", "unused")
        else:
            assert np.array_equal(np.array(p["gradient"]["values"]), found.gradient)
    assert data["loss"]["before"] == told.trace.loss
    assert {c["operation"] for c in data["calls"]} == {c.name for c in told.trace.calls}


def test_inputs_are_asked_for_and_kept_from_network_files():
    with pytest.raises(miya.MiyaInputError, match="E623 a model is given without inputs"):
        miya.explain(nn.Linear(2, 2))
    with pytest.raises(miya.MiyaInputError, match="E623 inputs and target"):
        miya.explain(None, torch.ones(2))
    with pytest.raises(miya.MiyaInputError, match="E623 inputs, target, loss"):
        miya.explain(explained("cnn").trace, torch.ones(2))
    with pytest.raises(miya.MiyaInputError, match="E304 loss 'cross_entrpy' is unknown"):
        miya.explain(nn.Linear(2, 2), torch.ones(1, 2), torch.ones(1), loss="cross_entrpy")


def test_latex_is_written_in_what_pdflatex_knows(told):
    texts = [told.latex()]
    texts += [
        told.why(n + "[" + ",".join("0" * len(p.shape)) + "]").latex()
        for n, p in told.trace.parameters.items()
    ]
    assert not {c for text in texts for c in text if ord(c) > 255 and c not in "–…"}


def test_only_a_path_records_that_part_alone_and_the_rest_as_one_operation():
    whole, part = explained("cnn"), explained("cnn", only="conv2")
    assert {c.module for c in part.trace.calls if c.name != "outside"} == {"conv2", "loss"}
    assert [c.name for c in part.trace.calls].count("outside") == 1
    for name, gradient in whole.trace.gradients.items():
        np.testing.assert_array_equal(part.trace.gradients[name], gradient)
    for name in ("conv2[1,2,3,0]", "fc[1,2]", "conv2.weight[3,1,0,2]"):
        levels, same = part.why(name).answer.levels, whole.why(name).answer.levels
        assert all(level.agrees for level in levels), name
        assert levels[0].gradient == same[0].gradient
    assert "outside" in part.text() and "more than rounding" not in part.text()
    tied = explained("tied", only="head")  # the embedding reads the same weight outside
    row = tied.trace.gradients["emb.weight"].any(1).argmax()
    level = tied.why(f"emb.weight[{row},1]").answer.levels[0]
    assert level.agrees and {u.call.name for u in level.uses} == {"linear", "outside"}


def test_a_part_told_as_the_whole_of_what_was_recorded():
    part = explained("tied", only="enc.layers.1")
    told = miya.explain(part.trace)
    assert "enc.layers.1" in told.text() and told.html() and told.json()


def test_without_an_optimizer_nothing_is_said_of_what_a_step_brought():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4)).double()
    told = miya.explain(
        model, torch.randn(2, 3).double(), torch.tensor([1, 0]), loss="cross_entropy"
    )
    text = told.text()
    assert "The loss did not fall" not in text and "The loss went from" not in text
    assert text.count("No parameter here is moved.") == 2
    assert told.html() and told.json()


def test_carry_rounded_is_refused_of_a_model():
    model = nn.Sequential(nn.Conv1d(1, 2, 2), nn.Flatten(), nn.Linear(4, 1))
    x, y = torch.ones(2, 1, 3), torch.ones(2, 1)
    with pytest.raises(miya.MiyaInputError, match="E612 carry rounded is for network files"):
        miya.explain(model, x, y, loss="mse", optimizer="sgd", digits=3, carry="rounded")
