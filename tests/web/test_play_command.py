"""miya play: its address, its browser, and a network that others can reach only when asked for."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

import miya
from miya.cli import main
from miya.web import serve as module
from miya.web.state import decode

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(monkeypatch):
    """run(*options) gives the result, what was served, and what the browser was shown."""
    served, shown = [], []

    def serve(host, port, *, names, workers, ready):
        served.append((host, port, list(names), workers))
        ready(f"http://127.0.0.1:{port or 1234}/?token=secret")

    monkeypatch.setattr(module, "serve", serve)
    monkeypatch.setattr("click.launch", shown.append)
    return lambda *options: (CliRunner().invoke(main, ["play", *options]), served, shown)


def test_it_prints_its_address_and_opens_it(run):
    result, served, shown = run("--port", "8123")
    assert result.exit_code == 0, result.output
    assert "http://127.0.0.1:8123/?token=secret\n" in result.stdout
    assert shown == ["http://127.0.0.1:8123/?token=secret"]
    assert served == [("127.0.0.1", 8123, [], 2)] and not result.stderr


def test_without_a_browser_it_only_prints(run):
    result, _, shown = run("--no-browser")
    assert "token=secret" in result.stdout and not shown


def test_a_network_stands_behind_the_address(run):
    path = ROOT / "examples" / "xor_tanh.toml"
    result, _, shown = run(str(path))
    address, _, fragment = shown[0].partition("#")
    assert address.endswith("token=secret") and shown[0] in result.stdout
    told = miya.explain(decode(fragment)["network"]).trace
    assert told.loss == miya.explain(path).trace.loss


def test_a_broken_network_starts_nothing(run, tmp_path):
    file = tmp_path / "net.toml"
    file.write_text("learning_rate = ")
    result, served, shown = run(str(file))
    assert result.exit_code == 2 and "E215" in result.stderr and not served and not shown


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "lab.example.org"])
def test_an_address_for_others_needs_its_flag_and_warns(run, host):
    result, served, shown = run("--host", host)
    assert result.exit_code == 2 and not served and not shown
    assert f"E813 {host} is an address that other machines can reach" in result.stderr
    assert "--allow-network" in result.stderr
    result, served, _ = run("--host", host, "--allow-network", "--name", "Lab.Example.org")
    assert result.exit_code == 0 and served == [(host, 0, ["lab.example.org"], 2)]
    assert f"warning: others can reach {host}" in result.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_this_machine_needs_none(run, host):
    result, served, _ = run("--host", host)
    assert result.exit_code == 0 and served[0][0] == host and not result.stderr


def test_a_port_that_is_taken_is_told():
    with module.bound("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(miya.MiyaInputError) as caught:
            module.bound("127.0.0.1", port)
    assert caught.value.code == "E812" and f"port {port} of 127.0.0.1" in str(caught.value)


def test_the_wheel_holds_the_page_and_the_lessons(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        for folder, kinds in (
            ("web/page", "html js css"),
            ("web/lessons", "toml"),
            ("networks", "toml json"),
            ("render/page", "woff2"),
        ):
            for kind in kinds.split():
                for file in (ROOT / "src/miya" / folder).glob(f"*.{kind}"):
                    inside = f"miya/{folder}/{file.name}"
                    assert packed.read(inside) == file.read_bytes(), inside
