"""The blame of every example, by several processes: as by one; and where one of them is lost."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from distributed.blames import BATCH, COUNT, blame
from distributed.processes import Lost, work_together

from miya.per_example.share import Share


def same(found, whole):
    columns, ranking, top, count, _ = found
    expected, order, best, _, _ = whole
    assert count == COUNT and ranking == order
    assert set(columns) == set(expected)
    for name, values in expected.items():
        if name == "residual":  # of the size of rounding itself
            np.testing.assert_allclose(columns[name], values, atol=1e-13)
        else:
            np.testing.assert_allclose(columns[name], values, rtol=1e-10, atol=1e-15, err_msg=name)
    for (a, weights, neurons), (b, others, again) in zip(top, best, strict=True):
        assert a == b and [n for n, _ in neurons] == [n for n, _ in again]
        assert [n for n, _ in weights] == [n for n, _ in others]
        assert [v for _, v in weights] == pytest.approx([v for _, v in others], rel=1e-10)


def examples_of(out):
    return pq.read_table(out).sort_by("example")["example"].to_pylist()


@pytest.mark.parametrize(
    ("world", "kind", "options"),
    [
        (2, "ddp", (("adam", True),)),
        (4, "ddp", (("drop", True),)),
        (2, "fsdp", ()),
        (4, "fsdp", ()),
    ],
)
def test_several_processes_measure_what_one_does(world, kind, options, tmp_path):
    (whole,) = work_together(1, blame, kind, tmp_path / "whole", options)
    found = work_together(world, blame, kind, tmp_path / "out", options)
    for one in found:
        same(one, whole)
    assert examples_of(tmp_path / "out") == list(range(COUNT))
    assert not list((tmp_path / "out").glob(".*.tmp"))


def test_every_process_measures_its_own_examples():
    class Data:
        examples, batch_size = COUNT, BATCH

    for world in (1, 2, 3, 4, 7, 100):
        spans = [Share(rank, world).span(Data) for rank in range(world)]
        assert [k for a, b in spans for k in range(a, b)] == list(range(COUNT))
        assert all(a % BATCH == 0 or a == COUNT for a, _ in spans)
        batches = [-(-(b - a) // BATCH) for a, b in spans]
        assert max(batches) - min(batches) <= 1


def test_a_lost_process_is_an_error_and_others_go_on(tmp_path):
    (whole,) = work_together(1, blame, "one", tmp_path / "whole")
    out = tmp_path / "out"
    first = work_together(2, blame, "ddp", out, (), 36)  # the second process's fourth batch
    assert isinstance(first[1], Lost)
    kind, said = first[0]
    assert kind == "MiyaInputError"
    assert said.startswith("E783 another process was lost: Connection closed by peer [127.0.0.1]:")
    assert said.endswith(
        ". What was measured is safe: run it again with the same out, with as many processes as there "
        "are, and it goes on"
    )
    there = examples_of(out)
    assert there == [*range(24), *range(24, 36)]
    before = {file: file.read_bytes() for file in out.glob("*.parquet")}
    again = work_together(3, blame, "ddp", out)
    for one in again:
        same(one, whole)
    assert examples_of(out) == list(range(COUNT))
    assert all(file.read_bytes() == text for file, text in before.items())
    # the first batch, which must be the same, and the three most blamed, which are shown
    assert [len(one[4]) for one in again[:2]] == [BATCH + 3] * 2
    assert sorted(set(again[2][4]) - set(again[0][4])) == sorted(
        set(range(36, COUNT)) - set(again[0][4])
    )


def test_one_process_goes_on_where_several_were_stopped(tmp_path):
    (whole,) = work_together(1, blame, "one", tmp_path / "whole")
    out = tmp_path / "out"
    work_together(2, blame, "one", out, (), 12)  # the first process's fourth batch
    assert examples_of(out) == [*range(12), *range(24, COUNT)]
    (again,) = work_together(1, blame, "one", out)
    same(again, whole)


@pytest.mark.parametrize(
    ("out", "options", "said"),
    [
        (
            False,
            (),
            "E781 2 processes measure the examples together, and out is not given. Give out=, a "
            "folder that all of them reach; each writes its own files there",
        ),
        (
            True,
            (("stream", True),),
            "E782 2 processes cannot share this data: its examples cannot be asked for by their "
            "position. Give tensors, a Dataset, or a DataLoader in its order without a "
            "DistributedSampler: blame_examples shares the examples out itself",
        ),
    ],
)
def test_what_cannot_be_shared_is_refused(out, options, said, tmp_path):
    found = work_together(2, blame, "one", tmp_path if out else None, options)
    assert found == [("MiyaInputError", said)] * 2
