"""A real training, watched into a folder: what comes back is what was seen, and it is reported."""

import pytest
import torch
from torch import nn
from watching.synthetic import same

import miya
from miya.errors import MiyaInputError, MiyaWarning
from miya.watching.reading import read_run
from miya.watching.report import report
from miya.watching.sinks import LiveSink, MemorySink, TensorBoardSink


def train(steps, *, rate=0.05, seed=0, **watched):
    """A classifier of 3 layers; gives its parameters after the training."""
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(8, 16), nn.ReLU(), nn.BatchNorm1d(16), nn.Linear(16, 4)
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)
    watch = miya.watch(model, optimizer, **watched) if watched else None
    for _ in range(steps):
        x = torch.randn(32, 8)
        loss = nn.functional.cross_entropy(model(x), x[:, :4].argmax(1))
        optimizer.zero_grad()
        loss.backward()
        if watch:
            watch.loss(loss)
        optimizer.step()
    if watch:
        watch.stop()
    return [p.detach().clone() for p in model.parameters()]


def test_the_folder_holds_what_was_seen(tmp_path):
    seen = MemorySink()
    train(41, every=4, run=tmp_path, sinks=[seen])
    read = list(read_run(tmp_path).records())
    assert [r.step for r in read] == list(range(1, 42, 4))
    assert all(same(a, b) for a, b in zip(read, seen.steps, strict=True))
    assert [n.layer for n in read[0].neurons] and read[0].neurons[0].pressure.shape == (16,)
    assert read[0].layers[0].kind == "Linear" and read[-1].loss < read[0].loss


def test_every_sink_together_leaves_the_training_as_it_is(tmp_path):
    from io import StringIO

    from rich.console import Console

    live = LiveSink(console=Console(file=StringIO(), force_terminal=True))
    sinks = [TensorBoardSink(tmp_path / "board"), live, MemorySink()]
    plain = train(30)
    watched = train(30, every=1, run=tmp_path / "run", sinks=sinks)
    assert all(torch.equal(a, b) for a, b in zip(plain, watched, strict=True))


def test_a_training_that_runs_away_is_reported(tmp_path):
    with pytest.warns(MiyaWarning, match="W705"):
        train(60, every=2, rate=1e12, run=tmp_path)
    run = read_run(tmp_path)
    assert run.findings()
    html = report(run)
    assert "it is no number any more" in html and "NaN or infinite" in html
    assert report(run, language="ja") != html


def test_two_trainings_in_one_folder_are_two_starts(tmp_path):
    for seed in range(2):
        train(9, every=4, run=tmp_path, seed=seed)
    first, second = (list(read_run(tmp_path, start=k).records()) for k in range(2))
    assert [r.step for r in first] == [r.step for r in second] == [1, 5, 9]
    assert first[0].loss != second[0].loss


def test_a_folder_of_another_version_is_refused_before_the_loop(tmp_path):
    (tmp_path / "meta.json").write_text('{"format": 2, "starts": {}}')
    with pytest.raises(MiyaInputError, match=r"^E740 .* of format 2; "):
        train(3, run=tmp_path)


def test_a_full_disk_does_not_stop_the_training(tmp_path, monkeypatch):
    from pathlib import Path

    real = Path.write_bytes

    def full(path, content):
        if "rank=" in str(path):
            raise OSError(28, "No space left on device")
        return real(path, content)

    plain = train(30)
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.warns(MiyaWarning) as caught:
        watched = train(30, every=1, run=tmp_path)
    assert [str(w.message)[:4] for w in caught] == ["W743"]
    assert all(torch.equal(a, b) for a, b in zip(plain, watched, strict=True))
