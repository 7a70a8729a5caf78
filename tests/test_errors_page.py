"""docs/errors.md lists every code that the source can say, and no other."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "errors.md").read_text("utf-8")


def codes_in_the_source():
    """The codes that stand in a text of the source, which docstrings and comments are not."""
    found = {}
    for path in (ROOT / "src" / "miya").rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                code = re.match(r"[EW]\d{3}\b", node.value)
                if code and id(node) not in docstrings:
                    found.setdefault(code[0], path.name)
    return found


def rows():
    return re.findall(r"^\| ([EW]\d{3}) \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)


def test_every_code_stands_in_the_page_and_no_other():
    source, page = codes_in_the_source(), [code for code, _, _ in rows()]
    assert len(source) > 60
    assert {c: source[c] for c in source.keys() - set(page)} == {}, "add to docs/errors.md"
    assert set(page) - source.keys() == set(), "take out of docs/errors.md"


def test_the_page_is_in_order_and_says_something_of_each():
    codes = [code for code, _, _ in rows()]
    assert codes == sorted(set(codes))
    for code, what, do in rows():
        assert what.endswith(".") and do.endswith("."), code


def test_docstrings_name_no_code_that_is_never_said():
    said = codes_in_the_source().keys()
    for path in (ROOT / "src" / "miya").rglob("*.py"):
        named = set(re.findall(r"\b[EW][1-6]\d{2}\b", path.read_text("utf-8")))
        assert named - said == set(), path
