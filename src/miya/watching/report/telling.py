"""The story of the worst step: what happened, in sentences, and layer by layer with Miya."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ...render.mathml_names import element
from ...render.page.blocks import text
from ...story.numbers import percent
from ..records import Finding
from ..shown import short
from ..words import NAMES, Told, told
from .cats import carrying
from .history import History
from .strips import SHARES, shown
from .worst import Notable, Worst

ROWS = 12  # layers in the picture
COLUMNS = ("predicted", "gradient", "delta", "step", "relative_step", "dead", "saturated")


def with_kind(layer: str, kinds: Mapping[str, str]) -> str:
    """A layer's name; one that is a bare number says little without its kind."""
    bare = layer.rpartition(".")[2].isdigit() and layer in kinds
    return f"{layer} ({kinds[layer]})" if bare else layer


def stated(finding: Finding, kinds: Mapping[str, str], language: str) -> Told:
    """A finding in words, its layers by name and kind."""
    facts = {
        name: with_kind(value, kinds) if name in NAMES and isinstance(value, str) else value
        for name, value in finding.facts.items()
    }
    return told(replace(finding, layer=with_kind(finding.layer, kinds), facts=facts), language)


@dataclass(frozen=True)
class Telling:
    """Writes the story of one step of a run, in one language."""

    run: History
    worst: Worst
    words: Mapping[str, str]
    language: str

    def html(self) -> str:
        opening = [self._opening(), *self._skipped(), *self._nonfinite()]
        notable = list(map(self._notable, self.worst.notable))
        paragraphs = [opening, [*self._before(), *self._promise()]]
        if not notable and not self.run.nonfinite.get(self.worst.of):
            paragraphs.append([self.words["nothing_notable"]])
        said = [element("p", text(self.words["join"].join(p))) for p in paragraphs if p]
        listed = element("ul", *(element("li", text(n)) for n in notable)) if notable else ""
        return "".join(said) + listed + self._picture()

    def _skipped(self) -> Iterator[str]:
        if self.run.skipped[self.worst.k]:
            yield self.words["skipped"]

    def _nonfinite(self) -> Iterator[str]:
        """Where it came from: the first output of the forward pass; else the last layer's."""
        found = self.run.nonfinite.get(self.worst.k, ())
        if not found:
            return
        outputs = [layer for layer, what in found if what == "output"]
        layer, what = (outputs[0], "output") if outputs else found[-1]
        yield self.words["nonfinite"].format(
            what=self.words[f"nonfinite_{what}"].format(layer=self._named(layer)),
            count=len(found),
            all=len(self.run.layers),
        )

    def _opening(self) -> str:
        k, why, finding = self.worst.k, self.worst.why, self.worst.finding
        loss = self.run.whole["loss"]
        last = len(self.run.steps) - 1
        said = self.words[f"worst_{why}"].format(
            step=self.run.steps[k],
            loss=short(loss.at(k)),
            real=short(self.run.whole["real"].at(k)),
            next=self.run.steps[min(k + 1, last)],
            after=short(loss.at(min(k + 1, last))),
            finding=stated(finding, self.run.kinds, self.language).statement if finding else "",
        )
        if why == "broken" and k > 0:
            before = self.words["worst_before"].format(
                step=self.run.steps[k - 1], loss=short(loss.at(k - 1))
            )
            return f"{said}{self.words['join']}{before}"
        return said

    def _before(self) -> Iterator[str]:
        if self.worst.of != self.worst.k:
            yield self.words["layers_before"].format(step=self.run.steps[self.worst.of])

    def _promise(self) -> Iterator[str]:
        promised, real = (self.run.whole[name].at(self.worst.of) for name in ("predicted", "real"))
        if promised is not None:
            yield self.words["promise"].format(predicted=short(promised))
            yield (
                self.words["no_real"]
                if real is None
                else self.words["really"].format(real=short(real))
            )

    def _notable(self, found: Notable) -> str:
        layer = self._named(found.layer)
        if found.measure in SHARES:
            return self.words[f"notable_{found.measure}"].format(
                layer=layer, value=percent(found.value), usual=percent(found.usual)
            )
        return self.words[f"notable_{found.measure}"].format(
            layer=layer,
            value=short(found.value),
            usual=short(found.usual),
            times=short(found.value / found.usual, 2),
        )

    def _named(self, layer: str) -> str:
        return with_kind(layer, self.run.kinds) or self.words["model"]

    def _picture(self) -> str:
        """A row a layer: Miya carries its part of the promised change; beside her its numbers."""
        layers = shown(list(self.run.layers), [n.layer for n in self.worst.notable], ROWS)
        carried = {layer: self.run.layers[layer]["predicted"].at(self.worst.of) for layer in layers}
        finite = [abs(v) for v in carried.values() if v is not None and math.isfinite(v)]
        largest = max(finite, default=0.0)
        columns = [c for c in COLUMNS if any(self._at(layer, c) is not None for layer in layers)]
        if not columns:
            return ""
        heads = [self.words["layer"], *(self.words[f"column_{c}"] for c in columns)]
        rows = [self._row(layer, carried[layer], largest, columns) for layer in layers]
        head = element("tr", "<td></td>", *(element("th", text(h), scope="col") for h in heads))
        table = element("table", element("thead", head), element("tbody", *rows))
        label = self.words["carried"]
        scroll = element(
            "div", table, class_="scroll carried", tabindex="0", role="group", aria_label=label
        )
        caption = element("figcaption", text(label))
        notes = [self.words["carried_note"]]
        if len(layers) < len(self.run.layers):
            notes.append(
                self.words["strip_rows"].format(told=len(layers), all=len(self.run.layers))
            )
        note = element("p", text(self.words["join"].join(notes)), class_="note")
        return element("figure", caption, scroll, note)

    def _at(self, layer: str, measure: str) -> float | None:
        return self.run.layers[layer][measure].at(self.worst.of)

    def _row(self, layer: str, part: float | None, largest: float, columns: list[str]) -> str:
        cat = carrying(part, largest) if part is not None else ""
        kind = element("small", text(self.run.kinds[layer]))
        name = element("th", text(layer or self.words["model"]), " ", kind, scope="row")
        cells = [element("td", self._cell(layer, c)) for c in columns]
        return element("tr", element("td", cat, class_="cat"), name, *cells)

    def _cell(self, layer: str, measure: str) -> str:
        value = self._at(layer, measure)
        if value is not None and measure in SHARES:
            return text(percent(value))
        return text(short(value))
