"""The built script and style are what the sources build, and the sources pass their own checks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILT = {
    "miya.js": "render/page",
    "miya.css": "render/page",
    "play.js": "web/page",
    "play.css": "web/page",
    "play.html": "web/page",
}


def node(*command):
    assert (ROOT / "page" / "node_modules").is_dir(), "run scripts/setup-page"
    # a Node.js that scripts/setup-page put beside this Python comes last
    path = os.pathsep.join((os.environ["PATH"], str(Path(sys.executable).parent)))
    found = shutil.which(command[0], path=path)
    assert found, "run scripts/setup-page"
    done = subprocess.run(
        [found, *command[1:]],
        cwd=ROOT / "page",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PATH": path},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    node("node", "build.mjs", str(folder), str(folder))
    return folder


@pytest.mark.parametrize("name", BUILT)
def test_the_built_file_is_what_the_sources_build(name, built):
    kept = ROOT / "src" / "miya" / BUILT[name] / name
    assert (built / name).read_bytes() == kept.read_bytes(), (
        "run `npm run build` in page/ and commit what it writes"
    )


def test_the_sources_are_typed():
    node("node", "node_modules/typescript/bin/tsc", "--noEmit")


def test_unit_tests_of_the_script(tmp_path):
    node("node", "build.mjs", "--tests", str(tmp_path))
    said = node("node", "--test", *map(str, sorted(tmp_path.glob("*.test.mjs"))))
    assert "# fail 0" in said and "# pass 0" not in said


def test_the_lock_file_names_no_host():
    assert "http" not in (ROOT / "page" / "package-lock.json").read_text("utf-8")
