"""An output that cannot be written: E508, the old file whole, nothing left behind."""

import os
import stat
import subprocess
import sys
from contextlib import suppress

import pytest
from click.testing import CliRunner

from miya.cli import main
from miya.errors import MiyaOutputError
from miya.render.files import line_writer, write_whole

COMMANDS = {
    "explain": ["explain"],
    "explain json": ["explain", "--format", "json"],
    "blame": ["blame"],
    "schema": ["schema"],
    "train": ["train", "--steps", "40"],
}
OLD = b"the old file\n"
everywhere = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)


def refused(command, target):
    result = CliRunner().invoke(main, [*command, "-o", str(target)])
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr and result.stdout == ""
    return result.stderr.removeprefix("miya: ").rstrip("\n")


@everywhere
def test_missing_folder(command, tmp_path):
    target = tmp_path / "no" / "out"
    assert refused(command, target) == (
        f"E508 cannot write {target}: its folder does not exist. "
        "Make the folder first, or choose another"
    )
    assert not os.listdir(tmp_path)


@everywhere
def test_folder_as_target(command, tmp_path):
    assert refused(command, tmp_path) == (
        f"E508 cannot write {tmp_path}: it is a folder. Name a file in it"
    )
    assert not os.listdir(tmp_path)


@everywhere
def test_file_as_folder(command, tmp_path):
    (tmp_path / "old").write_bytes(OLD)
    assert refused(command, tmp_path / "old" / "out") == (
        f"E508 cannot write {tmp_path}/old/out: its folder is a file. Choose another folder"
    )
    assert (tmp_path / "old").read_bytes() == OLD


def in_a_process(prepare, command, target):
    """Run `command` in a process of its own, after the Python lines `prepare`."""
    # the first runs import all that the last needs, which may have no right to read it
    code = f"""
import os, resource, signal
from miya.cli import main
for path in ("/dev/null", "/dev/full"):
    try:
        main([*{command!r}, "-o", path])
    except SystemExit:
        pass
{prepare}
main({[*command, "-o", str(target)]!r})
"""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )


# 512 bytes may be written: less than any output here
FULL = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (512, resource.RLIM_INFINITY))
"""
# to root every folder may be written
NOBODY = "os.geteuid() or os.seteuid(65534)"


@everywhere
@pytest.mark.parametrize("old", [True, False], ids=["old file", "no file"])
def test_no_room(command, old, tmp_path):
    target = tmp_path / "out"
    if old:
        target.write_bytes(OLD)
    ran = in_a_process(FULL, command, target)
    assert ran.returncode == 2, ran.stderr
    assert "Traceback" not in ran.stderr
    assert (
        f"E508 cannot write {target}: File too large. Choose a folder that has room" in ran.stderr
    )
    assert os.listdir(tmp_path) == (["out"] if old else [])
    if old:
        assert target.read_bytes() == OLD


@everywhere
def test_read_only_folder(command, tmp_path):
    for folder in (tmp_path, *tmp_path.parents):
        with suppress(PermissionError):
            folder.chmod(folder.stat().st_mode | 0o055)
    (tmp_path / "out").write_bytes(OLD)
    tmp_path.chmod(0o555)
    try:
        ran = in_a_process(NOBODY, command, tmp_path / "out")
    finally:
        tmp_path.chmod(0o755)
    assert ran.returncode == 2, ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stderr.endswith(
        f"E508 cannot write {tmp_path}/out: it may not be written. Choose another file or folder\n"
    )
    assert os.listdir(tmp_path) == ["out"] and (tmp_path / "out").read_bytes() == OLD


def test_read_only_file_in_a_folder_that_may_be_written(tmp_path):
    for folder in (tmp_path, *tmp_path.parents):
        with suppress(PermissionError):
            folder.chmod(folder.stat().st_mode | 0o055)
    target = tmp_path / "out"
    target.write_bytes(OLD)
    tmp_path.chmod(0o777)
    target.chmod(0o444)
    ran = in_a_process(NOBODY, ["schema"], target)
    assert ran.returncode == 2 and "E508" in ran.stderr
    assert os.listdir(tmp_path) == ["out"] and target.read_bytes() == OLD


def test_full_tmpfs(tmp_path):
    """A really full disk, where this process may mount one; else the limit above stands for it."""
    target = tmp_path / "out"
    mounted = not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(tmp_path)], capture_output=True
    ).returncode
    try:
        target.write_bytes(OLD)
        ran = in_a_process("" if mounted else FULL, ["explain", "--format", "json"], target)
        why = "No space left on device" if mounted else "File too large"
        assert ran.returncode == 2 and why in ran.stderr
        assert os.listdir(tmp_path) == ["out"] and target.read_bytes() == OLD
    finally:
        if mounted:
            subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_whole_file_keeps_the_mode_and_the_link(tmp_path):
    real = tmp_path / "real"
    real.write_bytes(OLD)
    real.chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    write_whole(tmp_path / "link", "new\n")
    assert (tmp_path / "link").is_symlink() and real.read_text() == "new\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    write_whole(tmp_path / "bytes", b"\x00\xff")
    assert (tmp_path / "bytes").read_bytes() == b"\x00\xff"
    assert sorted(os.listdir(tmp_path)) == ["bytes", "link", "real"]


def test_device_and_pipe_are_written_to_and_stay(tmp_path):
    write_whole("/dev/null", "gone")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, "through")
    assert os.read(reader, 100) == b"through" and stat.S_ISFIFO(pipe.stat().st_mode)
    os.close(reader)
    with pytest.raises(MiyaOutputError, match="No space left on device"):
        write_whole("/dev/full", "x")


def test_what_no_file_can_hold(tmp_path):
    (tmp_path / "out").write_bytes(OLD)
    for path, text in ((tmp_path / "out", "\ud800"), (f"{tmp_path}/a\0", "x")):
        with pytest.raises(MiyaOutputError, match="E508 cannot write"):
            write_whole(path, text)
    with pytest.raises(MiyaOutputError, match="E508 cannot write"):
        write_whole(tmp_path / ("x" * 300), "x")
    (tmp_path / "loop").symlink_to("loop")
    with suppress(MiyaOutputError):
        write_whole(tmp_path / "loop", "x")
    assert (tmp_path / "out").read_bytes() == OLD
    assert sorted(os.listdir(tmp_path)) == ["loop", "out"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ValueError, OSError])
def test_finished_lines_are_kept_when_the_work_stops(stop, tmp_path):
    target = tmp_path / "run.jsonl"
    target.write_bytes(OLD)
    with pytest.raises(stop), line_writer(target) as write:
        write("one")
        assert target.read_bytes() == OLD
        write("two")
        raise stop
    assert target.read_text() == "one\ntwo\n" and os.listdir(tmp_path) == ["run.jsonl"]


def test_without_a_line_the_old_file_stays(tmp_path):
    target = tmp_path / "run.jsonl"
    target.write_bytes(OLD)
    with pytest.raises(KeyboardInterrupt), line_writer(target):
        raise KeyboardInterrupt
    with line_writer(target):
        pass
    assert target.read_bytes() == OLD and os.listdir(tmp_path) == ["run.jsonl"]


def test_old_file_stays_when_a_later_line_finds_no_room(tmp_path):
    target = tmp_path / "run.jsonl"
    target.write_bytes(OLD)
    code = f"""
import resource, signal
from miya.errors import MiyaOutputError
from miya.render.files import line_writer
{FULL}
try:
    with line_writer({str(target)!r}) as write:
        for number in range(1000):
            write(str(number))
except MiyaOutputError:
    print(number)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert int(ran.stdout) > 100, ran.stderr
    assert target.read_bytes() == OLD and os.listdir(tmp_path) == ["run.jsonl"]
