"""A hand-worked page as it was read: what it gives, what it states, what was not understood."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .written import Quantity, Tree, Written


@dataclass(frozen=True)
class Reading:
    """Another quantity that a name may stand for. key: the same of every name read in this way.

    flipped: the number is of the quantity with the other sign.
    """

    key: str
    of: Quantity
    flipped: bool = False


# what is called velocity under momentum μ; the first is torch's
VELOCITIES = ("v = μ v + g", "v = μ v - η g", "v = μ v + η g", "v = μ v + (1 - μ) g")


@dataclass(frozen=True)
class Statement:
    """A number that the page states of a quantity, or of an expression.

    of: the quantity's element; None where the page only works out `formula`.
    formula: the expression as text. work: the numeric expressions written before the number,
    as trees, nearest last. label: the words and signs before the number. at: its place in the
    page's order.
    """

    of: Quantity | None
    stated: Written
    line: int
    formula: str = ""
    work: tuple[Tree, ...] = ()
    symbolic: Tree | None = None
    element: tuple[int, ...] = ()  # which element of `work` and `symbolic` it is
    step: int = 1  # which of the page's training steps it belongs to
    pattern: str = ""  # how its name is built; names of one pattern are read in the same way
    others: tuple[Reading, ...] = ()  # what else the name may stand for
    flipped: bool = False  # the number is of `of` with the other sign
    label: tuple[str, ...] = ()
    at: int = 0
    inferred: bool = False  # bound by what agrees, and not by its name
    support: str = ""  # what else binds an inferred one: "work", its line's factors, or "order"


@dataclass(frozen=True)
class Figure:
    """A number of the page, whatever it is of. free: it stands in no arithmetic."""

    value: float
    unit: float  # one step of its last digit, 0 where it is whole
    text: str
    line: int
    free: bool


@dataclass(frozen=True)
class Claim:
    """A claim in words that numbers decide: kind "weight" or "neuron" did the most.

    of: the quantity that the sentence points at, where it names one.
    """

    kind: str
    of: Quantity | None
    text: str
    line: int


@dataclass(frozen=True)
class Note:
    """Something said about the reading: its key in the words file, and what fills it."""

    key: str
    values: Mapping[str, Any]
    line: int = 0


@dataclass(frozen=True)
class Page:
    """A page. description: its network (docs/network-file.md), None where it gives none.

    given: the line of each given, by its symbol. unread: each number that was not understood, its
    line, and what stands around it. choices: conventions that the page leaves open, each with
    the page as it is under each option. steps: training steps that it works, the first of which
    is the `first` since training began. data: by the number of the step on the page (from 1), what
    is given for it: the optimizer's state before the first, inputs, targets and the learning rate
    that a later one gives.
    """

    name: str
    description: Mapping[str, Any] | None
    given: Mapping[str, int]
    statements: tuple[Statement, ...]
    claims: tuple[Claim, ...] = ()
    unread: tuple[tuple[str, int, str], ...] = ()  # number, line, what stands around it
    assumed: tuple[Note, ...] = ()
    choices: Mapping[str, Mapping[str, Page]] = field(default_factory=dict)
    late: bool = False  # the way back uses the weights after their update
    softmax: bool = False  # the page's output is softmax of the last z, as cross entropy takes it
    steps: int = 1
    first: int = 1
    data: Mapping[int, Mapping[Quantity, float]] = field(default_factory=dict)
    velocity: str = ""  # of VELOCITIES
    hints: Mapping[str, str] = field(default_factory=dict)  # what words say where no network is
    givens: tuple[Statement, ...] = ()  # the numbers that give the network
    loose: tuple[Statement, ...] = ()  # numbers of `unread`, by what stands before each
    figures: tuple[Figure, ...] = ()  # every number, in the page's order
    # the page with its names as its formulas define them, made where it is asked for
    again: Callable[[], Page | None] | None = field(default=None, compare=False, repr=False)
