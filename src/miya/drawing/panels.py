"""Under the figure: what Miya says, and the legend."""

from __future__ import annotations

from ..analysis.flow import is_greedy
from . import font
from .cat import Pose
from .content import Content
from .layout import text_width
from .scene import SIZES, Box, Cat, Label, Panel, Sample

LEGEND = 500.0  # wide at least
SPEECH = 500.0  # the two stand side by side where what Miya says has so much left
BESIDE_SCALE = 292.0  # of the legend's width, what the colour scale leaves to its words
HOST = 140.0
LINE = 23.0


def place_panels(
    c: Content, x: float, y: float, wide: float, *, whole: bool = True
) -> tuple[tuple[Panel, ...], float]:
    """The panels from (x, y) on, `wide` at most, and where they end. whole: edges are drawn."""
    if c.view == "givens":
        return _givens(c, x, y, wide)
    needed = max(LEGEND, BESIDE_SCALE + _scale_width(c))
    beside = wide >= needed + SPEECH
    said = _speech(c, x, y, wide - needed - 26 if beside else wide) if c.miya else None
    left = x + wide - needed if beside and said else x
    top = y if beside or said is None else said.box.bottom + 24
    legend = _legend(c, left, top, needed, whole)
    panels = tuple(p for p in (said, legend) if p)
    return panels, max(p.box.bottom for p in panels)


def remarks(c: Content) -> list[str]:
    """What Miya says, each with its numbers."""
    if c.view == "givens":
        return [c.words["say_givens"]]
    trace = c.trace
    before, after = c.pair(trace.loss, trace.loss_after)
    if c.view == "forward":
        return [c.say("looking", before=before)]
    found = [] if c.tapped else [c.say("nobody", measure=c.words[c.measure])]
    if c.tapped:
        top = c.blame.parameters[0]
        key = "tapped_tied" if top.tied else "tapped"
        found.append(
            c.say(
                key,
                symbol=c.tapped,
                count=sum(u.before.size for u in trace.updates.values()),
                measure=c.words[c.measure],
                value=c.signed(top.value),
                share=c.share(top.share),
            )
        )
    if c.greedy and c.view != "update":
        layer, i, share = c.greedy
        greedy = is_greedy(share, c.trace.layers[layer - 1].layer.outputs)
        name = font.clean(trace.layers[layer - 1].layer.neurons[i])
        delta = c.signed(float(c.flows[layer - 1].delta[i]))
        found.append(
            c.say(
                "greedy" if greedy else "largest",
                name=name[:60],
                delta=delta,
                layer=layer,
                share=c.share(share),
            )
        )
    if c.view != "blame":
        change = (trace.loss_after > trace.loss) - (trace.loss_after < trace.loss)
        key = {-1: "fell", 0: "same", 1: "rose"}[change]
        found.append(c.say(key, before=before, after=after))
    return found


def host_pose(c: Content) -> Pose:
    if c.view not in ("forward", "givens") and not c.tapped:
        return "asleep"
    risen = c.view in ("whole", "update") and c.trace.loss_after > c.trace.loss
    return "alarm" if risen else "sit"


def _speech(c: Content, x: float, y: float, wide: float) -> Panel:
    return speech(remarks(c), host_pose(c), x, y, wide)


def speech(texts: list[str], pose: Pose, x: float, y: float, wide: float) -> Panel:
    """Miya in a pose, and what she says in a bubble beside her, `wide` at most."""
    cat = Cat(pose, 1, Box(x + 4, y + 18, HOST, HOST), arm=pose == "sit")
    left = x + HOST + 34
    room = min(wide - HOST - 34 - 44, 620.0)
    blocks = [font.wrap(text, room, SIZES["speech"]) for text in texts]
    high = sum(LINE * len(lines) + 7 for lines in blocks) - 7
    labels, base = [], y + max(78.0 - high, 36.0) / 2 - 6
    for lines in blocks:
        for line in lines:
            base += LINE
            labels.append(Label(line, left + 20, base, "speech"))
        base += 7
    bubble_wide = max(label.box.width for label in labels) + 40
    bubble = Box(left, y, bubble_wide, max(high + 36.0, 78.0))
    box = Box(x, y, left + bubble.width - x, max(bubble.height, HOST + 22))
    return Panel(box, tuple(labels), cat=cat, bubble=bubble)


def _givens(c: Content, x: float, y: float, wide: float) -> tuple[tuple[Panel, ...], float]:
    """What Miya says, and how weights are drawn."""
    said = _speech(c, x, y, wide) if c.miya else None
    top = said.box.bottom + 18 if said else y
    samples: list[Sample] = []
    bottom = _edge_samples(c, samples, x + 18, top + 22, wide - 36, True) + 6
    legend = Panel(Box(x, top, wide, bottom - top), (), tuple(samples))
    return ((said, legend) if said else (legend,)), bottom


POSES: tuple[tuple[Pose, str, float], ...] = (
    ("asleep", "pose_asleep", 0.66),
    ("loaf", "pose_loaf", 0.74),
    ("sit", "pose_sit", 0.86),
    ("alarm", "pose_alarm", 1.0),
)


def _legend(c: Content, x: float, y: float, wide: float, whole: bool) -> Panel:
    labels: list[Label] = []
    samples: list[Sample] = []
    base = y + 22
    labels.append(Label(c.words["scale"], x + 18, base, "quiet"))
    base += 10
    over = Box(x + 256, base, wide - BESIDE_SCALE, 14)
    samples.append(_scale(c, _scales(c), over))
    words = ("scale_signals" if c.view == "forward" else "scale_neurons",)
    for k, key in enumerate((*words, "scale_weights" if whole else "scale_strips")):
        line = base + 32 + 18 * k
        shown = c.words["carried" if c.view == "forward" else c.measure]
        text = font.fit(c.say(key, measure=shown), 228, SIZES["quiet"])
        labels.append(Label(text, x + 18, line, "quiet"))
    base += 76
    base = _edge_samples(c, samples, x + 18, base, wide - 36, whole)
    if c.miya and c.view != "forward":
        base = _pose_samples(c, samples, labels, x + 18, base + 4, wide - 36)
    return Panel(Box(x, y, wide, base + 10 - y), tuple(labels), tuple(samples))


def _scales(c: Content) -> tuple[str, str]:
    """What the neurons' scale and the weights' end at, by its key in `largest`."""
    return ("a", "carried") if c.view == "forward" else ("delta", "measure")


def _scale_width(c: Content) -> float:
    """What the ends of a scale, and the 0 between them, need side by side."""
    ends = [c.number(c.largest[key]) for key in _scales(c)]
    end = max(text_width(f"{sign}{end}", "quiet") for end in ends for sign in "−+")
    return 2 * (end + 10) + text_width("0", "quiet")


def _scale(c: Content, scales: tuple[str, str], box: Box) -> Sample:
    """The colours from −largest to largest, with both scales' ends under them."""
    labels = []
    for k, scale in enumerate(scales):
        y = box.bottom + 18 + 18 * k
        end = c.number(c.largest[scale])
        if end == "0":
            labels.append(Label("0", box.x + box.width / 2, y, "quiet", "middle"))
            continue
        labels += [
            Label(f"−{end}", box.x, y, "quiet", "start"),
            Label("0", box.x + box.width / 2, y, "quiet", "middle"),
            Label(f"+{end}", box.right, y, "quiet", "end"),
        ]
    return Sample("scale", box, tuple(labels))


def _edge_samples(
    c: Content, samples: list[Sample], left: float, y: float, room: float, whole: bool
) -> float:
    kinds = ["positive", "negative", "thickness"] if whole else ["strip"]
    if whole and c.view in ("whole", "blame"):
        kinds.append("back")
    if not c.miya and c.view not in ("forward", "givens"):
        kinds += [*(["framed"] if c.tapped else []), *(["ringed"] if c.greedy else [])]
    if c.trace.network.frozen is not None:
        kinds.append("frozen")
    x = left
    for kind in kinds:
        text = c.say(kind, measure=c.words[c.measure])
        icon = Box(x, y - 8, 14 if kind == "frozen" else 40, 14)
        need = icon.width + 8 + text_width(text, "quiet")
        if x > left and x + need > left + room:
            x, y = left, y + 24
            icon = Box(x, y - 8, icon.width, 14)
        samples.append(Sample(kind, icon, (Label(text, icon.right + 8, y + 3, "quiet"),)))
        x += need + 22
    return y + 12


def _pose_samples(
    c: Content, samples: list[Sample], labels: list[Label], left: float, y: float, room: float
) -> float:
    side, step = 52.0, room / len(POSES)
    for k, (pose, key, scale) in enumerate(POSES):
        middle = left + step * (k + 0.5)
        size = side * scale
        box = Box(middle - size / 2, y + side - size, size, size)
        text = Label(c.words[key], middle, y + side + 15, "quiet", "middle")
        samples.append(Sample("pose", box, (text,), Cat(pose, 1, box)))
    y += side + 34
    for key in ("looks_right", "looks_left"):
        labels.append(Label(c.words[key], left, y, "quiet"))
        y += 17
    return y - 10
