"""A stage imports only from stages to its left, and the wheel's data is where it is read."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src" / "miya"
RANK = {
    "errors": 0,
    "core": 1,
    "read": 2,
    "analysis": 2,
    "story": 3,
    "drawing": 4,
    "render": 5,
    "api": 6,
    "per_example": 6,
    "watching": 6,
    "cli": 7,
    "web": 6,
    "__main__": 8,
    "__init__": 8,
}


def stage(parts):
    return parts[0].removesuffix(".py")


def imports(path):
    here = path.relative_to(SOURCE).parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = ["miya", *here[:-1]]
            base = base[: len(base) - node.level + 1]
            full = [*base, *(node.module.split(".") if node.module else [])]
            names = [full] if len(full) > 1 else [[*full, a.name] for a in node.names]
            yield from (n[1] for n in names)


def test_stages_import_only_from_their_left():
    wrong = []
    for path in SOURCE.rglob("*.py"):
        mine = stage(path.relative_to(SOURCE).parts)
        for other in imports(path):
            if other.startswith("__"):
                continue
            if other != mine and RANK[other] >= RANK[mine]:
                wrong.append(f"{path.relative_to(SOURCE)} imports {other}")
    assert not wrong


def test_read_and_analysis_do_not_know_each_other():
    for path in (SOURCE / "read").rglob("*.py"):
        assert "analysis" not in imports(path)


def test_no_file_is_near_500_lines():
    long = [str(p) for p in SOURCE.rglob("*.py") if len(p.read_text("utf-8").splitlines()) > 480]
    assert not long
