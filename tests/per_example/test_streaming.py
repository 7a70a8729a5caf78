"""A data set goes by in any form; a run that was killed goes on, nothing lost or counted twice."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from per_example import zoo
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

import miya
from miya.errors import MiyaInputError
from miya.per_example import folder

CROSS = nn.CrossEntropyLoss()
COUNT = 23


def setting(count=COUNT):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 5)).double()
    return model, torch.randn(count, 4).double(), zoo.classes(count)


class Listed(Dataset):
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.y)

    def __getitem__(self, k):
        return self.x[k], self.y[k]


class Streamed(IterableDataset):
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __iter__(self):
        return zip(self.x, self.y)


FORMS = {
    "tensors": lambda x, y: (x, y),
    "arrays": lambda x, y: (x.numpy(), y.numpy()),
    "dataset": lambda x, y: Listed(x, y),
    "iterable dataset": lambda x, y: Streamed(x, y),
    "loader": lambda x, y: DataLoader(TensorDataset(x, y), batch_size=5),
    "loader of its own batches": lambda x, y: DataLoader(
        TensorDataset(x, y), batch_sampler=[[0, 1, 2], list(range(3, COUNT))]
    ),
    "list of batches": lambda x, y: [(x[:4], y[:4]), (x[4:], y[4:])],
    "generator": lambda x, y: ((x[k : k + 6], y[k : k + 6]) for k in range(0, COUNT, 6)),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_data_may_be(form):
    model, x, y = setting()
    losses, norms = zoo.singles(model, CROSS, x, y)
    found = miya.blame_examples(model, FORMS[form](x, y), CROSS, batch_size=7)
    assert len(found) == COUNT and len(found.shown) == 10
    assert found.values("loss") == pytest.approx(losses.numpy())
    assert found.values("2.weight") == pytest.approx(norms[:, 2].numpy(), rel=1e-10)
    best = found.top(1)[0]
    slopes = torch.autograd.grad(
        CROSS(model(x[best.example][None]), y[best.example][None]), list(model.parameters())
    )
    flat = torch.cat([s.flatten() for s in slopes])
    assert best.weights[0][1] == pytest.approx(float(flat[flat.abs().argmax()]))


def test_the_folder_holds_every_example_once_and_any_tool_reads_it(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "SECONDS", 0.0)
    model, x, y = setting()
    found = miya.blame_examples(model, (x, y), CROSS, out=tmp_path / "run", batch_size=4)
    parts = sorted((tmp_path / "run").glob("*.parquet"))
    assert [p.name for p in parts][:2] == [
        "examples-000000000000-000000000004.parquet",
        "examples-000000000004-000000000008.parquet",
    ]
    table = pq.read_table(tmp_path / "run")
    assert table["example"].to_pylist() == list(range(COUNT))
    assert table.column_names[:3] == ["example", "loss", "gradient"]
    names = [f"norm:{n}" for n, _ in model.named_parameters()]
    assert table.column_names[3:] == [*names, "neuron", "delta"]
    in_memory = miya.blame_examples(model, (x, y), CROSS, batch_size=4)
    for name in ("loss", "gradient", *(n for n, _ in model.named_parameters())):
        assert (found.values(name) == in_memory.values(name)).all()
    assert found.text() == in_memory.text()
    row = in_memory.top(1)[0]
    assert table["neuron"][row.example].as_py() == [n for n, _ in row.neurons]
    assert table["delta"][row.example].as_py() == [d for _, d in row.neurons]
    sizes = [abs(d) for _, d in row.neurons]
    assert sizes == sorted(sizes, reverse=True) and len(sizes) == 5


@pytest.mark.parametrize("form", ["tensors", "dataset", "loader", "iterable dataset"])
def test_a_run_that_was_stopped_goes_on_to_the_same_end(form, tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "SECONDS", 0.0)
    model, x, y = setting()
    whole = miya.blame_examples(model, FORMS[form](x, y), CROSS, batch_size=5)
    seen = []

    class Stop(BaseException):  # an error of the loss would be told, not passed on
        pass

    def stopping(output, target):
        seen.append(len(output))
        if len(seen) > 6:
            raise Stop
        return CROSS(output, target)

    with pytest.raises(Stop):
        miya.blame_examples(model, FORMS[form](x, y), stopping, out=tmp_path, batch_size=5)
    done = len(folder.parts_of(tmp_path))
    assert 0 < done < 5

    def going(output, target):
        return CROSS(output, target)

    going.__qualname__ = stopping.__qualname__
    found = miya.blame_examples(model, FORMS[form](x, y), going, out=tmp_path, batch_size=5)
    assert pq.read_table(tmp_path)["example"].to_pylist() == list(range(COUNT))
    assert found.values() == pytest.approx(whole.values(), rel=1e-14)
    assert [r.example for r in found.top()] == [r.example for r in whole.top()]
    assert all(r.weights for r in found.top())


KILLED = """
import sys, time
import torch
from torch import nn
from per_example.test_streaming import blame_all
from miya.per_example import folder
from miya.per_example.engine import Engine
folder.SECONDS, measure = 0.0, Engine.measure
def slowly(self, *args):
    time.sleep(0.3)
    return measure(self, *args)
Engine.measure = slowly
blame_all(sys.argv[1])
"""


def blame_all(out):
    model, x, y = setting(80)
    return miya.blame_examples(model, (x, y), CROSS, out=out, batch_size=4, optimizer="sgd")


def test_a_killed_process_loses_nothing(tmp_path):
    whole, cut = blame_all(tmp_path / "whole"), tmp_path / "cut"
    path = os.pathsep.join(str(p) for p in sys.path if p)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, cut], env={**os.environ, "PYTHONPATH": path}
    )
    limit = time.monotonic() + 120
    while len(list(cut.glob("*.parquet"))) < 3 and time.monotonic() < limit:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = {part: part.read_bytes() for part in cut.glob("*.parquet")}
    assert 3 <= len(kept) < 20
    assert all(pq.read_table(part).num_rows == 4 for part in kept)  # each is whole
    (cut / ".examples-x.parquet.tmp").write_text("half of a file")
    again = blame_all(cut)
    assert not list(cut.glob(".*.tmp")) and all(p.read_bytes() == b for p, b in kept.items())
    assert pq.read_table(cut).sort_by("example")["example"].to_pylist() == list(range(80))
    for name in whole.columns.names():
        one, other = whole.columns.column(name), again.columns.column(name)
        assert other == pytest.approx(one, rel=1e-12, abs=1e-18), name
    assert abs(again.residual) < 1e-9 * abs(again.real_change)


def test_a_finished_run_is_read_and_not_measured_again(tmp_path, monkeypatch):
    model, x, y = setting()
    one = miya.blame_examples(model, (x, y), CROSS, out=tmp_path)
    times = {p: p.stat().st_mtime_ns for p in tmp_path.iterdir() if p.name != ".lock"}
    again = miya.blame_examples(model, (x, y), CROSS, out=tmp_path)
    assert again.text() == one.text()
    assert times == {p: p.stat().st_mtime_ns for p in tmp_path.iterdir() if p.name != ".lock"}


def _other_model(model, x, y):
    with torch.no_grad():
        model[0].bias[0] += 1e-9
    return model, x, y


def _other_data(model, x, y):
    return model, x + 1e-9, y


@pytest.mark.parametrize(
    ("change", "what"), [(_other_model, "model"), (_other_data, "first batch")]
)
def test_a_folder_goes_on_with_nothing_else(change, what, tmp_path):
    model, x, y = setting()
    miya.blame_examples(model, (x, y), CROSS, out=tmp_path)
    model, x, y = change(model, x, y)
    with pytest.raises(MiyaInputError, match=f"E766 {tmp_path} was started with another {what}"):
        miya.blame_examples(model, (x, y), CROSS, out=tmp_path)


def test_other_options_of_a_folder_are_named(tmp_path):
    model, x, y = setting()
    miya.blame_examples(model, (x, y), CROSS, out=tmp_path)
    with pytest.raises(MiyaInputError) as caught:
        miya.blame_examples(model, (x, y), CROSS, out=tmp_path, seed=3)
    assert str(caught.value) == (
        f"E766 {tmp_path} was started with another seed: seed was 0, is 3. Go on with what it was "
        "started with, or name a fresh folder"
    )


def test_folders_that_cannot_be_gone_on_with(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "SECONDS", 0.0)
    model, x, y = setting()
    go = lambda: miya.blame_examples(model, (x, y), CROSS, out=tmp_path, batch_size=4)  # noqa: E731
    go()
    second = tmp_path / "examples-000000000004-000000000008.parquet"
    kept = second.read_bytes()
    second.unlink()
    with pytest.raises(MiyaInputError, match=r"E768 .* starts at example 8, where 4 was expected"):
        folder.Read(tmp_path)
    assert len(go()) == COUNT and second.read_bytes() == kept
    twice = tmp_path / "examples-000000000006-000000000008.parquet"
    twice.write_bytes(kept)
    with pytest.raises(MiyaInputError, match=r"E768 .* starts at example 6, where 8 was expected"):
        go()
    twice.unlink()
    other = folder.Folder(tmp_path, json.loads((tmp_path / "_manifest.json").read_text()))
    with pytest.raises(MiyaInputError, match=f"E767 another process is writing to {tmp_path}"):
        go()
    other.close()
    manifest = tmp_path / "_manifest.json"
    text = manifest.read_text()
    manifest.write_text(text.replace('"format": 1', '"format": 2'))
    with pytest.raises(MiyaInputError, match=r"was written in format 2; this version of Miya has"):
        go()
    manifest.write_text("{")
    with pytest.raises(MiyaInputError, match=r"E766 .* has no _manifest.json that can be read"):
        go()
    manifest.unlink()
    with pytest.raises(MiyaInputError, match=r"E768 .* holds examples and no _manifest.json"):
        go()


def test_a_disk_that_is_full_loses_no_part(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "SECONDS", 0.0)
    model, x, y = setting()
    write, calls = pq.write_table, []

    def full(table, path, **options):
        calls.append(path)
        if len(calls) == 3:
            path.write_text("a piece")
            raise OSError(28, "No space left on device")
        write(table, path, **options)

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(MiyaInputError, match=r"E508 cannot write .*: No space left on device"):
        miya.blame_examples(model, (x, y), CROSS, out=tmp_path, batch_size=4)
    assert not list(tmp_path.glob(".*.tmp"))
    monkeypatch.setattr(pq, "write_table", write)
    found = miya.blame_examples(model, (x, y), CROSS, out=tmp_path, batch_size=4)
    assert len(found) == COUNT == len(np.unique(pq.read_table(tmp_path)["example"]))
