"""The page's own writing of a link, read by Python: the same state to the last bit."""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from web import states

from miya.web.actions import act
from miya.web.state import decode

PAGE = Path(__file__).parents[2] / "page"
WRITE = """
import { encode } from %s;
let given = "";
for await (const part of process.stdin) given += part;
const found = [];
for (const state of JSON.parse(given)) found.push(await encode(state));
console.log(JSON.stringify(found));
"""


def node(*command, **options):
    path = os.pathsep.join((os.environ["PATH"], str(Path(sys.executable).parent)))
    found = shutil.which("node", path=path)
    assert found and (PAGE / "node_modules").is_dir(), "run scripts/setup-page"
    done = subprocess.run(
        [found, *command], cwd=PAGE, capture_output=True, text=True, timeout=120, **options
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fragment")
    module = folder / "fragment.mjs"
    esbuild = "node_modules/esbuild/bin/esbuild"
    node(esbuild, "src/play/fragment.ts", "--bundle", "--format=esm", f"--outfile={module}")
    script = folder / "write.mjs"
    script.write_text(WRITE % json.dumps(module.as_uri()), "utf-8")
    return lambda some: json.loads(node(str(script), input=json.dumps(some)))


def some_states(rng, count):
    """States after random numbers, names, steps and data sets."""
    state = states.opened()
    for _ in range(count):
        path = rng.choice(list(states.places(state["network"])))
        value = rng.choice(
            [rng.gauss(0, 1), rng.gauss(0, 1) * 10.0 ** rng.randint(-300, 300), 1 / 3]
        )
        wishes = [
            {"action": "edit", "edit": {"kind": "set", "path": path, "value": value}},
            {
                "action": "edit",
                "edit": {"kind": "set", "path": ["title"], "value": "ミヤ 🐾 </script>"},
            },
            {"action": "edit", "edit": {"kind": "optimizer", "name": rng.choice(["sgd", "adam"])}},
            {"action": "edit", "edit": {"kind": "dataset", "name": "blobs", "count": 4}},
            {"action": "step", "steps": 2},
        ]
        state = act({"state": state, **rng.choice(wishes)}).get("state", state)
        yield state


def test_python_reads_what_the_page_writes(written):
    made = list(some_states(random.Random(3), 200))
    for state, link in zip(made, written(made), strict=True):
        assert set(link) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        assert decode(link) == json.loads(json.dumps(state))
