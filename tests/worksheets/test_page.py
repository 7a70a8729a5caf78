"""The HTML sheet in a real browser: fields to fill in, saved as the answer sheet that is marked."""

import csv
from pathlib import Path

import miya


def test_what_is_filled_in_is_saved_as_an_answer_sheet(open_page, tmp_path):
    made = miya.worksheet(seed=7, fade="half")
    page = open_page(made.html(), accept_downloads=True)
    fields = page.locator("input.blank")
    assert fields.count() == len(made.answers)
    for k, (symbol, value) in enumerate(made.answers.items()):
        assert fields.nth(k).get_attribute("data-symbol") == symbol
        assert fields.nth(k).get_attribute("aria-label")
        fields.nth(k).fill(value)
    page.get_by_label("Name").fill("Ada L.")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save my answers").click()
    assert download.value.suggested_filename == "Ada L.csv"
    saved = tmp_path / "saved.csv"
    download.value.save_as(saved)
    assert dict(csv.reader(saved.read_text("utf-8").splitlines())) == {
        "symbol": "value",
        **made.answers,
    }
    marks = miya.check(saved, network=made.network).data()["items"]
    assert {m["verdict"] for m in marks} <= {"right", "rounding"}


def test_odd_text_in_a_field_stays_one_value(open_page):
    made = miya.worksheet(seed=7, fade="last")
    page = open_page(made.html(), accept_downloads=True)
    page.locator("input.blank").first.fill('0,5 "about"')
    with page.expect_download() as download:
        page.get_by_role("button", name="Save my answers").click()
    rows = dict(csv.reader(Path(download.value.path()).read_text("utf-8").splitlines()))
    assert rows["ΔW1[0][0]"] == '0,5 "about"'


def test_nothing_is_cut_off_on_a_narrow_screen(open_page):
    for made in (miya.worksheet("2-3-2", seed=3, fade="solo"), miya.worksheet(seed=3)):
        page = open_page(made.html(), viewport={"width": 360, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_comparison_and_a_key_need_no_script(open_page):
    page = open_page(miya.compare(biases=["trained", "frozen"]).html())
    assert page.locator("table").count() == 3 and page.locator("script").count() == 0
    page = open_page(miya.worksheet(seed=3).html(key=True))
    assert page.locator("input").count() == 0 and page.locator("script").count() == 0
