"""The page: what it says is what was written, and it stands by itself on any screen."""

import json
import math
import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from click.testing import CliRunner
from watching.synthetic import FINDING, LAYERS, record

from miya.cli import main
from miya.story.words import load
from miya.watching.reading import read_run
from miya.watching.records import Finding
from miya.watching.report import charts, report, scales, strips
from miya.watching.report.cats import carrying
from miya.watching.report.history import buckets, history, history_of, series
from miya.watching.report.worst import worst
from miya.watching.run_folder import META
from miya.watching.shown import short
from miya.watching.sinks import ParquetSink
from miya.watching.words import told

LATE = replace(FINDING, since=41, step=61)


def written(folder, records, findings=(), **options):
    sink = ParquetSink(folder, neurons=False, **options)
    for one in records:
        sink.step(one)
    for one in findings:
        sink.finding(one)
    sink.close()
    return read_run(folder)


def training(count=10, **changes):
    return [record(1 + 10 * k, **changes) for k in range(count)]


def words(html):
    """The text of a page, without its style."""
    body = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def numbers_of(html):
    return re.findall(r"-?\d[\d.e-]*", words(html))


# --- what is told


def test_the_page_says_what_was_written(tmp_path):
    steps = training()
    text = words(report(written(tmp_path / "first", steps, [LATE])))
    assert text.startswith("Training watched: first Training watched: first steps 1 – 91 steps")
    assert "steps watched 10" in text and "findings 1" in text
    assert told(LATE).statement in text
    assert "Found at step 61." in text
    assert "I found one thing worth a look. It holds since step 41." in text
    for layer, _ in LAYERS:
        assert layer in text


SILENT = {
    "cause": "unknown",
    "share": 0.47,
    "count": 47,
    "neurons": 100,
    "input_mean": -2.1,
    "bias_mean": -1.0,
    "negative": None,
    "relative_step": 0.1,
    "at": 1,
    "watched": 8,
}
FLAT = {
    "from": "later",
    "flat": 0.61,
    "saturated": 0.5,
    "activation": "tanh",
    "input_mean": 3.0,
    "watched": 5,
}
DRIFTED = {
    "bias_mean": 0.6,
    "moved": 0.5,
    "deviations": 4.0,
    "deviation": 0.1,
    "input_mean": 0.0,
    "watched": 20,
}
GROWN = {
    "what": "deltas",
    "start": "0",
    "end": "2",
    "layers": 4,
    "factor": 1e4,
    "each": 10.0,
    "watched": 5,
}
JUMPED = {"gradient": 3.0, "usual": 0.01, "factor": 300.0, "times": 2}


@pytest.mark.parametrize(
    "rule, facts, changes, language, said",
    [
        ("dead_neurons", SILENT, {"dead": 1.0}, "en", "47 % when it was found, 100 % at step 91"),
        ("saturated", FLAT, {"flat": 0.05}, "en", "61 % when it was found, 5.0 % at step 91"),
        (
            "dead_neurons",
            SILENT,
            {"dead": 1.0},
            "ja",
            "見つかったとき 47 %、最後に見たステップ 91 で 100 %",
        ),
        (
            "dead_neurons",
            SILENT,
            {"dead": math.nan},
            "en",
            "47 % when it was found, 2.0 % at step 81",
        ),
        ("dead_neurons", SILENT, {"dead": None}, "en", "47 % when it was found, 2.0 % at step 81"),
    ],
)
def test_a_share_is_told_as_it_went_on(tmp_path, rule, facts, changes, language, said):
    """The last step's is another; one that was not measured there, or was no number, is left out."""
    steps = training()
    last = [replace(a, **changes) if a.layer == "fc1" else a for a in steps[-1].layers]
    steps[-1] = replace(steps[-1], layers=tuple(last))
    run = written(tmp_path, steps, [Finding(rule, "fc1", 41, 1, facts)])
    assert said in words(report(run, language=language))


@pytest.mark.parametrize(
    "finding",
    [
        Finding("dead_neurons", "fc1", 91, 41, SILENT),  # found in the last step
        Finding("dead_neurons", "gone", 41, 1, SILENT),
        Finding("gradient_spikes", "fc1", 41, 1, JUMPED),
    ],
)
def test_where_nothing_went_on_nothing_is_said(tmp_path, finding):
    assert "How it went on" not in words(report(written(tmp_path, training(), [finding])))


def test_a_layer_whose_name_is_a_number_is_told_with_its_kind(tmp_path):
    steps = training(layers=[("0", "Conv2d"), ("2", "Linear")])
    found = [
        Finding("gradient_spikes", "2", 41, 1, JUMPED),
        Finding("bias_drift", "2", 41, 1, DRIFTED),
        Finding("exploding", "2", 41, 1, GROWN),
    ]
    text = words(report(written(tmp_path, steps, found)))
    assert "2 (Linear): its gradient jumped to 3" in text and "by 0.5 to 0.6" in text
    # among the findings, and in the story
    assert text.count("2 (Linear): the mean of its bias has moved") == 2
    assert "from 0 (Conv2d) to 2 (Linear)" in text


def test_a_run_without_findings_says_so(tmp_path):
    text = words(report(written(tmp_path, training(3))))
    assert "No rule found anything." in text
    assert "I watched every layer and found nothing to worry about." in text


def test_the_page_is_in_the_language_asked_for(tmp_path):
    run = written(tmp_path, training(), [LATE])
    html = report(run, language="ja")
    assert '<html lang="ja">' in html
    text = words(html)
    assert "最も悪いステップの物語" in text and "所見" in text
    for english in ("step ", "layer", "Findings", "loss", "gradient"):
        assert english not in text.replace("relative_step", "").replace("Dead neurons", "")


@pytest.mark.parametrize("missing", ["loss", "predicted", "real", "layers", "all"])
def test_what_was_not_measured_is_left_out(tmp_path, missing):
    changes = {"layers": {"layers": ()}, "all": {"loss": None, "predicted": None, "real": None}}
    steps = [replace(r, **changes.get(missing, {missing: None})) for r in training()]
    if missing == "all":
        steps = [replace(r, layers=()) for r in steps]
    text = words(report(written(tmp_path, steps)))
    assert ("The loss was not given to the watch." in text) == (missing in ("loss", "all"))
    assert ("No numbers of single layers were written." in text) == (missing in ("layers", "all"))
    assert ("real, on the same batch" in text) == (missing not in ("real", "all"))


def test_one_step_is_enough(tmp_path):
    html = report(written(tmp_path, training(1)))
    assert "steps watched 1" in words(html)
    assert not re.search(r"\bnan\b|inf", html.split("</style>")[1].lower().replace("info", ""))


def test_names_are_text(tmp_path):
    name = '</svg><script>alert("x")</script>\u202e'
    steps = training(3, layers=[(name, "<b>")])
    odd = Finding("<i>rule", name, 11, 11, {"<u>": "<img src=x onerror=alert(1)>"})
    html = report(written(tmp_path / "<run>", steps, [odd]))
    assert "<script" not in html and "<img" not in html and "<i>rule" not in html
    assert "\u202e" not in html and "U+202E" in html


def test_lost_ranks_and_other_starts_are_told(tmp_path):
    written(tmp_path, training(2))
    written(tmp_path, training(5))
    written(tmp_path, [replace(r, rank=1) for r in training(3)], rank=1, start=1)
    text = words(report(read_run(tmp_path)))
    assert "2 ranks, shown as one: the loss is the mean of theirs." in text
    assert "Rank 1 wrote its last step at 21; others went on to 41." in text
    assert "This is start 1; the folder holds 2 starts of the training." in text


@pytest.mark.parametrize("language", ["en", "ja"])
def test_ranks_that_wrote_nothing_are_told(tmp_path, language):
    written(tmp_path, training(3))
    meta = json.loads((tmp_path / META).read_text())
    said = {
        "en": "Of the 4 ranks that trained together only rank 0 has written",
        "ja": "4 個のランク",
    }
    assert said[language] not in words(report(read_run(tmp_path), language=language))
    meta["starts"]["0"]["ranks"] = 4
    (tmp_path / META).write_text(json.dumps(meta))
    assert said[language] in words(report(read_run(tmp_path), language=language))


# --- the worst step


def chosen(steps, findings=()):
    found = worst(history(steps), findings)
    return found.why, int(history(steps).steps[found.k])


def test_the_worst_step_is_the_first_without_a_finite_number():
    steps = training()
    steps[6] = replace(steps[6], loss=math.nan)
    steps[8] = replace(steps[8], loss=math.inf)
    assert chosen(steps, [LATE]) == ("broken", 61)
    layer = replace(steps[3].layers[2], gradient=math.inf, nonfinite="gradient")
    steps[3] = replace(steps[3], layers=(*steps[3].layers[:2], layer, steps[3].layers[3]))
    assert chosen(steps) == ("broken", 31)
    steps[3] = replace(steps[3], skipped=True)
    assert chosen(steps) == ("broken", 61), "the scaler's doing is no fault"


def test_the_worst_step_is_where_the_first_finding_begins():
    later = replace(LATE, since=71, step=50)
    assert chosen(training(), [later, LATE]) == ("finding", 41)
    assert chosen(training(), [replace(LATE, since=42)]) == ("finding", 51)
    assert chosen(training(), [replace(LATE, since=999)]) == ("finding", 91)


def test_the_worst_step_raised_its_own_loss_most_where_that_is_known():
    steps = training()
    steps[2] = replace(steps[2], real=0.5)
    steps[7] = replace(steps[7], real=0.25, loss=9.0)
    assert chosen(steps) == ("real", 21)
    assert chosen([replace(r, real=-0.1 - r.step) for r in steps]) == ("real_fall", 1)


def test_otherwise_the_loss_rose_after_it():
    losses = [5.0, 4.0, 4.5, 3.0, 3.9, 3.8, None, 9.0]
    steps = [replace(r, real=None, loss=v) for r, v in zip(training(8), losses)]
    assert chosen(steps) == ("rise", 31)
    falls = [replace(r, loss=v) for r, v in zip(steps, [9.0, 8.0, 7.9, 5.0])]
    assert chosen(falls) == ("fall", 11)
    assert chosen(steps[:1]) == ("fall", 1)


def test_the_story_tells_what_the_layers_did(tmp_path):
    steps = training()
    layers = list(steps[4].layers)
    layers[2] = replace(layers[2], relative_step=3.1, gradient=77.7, dead=0.41)
    steps[4] = replace(steps[4], layers=tuple(layers), real=3.39)
    text = words(report(written(tmp_path, steps)))
    usual = np.median([r.layers[2].relative_step for r in steps])
    assert "No step raised the loss of its own batch more than step 41: by 3.39" in text
    assert f"promised to change the loss by {steps[4].predicted:.3g}." in text
    assert "Really it changed by 3.39 on the same batch." in text
    assert f"fc1 took a step of 3.1 times the norm of its weights: {3.1 / usual:.0f} times" in text
    assert "The gradient of fc1 had a norm of 77.7:" in text
    assert (
        "In fc1 41 % of the neurons were silent on the whole batch; at the watched step before it were 2.0 %."
        in text
    )


def test_the_story_finds_where_a_nan_came_from(tmp_path):
    steps = training()
    layers = list(steps[5].layers)
    layers[1] = replace(layers[1], nonfinite="output")
    layers[2] = replace(layers[2], nonfinite="output")
    layers[3] = replace(layers[3], nonfinite="gradient")
    steps[5] = replace(steps[5], loss=math.nan, layers=tuple(layers))
    text = words(report(written(tmp_path, steps)))
    assert "At step 51 the loss is NaN: it is no number any more." in text
    assert "Not finite: the output of conv2, the first of 3 of 4 layers to meet it." in text
    assert "What follows is of step 41, the last watched one before it." in text
    assert f"promised to change the loss by {short(steps[4].predicted)}." in text
    assert short(steps[4].layers[2].gradient) in text


def plain(run):
    """A history as plain numbers; NaN as text."""
    layers = {
        layer: {m: (repr(s.values.tolist()), s.measured.tolist()) for m, s in found.items()}
        for layer, found in run.layers.items()
    }
    whole = {m: (repr(s.values.tolist()), s.measured.tolist()) for m, s in run.whole.items()}
    same = run.steps.tolist(), run.seconds.tolist(), run.skipped.tolist()
    return (*same, whole, layers, list(layers), dict(run.kinds), dict(run.nonfinite))


def test_columns_give_the_same_history_as_records(tmp_path):
    steps = training(30)
    steps[3] = replace(steps[3], loss=math.nan, real=None, skipped=True, layers=())
    odd = replace(steps[7].layers[1], nonfinite="output", dead=None, gradient=math.inf)
    late = replace(odd, layer="late", kind="GRU", nonfinite="")
    steps[7] = replace(steps[7], layers=(*steps[7].layers[:1], odd, *steps[7].layers[2:], late))
    run = written(tmp_path, steps)
    assert plain(history_of(run)) == plain(history(steps)) == plain(history(run.records()))
    bare = written(tmp_path / "bare", [replace(r, layers=()) for r in training(3)])
    assert plain(history_of(bare)) == plain(history(bare.records()))


# --- what is drawn


def test_bucket_edges_cover_every_step_once():
    for count in (1, 7, 120, 121, 1000):
        parts = buckets(count, 120)
        assert len(parts) == min(count, 120)
        assert [k for part in parts for k in range(count)[part]] == list(range(count))


def path_points(html, name="curve s0"):
    path = re.findall(rf'class="{name}" d="([^"]*)"', html)[-1]  # after its sample in the legend
    return [tuple(map(float, p.split())) for p in re.findall(r"[ML]([\d.]+ [\d.]+)", path)]


def test_a_line_keeps_every_peak():
    values = [1.0] * 5000
    values[1234], values[4001] = 9.0, 0.0
    steps = [replace(record(1, layers=()), step=k + 1, loss=v) for k, v in enumerate(values)]
    drawn = path_points(charts.chart(history(steps), "t", [charts.Line("l", series(values))]))
    assert len(drawn) <= 2 * charts.POINTS
    heights = [y for _, y in drawn]
    assert min(heights) == pytest.approx(0.0, abs=0.01) and max(heights) == pytest.approx(100.0)
    peak = min(drawn, key=lambda p: p[1])
    assert peak[0] == pytest.approx(1234 / 4999 * 1000, abs=0.06)


def test_a_gap_and_what_is_not_finite_break_the_line():
    values = [1.0, 2.0, None, 3.0, math.nan, math.inf, 4.0]
    run = history([replace(record(1, layers=()), step=k + 1) for k in range(7)])
    html = charts.chart(run, "t", [charts.Line("l", series(values))])
    path = re.findall(r'class="curve s0" d="([^"]*)"', html)[-1]
    assert re.sub(r"[\d. ]", "", path) == "MhLMhMh"
    (crosses,) = re.findall(r'class="cross s0" d="([^"]*)"', html)
    assert crosses.count("l8 5") == 1 and crosses.endswith(f"H{5 / 6 * 1000:.1f}")


@pytest.mark.parametrize(
    "values, log, low, high",
    [
        ([1.0, 2.0], False, 0.0, 2.0),
        ([-3.0, 2.0], False, -3.0, 2.0),
        ([0.01, 2.0], True, -2, 1),
        ([0.0, 2.0], False, 0.0, 2.0),
        ([5.0], False, 0.0, 5.0),
        ([0.0], False, -1.0, 1.0),
        ([], False, -1.0, 1.0),
        ([1e-30, 1.0], True, -30, 0),
        ([5e-324, 1.0], True, -300, 0),
        ([1e308, 1.7e308, 1.0], True, 0, 308),
        ([-1.7e308, 1.7e308], False, -1e300, 1e300),
    ],
)
def test_the_axis(values, log, low, high):
    made = scales.axis(np.array(values))
    assert (made.log, made.low, made.high) == (log, low, high)
    assert 2 <= len(made.ticks) <= 8
    places = [made.at(t) for t in made.ticks]
    assert places == sorted(places) and all(0 <= p <= 1 for p in places)
    if log:
        assert made.at(10.0**high) == 1.0 and made.at(10.0**low) == 0.0
        assert made.at(10.0 ** ((low + high) / 2)) == pytest.approx(0.5)


def test_numbers_of_both_signs_with_an_outlier_stand_on_a_signed_log_scale():
    values = np.array([-0.02, 0.01, -0.01, 0.03, 1e6])
    made = scales.axis(values)
    assert (made.log, made.unit) == (False, 0.01)
    places = made.place(np.sort(values))
    assert list(places) == sorted(places) and places[0] == 0.0 and places[-1] == 1.0
    assert places[1] - places[0] > 0.01, "the small ones are told apart"
    size = math.log10(1 + 1e6 / 0.01) + math.log10(3)
    assert made.at(0.0) == pytest.approx(math.log10(3) / size, rel=1e-12)
    assert made.ticks == pytest.approx((0.0, 10.0, 1e4))


def cells(html, layer):
    """The classes of a row of a strip, one a column."""
    row = next(r for r in html.split('class="row"') if f'title="{layer}"' in r)
    wide = int(re.search(r'viewBox="0 0 (\d+) 1"', row)[1])
    found = [None] * wide
    for name, path in re.findall(r'<path class="(\w+)" d="([^"]*)"', row):
        for start, length in re.findall(r"M(\d+) 0h(\d+)v1h-\d+z", path):
            for k in range(int(start), int(start) + int(length)):
                assert found[k] is None
                found[k] = name
    return found


SAID = load("en")["watch_report"]


def strip_of(values, measure, layer="fc1"):
    steps = []
    for k, value in enumerate(values):
        one = record(1, layers=[(layer, "Linear"), ("other", "Linear")])
        changed = replace(one.layers[0], **{measure: value})
        steps.append(replace(one, step=k + 1, layers=(changed, one.layers[1])))
    return strips.strips(history(steps), measure, SAID, [])


def test_a_strip_colours_each_step():
    dead = [0.0, 0.01, 0.25, 1.0, None, math.nan]
    assert cells(strip_of(dead, "dead"), "fc1") == ["h0", "h0", "h4", "h8", "hn", "hx"]
    steps = [1e-9, 1e-6, 1e-3, 1.0, 100.0, 3e-3]
    assert cells(strip_of(steps, "relative_step"), "fc1") == ["d0", "d0", "d4", "d8", "d8", "d5"]


def test_an_outlier_does_not_take_the_scale():
    values = [0.01 * 1.02**k for k in range(100)] + [1e15]
    html = strip_of(values, "delta", layer="fc1")
    found = cells(html, "fc1")
    assert len(set(found)) > 3 and found[-1] == "h8"
    assert "≥ 1<" in html and "≤" not in html
    assert "≤ 0.01<" in strip_of([0.0, *values], "delta"), "0 is below any power of ten"


@pytest.mark.parametrize(
    "value, expected",
    [
        (None, "–"),
        (math.nan, "NaN"),
        (-math.inf, "-∞"),
        (0.0, "0"),
        (0.00012345, "0.000123"),
        (999999.0, "999999"),
        (1e6, "1e6"),
        (-1.3449e17, "-1.34e17"),
        (1e15, "1e15"),
        (5e-324, "5e-324"),
    ],
)
def test_numbers_are_short(value, expected):
    assert short(value) == expected


def test_a_column_of_many_steps_shows_the_largest():
    values = [0.0] * 1000
    values[503] = 1.0
    values[903] = math.inf
    found = cells(strip_of(values, "dead"), "fc1")
    assert len(found) == strips.COLUMNS
    assert found.count("h8") == 1 and found.index("h8") == 60
    assert found.count("hx") == 1 and found.index("hx") == 108


def test_of_many_layers_those_with_findings_are_shown():
    many = [f"l{k}" for k in range(500)]
    kept = strips.shown(many, ["l77", "l401"])
    assert len(kept) == strips.ROWS and {"l77", "l401", "l0", "l499"} <= set(kept)
    assert kept == sorted(kept, key=lambda name: int(name[1:]))
    assert strips.shown(many[:60], []) == many[:60]


def test_what_all_names_begin_with_is_left_out_of_them():
    assert strips.common(["a.b.c", "a.b.d", "a.b.e.f"]) == "a.b."
    assert strips.common(["a.b", "b.b"]) == strips.common(["a.b"]) == strips.common([]) == ""
    assert strips.common(["net.0", "net.0.x"]) == "net."


def test_miya_carries_sign_and_size():
    large, small, zero = carrying(-2.0, 2.0), carrying(0.02, 2.0), carrying(0.0, 2.0)
    radius = [float(re.search(r' r="([\d.]+)"', s)[1]) for s in (large, small, zero)]
    assert radius[0] > radius[1] > radius[2]
    assert 'class="parcel minus"' in large and 'class="parcel plus"' in small
    assert 'class="parcel none"' in zero and 'class="sign"' not in zero
    assert "scale(-" in large and "scale(-" not in small
    assert 'class="parcel none"' in carrying(math.nan, 2.0)


# --- on a screen


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    long = [(f"transformer.h.{k}.attn.c_proj", "Conv1D") for k in range(30)]
    steps = [replace(r, loss=math.nan if r.step > 700 else r.loss) for r in training(80)]
    deep = [replace(record(1, layers=long), step=k + 1) for k in range(150)]
    runs = [written(folder / "a", steps, [LATE, FINDING]), written(folder / "b", deep)]
    return [report(run, language=language) for run, language in zip(runs, ("en", "ja"))]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 800, 1280])
def test_the_page_fits_and_asks_for_nothing(pages, open_page, width, scheme):
    for html in pages:
        page = open_page(html, viewport={"width": width, "height": 800}, color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(OUTSIDE) == []
        assert page.evaluate(OVERLAPPING) == []
        assert page.evaluate("document.scripts.length") == 0


# texts of the plots that leave the page, or lie on each other
OUTSIDE = """[...document.querySelectorAll('.chart i, .flag, .ramp i, .strips span, .tiles dd')]
  .filter(e => { const b = e.getBoundingClientRect();
                 return b.left < 0 || b.right > innerWidth || b.height === 0 })
  .map(e => e.textContent)"""
OVERLAPPING = """[...document.querySelectorAll('.under, .left')].flatMap(group => {
  const boxes = [...group.children].map(e => [e.getBoundingClientRect(), e.textContent])
  return boxes.flatMap(([a, s], k) => boxes.slice(k + 1)
    .filter(([b]) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
    .map(([, t]) => [s, t])) })"""


def test_colours_follow_the_scheme_and_the_paper(pages, open_page):
    fills = {}
    for scheme in ("light", "dark"):
        page = open_page(pages[0], color_scheme=scheme)
        ramp = "[...document.querySelectorAll('.ramp rect')].map(e => getComputedStyle(e).fill)"
        fills[scheme] = page.evaluate(ramp)
        assert len(set(fills[scheme][:9])) == 9
        page.emulate_media(media="print")
        fills["print"] = page.evaluate(ramp)
    assert fills["light"] != fills["dark"] and fills["print"] == fills["light"]


# --- on the command line


def command(*arguments):
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


def test_the_command_writes_into_the_folder_or_where_it_is_told(tmp_path):
    run = written(tmp_path / "run", training(3))
    done = command(tmp_path / "run")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == f"miya: wrote {tmp_path / 'run' / 'report.html'}\n"
    assert (tmp_path / "run" / "report.html").read_text("utf-8") == report(run) + (
        "" if report(run).endswith("\n") else "\n"
    )
    done = command(tmp_path / "run", "-o", tmp_path / "x.html", "--language", "ja", "--start", 0)
    assert (done.exit_code, done.output) == (0, "")
    assert '<html lang="ja">' in (tmp_path / "x.html").read_text("utf-8")
    assert len(list(read_run(tmp_path / "run").records())) == 3, "the page is no part of the run"


@pytest.mark.parametrize(
    "options, said",
    [
        ([], "E744 {run} is no run folder"),
        (["--start", "5"], "E744 {run} is no run folder"),
    ],
)
def test_a_folder_that_is_none_is_one_message(tmp_path, options, said):
    done = command(tmp_path / "none", *options)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"miya: {said.format(run=tmp_path / 'none')}")
    assert done.stderr.count("\n") == 1
