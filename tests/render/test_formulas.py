"""Every formula of a record is spoken and set, or shown as it is written."""

import pytest
import torch
from torch import nn

import miya
from miya.core.records import RECORDS
from miya.render import mathml
from miya.render.notation import formulas
from miya.render.spoken import Speaker
from miya.story.words import languages, load

EVERY = sorted({text for r in RECORDS.values() for text in (r.formula, *r.gradients.values())})


def readable(notation):
    try:
        formulas(notation)
    except ValueError:
        return False
    return True


READ = [text for text in EVERY if readable(text)]


def test_many_formulas_are_read():
    assert len(READ) > 80
    assert "out = input if condition != 0 else other" in READ


@pytest.mark.parametrize("language", languages())
def test_every_formula_that_is_read_is_spoken(language):
    speaker = Speaker(load(language)["spoken"])
    for text in READ:
        said = speaker.formula(text)
        assert said and not {"!=", "==", "**"} & set(said.split()), text


def test_every_formula_that_is_read_is_set():
    for text in READ:
        assert mathml.formula(text, "said").startswith('<math aria-label="said"'), text


def test_cases_are_said_in_words():
    text = "out = input if condition != 0 else other"
    assert Speaker(load("en")["spoken"]).formula(text) == (
        "out equals input if condition is not 0, otherwise other"
    )
    assert '<mo form="infix">≠</mo>' in mathml.formula(text, "")


def test_an_unknown_sign_is_no_formula():
    with pytest.raises(ValueError, match="no formula: a % b"):
        formulas("out = a % b")


class Masked(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 4)

    def forward(self, x):
        z = self.fc(x)
        same = (z == z.amax(1, keepdim=True)).to(z.dtype)
        return torch.where(z > 0, z, z * 0.1).masked_fill(z > 9, 0.0) + 0.1 * same


@pytest.mark.parametrize("language", languages())
def test_a_model_with_masks_has_its_page(language):
    torch.manual_seed(0)
    x, y = torch.randn(2, 3).double(), torch.tensor([0, 3])
    told = miya.explain(Masked().double(), x, y, loss="cross_entropy", language=language)
    assert "<mtable" in told.html()
