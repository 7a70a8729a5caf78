"""What one calls: explain, blame, draw, train, check. Each wires the stages, no more."""

from .checked import Checked, answer_sheet, check
from .explanation import Explanation, Ranking
from .models import ModelExplanation
from .steps import Source, carried_digits, check_digits, explain, load, page, train
from .views import blame, compare, draw, plot
from .why import Why, why

__all__ = [
    "Checked",
    "Explanation",
    "ModelExplanation",
    "Ranking",
    "Source",
    "Why",
    "answer_sheet",
    "blame",
    "carried_digits",
    "check",
    "check_digits",
    "compare",
    "draw",
    "explain",
    "load",
    "page",
    "plot",
    "train",
    "why",
]
