"""Expression trees with some of their numbers changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from .expression import Binary, Call, Expression, Named, Negative, Number
from .quantity import Symbol


def changed(tree: Expression, new: Callable[[Number], Number]) -> Expression:
    match tree:
        case Number():
            return new(tree)
        case Binary(_, left, right):
            return replace(tree, left=changed(left, new), right=changed(right, new))
        case Negative(of) | Call(_, of):
            return replace(tree, of=changed(of, new))
    return tree


def numbers(tree: Expression) -> Iterator[Number]:
    match tree:
        case Number():
            yield tree
        case Binary(_, left, right):
            yield from numbers(left)
            yield from numbers(right)
        case Negative(of) | Call(_, of):
            yield from numbers(of)


def named(tree: Expression, found: Callable[[Symbol], bool]) -> Expression:
    """`tree` with names in the place of the numbers that are to be `found`."""
    match tree:
        case Number(_, of) if of is not None and found(of):
            return Named(of)
        case Binary(_, left, right):
            return replace(tree, left=named(left, found), right=named(right, found))
        case Negative(of) | Call(_, of):
            return replace(tree, of=named(of, found))
    return tree
