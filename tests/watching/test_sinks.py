"""TensorBoard, Weights & Biases, the live view and the memory: what they are given is shown."""

import io
import math
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from watching.synthetic import FINDING, LAYERS, record

from miya.errors import MiyaInputError, MiyaOutputError
from miya.watching.records import GroupRecord, LayerRecord, StepRecord
from miya.watching.sinks import LiveSink, MemorySink, TensorBoardSink, WandbSink, live
from miya.watching.sinks.scalars import scalars
from miya.watching.words import told


def small(step, **changes):
    """A step with one layer and few numbers."""
    layer = LayerRecord("fc", "Linear", gradient=0.5, dead=0.25)
    group = GroupRecord(1, 2, 0.01, None, 0.125, 8.0)
    values = {"loss": 2.5, "predicted": None, "real": -0.5}
    return StepRecord(
        step,
        1.0,
        **(values | changes),
        examples=4,
        skipped=False,
        layers=(layer,),
        groups=(group,),
    )


NAMED = {
    "loss": 2.5,
    "real": -0.5,
    "gradient/fc": 0.5,
    "dead/fc": 0.25,
    "group 1.2/learning_rate": 0.01,
    "group 1.2/step": 0.125,
    "group 1.2/weight": 8.0,
}


def test_what_was_measured_has_a_name_and_nothing_else():
    assert dict(scalars(small(1))) == NAMED
    whole = dict(scalars(record(1)))
    filled = [v for v in vars(record(1).layers[0]).values() if isinstance(v, float)]
    assert len(whole) == 3 + len(LAYERS) * len(filled) + 4
    assert whole["noise/fc1"] == record(1).layers[2].noise


def test_tensorboard_shows_every_number(tmp_path):
    sink = TensorBoardSink(tmp_path)
    sink.step(small(1))
    sink.step(small(11, loss=math.inf, real=-math.inf))
    sink.finding(FINDING)
    sink.close()
    read = EventAccumulator(str(tmp_path))
    read.Reload()
    assert set(read.Tags()["scalars"]) == {f"miya/{name}" for name in NAMED}
    for name, value in NAMED.items():
        first, second = read.Scalars(f"miya/{name}")
        assert (first.step, second.step) == (1, 11)
        assert first.value == pytest.approx(value, rel=1e-7)
    assert [e.value for e in read.Scalars("miya/loss")] == [2.5, math.inf]
    (text,) = read.Tensors("miya/findings/dead_neurons")
    assert text.step == 300
    assert text.tensor_proto.string_val[0].decode() == told(FINDING).statement


def test_tensorboard_refuses_a_folder_that_it_cannot_write(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(MiyaOutputError) as caught:
        TensorBoardSink(tmp_path / "file" / "run")
    assert str(caught.value) == (
        f"E741 cannot write the folder {tmp_path / 'file' / 'run'}: Not a directory. Choose a "
        "folder that may be written"
    )


@pytest.mark.parametrize(
    "make, package",
    [(lambda: TensorBoardSink("x"), "tensorboard"), (WandbSink, "wandb")],
    ids=["tensorboard", "wandb"],
)
def test_a_missing_package_is_named(make, package, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MiyaInputError) as caught:
        make()
    assert str(caught.value) == (
        f"E640 this sink needs the {package} package. Install it with: pip install "
        f'"miya[{package}]"'
    )


class Run:
    """What WandbSink uses of a wandb run."""

    def __init__(self):
        self.logged, self.metrics, self.summary, self.finished = [], [], {}, False

    def log(self, data):
        self.logged.append(data)

    def define_metric(self, name, step_metric=None):
        self.metrics.append((name, step_metric))

    def finish(self):
        self.finished = True


def test_wandb_is_offline_and_closed(monkeypatch):
    run, asked = Run(), []
    wandb = SimpleNamespace(init=lambda **options: asked.append(options) or run)
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    sink = WandbSink(project="mine", folder="here")
    assert asked == [{"project": "mine", "dir": "here", "mode": "offline"}]
    sink.step(small(11))
    sink.finding(FINDING)
    sink.close()
    assert run.logged == [{"miya/step": 11} | {f"miya/{k}": v for k, v in NAMED.items()}]
    assert run.metrics == [("miya/step", None), ("miya/*", "miya/step")]
    assert run.summary == {"miya/findings": [told(FINDING).statement]}
    assert run.finished


def test_a_run_of_the_users_own_stays_open():
    run = Run()
    sink = WandbSink(run)
    sink.step(small(1))
    sink.close()
    assert len(run.logged) == 1 and not run.finished


def screen(width=100, terminal=True):
    return Console(
        file=io.StringIO(), width=width, force_terminal=terminal, color_system=None, height=60
    )


def shown(sink, width=100):
    console = screen(width)
    sink.console = console
    console.print(sink.view())
    return console.file.getvalue()


def test_the_live_view_shows_loss_layers_and_findings():
    sink = LiveSink(console=screen())
    sink.step(record(1, loss=3.5))
    sink.step(record(11, loss=0.25))
    lines = shown(sink).splitlines()
    assert lines[0] == "(=^.^=) step 11   loss 0.25"
    assert lines[1] == "█▁"
    for layer in record(11).layers:
        line = next(text for text in lines if f" {layer.layer} " in text)
        assert f"{layer.relative_step:.3g}" in line and f"{layer.dead:.0%}" in line
    sink.finding(FINDING)
    text = " ".join(shown(sink).split())
    assert text.startswith("(=O.O=)")
    assert f"! {' '.join(told(FINDING).statement.split())}" in text
    sink.close()


def test_the_bar_is_the_step_on_a_log_scale():
    bars = [1e-6, 1e-3, 1.0, 50.0, 0.0, math.nan, None]
    layers = [LayerRecord("a", "Linear", relative_step=v) for v in bars]
    found = [live._bar(layer).count("█") for layer in layers]
    assert found == [0, 5, 10, 10, 0, 10, 0]


def test_what_is_not_finite_is_a_cross_in_the_curve():
    assert live.curve([0.0, 7.0, math.nan, 1.0], 10) == "▁█×▂"
    assert live.curve([5.0, 5.0], 10) == "▁▁"
    assert live.curve([math.nan], 10) == "×"
    assert live.curve([1.0, 2.0, 3.0], 2) == "▁█"


def test_many_layers_are_those_that_move_most():
    many = [(f"layer{k}", "Linear") for k in range(40)]
    sink = LiveSink(console=screen(), layers=5)
    last = record(1, layers=many)
    sink.step(last)
    text = shown(sink)
    largest = sorted(last.layers, key=lambda v: -v.relative_step)[:5]
    assert all(f" {v.layer} " in text for v in largest)
    assert "35 more layers" in text and text.count(" layer") == 5 + 2  # the head, and "more layers"


@pytest.mark.parametrize("width", [32, 50, 64, 80, 120])
def test_no_line_is_wider_than_the_terminal(width):
    sink = LiveSink(console=screen(width))
    sink.step(record(1, layers=[("transformer.h.0.attn.c_attn", "Linear")]))
    assert all(len(line) <= width for line in shown(sink, width).splitlines())


def test_names_are_text_in_the_terminal():
    sink = LiveSink(console=screen())
    sink.step(record(1, layers=[("[red]x[/red]", "Linear"), ("\x1b[31m", "Linear")]))
    text = shown(sink)
    assert "[red]x[/red]" in text and "\x1b[31m" not in text and "\\x1b[31m" in text


def test_a_terminal_is_drawn_twice_a_second_and_another_place_once(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    for terminal, expected in ((True, 5), (False, 0)):
        sink = LiveSink(console=screen(terminal=terminal))
        drawn = []
        monkeypatch.setattr(sink, "_draw", lambda drawn=drawn: drawn.append(now[0]))
        now[0] = 0.0
        for step in range(200):
            now[0] = step * 0.0125
            sink.step(small(step + 1))
        assert len(drawn) == expected
        sink.close()
        assert len(drawn) == expected + 1


def test_the_live_view_ends_with_the_newest_step():
    console = screen()
    sink = LiveSink(console=console)
    sink.step(small(1))
    sink.step(small(2))
    sink.close()
    assert "step 2   loss 2.5" in console.file.getvalue()
    assert not sink.begun


def test_the_live_view_speaks_japanese():
    sink = LiveSink(console=screen(), language="ja")
    sink.step(small(1, loss=None))
    text = shown(sink)
    assert "ステップ 1" in text and "損失 未指定" in text and "step" not in text


def test_memory_keeps_the_newest():
    sink = MemorySink(most=2)
    for step in (1, 2, 3):
        sink.step(small(step))
    sink.finding(FINDING)
    sink.close()
    assert [r.step for r in sink.steps] == [2, 3]
    assert list(sink.findings) == [FINDING] and sink.closed
    assert replace(sink.steps[0], step=3) == sink.steps[1]
