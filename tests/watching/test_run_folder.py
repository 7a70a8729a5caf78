"""A run folder: its layout, what it refuses, and that ranks and starts find their places."""

import json

import pytest
from watching.synthetic import record

from miya.errors import MiyaInputError, MiyaOutputError
from miya.watching.records import FORMAT
from miya.watching.run_folder import META, open_run, ranks_of, read_meta
from miya.watching.sinks import ParquetSink


def refused(*args, **options):
    with pytest.raises(MiyaInputError) as caught:
        open_run(*args, **options)
    return str(caught.value)


def test_the_layout(tmp_path):
    sink = ParquetSink(tmp_path / "deep" / "run", rank=3)
    sink.step(record(1, rank=3))
    sink.close()
    files = {f.relative_to(tmp_path / "deep" / "run").as_posix() for f in tmp_path.rglob("*.*")}
    assert files == {
        "meta.json",
        *(f"{t}/rank=3/start=0/00000.parquet" for t in ("steps", "layers", "neurons", "groups")),
    }


def test_meta_says_who_wrote_it(tmp_path):
    import torch

    import miya

    sink = ParquetSink(tmp_path)
    sink.step(record(1))
    sink.close()
    meta = json.loads((tmp_path / META).read_text("utf-8"))
    start = meta["starts"]["0"]
    assert meta["format"] == FORMAT == 1
    assert start["miya"] == miya.__version__
    assert start["torch"] == torch.__version__
    assert start["layers"] == [
        ["conv1", "Conv2d"],
        ["conv2", "Conv2d"],
        ["fc1", "Linear"],
        ["fc2", "Linear"],
    ]


def test_a_second_start_appends(tmp_path):
    assert [open_run(tmp_path).start for _ in range(3)] == [0, 1, 2]
    assert list(read_meta(tmp_path)["starts"]) == ["0", "1", "2"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_ranks_join_the_newest_start_whoever_comes_first(tmp_path, order):
    for start in range(3):
        assert {open_run(tmp_path, rank=rank).start for rank in order} == {start}
    assert ranks_of(tmp_path) == dict.fromkeys(range(3), (0, 1, 2))


def test_a_start_that_is_known_is_taken(tmp_path):
    assert open_run(tmp_path, rank=5, start=4).start == 4
    assert open_run(tmp_path, rank=0).start == 4


def test_another_version_is_refused_with_its_number(tmp_path):
    (tmp_path / META).write_text('{"format": 7, "starts": {}}')
    said = (
        f"E740 {tmp_path} is a run folder of format 7; this version of Miya reads and writes "
        "format 1. Choose another folder, or the version of Miya that wrote it"
    )
    assert refused(tmp_path) == said
    assert not list(tmp_path.glob("*/")), "nothing is written into it"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "1"}', '{"format": 1}', '{"format": 1, "starts": [1]}']
)
def test_a_strange_meta_is_refused(tmp_path, text):
    (tmp_path / META).write_text(text)
    assert refused(tmp_path) == (
        f"E742 {tmp_path / META} is not what Miya writes. Choose another folder"
    )


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(MiyaOutputError) as caught:
        open_run(tmp_path / "file" / "run")
    assert str(caught.value) == (
        f"E741 cannot write the run folder {tmp_path / 'file' / 'run'}: a folder above it is a "
        "file. Choose a folder that may be written"
    )
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "run").write_text("mine")
    assert refused(tmp_path / "run") == (
        f"E741 cannot write the run folder {tmp_path / 'run'}: it is a file. Choose a folder that "
        "may be written"
    )
    assert (tmp_path / "run").read_text() == "mine"


def test_a_folder_that_may_not_be_written_is_refused(tmp_path, monkeypatch):
    def no(*args, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.mkdir", no)
    assert refused(tmp_path / "run") == (
        f"E741 cannot write the run folder {tmp_path / 'run'}: it may not be written. Choose a "
        "folder that may be written"
    )
