"""Plots: what is drawn are the trace's numbers, told apart without colour, and files are whole."""

import io
import json
import re
import sys
import warnings

import matplotlib
import numpy as np
import pytest
from click.testing import CliRunner
from networks import description
from PIL import Image

import miya
from miya.analysis.history import history
from miya.cli import main
from miya.errors import MiyaInputError, MiyaWarning
from miya.read.run import read_run
from miya.render.plot import MOST_NEURONS, Plot, plot
from miya.render.plot_figure import COLOURS, DASHES, Line, Panel
from miya.render.steps import record

STEPS = 12


@pytest.fixture(scope="module")
def traces():
    return list(miya.train(description(5, sizes=[2, 3, 1], loss="squared_error"), steps=STEPS))


@pytest.fixture
def run_file(traces, tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text("".join(record(trace) + "\n" for trace in traces), "utf-8")
    return path


def drawn(panels):
    """The data of the lines that Matplotlib holds, by panel; the line at 0 has two points."""
    figure = Plot(panels).figure
    return [
        [np.array(line.get_xydata()) for line in axes.lines if line.get_label()[0] != "_"]
        for axes in figure.axes
    ]


def test_the_loss_drawn_is_the_loss_of_each_step(traces):
    ((line,),) = drawn(miya.plot(traces, what="loss").panels)
    assert line.tolist() == [[trace.number, trace.loss] for trace in traces]


def test_the_blame_drawn_is_what_blame_ranks_by(traces):
    (panel,) = miya.plot(traces, what="blame").panels
    (lines,) = drawn((panel,))
    by_label = {line.label: xy.tolist() for line, xy in zip(panel.lines, lines)}
    for k, trace in enumerate(traces):
        neurons = miya.blame(trace, measure="pressure").neurons
        expected = {f"δ{row.layer}[{row.index[0]}]": [trace.number, row.value] for row in neurons}
        assert {label: points[k] for label, points in by_label.items()} == expected


def test_sizes_are_lengths_of_gradient_and_change(traces):
    gradient, update = drawn(miya.plot(traces, what="sizes").panels)
    for lines, part in ((gradient, "gradient"), (update, "change")):
        for k, trace in enumerate(traces):
            for line, layer in zip(lines, trace.layers, strict=True):
                flat = [*getattr(layer.weight, part).ravel(), *getattr(layer.bias, part).ravel()]
                assert line[k, 1] == pytest.approx(sum(v * v for v in flat) ** 0.5, rel=1e-14)


def test_a_file_gives_what_its_traces_give(traces, run_file):
    from_file, from_traces = miya.plot(run_file), miya.plot(iter(traces))
    assert [p.title for p in from_file.panels] == [p.title for p in from_traces.panels]
    for one, other in zip(from_file.panels, from_traces.panels, strict=True):
        for a, b in zip(one.lines, other.lines, strict=True):
            assert (a.label, a.layer, a.place) == (b.label, b.layer, b.place)
            assert a.x.tolist() == b.x.tolist() and a.y.tolist() == b.y.tolist()


def test_the_command_plots_what_train_wrote(tmp_path):
    run, picture = tmp_path / "run.jsonl", tmp_path / "run.png"
    runner = CliRunner()
    assert runner.invoke(main, ["train", "--steps", "5", "-o", str(run)]).exit_code == 0
    done = runner.invoke(main, ["plot", str(run), "-o", str(picture), "--what", "loss"])
    assert (done.exit_code, done.output) == (0, "")
    with Image.open(picture) as image:
        assert image.size[0] > 1000


def test_layers_are_told_apart_without_colour(traces):
    for axes in miya.plot(traces).figure.axes[1:]:
        looks = {}
        for line in axes.lines:
            if line.get_label()[0] != "_":
                layer = re.search(r"\d", line.get_label()).group()
                looks.setdefault(layer, set()).add((line.get_color(), line._unscaled_dash_pattern))
        assert all(len(found) == 1 for found in looks.values())
        colours, dashes = zip(*(next(iter(found)) for found in looks.values()))
        assert len(set(colours)) == len(set(dashes)) == len(looks) == 2
    assert len(set(COLOURS)) == len(COLOURS) and len(set(map(str, DASHES))) == len(DASHES)


def test_neurons_of_a_layer_have_markers_of_their_own(traces):
    axes = miya.plot(traces, what="blame").figure.axes[0]
    markers = [line.get_marker() for line in axes.lines if line.get_label().startswith("δ1")]
    assert len(set(markers)) == len(markers) == 3


def test_axes_are_named_and_the_legend_stands_outside(traces):
    figure = miya.plot(traces).figure
    figure.draw_without_rendering()  # settles the layout
    assert len(figure.axes) == 4
    for axes in figure.axes:
        assert axes.get_title(loc="left") and axes.get_xlabel() == "step" and axes.get_ylabel()
        if axes.get_legend():
            legend = axes.get_legend().get_window_extent()
            assert legend.x0 >= axes.get_window_extent().x1
            assert legend.x1 <= figure.bbox.x1
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert "by pressure" in titles[1] and "gradient" in titles[2] and "update" in titles[3]


@pytest.mark.parametrize(
    ("values", "log"), [([9.0, 1.0], False), ([90.0, 1.0], True), ([90.0, 0.0], False)]
)
def test_a_log_scale_only_where_it_helps(values, log, traces):
    steps = [run_step_with_loss(trace, value) for trace, value in zip(traces, values)]
    found = plot(history(steps), what="loss")
    assert found.panels[0].log is log
    assert found.figure.axes[0].get_yscale() == ("log" if log else "linear")


def run_step_with_loss(trace, loss):
    from dataclasses import replace

    from miya.core.run import run_step

    return replace(run_step(trace), loss=loss)


def test_many_neurons_are_cut_to_the_most_pressed_and_it_says_so():
    traces = list(miya.train(description(5, sizes=[3, 12, 2]), steps=3))
    (panel,) = miya.plot(traces, what="blame").panels
    assert len(panel.lines) == MOST_NEURONS
    peaks = sorted(
        (
            max(abs(t.layers[k].delta.sum(0)[i]) for t in traces)
            for k, n in ((0, 12), (1, 2))
            for i in range(n)
        ),
        reverse=True,
    )
    assert (
        sorted((np.abs(line.y).max() for line in panel.lines), reverse=True) == peaks[:MOST_NEURONS]
    )
    shown = Plot((panel,)).figure.axes[0].get_legend().get_title().get_text()
    assert shown == panel.note == "top 8 of 14 by peak |δ|"


def test_one_step_is_a_point():
    ((line,),) = drawn(miya.plot(miya.train(steps=1), what="loss").panels)
    axes = miya.plot(miya.train(steps=1), what="loss").figure.axes[0]
    assert line.shape == (1, 2) and axes.lines[0].get_marker() == "o"


def test_files_are_of_their_kind_and_the_same_each_time(traces, tmp_path):
    for form, start in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        files = [tmp_path / f"{k}.{form}" for k in range(2)]
        for file in files:
            miya.plot(traces).save(file)
        one, other = (file.read_bytes() for file in files)
        assert one.startswith(start) and one == other


def test_the_text_of_the_svg_is_text(traces):
    svg = miya.plot(traces)._repr_svg_()
    assert svg.startswith("<svg") and "Blame by pressure" in svg and "layer 2: output" in svg


@pytest.mark.parametrize("label", ["$\\frac{$", "_hidden", "x" * 200, "<script>", "a\nb\u202e"])
def test_a_label_is_text(label):
    network = description(5, sizes=[1, 1], loss="squared_error")
    network["layers"][0]["name"] = label
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MiyaWarning)
        found = miya.plot(miya.train(network, steps=2), what="sizes")
        svg = found.svg()
    assert "<script>" not in svg
    label = found.panels[0].lines[0].label
    assert label.startswith("layer 1: ") and len(label) < 40 and label.isprintable()


def test_the_reader_s_own_settings_are_left_alone(traces):
    with matplotlib.rc_context({"text.usetex": True, "axes.grid": False, "font.size": 31}):
        before = dict(matplotlib.rcParams)
        found = miya.plot(traces, what="loss")
        assert found.svg() == miya.plot(traces, what="loss").svg()
        assert found.figure.axes[0].title.get_fontsize() < 20
        assert dict(matplotlib.rcParams) == before


def test_japanese_names_its_axes_or_says_which_font_is_missing(traces):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        svg = miya.plot(traces, language="ja").svg()
    assert "損失" in svg
    assert all("W641" in str(w.message) for w in caught)


def test_characters_that_no_font_has_are_told(traces):
    panel = Panel("\u0e01", "x", "y", (Line("a", np.array([1]), np.array([1.0])),), False)
    with pytest.warns(MiyaWarning, match="W641"):
        Plot((panel,)).png()


def lines_of(path):
    return path.read_text("utf-8").splitlines()


def edited(line, **changes):
    return json.dumps({**json.loads(line), **changes})


def without_change(line):
    data = json.loads(line)
    del data["layers"][0]["weight"]["change"]
    return json.dumps(data)


def reshaped(line):
    data = json.loads(line)
    data["layers"][1]["bias"]["gradient"] = [1, 2, 3]
    return json.dumps(data)


WRONG = {
    "cut": (lambda v: [v[0], v[1][:40]], 2, "E643", "not JSON"),
    "nan": (lambda v: [v[0].replace('"loss": ', '"loss": NaN, "was": ')], 1, "E643", "NaN"),
    "huge": (lambda v: [re.sub(r'"loss": [^,]+', '"loss": 1e999', v[0])], 1, "E643", "float64"),
    "text loss": (lambda v: [edited(v[0], loss="low")], 1, "E643", 'loss is "low"'),
    "true loss": (lambda v: [edited(v[0], loss=True)], 1, "E643", "loss is true"),
    "no layers": (lambda v: [edited(v[0], layers=[])], 1, "E643", "layers is"),
    "a layer of text": (lambda v: [edited(v[0], layers=["x"])], 1, "E643", "layers[0] has no"),
    "step 0": (lambda v: [edited(v[0], step=0)], 1, "E643", "step is 0"),
    "another object": (lambda v: ['{"a": 1}'], 1, "E643", "no step"),
    "a list": (lambda v: ["[1, 2]"], 1, "E643", "no step"),
    "deep": (lambda v: ["[" * 100_000], 1, "E643", "JSON"),
    "older": (lambda v: [without_change(v[0])], 1, "E643", "layers[0].weight has no change"),
    "shapes": (lambda v: [reshaped(v[0])], 1, "E643", "layers[1] do not fit"),
    "out of order": (lambda v: [v[0], v[2], v[1]], 3, "E644", "step 2 comes after step 3"),
    "twice": (lambda v: [*v[:2], *v[:2]], 3, "E644", "step 1 comes after step 2"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_line_is_named_with_its_number(name, run_file):
    spoil, number, code, told = WRONG[name]
    run_file.write_text("\n".join(spoil(lines_of(run_file))), "utf-8")
    with pytest.raises(MiyaInputError) as caught:
        miya.plot(run_file)
    assert caught.value.code == code and told in str(caught.value)
    assert caught.value.place == f"{run_file}:{number}" and caught.value.hint


def test_two_runs_in_one_file_are_refused(run_file):
    (other,) = miya.train(description(6, sizes=[2, 2, 1], loss="squared_error"), steps=1)
    line = edited(record(other), step=STEPS + 1)
    run_file.write_text("\n".join([*lines_of(run_file), line]), "utf-8")
    with pytest.raises(MiyaInputError, match=f"E644 .*:{STEPS + 1}: the layers of step"):
        list(read_run(run_file))


@pytest.mark.parametrize(
    ("content", "code"), [("", "E642"), ("\n\n", "E642"), ("title = 1\n", "E643"), (None, "E642")]
)
def test_a_file_that_is_no_run_is_refused_by_the_command(content, code, tmp_path):
    run, picture = tmp_path / "run.jsonl", tmp_path / "old.svg"
    picture.write_text("old")
    if content is not None:
        run.write_text(content)
    done = CliRunner().invoke(main, ["plot", str(run), "-o", str(picture)])
    assert done.exit_code == 2 and code in done.output and "run.jsonl" in done.output
    assert picture.read_text() == "old"


def test_a_folder_and_bytes_are_refused(tmp_path):
    with pytest.raises(MiyaInputError, match="E642"):
        miya.plot(tmp_path)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MiyaInputError, match=r"E643 .* not UTF-8"):
        miya.plot(tmp_path / "bytes")


@pytest.mark.parametrize("output", [["-o", "run.gif"], ["-o", "run"], []])
def test_the_ending_names_the_form(output, run_file):
    done = CliRunner().invoke(main, ["plot", str(run_file), *output])
    assert done.exit_code == 2 and "E646" in done.output and ".svg" in done.output


def test_nothing_to_plot_is_refused(traces):
    with pytest.raises(MiyaInputError, match="E645"):
        miya.plot([])
    with pytest.raises(MiyaInputError, match=r"E645 .*other layers"):
        miya.plot([*traces, *miya.train(steps=1)])
    with pytest.raises(MiyaInputError, match="E647"):
        miya.plot(traces, what="everything")


def test_without_matplotlib_the_message_names_the_extra(traces, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MiyaInputError, match=r'E640 .*pip install "miya\[plot\]"'):
        miya.plot(traces).svg()


def test_a_png_is_not_blank(traces):
    grey = np.asarray(Image.open(io.BytesIO(miya.plot(traces).png())).convert("L"))
    assert grey.min() < 50 and (grey > 250).mean() > 0.7
