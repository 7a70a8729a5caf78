"""The playground in a real browser: what people do, by mouse, keyboard and touch."""

import json
import re

import numpy as np
import pytest
from browsing import ROOT
from playwright.sync_api import expect
from web.playing import (
    AXE,
    PANELS,
    SMALL,
    field,
    number,
    pick,
    rest,
    settled,
    shown,
    state_of,
    trace_of,
)

import miya


def test_opens_with_the_original_story(play):
    page = play()
    assert page.locator("h1").inner_text() == "Miya's playground"
    assert "token" not in page.url and "#" in page.url
    assert shown(page, "n2.0")["δ"] == "−0.2464"
    assert page.locator("#loss-now").inner_text() == "0.2430"


@pytest.mark.parametrize("typed", ["0.5", "0,5", "1/2"])
def test_a_typed_bias_gives_the_cores_numbers(play, typed):
    page = play()
    pick(page, "n1.0")
    field(page, "bias").fill(typed)
    field(page, "bias").press("Enter")
    rest(page)
    trace = trace_of(page)
    assert trace.network.layers[0].bias[0] == 0.5
    told = shown(page, "n1.0")
    assert number(told["z"]) == pytest.approx(trace.layers[0].z[0, 0], rel=1e-3)
    assert number(told["δ"]) == pytest.approx(trace.layers[0].delta[0, 0], rel=1e-3)
    assert number(page.locator("#loss-now").inner_text()) == pytest.approx(trace.loss, rel=1e-3)


def test_a_slider_moves_numbers_and_is_undone_at_once(play):
    page = play()
    before = state_of(page)
    pick(page, "n1.1")
    slider = page.locator('input[type="range"]').first
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    rest(page)
    changed = state_of(page)
    assert changed["network"]["layers"][0]["bias"][1] > before["network"]["layers"][0]["bias"][1]
    page.locator("#undo").click()
    rest(page)
    while state_of(page) != before:
        assert page.locator("#undo").get_attribute("aria-disabled") == "false"
        page.locator("#undo").click()
        rest(page)
    page.keyboard.press("Control+y")
    rest(page)
    assert state_of(page) != before


def test_a_bad_number_is_told_beside_its_field_and_changes_nothing(play):
    page = play()
    before = state_of(page)
    pick(page, "n1.0")
    field(page, "bias").fill("abc")
    field(page, "bias").press("Enter")
    problem = page.locator(".problem:not([hidden])")
    problem.wait_for()
    assert "'abc'" in problem.inner_text()
    assert field(page, "bias").get_attribute("aria-invalid") == "true"
    assert state_of(page) == before
    assert field(page, "bias").input_value() == "abc"


def test_neurons_and_layers_come_and_go(play):
    page = play()
    pick(page, "n1.0")
    page.get_by_text("Add a neuron").click()
    rest(page)
    assert page.locator("g.neuron").count() == 5
    page.get_by_text("Add a layer before").click()
    rest(page)
    assert trace_of(page).network.sizes == (3, 3, 4, 1)
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    rest(page)
    assert trace_of(page).network.sizes == (3, 3, 1)


def test_steps_are_the_cores(play):
    page = play()
    for _ in range(3):
        page.locator("#step-once").click()
        rest(page)
    rest(page)
    last = list(miya.train(steps=3))[-1].after
    assert page.locator("#steps-now").inner_text() == "3"
    assert np.array_equal(state_of(page)["network"]["layers"][0]["weight"], last.layers[0].weight)
    page.locator("#rewind").click()
    rest(page)
    assert np.array_equal(trace_of(page).network.layers[0].weight, miya.load().layers[0].weight)


def test_training_runs_and_pauses(play):
    page = play()
    page.locator("#tab-data").click()
    page.get_by_text("Use this data set").click()
    rest(page)
    assert page.locator("#boundary-box").is_visible()
    page.locator("#speeds select").select_option("Infinity")
    page.locator("#run").click()
    expect(page.locator("#steps-now")).to_have_text(
        re.compile(r"^([3-9]\d\d|\d{4,})$"), timeout=20_000
    )
    assert page.locator("#run").inner_text() == "Pause"
    page.locator("#run").click()
    rest(page)
    assert page.locator("#run").inner_text() == "Run"
    state = state_of(page)
    assert state["steps"] == int(page.locator("#steps-now").inner_text())
    page.locator("#undo").click()
    rest(page)
    assert state_of(page)["steps"] == 0


def test_a_link_opens_exactly_the_same_and_back_and_reload_lose_nothing(play, server):
    page = play()
    page.locator("#step-once").click()
    pick(page, "n1.2")
    field(page, "bias").fill("0,123456789012345678")
    field(page, "bias").press("Enter")
    rest(page)
    kept = state_of(page)
    page.reload()
    settled(page)
    assert state_of(page) == kept
    other = play(at="#" + page.url.partition("#")[2])
    assert state_of(other) == kept


def test_a_broken_link_is_told_and_the_story_opens(play):
    page = play(at="#AAAA")
    assert page.locator("#message").is_visible()
    assert shown(page, "n2.0")["δ"] == "−0.2464"


def test_credits_add_up(play):
    page = play()
    page.locator("#pick-measure").select_option("credit")
    page.locator("#tab-blame").click()
    page.locator(".sum").wait_for()
    said = page.locator(".sum").inner_text()
    total, change = re.findall(r"[-+−]\d\.\d+", said)[:2]
    assert total == change


def test_lessons_are_marked(play):
    page = play()
    page.locator("#tab-lessons").click()
    page.get_by_text("The bias is a weight of the constant 1").click()
    rest(page)
    task = page.locator(".task").first
    task.locator("input").fill("0.5")
    task.locator("button").click()
    task.locator(".said:not(:empty)").wait_for()
    assert "sign" in task.locator(".said").inner_text()
    task.locator("input").fill("-0,1309")
    task.locator("button").click()
    expect(task).to_have_class(re.compile("done"))


def test_a_page_of_hand_work_is_marked(play):
    page = play()
    page.locator("#tab-mark").click()
    page.locator("#panel-mark textarea").fill("z1 = [0.13, 0.26, -0.26]\n")
    page.get_by_text("Mark it").click()
    page.locator(".report h1").wait_for()
    assert "0.13" in page.locator(".report").inner_text()


@pytest.mark.parametrize(("caption", "name"), [("TOML", "network.toml"), ("PNG", "step.png")])
def test_files_are_saved(play, caption, name):
    page = play()
    page.locator("#tab-file").click()
    with page.expect_download() as caught:
        page.get_by_role("button", name=caption, exact=True).click()
    assert caught.value.suggested_filename == name


def test_a_saved_state_and_a_network_file_open(play, tmp_path):
    page = play()
    page.locator("#step-once").click()
    rest(page)
    kept = state_of(page)
    file = tmp_path / "kept.json"
    file.write_text(json.dumps(kept))
    page.locator("#tab-file").click()
    page.locator("#panel-file input[type=file]").set_input_files(ROOT / "examples/xor_tanh.toml")
    rest(page)
    assert trace_of(page).network.sizes[0] == 2
    page.locator("#panel-file input[type=file]").set_input_files(file)
    rest(page)
    assert state_of(page) == kept


def test_a_dropped_connection_loses_no_edit(play):
    page = play()
    pick(page, "n1.0")
    page.route("**/api", lambda route: route.abort())
    field(page, "bias").fill("0.75")
    field(page, "bias").press("Enter")
    page.locator("#waiting:not([hidden])").wait_for()
    page.unroute("**/api")
    expect(page.locator("#waiting")).to_be_hidden()
    rest(page)
    assert state_of(page)["network"]["layers"][0]["bias"][0] == 0.75


def test_keyboard_alone(play):
    page = play()
    page.keyboard.press("s")
    rest(page)
    assert page.locator("#steps-now").inner_text() == "1"
    page.locator("#tab-edit").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#tab-data").get_attribute("aria-selected") == "true"
    page.locator('g.neuron[data-ref="n1.0"]').focus()
    page.keyboard.press("Enter")
    rest(page)
    assert page.evaluate("document.activeElement.closest('#panel-edit') !== null")


def test_two_languages(play):
    page = play()
    page.locator("#language").click()
    rest(page)
    assert page.locator("html").get_attribute("lang") == "ja"
    assert page.locator("h1").inner_text() == "ミヤの遊び場"
    assert "順伝播" in page.locator("#told").text_content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(play, scheme):
    page = play(at=SMALL, color_scheme=scheme, bypass_csp=True)
    page.add_script_tag(path=AXE)
    for panel in PANELS:
        page.locator(f"#tab-{panel}").click()
        rest(page)
        found = page.evaluate("axe.run('.desk')")["violations"]
        told = [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in found]
        assert not told, panel


@pytest.mark.parametrize("width", [320, 768])
def test_narrow_and_by_touch(play, width):
    page = play(viewport={"width": width, "height": 700}, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator('g.input[data-ref="x[0]"]').tap()
    rest(page)
    for panel in PANELS:
        page.locator(f"#tab-{panel}").tap()
        rest(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, panel
