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
