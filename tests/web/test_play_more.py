"""The playground in a real browser: terms, guesses, runs, lessons, refusals, zoom, every state."""

import re

import pytest
from playwright.sync_api import expect
from web.playing import AXE, SMALL, field, pick, rest, shown, state_of


def test_term_by_term_and_back(play):
    page = play()
    page.locator("#forward").click()
    walked = page.locator(".walked")
    page.locator("#term").click()
    page.locator("#term").click()
    first = walked.text_content()
    assert page.locator(".view .lit").count() > 0
    page.keyboard.press(".")
    assert walked.text_content() != first
    page.keyboard.press(",")
    assert walked.text_content() == first
    for _ in range(3):
        page.locator("#term-back").click()
    assert page.locator("#position").inner_text() == "Step 1 of 11"


def test_miya_walks_to_what_is_worked_out(play):
    page = play()
    page.locator("#forward").click()
    page.keyboard.press(".")
    assert page.locator(".worked").get_attribute("data-ref") == "n1.0"
    stands = "document.querySelector('.stroll').getBoundingClientRect()"
    card = "document.querySelector('.worked > .card').getBoundingClientRect()"
    assert page.evaluate(f"{stands}.right < {card}.left + 10")
    while page.locator(".walked").evaluate("e => e.closest('.calculation').dataset.ref") != "δ1[1]":
        page.keyboard.press(".")
    assert page.locator(".worked").get_attribute("data-ref") == "n1.1"
    top = page.evaluate(f"{stands}.top")
    page.keyboard.press(".")
    assert page.locator(".worked").get_attribute("data-ref") == "n1.2"
    assert page.evaluate(f"{stands}.top") > top + 20
    page.locator(".contents a").first.click()
    assert page.locator(".stroll").count() == 0


def test_an_edit_leaves_the_picture_as_close_as_it_was(play):
    page = play()
    for _ in range(5):
        page.locator("#closer").click()
    page.locator('g.neuron[data-ref="n1.0"]').focus()
    page.keyboard.press("Enter")
    before = page.locator(".view > svg").evaluate("e => e.style.transform")
    slider = page.locator('#panel-edit input[type="range"]').first
    slider.focus()
    page.keyboard.press("ArrowRight")
    left_out = page.locator('.view g.neuron[style*="none"]')
    expect(left_out).not_to_have_count(0)
    rest(page)
    expect(left_out).to_have_count(0)
    assert page.locator(".view > svg").evaluate("e => e.style.transform") == before
    assert shown(page, "n1.0")["z"] == "0.09"


def test_guess_first(play):
    page = play()
    page.locator("#forward").click()
    page.locator("#guess").click()
    row = page.locator("[data-ref='z1[0]'].calculation")
    assert not row.locator(".result mn").is_visible()
    page.locator("[data-sign=positive]").click()
    page.locator("#guess-number").fill("0,08")
    page.keyboard.press("Enter")
    assert row.locator(".answer.right").inner_text() == "Right: 0.08."
    assert row.locator(".result mn").is_visible()


def test_a_run_is_undone_at_once_and_an_edit_in_it_stays(play):
    page = play()
    page.locator("#speeds select").select_option("Infinity")
    page.locator("#run").click()
    expect(page.locator("#steps-now")).to_have_text(re.compile(r"^\d\d+$"))
    rate = field(page, "learning rate")
    rate.fill("0,25")
    rate.press("Enter")
    page.wait_for_timeout(300)
    page.locator("#run").click()
    rest(page)
    state = state_of(page)
    assert state["network"]["learning_rate"] == 0.25 and state["steps"] > 10
    for _ in range(2):
        page.locator("#undo").click()
    rest(page)
    assert state_of(page)["network"]["learning_rate"] == 0.1
    page.locator("#undo").click()
    rest(page)
    assert state_of(page)["steps"] == 0
    assert page.locator("#steps-now").inner_text() == "0"


def test_a_tapped_part_is_the_answer(play):
    page = play()
    page.locator("#tab-lessons").click()
    page.locator("#panel-lessons button.link").first.click()
    rest(page)
    task = page.locator(".task", has_text="Which neuron")
    task.locator("input").focus()
    pick(page, "n2.0")
    assert task.locator("input").input_value() == "n2.0"
    task.locator("button").click()
    expect(task).to_have_class(re.compile("done"))


REFUSED = [
    ("learning rate", "-1", "E302"),
    ("momentum", "abc", "E206"),
    ("target of output 0", "1e999", "E202"),
]


def test_refusals_stand_beside_their_fields(play, tmp_path):
    page = play()
    before = state_of(page)
    for caption, typed, code in REFUSED:
        field(page, caption).fill(typed)
        field(page, caption).press("Enter")
        problem = page.locator(f".field:has(#{field(page, caption).get_attribute('id')}) .problem")
        expect(problem).to_contain_text(code)
    page.locator("#tab-data").click()
    field(page, "noise, 0 to 1").fill("2")
    page.get_by_text("Use this data set").click()
    expect(page.locator("#panel-data .problem:not([hidden])")).to_contain_text("E806")
    file = tmp_path / "bad.csv"
    file.write_text("1,2\n3,=cmd\n")
    page.locator("#panel-data input[type=file]").set_input_files(file)
    expect(page.locator("#panel-data .problem:not([hidden])")).to_contain_text("'=cmd'")
    page.locator("#tab-file").click()
    file = tmp_path / "bad.toml"
    file.write_text("learning_rate = \n")
    page.locator("#panel-file input[type=file]").set_input_files(file)
    expect(page.locator("#panel-file .problem:not([hidden])")).to_contain_text("E215")
    rest(page)
    assert state_of(page) == before


def test_a_refused_choice_is_taken_back(play):
    page = play()
    before = state_of(page)
    field(page, "target of output 0").fill("3")
    field(page, "target of output 0").press("Enter")
    rest(page)
    field(page, "loss").select_option("binary_cross_entropy")
    page.locator(".problem:not([hidden])").wait_for()
    assert "E305" in page.locator(".problem:not([hidden])").inner_text()
    assert field(page, "loss").input_value() == before["network"]["loss"]


def test_an_own_csv_is_the_data(play, tmp_path):
    page = play()
    file = tmp_path / "own.csv"
    file.write_text("a;b;y\n0,5;1;0\n1;0,25;1\n")
    page.locator("#tab-data").click()
    page.locator("#panel-data input[type=file]").set_input_files(file)
    rest(page)
    expect(page.locator("#boundary-box")).to_be_visible()
    found = state_of(page)["network"]["examples"]
    assert found == [
        {"input": [0.5, 1.0], "target": [0.0]},
        {"input": [1.0, 0.25], "target": [1.0]},
    ]


def test_a_frozen_weight_stays(play):
    page = play()
    page.locator('.view g.edge[data-ref="W1[0][0]"]').focus()
    page.keyboard.press("Enter")
    rest(page)
    field(page, "frozen").check()
    rest(page)
    page.locator("#step-once").click()
    rest(page)
    weight = state_of(page)["network"]["layers"][0]["weight"]
    assert weight[0][0] == 0.1 and weight[0][1] != 0.2


def test_a_page_left_in_a_hurry_keeps_the_edit(play):
    page = play()
    pick(page, "n1.0")
    held = []
    page.route("**/api", lambda route: held.append(route))
    field(page, "bias").fill("0.875")
    field(page, "bias").press("Enter")
    page.wait_for_timeout(100)
    page.unroute("**/api")
    page.reload()
    page.wait_for_selector("section.step")
    rest(page)
    assert state_of(page)["network"]["layers"][0]["bias"][0] == 0.875


@pytest.mark.parametrize("how", ["enter", "slide", "step"])
def test_a_reload_at_any_moment_of_an_edit_keeps_it(play, how):
    """While it is under way, while its answer comes, while the address is written."""
    page = play()
    pick(page, "n1.0")
    for k, late in enumerate([0, 10, 22, 28, 40], start=1):
        page.locator('g.neuron[data-ref="n1.0"] > .t-delta').click()
        page.evaluate(LEAVE, [how, k / 4, late])
        page.wait_for_timeout(late + 50)
        page.wait_for_load_state()
        page.wait_for_selector("section.step")
        rest(page)
        state = state_of(page)
        found = state["steps"] if how == "step" else state["network"]["layers"][0]["bias"][0] * 4
        assert found == k, late


LEAVE = """([how, value, late]) => {
  const [typed, slider] = document.querySelectorAll("#panel-edit input");
  if (how === "step") document.getElementById("step-once").click();
  else {
    const input = how === "slide" ? slider : typed;
    input.value = String(value);
    input.dispatchEvent(new Event(how === "slide" ? "input" : "change", { bubbles: true }));
  }
  setTimeout(() => location.reload(), late);
}"""


def test_what_is_typed_and_not_entered_is_entered_when_the_page_is_left(play):
    page = play()
    pick(page, "n1.0")
    field(page, "bias").click()
    page.keyboard.press("Control+a")
    page.keyboard.type("0,625")
    page.reload()
    page.wait_for_selector("section.step")
    rest(page)
    assert state_of(page)["network"]["layers"][0]["bias"][0] == 0.625


def test_zoomed_to_400_percent(play):
    """1280 by 1024 pixels at 400 % are 320 by 256."""
    page = play(viewport={"width": 320, "height": 256}, device_scale_factor=4)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.evaluate("getComputedStyle(document.querySelector('.bar')).position") == "static"


@pytest.mark.parametrize(("language", "scheme"), [("en-US", "dark"), ("ja-JP", "light")])
def test_axe_finds_nothing_in_any_state(play, language, scheme):
    page = play(at=SMALL, locale=language, color_scheme=scheme, bypass_csp=True)
    page.add_script_tag(path=AXE)

    def clean(where, within=".desk"):
        found = page.evaluate("(within) => axe.run(within)", within)["violations"]
        assert not [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in found], where

    pick(page, "n1.0")
    first = page.locator("#panel-edit input[type=text]").first
    first.fill("abc")
    first.press("Enter")
    page.locator(".problem:not([hidden])").wait_for()
    clean("an error")
    page.locator("#guess").click()
    page.locator("#term").click()
    clean("guessing", "body")
    page.locator("#guess").click()
    page.locator("#tab-lessons").click()
    page.locator("#panel-lessons button.link").nth(4).click()
    rest(page)
    page.locator(".task button").first.click()
    rest(page)
    clean("a lesson, marked")
    page.locator("#tab-mark").click()
    page.locator("#panel-mark textarea").fill("z1 = [0.13]")
    page.locator("#panel-mark > button").click()
    page.locator(".report h1").wait_for()
    clean("a report")
    page.locator("#run").click()
    page.wait_for_timeout(300)
    clean("running", "body")
    page.locator("#run").click()
    rest(page)
