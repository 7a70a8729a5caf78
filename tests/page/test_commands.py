"""The page from the command line."""

import pytest
from click.testing import CliRunner

import miya
from miya import api
from miya.cli import main


def run(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_explain_writes_the_page(tmp_path):
    file = tmp_path / "story.html"
    assert run("explain", "--format", "html", "-o", file).exit_code == 0
    assert file.read_text("utf-8").strip() == miya.explain().html().strip()


def test_train_writes_the_page_of_its_steps(tmp_path):
    file = tmp_path / "run.html"
    done = run("train", "--steps", 4, "--story", 3, "--html", file)
    assert done.exit_code == 0 and "step 4:" in done.output
    assert "Takeaways" not in done.output, "the story is in the page"
    assert file.read_text("utf-8").strip() == miya.page(miya.train(steps=4), story=3).strip()


def test_ctrl_c_leaves_the_page_of_the_finished_steps(tmp_path, monkeypatch):
    def stopped(*arguments, **options):
        yield from real(steps=3)
        raise KeyboardInterrupt

    real = api.train
    monkeypatch.setattr(api, "train", stopped)
    file = tmp_path / "run.html"
    assert run("train", "--steps", 90, "--html", file).exit_code == 130
    assert "3 steps were taken" in file.read_text("utf-8")


@pytest.mark.parametrize("command", [("explain", "--format", "html", "-o"), ("train", "--html")])
def test_a_missing_folder_is_told(command, tmp_path):
    done = run(*command, tmp_path / "missing" / "page.html")
    assert done.exit_code == 2 and "E508" in done.output


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("story.html", "<!doctype html>"),
        ("story.HTM", "<!doctype html>"),
        ("story.md", "# "),
        ("story.tex", "\\documentclass"),
        ("story.json", "{"),
        ("story.pdf", "%PDF"),
        ("story.txt", "The original story"),
        ("story", "The original story"),
        ("story.v2", "The original story"),
    ],
)
def test_the_suffix_chooses_the_format(name, start, tmp_path):
    file = tmp_path / name
    assert run("explain", "-o", file).exit_code == 0
    assert file.read_bytes().decode("utf-8", "replace").startswith(start)


def test_a_format_and_a_suffix_that_disagree_are_refused(tmp_path):
    file = tmp_path / "story.html"
    done = run("explain", "--format", "markdown", "-o", file)
    assert done.exit_code == 2 and "E649" in done.output and not file.exists()
    assert "markdown" in done.output and "html" in done.output
    assert run("explain", "--format", "markdown", "-o", tmp_path / "story.v2").exit_code == 0


@pytest.mark.parametrize(("name", "code"), [("x.txt", "E649"), ("missing/x.html", "E508")])
def test_a_page_that_cannot_be_is_refused_before_training(name, code, tmp_path, monkeypatch):
    monkeypatch.setattr(api, "train", lambda *a, **o: pytest.fail("trained"))
    done = run("train", "--html", tmp_path / name)
    assert done.exit_code == 2 and code in done.output
    assert list(tmp_path.iterdir()) == []
