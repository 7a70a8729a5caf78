"""Parquet: every number comes back, in every reader, and whatever becomes of the process."""

import math
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from dataclasses import fields, replace
from pathlib import Path

import duckdb
import numpy as np
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from watching.synthetic import FINDING, LAYERS, record, same

from miya.errors import MiyaInputError, MiyaWarning
from miya.watching import columns
from miya.watching.reading import read_run
from miya.watching.records import Finding, LayerRecord
from miya.watching.sinks import ParquetSink, parquet

HERE = Path(__file__).parents[1]


def written(folder, records, findings=(), **options):
    sink = ParquetSink(folder, **options)
    for one in records:
        sink.step(one)
    for one in findings:
        sink.finding(one)
    sink.close()
    return read_run(folder)


def odd(step):
    """A step with everything that is not a plain number."""
    whole = record(step, loss=math.nan, predicted=-math.inf, real=None, examples=None, skipped=True)
    bare = LayerRecord("bare 層\n", "Linear", has_gradient=False, frozen=True)
    numbers = [1e-320, 1 / 3, -0.0, 1.7976931348623157e308, math.inf, math.nan]
    layer = replace(whole.layers[0], **dict(zip(("gradient", "weight", "step"), numbers)))
    layer = replace(layer, **dict(zip(("delta", "dead", "noise"), numbers[3:])), nonfinite="output")
    neuron = replace(
        whole.neurons[0], pressure=np.array(numbers), gradient=np.array([]), mean=np.array([0.1])
    )
    return replace(whole, layers=(layer, bare), neurons=(neuron,), groups=())


def test_every_number_comes_back_as_it_was(tmp_path):
    made = [record(1), odd(11), record(21, neurons=0), record(31, layers=LAYERS[:1])]
    read = list(written(tmp_path, made).records())
    assert [r.step for r in read] == [1, 11, 21, 31]
    assert all(same(a, b) for a, b in zip(read, made))
    assert not same(read[0], replace(made[0], loss=made[0].loss + 1e-15))


def test_findings_come_back_as_they_were(tmp_path):
    odd_facts = Finding("r", "", 9, 2, {"nan": math.nan, "inf": -math.inf, "k": 3, "yes": True})
    read = written(tmp_path, [record(1)], [FINDING, odd_facts]).findings()
    assert read[1] == FINDING
    assert repr(read[0]) == repr(odd_facts)


def test_neurons_can_be_left_out(tmp_path):
    run = written(tmp_path, [record(1)], neurons=False)
    assert [r.neurons for r in run.records()] == [()]
    assert len(next(run.records()).layers) == len(LAYERS)


def test_every_field_has_a_column():
    for table, (kind, front) in columns.RECORDS.items():
        names = columns.schema(table).names
        assert len(set(names)) == len(names)
        own = {f.name for f in fields(kind)} - (columns.ELSEWHERE if table == "steps" else set())
        assert {n.replace("step_norm", "step") for n in names} == own | set(front)


READERS = {
    "pandas": lambda f, t: pandas.read_parquet(f / t),
    "polars": lambda f, t: polars.read_parquet(f / t / "**/*.parquet", hive_partitioning=True),
    "duckdb": lambda f, t: duckdb.sql(
        f"select * from read_parquet('{f / t}/**/*.parquet', hive_partitioning=true)"
    ).df(),
    "pyarrow": lambda f, t: pq.read_table(f / t),
}


@pytest.mark.parametrize("reader", READERS)
def test_other_programs_read_the_same(tmp_path, reader, monkeypatch):
    monkeypatch.setattr(parquet, "FULL_OTHERS", 2000)
    for start in range(2):
        made = [record(step, seed=start) for step in range(1, 40)]
        sink = ParquetSink(tmp_path)
        for one in made:
            sink.step(one)
            sink.flush()
        sink.finding(FINDING)
        sink.close()
    found = READERS[reader](tmp_path, "layers")
    got = {n: list(found[n].to_pylist() if reader == "pyarrow" else found[n]) for n in (
        "step", "layer", "gradient", "step_norm", "rank", "start"
    )}  # fmt: skip
    rows = [
        (r, layer)
        for s in range(2)
        for r in (record(step, seed=s) for step in range(1, 40))
        for layer in r.layers
    ]
    seen = sorted(zip(*got.values()), key=lambda row: (int(row[5]), row[0], row[1]))
    want = [(r.step, v.layer, v.gradient, v.step) for r, v in rows]
    assert [row[:4] for row in seen] == want
    assert {(int(row[4]), int(row[5])) for row in seen} == {(0, 0), (0, 1)}
    for table in ("steps", "neurons", "groups", "findings"):
        assert len(READERS[reader](tmp_path, table)) == {
            "steps": 78, "neurons": 78 * 4, "groups": 78, "findings": 2
        }[table]  # fmt: skip


def test_full_parts_are_left_and_the_next_begun(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "FULL", {})
    monkeypatch.setattr(parquet, "FULL_OTHERS", 3000)
    sink = ParquetSink(tmp_path)
    made = [record(step) for step in range(1, 61)]
    for one in made:
        sink.step(one)
        sink.flush()
    sink.close()
    parts = sorted((tmp_path / "layers/rank=0/start=0").iterdir())
    assert 5 < len(parts) < 60 and parts[0].name == "00000.parquet"
    assert all(same(a, b) for a, b in zip(read_run(tmp_path).records(), made, strict=True))


def test_parts_beyond_the_digits_of_their_names_stay_in_order(tmp_path):
    run = ParquetSink(tmp_path)
    run.close()
    place = run.run.place("steps")
    for number, step in ((99999, 1), (100000, 2)):
        table = columns.as_table("steps", columns.rows(record(step))["steps"])
        run.run.part("steps", number).write_bytes(parquet.parquet_bytes(table, packed=True))
    assert len(list(place.iterdir())) == 2
    assert [r.step for r in read_run(tmp_path).records()] == [1, 2]


def test_a_step_does_not_wait_for_the_files(tmp_path, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()
    real = parquet.parquet_bytes

    def slow(*args, **options):
        begun.set()
        assert go_on.wait(20)
        return real(*args, **options)

    sink = ParquetSink(tmp_path)
    monkeypatch.setattr(parquet, "parquet_bytes", slow)
    sink.step(record(1))
    assert begun.wait(20)
    for step in range(2, 100):
        sink.step(record(step))  # would hang here
    go_on.set()
    sink.close()
    assert [r.step for r in read_run(tmp_path).records()] == list(range(1, 100))


def test_what_waits_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "MOST_WAITING", 1000)
    monkeypatch.setattr(parquet, "INTERVAL", 1000)
    sink = ParquetSink(tmp_path)
    longest = 0
    for step in range(1, 200):
        sink.step(record(step))
        longest = max(longest, len(sink.waiting))
    assert longest < 12
    sink.close()
    assert len(list(read_run(tmp_path).records())) == 199


def run_apart(code, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *map(str, arguments)],
        cwd=HERE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


WRITE = """
    import sys, time
    from dataclasses import replace
    from watching.synthetic import record
    from miya.watching.sinks import ParquetSink
    class Told(ParquetSink):
        def flush(self):
            seen = self.waiting[-1].step if self.waiting else 0
            super().flush()
            print(seen, flush=True)
    sink = Told(sys.argv[1])
    made = [record(step) for step in range(1, 4)]
    for step in range(1, int(sys.argv[2])):
        sink.step(replace(made[step % 3], step=step))
        time.sleep(0.002)
"""


def test_it_is_written_more_than_once_a_second(tmp_path):
    assert parquet.INTERVAL <= 0.8
    sink = ParquetSink(tmp_path)
    sink.step(record(1))
    while not list(tmp_path.rglob("steps/**/*.parquet")):  # nobody asks for it
        time.sleep(0.01)
    sink.close()


@pytest.mark.parametrize("pause", [0.0, 0.11, 0.23, 0.37])
def test_a_killed_process_loses_only_what_was_not_flushed(tmp_path, pause):
    process = run_apart(WRITE, tmp_path, 10**9)
    flushed = [int(next(process.stdout)) for _ in range(3)]
    time.sleep(pause)
    process.send_signal(signal.SIGKILL)
    flushed += map(int, process.communicate()[0].split())
    for file in tmp_path.rglob("*.parquet"):
        pq.read_table(file)
    read = list(read_run(tmp_path).records())
    assert [r.step for r in read] == list(range(1, len(read) + 1)), "none lost in the middle"
    assert len(read) >= max(flushed) > 0
    assert all(len(r.layers) == len(r.neurons) == len(LAYERS) for r in read)


@pytest.mark.parametrize("writing", [5, 6])
def test_a_process_killed_while_it_writes_leaves_whole_files(tmp_path, writing):
    slow = WRITE.replace(
        "sink = Told",
        """from pathlib import Path
    real = Path.write_bytes
    def half(path, whole):
        real(path, whole[: len(whole) // 2])
        print("half", flush=True)
        time.sleep(0.2)
        real(path, whole)
    Path.write_bytes = half
    sink = Told""",
    )
    process = run_apart(slow, tmp_path, 10**9)
    halves = 0
    while halves < writing:  # half a file lies there now
        halves += next(process.stdout) == "half\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    for file in tmp_path.rglob("*.parquet"):
        pq.read_table(file)
    assert len(list(read_run(tmp_path).records())) > 0
    assert len(pandas.read_parquet(tmp_path / "layers")) > 0
    again = written(tmp_path, [record(1)])
    assert again.start == 1 and len(list(again.records())) == 1


def test_a_step_is_told_of_when_its_layers_are(tmp_path, monkeypatch):
    order = []
    real = parquet._Table.write
    monkeypatch.setattr(
        parquet._Table, "write", lambda t, *a, **o: (order.append(t.name), real(t, *a, **o))
    )
    written(tmp_path, [record(1)])
    assert sorted(order[:4]) == ["groups", "layers", "neurons", "steps"] and order[3] == "steps"


def test_a_process_that_ends_without_a_word_has_written_all(tmp_path):
    process = run_apart(WRITE, tmp_path, 50)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert [r.step for r in read_run(tmp_path).records()] == list(range(1, 50))


def test_a_fork_leaves_the_files_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "INTERVAL", 1000)
    sink = ParquetSink(tmp_path)
    sink.step(record(1))
    child = os.fork()
    if child == 0:
        sink.step(record(2))
        sink.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert not list(tmp_path.rglob("*.parquet"))
    sink.step(record(3))
    sink.close()
    assert [r.step for r in read_run(tmp_path).records()] == [1, 3]


FULL_DISK = Path("/dev/full")


@pytest.mark.parametrize("table", ["steps", "layers", "neurons"])
def test_a_full_disk_is_told_once_and_the_old_file_stays(tmp_path, table):
    sink = ParquetSink(tmp_path)
    sink.step(record(1))
    sink.flush()
    beside = sink.run.place(table) / ".00000.parquet.tmp"
    beside.symlink_to(FULL_DISK)  # whatever is written there meets a full disk
    sink.step(record(2))
    sink.flush()
    beside.unlink(missing_ok=True)
    beside.symlink_to(FULL_DISK)
    sink.flush()
    with pytest.warns(MiyaWarning) as caught:
        sink.step(record(3))
        sink.step(record(4))
    assert [str(w.message) for w in caught] == [
        f"W743 the run folder {tmp_path} cannot be written: No space left on device. What is "
        "watched from here on may be missing there; the training goes on"
    ]
    assert len(list(read_run(tmp_path).records())) >= 1
    beside.unlink(missing_ok=True)  # there is room again
    sink.close()
    assert [r.step for r in read_run(tmp_path).records()] == [1, 2, 3, 4]


def test_where_warnings_are_errors_nothing_is_raised(tmp_path, capsys):
    sink = ParquetSink(tmp_path)
    sink.fault = OSError(28, "No space left on device")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sink.step(record(1))
        sink.close()
    said = capsys.readouterr().err
    assert said.startswith(f"miya: W743 the run folder {tmp_path} cannot be written: No space")
    assert said.count("\n") == 1


def test_what_cannot_be_written_is_not_kept_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "FULL", {})
    monkeypatch.setattr(parquet, "FULL_OTHERS", 5_000)
    sink = ParquetSink(tmp_path)
    sink.step(record(1))
    sink.flush()

    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parquet, "parquet_bytes", full)
    with pytest.warns(MiyaWarning, match="W743"):
        for step in range(2, 60):
            sink.step(record(step))
            sink.flush()
            sizes = [t.held.nbytes for t in sink.tables.values()]
            assert max(sizes) < 10_000
        sink.close()
    assert [r.step for r in read_run(tmp_path).records()] == [1]


def test_a_fault_of_any_kind_is_a_warning(tmp_path):
    sink = ParquetSink(tmp_path)
    sink.finding(Finding("rule", "layer", 1, 1, {"strange": object()}))
    sink.flush()
    with pytest.warns(MiyaWarning, match="W743"):
        sink.step(record(1))
    sink.close()
    assert [r.step for r in read_run(tmp_path).records()] == [1]


def test_a_file_without_a_column_is_read_with_its_default(tmp_path):
    written(tmp_path, [record(1)])
    for table, gone in (("layers", "has_gradient"), ("layers", "noise"), ("neurons", "mean")):
        file = next((tmp_path / table).rglob("*.parquet"))
        old = pq.ParquetFile(file).read()
        pq.write_table(old.drop_columns([gone]), file)
    read = next(read_run(tmp_path).records())
    assert all(layer.noise is None and layer.has_gradient for layer in read.layers)
    assert all(n.mean.size == 0 and n.step.size == 4 for n in read.neurons)


def test_a_damaged_file_is_named(tmp_path):
    run = written(tmp_path, [record(1)])
    file = next((tmp_path / "layers").rglob("*.parquet"))
    file.write_bytes(file.read_bytes()[:300])
    with pytest.raises(MiyaInputError) as caught:
        list(run.records())
    said = str(caught.value)
    assert said.startswith(f"E746 {file} cannot be read: ")
    assert said.endswith(". The other files stand on their own: move it away to go without it")
    assert "\n" not in said
    file.unlink()
    assert [r.layers for r in run.records()] == [()]


def test_float32_numbers_take_half_the_room(tmp_path):
    values = np.random.default_rng(0).normal(size=20_000)
    sizes = []
    for name, numbers in (("wide", values), ("narrow", values.astype(np.float32).astype(float))):
        (tmp_path / name).write_bytes(parquet.parquet_bytes(pa.table({"v": numbers}), packed=True))
        assert pq.read_table(tmp_path / name)["v"].to_numpy().tolist() == numbers.tolist()
        sizes.append((tmp_path / name).stat().st_size)
    assert sizes[1] < 0.6 * sizes[0]
