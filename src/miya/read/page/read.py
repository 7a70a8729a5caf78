"""A page from its file: text, tokens, chains, network, statements."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ...core.network import Network
from ...core.page import VELOCITIES, Note, Page, Statement
from ...core.written import Binary, Chain, Name, Ref, names
from ...errors import MiyaInputError
from . import evidence
from .around import Items, stated_alone
from .blocks import markdown_tokens, need_extra
from .console import consoles
from .context import Place, completed
from .describe import description
from .encoding import LARGEST, decode, read_bytes, repair, simplify
from .extended import apart
from .figures import figures
from .formulas import defined
from .frames import framed
from .givens import Gatherer, Given
from .html import html_tokens, visible
from .labels import Entity
from .letters import by_layer
from .macros import document, expanded
from .names import Binder, Style
from .notebook import notebook_tokens
from .own import OwnNames
from .own_tables import own_chains
from .parse import Parser, TooMuch, phrases
from .records import recorded
from .roles import in_role, untimed
from .session import sessions
from .sheet import read_sheet
from .statements import Collector
from .tables import table_chains
from .tokens import MOST, Token
from .training import Training, named, training
from .units import lettered
from .values import cells
from .words import claims

COUNTED = frozenset(("neurons", "units", "nodes"))  # what a whole number may count
FORMS = {
    ".html": "html",
    ".htm": "html",
    ".ipynb": "notebook",
    ".csv": "csv",
    ".toml": "toml",
    ".json": "json",
}
MOST_STATED = 5000
LETTER = re.compile(r"[A-Za-zα-ω]_?\d{1,2}")  # a factor of its own, and no article
MOST_DEFINED = 12_000  # tokens of a page that is read again by its formulas
HTML = re.compile(r"\s*(?:<!doctype html|<html)", re.IGNORECASE)
COMMA = re.compile(r"(?<![\d.,])-?\d+,\d+(?![\d,.])")


def read_page(path: str | Path, network: Network | None = None) -> Page:
    """The page of a file. network: what it works on, where the page does not give it.

    Raises MiyaInputError E220, E640, E701, E702, E704.
    """
    path = Path(path)
    if path.is_dir():
        raise MiyaInputError("E220", f"{path} is a folder", hint="name a file in it")
    content, size = read_bytes(path)
    text = decode(content, str(path))
    page = read_text(text, FORMS.get(path.suffix.lower(), "markdown"), str(path), network)
    if size > LARGEST:
        note = Note("cut", {"size": f"{size / 2**20:.1f}", "limit": f"{LARGEST / 2**20:g}"})
        page = replace(page, assumed=(note, *page.assumed))
    return page


def read_text(
    text: str, form: str = "markdown", name: str = "<text>", network: Network | None = None
) -> Page:
    """The page of a text in "markdown", "html", "notebook", "csv", "toml" or "json"."""
    notes: list[Note] = []
    text, mended = repair(text)
    if mended:
        notes.append(Note("repaired", {"count": mended}))
    if form in ("csv", "toml", "json"):
        return _sheet(text, form, name, network, notes)
    text = _commas(text, notes)
    if form != "notebook":
        text = untimed(document(expanded(text)))
    plain = form == "markdown" and not HTML.match(text)
    if plain:
        text = sessions(consoles(framed(text)))
    again = partial(_defined, text, form, name, tuple(notes))
    text = recorded(text) if plain else text
    tokens = _tokens(text, form, name)
    if len(tokens) >= MOST:
        notes.append(Note("cut_tokens", {"limit": MOST}))
    said = _said(text)
    kind, tokens = named(tokens, said, network)
    found = _chains(tokens, notes, said)
    page = _built(name, text, (kind, tokens, said), found, network, notes)
    free = network is None and len(tokens) < MOST_DEFINED
    return replace(page, figures=figures(tokens), again=again if free else None)


def _defined(text: str, form: str, name: str, before: tuple[Note, ...]) -> Page | None:
    """The page with its names as its formulas define them; None where they define no network."""
    notes = list(before)
    said = _said(text)
    kind, tokens = named(_tokens(text, form, name), said, None)
    own = OwnNames()
    found = _chains(own.tokens(tokens), notes, said, own.usual)
    if not found[0]:
        return None
    notes.append(Note("defined", {}))
    page = _built(name, text, (kind, tokens, said), found, None, notes)
    page = page.choices.get("orientation", {}).get("(out, in)", page)
    return None if page.description is None else replace(page, figures=figures(tokens))


def _said(text: str) -> str:
    """What a page says in words and formulas, without marks of layout."""
    return simplify(visible(text) if HTML.match(text) else text)


def _tokens(text: str, form: str, name: str) -> list[Token]:
    if form == "html" or HTML.match(text):
        try:
            import pylatexenc  # type: ignore[import-untyped]  # noqa: F401
        except ImportError as error:
            raise need_extra("pylatexenc") from error
        return phrases(html_tokens(text))
    if form == "notebook":
        return phrases(notebook_tokens(text, name))
    return phrases(markdown_tokens(simplify(text)))


def _commas(text: str, notes: list[Note]) -> str:
    """Decimal commas as points, where the page writes no number with a point."""
    if re.search(r"\d\.\d", text):
        return text
    found = COMMA.findall(text)
    if len(found) < 2:
        return text
    notes.append(Note("assumed_comma", {"number": found[0]}))
    return COMMA.sub(lambda m: m[0].replace(",", "."), text)


Loose = list[tuple[str, int]]
Read = tuple[Any, list[Token], str]
Found = tuple[list[tuple[Chain, Loose]], Loose, list[Chain]]


def _chains(
    tokens: list[Token], notes: list[Note], said: str, usual: dict[Name, Name] | None = None
) -> Found:
    """Every chain with its numbers, the numbers that stand in none, and those behind a label.

    usual: what own names are by their letters, where names are as formulas define them; no chains
    where they define nothing.
    """
    found: list[tuple[Chain, Loose]] = []
    loose: Loose = []
    where: list[Entity | None] = []
    place = Place()
    items = Items()
    spent = [0]
    part: list[Token] = []
    try:
        for token in [*tokens, Token("table", "", 0, extra=[])]:
            if token.kind != "table":
                part.append(token)
                continue
            parser = Parser(part, spent)
            for chain, numbers in _run(parser, loose, place, items):
                found.append((chain, numbers))
                where.append(place.entity)
            part = []
            rows = token.extra
            own = own_chains(rows, spent) if usual is not None else []
            made = [items.placed(c) for c in own or table_chains(rows, spent)]
            found += [(chain, []) for chain in made]
            where += [place.entity] * len(made)
            left = _left(token.extra, made)
            items.cells(token.extra, made, spent)
            loose += left
    except TooMuch:
        notes.append(Note("cut_steps", {}))
    if usual is not None:
        placed = defined([c for c, _ in found], usual) or []
        return [(c, n) for c, (_, n) in zip(placed, found, strict=False)], loose, items.alone
    plain = in_role([c for c, _ in found], said)
    whole = apart(lettered(by_layer(completed(list(zip(plain, where, strict=True))))))
    pairs = [
        (c, n if k == 0 else [])
        for made, (_, n) in zip(whole, found, strict=True)
        for k, c in enumerate(made)
    ]
    return pairs, loose, items.alone


def _built(
    name: str, text: str, read: Read, found: Found, network: Network | None, notes: list[Note]
) -> Page:
    """The page of what `_chains` found. read: what `named` gave, and what the page says."""
    (kind, tokens, said), (chains, loose, alone) = read, found
    trained, marked = training(kind, tokens, [c for c, _ in chains], said)
    pairs = [(c, n) for c, (_, n) in zip(marked, chains, strict=True) if c is not None]
    stated = tuple(stated_alone(alone))
    return _page(name, text, pairs, loose, stated, network, notes, trained)


def _left(rows: list[Any], chains: list[Chain]) -> Loose:
    """Decimal numbers in the cells of a table that none of its chains holds."""
    held = Counter(
        (cell.written.text.lstrip("-"), cell.line)
        for chain in chains
        for side, line in zip(chain.sides, chain.lines, strict=False)
        for cell in cells(side, line).values()
    )
    worked = {line for chain in chains for line in chain.lines}
    left: Loose = []
    for row in rows[1:]:
        for tokens, line in row:
            numbers = [n for t in tokens for n in _numbers(t) if "." in n[0]]
            if line in worked and len(numbers) != 1:
                continue  # the working of a number that is held
            for text, _ in numbers:
                if held[text, line] > 0:
                    held[text, line] -= 1
                else:
                    left.append((text, line))
    return left


def _run(parser: Parser, loose: Loose, place: Place, items: Items) -> Iterator[tuple[Chain, Loose]]:
    items.start(parser.tokens)
    while parser.at < len(parser.tokens):
        start = parser.at
        if isinstance(parser.tokens[start].extra, Entity):
            place.now(parser.tokens[start].extra)
        if parser.hopeless():
            parser.take()
            continue
        tree = parser.chain()
        if parser.at <= start:
            parser.take()
        numbers = [n for t in parser.tokens[start : parser.at] for n in _numbers(t)]
        torn = isinstance(tree, Chain) and _torn(parser.tokens, start, tree)
        if isinstance(tree, Chain) and not torn and not items.counted(tree, start, parser.at):
            yield items.labelled(tree, start, parser.at), numbers
        else:
            loose += numbers
            items.passed(tree, start, parser.at)


def _torn(tokens: list[Token], start: int, chain: Chain) -> bool:
    """Whether a chain's first side goes on to the left, where it was not understood."""
    before, side = tokens[start - 1] if start else None, chain.sides[0]
    if before is None or before.line != tokens[start].line:
        return False
    if isinstance(side, Ref):  # α a_3 Δ_5 = -0.03
        return before.kind == "name" and bool(LETTER.fullmatch(before.text))
    if names(side) or not isinstance(side, Binary):
        return False
    return before.kind in ("number", "op", ")", "]", "}") or before.text in "xΣ∑"


def _numbers(token: Token, deep: int = 0) -> Loose:
    if token.kind in ("number", "odd"):
        return [(token.text, token.line)]
    if deep > 20:
        return []
    if token.kind == "frac":
        return [n for part in token.extra for t in part for n in _numbers(t, deep + 1)]
    if token.kind == "matrix":
        return [n for r in token.extra for c in r for t in c for n in _numbers(t, deep + 1)]
    return []


def _page(
    name: str,
    text: str,
    chains: list[tuple[Chain, Loose]],
    loose: Loose,
    alone: tuple[Statement, ...],
    network: Network | None,
    notes: list[Note],
    trained: Training,
    turned: bool = False,
    until: int | None = None,
) -> Page:
    """until: the line where the second step begins; the network is given before it."""
    plain = [c for c, _ in chains if until is None or c.lines[0] < until]
    given = Gatherer(plain, network.sizes if network else None, turned).gather()
    given.notes[:0] = notes
    trained.give(given, plain)
    described: dict[str, Any] | None = None
    hints: dict[str, str] = {}
    if network is None:
        said = _said(text)
        described = description(given, said, plain)
        if described is None:
            hints = evidence.hints(said, plain)
            missing = ", ".join(dict.fromkeys(given.missing))
            given.notes.append(Note("no_network", {"missing": missing}))
    else:
        given.style.sizes = network.sizes
        for k in range(1, given.style.layers + 1):
            given.style.layer_ids.setdefault(str(k), k)
    examples = network.examples if network else len(given.inputs)
    free = network is not None or described is None
    page = _stated(name, text, chains, loose, given, examples, free)
    givens = () if free else _given_numbers(chains, given, examples)
    page = replace(page, loose=alone, hints=hints, givens=givens)
    found = trained.steps(page)
    if found.starts and until is None:
        start = found.starts[0]
        return _page(name, text, chains, loose, alone, network, notes, trained, turned, start)
    if described is not None or network is not None:
        page = trained.staged(page, found, given.style.sizes)
    if network is not None:
        return _open(page, ("velocity", "order"))
    if described is None:
        return page
    sure = described.pop("sure", True)
    guessed = described.pop("guessed", [])
    softmax = bool(described.pop("softmax", False))
    page = replace(page, description=described, softmax=softmax)
    left = ["biases", "order", "velocity"]
    if not sure or described["loss"] == ENTROPY:  # summed or averaged over the outputs
        left.insert(0, "loss")
    page = _open(page, (*(f"activation of layer {k}" for k in guessed), *left))
    if not given.either_way or turned:
        return page
    other = _page(name, text, chains, loose, alone, network, notes, trained, True, until)
    return replace(page, choices={"orientation": {"(out, in)": page, "(in, out)": other}})


def _stated(
    name: str,
    text: str,
    chains: list[tuple[Chain, Loose]],
    loose: Loose,
    given: Given,
    examples: int,
    free: bool,
) -> Page:
    style: Style = given.style
    collector = Collector(Binder(style), examples, set() if free else given.chains)
    for chain, numbers in chains:
        if len(collector.stated) < MOST_STATED:
            collector.chain(chain)
        if id(chain) not in collector.taken:
            loose = loose + numbers
    statements = tuple(s for s in collector.stated if not _counts(s))
    loose = loose + [(s.stated.text, s.line) for s in collector.stated if _counts(s)]
    rows = [row.strip()[:70] for row in text.split("\n")]
    unread = tuple(
        (number, line, rows[line - 1] if 0 < line <= len(rows) else "")
        for number, line in sorted(loose, key=lambda n: n[1])
    )
    said = claims(text, statements, style.layers - 1)
    return Page(name, None, given.lines, statements, tuple(said), unread, tuple(given.notes))


def _counts(s: Statement) -> bool:
    """Whether a number says how many neurons a layer has: "neurons a layer: 2 → 3 → 1"."""
    return s.stated.value == int(s.stated.value) and not COUNTED.isdisjoint(s.label)


def _given_numbers(
    chains: list[tuple[Chain, Loose]], given: Given, examples: int
) -> tuple[Statement, ...]:
    """The numbers of the chains that give the network, in their order."""
    collector = Collector(Binder(given.style), examples)
    for chain, _ in chains:
        if id(chain) in given.chains:
            collector.chain(chain)
    return tuple(collector.stated)


ENTROPY = "binary_cross_entropy"
LOSSES = ("squared_error", "half_squared_error", "mean_squared_error")


def _open(page: Page, names: tuple[str, ...]) -> Page:
    """`page` with the first convention that it leaves open, whose options carry the others."""
    for k, name in enumerate(names):
        make = OPTIONS.get(name) or partial(_activations, int(name.split()[-1]))
        options = make(page, page.description or {})
        if len(options) > 1:
            rest = names[k + 1 :]
            return replace(page, choices={name: {o: _open(p, rest) for o, p in options.items()}})
    return page


USUAL = ("sigmoid", "tanh", "relu", "identity")


def _activations(layer: int, page: Page, described: Mapping[str, Any]) -> dict[str, Page]:
    layers = described["layers"]
    now = layers[layer - 1]["activation"]
    if now not in USUAL or page.softmax:
        return {}
    options = {}
    for name in sorted(USUAL, key=lambda n: n != now):
        other = [*layers[: layer - 1], {**layers[layer - 1], "activation": name}, *layers[layer:]]
        options[name] = replace(page, description={**described, "layers": other})
    return options


def _losses(page: Page, described: Mapping[str, Any]) -> dict[str, Page]:
    loss = described["loss"]
    several = len(described["examples"][0]["target"]) > 1
    if loss == ENTROPY and several:
        use = {f"{loss} ({o})": {"name": loss, "outputs": o} for o in ("sum", "mean")}
        return {o: replace(page, description={**described, "loss": u}) for o, u in use.items()}
    if loss not in LOSSES:
        return {}
    many = several or len(described["examples"]) > 1
    order = sorted(LOSSES if many else LOSSES[:2], key=lambda name: name != loss)
    return {name: replace(page, description={**described, "loss": name}) for name in order}


def _biases(page: Page, described: Mapping[str, Any]) -> dict[str, Page]:
    heads = [s.of.head for s in page.statements if s.of is not None]
    layers = described["layers"]
    if heads.count("b_new") < 2 and page.steps < 2:
        return {}
    made = {}
    for name, kept in (("trained", True), ("frozen", False)):
        use = {"weight": True, "bias": kept}
        option = [{**layer, "trainable": use} for layer in layers]
        made[name] = replace(page, description={**described, "layers": option})
    said = all(layer["trainable"]["bias"] for layer in layers)  # or words say that they are fixed
    return made if said else dict(reversed(made.items()))


def _orders(page: Page, described: Mapping[str, Any]) -> dict[str, Page]:
    heads = {s.of.head for s in page.statements if s.of is not None}
    one = len(described["layers"]) < 2 if described else False
    if one or not {"∂C/∂a", "δ", "∂C/∂W"} & heads:
        return {}
    return {
        "weights from before the update": page,
        "updated weights": replace(page, late=True),
    }


def _velocities(page: Page, described: Mapping[str, Any]) -> dict[str, Page]:
    """What a page calls velocity; velocity.py of the marking has the formulas."""
    use = described.get("optimizer", {})
    plain = not described or (use.get("name") == "sgd" and not use.get("nesterov"))
    heads = {s.of.head for s in page.statements if s.of is not None}
    if not plain or not heads & {"v_W", "v_b"}:
        return {}
    return {v: replace(page, velocity=v) for v in VELOCITIES}


OPTIONS = {"loss": _losses, "biases": _biases, "order": _orders, "velocity": _velocities}


def _sheet(text: str, form: str, name: str, network: Network | None, notes: list[Note]) -> Page:
    statements, unread, more = read_sheet(text, form, name)
    if network is None:
        raise MiyaInputError(
            "E703", f"{name} is an answer sheet, which names no network", hint="add --network NET"
        )
    if not statements and not unread:
        raise MiyaInputError(
            "E701", f"{name} has no answers", hint="write symbol,value in each row"
        )
    return Page(name, None, {}, tuple(statements), (), tuple(unread), (*notes, *more))
