"""The playground in a real browser: every kind of edit, data, file and lesson, in both languages."""

import json
import re

import pytest
from browsing import ROOT
from playwright.sync_api import expect
from web import states
from web.playing import field, pick, rest, shown, state_of, trace_of
from web.test_export import run as run_program

import miya
from miya.web.actions import act
from miya.web.training import traced


def enter(page, caption, typed, then=rest):
    field(page, caption).fill(typed)
    field(page, caption).press("Enter")
    then(page)


def settles(page, state):
    """Until the address holds the state; the story may come later."""
    for _ in range(100):
        if state_of(page) == state:
            return
        page.wait_for_timeout(50)
    raise AssertionError("another state")


def goto(page, ref):
    """What the keyboard alone does to open a part of the picture."""
    page.locator(f'.view [data-ref="{ref}"]').first.focus()
    page.keyboard.press("Enter")
    rest(page)


def press(page, name, then=rest):
    page.get_by_role("button", name=name, exact=True).click()
    then(page)


def test_every_number_is_edited_and_all_of_it_undone(play):
    """Whatever is done is undone to the very state that was there, and done again."""
    page = play()
    first = state_of(page)
    seen = [first]

    def step(what):
        what()
        page.wait_for_timeout(50)
        page.wait_for_selector("html:not([data-busy])", state="attached")
        seen.append(state_of(page))
        assert seen[-1] != seen[-2]

    step(lambda: enter(page, "learning rate", "0,2", bool))
    step(lambda: enter(page, "target of output 0", "1/4", bool))
    step(lambda: field(page, "loss").select_option("huber"))
    step(lambda: enter(page, "bend at", "0,5", bool))
    step(lambda: field(page, "optimizer").select_option("adam"))
    step(lambda: enter(page, "β₁; β₂", "0,8; 0,99", bool))
    step(lambda: press(page, "Add an example", bool))
    step(lambda: press(page, "Remove this example", bool))
    goto(page, "W1[2][1]")
    step(lambda: enter(page, "value", "−0,75", bool))
    step(lambda: field(page, "frozen").check())
    goto(page, "b1[1]")
    step(lambda: enter(page, "value", "15e-2", bool))
    goto(page, "x[2]")
    step(lambda: enter(page, "value", "2", bool))
    step(lambda: press(page, "Add an input", bool))
    step(lambda: press(page, "Remove this input", bool))
    goto(page, "n1.0")
    step(lambda: field(page, "activation of layer 1").select_option("tanh"))
    step(lambda: field(page, "freeze the biases of layer 1").check())
    step(lambda: press(page, "Add a neuron", bool))
    step(lambda: press(page, "Remove this neuron", bool))
    step(lambda: press(page, "Add a layer before", bool))
    step(lambda: press(page, "Remove this layer", bool))
    step(lambda: page.locator("#step-once").click())
    step(lambda: page.locator("#rewind").click())
    step(lambda: page.locator("#reseed").click())
    step(lambda: page.locator("#pick-measure").select_option("removal"))
    step(lambda: page.locator("#pick-view").select_option("update"))
    step(lambda: page.locator("#miya").click())
    network = seen[8]["network"]
    assert network["learning_rate"] == 0.2 and network["loss"] == {"name": "huber", "delta": 0.5}
    assert network["optimizer"]["betas"] == [0.8, 0.99]
    assert miya.load(network).targets[0, 0] == 0.25
    for state in reversed(seen[:-1]):
        page.locator("#undo").click()
        settles(page, state)
    assert page.locator("#undo").get_attribute("aria-disabled") == "true"
    for state in seen[1:]:
        page.keyboard.press("Control+y")
        settles(page, state)


@pytest.mark.parametrize(
    ("name", "sizes"),
    [("circles", (2, 1)), ("spirals", (2, 1)), ("blobs", (2, 1)), ("digits", (15, 10))],
)
def test_data_sets(play, name, sizes):
    page = play()
    page.locator("#tab-data").click()
    field(page, "data set").select_option(name)
    enter(page, "examples", "20")
    press(page, "Use this data set")
    network = state_of(page)["network"]
    assert len(network["examples"]) == 20
    found = trace_of(page).network.sizes
    assert (found[0], found[-1]) == sizes
    assert page.locator("#boundary-box").is_visible() == (sizes[0] == 2)
    field(page, "shown in the picture").select_option("3")
    rest(page)
    assert state_of(page)["shown"]["example"] == 3


@pytest.mark.parametrize(
    "name", ["xor_tanh", "relu_classifier", "adam_batch", "frozen_shared_biases", "original"]
)
def test_example_networks(play, name):
    page = play()
    page.locator("#tab-data").click()
    field(page, "or start from an example network").select_option(name)
    rest(page)
    suffix = "json" if name == "relu_classifier" else "toml"
    file = ROOT / "examples" / f"{name}.{suffix}"
    assert trace_of(page).loss == miya.explain(file).trace.loss
    shipped = ROOT / "src" / "miya" / "networks" / file.name
    assert shipped.read_bytes() == file.read_bytes()


def test_a_whole_step_term_by_term_and_back_again(play):
    """Forward term by term, blame back neuron by neuron, the update, and all the way back."""
    page = play()
    forward = walk(page, "term", "Step 11 of 11")
    refs = [ref for ref in forward if ref]
    first = {ref: k for k, ref in reversed(list(enumerate(refs)))}
    order = ["z1[0]", "z1[2]", "z2[0]", "C", "δ2[0]", "δ1[0]", "δ1[1]", "δ1[2]"]
    assert [first[r] for r in order] == sorted(first[r] for r in order)
    assert any(r == "W1_new[0][0]" for r in refs[first["δ1[2]"] :])
    back = [ref for ref in walk(page, "term-back", "Step 1 of 11") if ref]
    assert list(dict.fromkeys(back)) == list(reversed(dict.fromkeys(reversed(back))))
    assert set(back) == set(refs)


def walk(page, button, last):
    """What is worked out at each press of the button, until nothing more happens at the last step."""
    return page.evaluate(
        """([button, last]) => {
          const found = [];
          const now = () => document.querySelector(".walked");
          for (let still = 0; still < 2 && found.length < 2000; ) {
            const before = now();
            document.getElementById(button).click();
            const ended = document.getElementById("position").textContent === last;
            still = now() === before && ended ? still + 1 : 0;
            found.push(now()?.closest(".calculation")?.dataset.ref ?? "");
          }
          return found;
        }""",
        [button, last],
    )


def test_every_equation_leads_to_its_place_in_the_picture(play):
    page = play()
    unlinked = page.evaluate(
        """() => {
          const found = [];
          let asked = 0;
          for (const line of document.querySelectorAll(".calculation")) {
            asked += 1;
            const term = line.querySelector(".term") ?? line;
            term.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
            if (!document.querySelector(".view .lit")) found.push(line.textContent);
            term.dispatchEvent(new PointerEvent("pointerout", { bubbles: true }));
          }
          return [asked, found];
        }"""
    )
    assert unlinked[0] > 30 and not unlinked[1], unlinked


def test_every_part_of_the_picture_has_the_cores_numbers(play):
    page = play()
    page.locator("#step-once").click()
    rest(page)
    state = state_of(page)
    cards = act({"action": "numbers", "state": state})["numbers"]["cards"]
    for ref, texts in cards.items():
        found = page.locator(f'g.neuron[data-ref="{ref}"]').first.evaluate(
            "e => [...e.querySelectorAll('text:not(.t-name, .t-head, .t-symbol)')].map((t) => t.textContent)"
        )
        assert found == texts, ref
    trace = traced(state)
    for layer in trace.layers:
        for name in (layer.weight, layer.bias):
            assert name.gradient.shape == name.after.shape
        for i in range(layer.layer.outputs):
            rows = page.locator(f'g.neuron[data-ref="n{layer.number}.{i}"] .row')
            assert rows.count() >= layer.layer.inputs + 1
            refs = rows.evaluate_all("all => all.map((e) => e.dataset.row)")
            wanted = {f"W{layer.number}[{i}][{j}]" for j in range(layer.layer.inputs)}
            assert wanted | {f"b{layer.number}[{i}]"} <= set(refs)


@pytest.mark.parametrize("measure", ["pressure", "step", "credit", "removal"])
def test_measures(play, measure):
    page = play()
    page.locator("#pick-measure").select_option(measure)
    page.locator("#tab-blame").click()
    rest(page)
    told = act({"action": "blame", "state": state_of(page), "measure": measure})
    texts = page.locator("#panel-blame td:nth-child(3)").all_inner_texts()
    assert texts == [row["text"] for row in told["neurons"] + told["rows"]]
    assert page.locator(".sum").count() == (measure == "credit")


def inked(page, name):
    return page.locator(name).evaluate(
        """canvas => {
          const copy = document.createElement("canvas");
          const [width, height] = [(copy.width = canvas.width), (copy.height = canvas.height)];
          const by = copy.getContext("2d", { willReadFrequently: true });
          by.drawImage(canvas, 0, 0);
          const { data } = by.getImageData(4, 4, width - 8, height - 8);
          const seen = new Set();
          for (let k = 0; k < data.length; k += 4) if (data[k + 3] > 200) seen.add(data.slice(k, k + 3).join());
          return seen.size;
        }"""
    )


def test_curves_and_the_boundary_are_drawn_and_said(play):
    page = play()
    page.locator("#tab-data").click()
    field(page, "or start from an example network").select_option("xor_tanh")
    rest(page)
    assert inked(page, "#loss-curve") == 0
    page.locator("#speeds select").select_option("20")
    page.locator("#run").click()
    expect(page.locator("#steps-now")).to_have_text(re.compile(r"^([6-9]|\d\d+)$"), timeout=20_000)
    page.locator("#run").click()
    rest(page)
    for name in ("#loss-curve", "#blame-curve", "#boundary"):
        assert inked(page, name), name
    assert page.locator("#blame-key span").all_inner_texts() == ["layer 1", "layer 2"]
    first = miya.explain(ROOT / "examples" / "xor_tanh.toml").trace.loss
    said = page.locator("#loss-span").inner_text().split(" → ")
    assert float(said[0]) == pytest.approx(first, rel=1e-3) and float(said[1]) < float(said[0])
    page.locator("#undo").click()
    rest(page)
    assert page.locator("#loss-span").inner_text() == ""


def test_the_page_saves_every_form_and_its_programs_reproduce_the_step(play, tmp_path):
    page = play()
    page.locator("#step-once").click()
    rest(page)
    state = state_of(page)
    page.locator("#tab-file").click()
    names = {"toml": "TOML", "json": "JSON", "numpy": "Python, NumPy", "torch": "Python, PyTorch",
             "svg": "SVG", "png": "PNG", "markdown": "Markdown", "latex": "LaTeX", "html": "HTML"}  # fmt: skip
    for form, caption in names.items():
        with page.expect_download() as caught:
            page.get_by_role("button", name=caption, exact=True).click()
        file = tmp_path / caught.value.suggested_filename
        caught.value.save_as(file)
        told = act({"action": "export", "state": state, "form": form})
        assert file.name == told["name"]
        if form == "png":
            assert file.read_bytes().startswith(b"\x89PNG")
        else:
            assert file.read_text("utf-8") == told["text"]
        if form in ("numpy", "torch"):
            made = run_program(file.read_text("utf-8"))
            assert made["loss"] == pytest.approx(traced(state).loss, rel=1e-12)


def test_a_saved_state_opens_exactly_the_same(play, tmp_path):
    page = play()
    goto(page, "W1[0][0]")
    enter(page, "value", "0,1000000000000000055511151231257827")
    page.locator("#step-once").click()
    rest(page)
    kept = state_of(page)
    page.locator("#tab-file").click()
    with page.expect_download() as caught:
        press(page, "The whole state")
    file = tmp_path / caught.value.suggested_filename
    caught.value.save_as(file)
    assert json.loads(file.read_text("utf-8")) == kept
    other = play()
    other.locator("#tab-file").click()
    other.locator("#panel-file input[type=file]").set_input_files(file)
    rest(other)
    assert state_of(other) == kept


def test_a_link_is_copied_and_where_it_cannot_be_it_is_shown(play):
    page = play()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#tab-file").click()
    press(page, "Copy the link")
    assert page.locator("#message").inner_text() == "The link is copied."
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    press(page, "Copy the link")
    assert page.locator("#message").inner_text() == page.url


@pytest.mark.parametrize(("locale", "width"), [("en-US", 1280), ("ja-JP", 320)])
def test_all_lessons_by_touch(play, locale, width):
    """Each task that asks for a number or a part, answered right and wrong, in both languages."""
    page = play(locale=locale, has_touch=True, viewport={"width": width, "height": 900})
    lessons = act({"action": "lessons", "language": locale[:2]})["lessons"]
    page.locator("#tab-lessons").tap()
    for k, lesson in enumerate(lessons):
        page.locator("#panel-lessons ol button").nth(k).tap()
        rest(page)
        assert page.locator("#panel-lessons h2").inner_text() == lesson["title"]
        assert state_of(page)["network"] == lesson["state"]["network"]
        for n, task in enumerate(lesson["tasks"]):
            form = page.locator(".task").nth(n)
            assert task["text"] in form.inner_text()
            if task["kind"] == "until":
                continue
            right = answer_of(lesson, task)
            form.locator("input").fill("?")
            form.locator("button").tap()
            expect(form).to_have_class(re.compile("not-yet"))
            form.locator("input").fill(right)
            form.locator("button").tap()
            expect(form).to_have_class(re.compile("done"))
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def answer_of(lesson, task):
    """What is right, found by asking Miya: the size and sign that she confirms."""
    from miya.web.lessons import _task
    from miya.web.lessons.asked import expected

    found = _task(lesson["name"], task["name"])
    if "of" in found:
        return f"{expected(traced(lesson['state']), found['of']):.5g}".replace(".", ",")
    request = {"action": "blame", "state": lesson["state"], "measure": found["first"]}
    told = act(request)
    return told["neurons" if found["among"] == "neurons" else "rows"][0]["ref"]


def test_a_lesson_that_is_done_is_ticked(play):
    page = play()
    page.locator("#tab-lessons").click()
    page.locator("#panel-lessons ol button").nth(5).click()
    rest(page)
    item = page.locator(".lessons > li").nth(5)
    tasks = page.locator(".task")
    tasks.nth(0).locator("input").fill("-4")
    tasks.nth(0).locator("button").click()
    page.locator("#tab-edit").click()
    for rate, task in (("0,5", 1), ("0,2", 2)):
        page.locator("#tab-edit").click()
        enter(page, "learning rate", rate)
        page.locator("#tab-lessons").click()
        tasks.nth(task).locator("button").click()
        expect(tasks.nth(task)).to_have_class(re.compile("done"))
    expect(item).not_to_have_class(re.compile("done"))
    page.locator("#step-once").click()
    rest(page)
    tasks.nth(3).locator("button").click()
    expect(item).to_have_class("done")


def test_a_page_in_decimal_commas_is_marked_in_japanese(play):
    page = play(locale="ja-JP")
    page.locator("#tab-mark").click()
    page.locator("#panel-mark textarea").fill("z1 = [0,08; 0,26; -0,1]\n")
    page.locator("#panel-mark > button").click()
    page.locator(".report h1").wait_for()
    assert "採点" in page.locator(".report").inner_text()


HOSTILE = '<img src=x onerror="window.hit=1"></svg><script>window.hit=1</script>\u202e'


def test_labels_are_texts_everywhere(play, tmp_path):
    page = play()
    net = states.opened((ROOT / "examples" / "xor_tanh.toml").read_text("utf-8"))["network"]
    net |= {"title": HOSTILE, "inputs": [HOSTILE + "0", HOSTILE + "1"]}
    net["layers"][0] |= {"name": HOSTILE, "neurons": [HOSTILE + "a", HOSTILE + "b"]}
    net["examples"][0]["name"] = HOSTILE
    file = tmp_path / "net.json"
    file.write_text(json.dumps(net), "utf-8")
    page.locator("#tab-file").click()
    page.locator("#panel-file input[type=file]").set_input_files(file)
    rest(page)
    assert state_of(page)["network"]["title"] == HOSTILE
    for panel in ("blame", "data", "lessons", "mark", "file", "edit"):
        page.locator(f"#tab-{panel}").click()
        rest(page)
    pick(page, "n1.0")
    rest(page)
    assert "<img" in page.locator("#panel-edit").inner_text()
    page.locator("#all").click()
    assert page.locator("img, .panel script, #told script, .frame script").count() == 0
    assert page.evaluate("window.hit") is None
    assert "\u202e" not in page.locator(".frame").inner_html() + page.locator("#told").inner_html()


def test_touch_edits_an_edge_and_a_slider(play):
    page = play(viewport={"width": 320, "height": 640}, has_touch=True, color_scheme="dark")
    point = page.locator('.view g.edge[data-ref="W2[0][0]"] > .hit').evaluate(
        """path => {
          const at = path.getPointAtLength(path.getTotalLength() / 2);
          const { x, y } = new DOMPoint(at.x, at.y).matrixTransform(path.getScreenCTM());
          return [x, y];
        }"""
    )
    page.touchscreen.tap(*point)
    rest(page)
    assert "W2[0][" in page.locator("#panel-edit h2").inner_text()
    slider = page.locator("#panel-edit input[type=range]")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2)
    rest(page)
    assert state_of(page)["network"]["layers"][1]["weight"][0][0] > 2


def test_what_is_picked_stays_in_sight_beside_the_picture(play):
    """On a narrow screen the picture stays above the field that is edited."""
    page = play(viewport={"width": 320, "height": 640}, has_touch=True)
    goto(page, "n1.0")
    last = page.locator("#panel-edit input").last
    last.focus()
    picture = page.locator(".frame").bounding_box()
    found = last.bounding_box()
    assert picture["y"] >= 0 and found["y"] >= picture["y"] + picture["height"]
    assert found["y"] + found["height"] <= page.locator(".bar").bounding_box()["y"] + 1


def test_a_server_that_was_started_anew_loses_no_edit(play):
    """Until its new address was opened it knows the page no more."""
    page = play()
    pick(page, "n1.0")
    told = {"error": {"code": "403", "text": "the cookie is missing", "hint": "", "path": []}}
    page.route("**/api", lambda route: route.fulfill(status=403, json=told))
    enter(page, "bias", "0.75", bool)
    expect(page.locator("#waiting")).to_contain_text("started anew")
    page.unroute("**/api")
    expect(page.locator("#waiting")).to_be_hidden()
    rest(page)
    assert state_of(page)["network"]["layers"][0]["bias"][0] == 0.75


def test_motion_only_where_it_is_wanted(play):
    moving = "document.getAnimations().filter((a) => a.playState === 'running').length"
    for motion, most in (("reduce", 0), ("no-preference", 99)):
        page = play(reduced_motion=motion)
        page.locator("#forward").click()
        page.keyboard.press(".")
        page.keyboard.press(".")
        found = page.evaluate(moving)
        assert found <= most and (most == 0 or found > 0), motion


def test_japanese_says_every_choice(play):
    page = play(locale="ja-JP")
    kinds = r"^[\x20-\x7eα-ωA-Z₁₂∂Δ]+$"
    proper = {"SGD", "Adam", "AdamW", "RMSprop", "AdaGrad", "XOR", "ReLU", "Leaky ReLU", "ELU",
              "SiLU", "GELU", "tanh", "AMSGrad", "α", "ε", "β₁; β₂", "English", "SVG", "PNG",
              "TOML", "JSON", "HTML", "LaTeX", "Markdown", ""}  # fmt: skip
    found = set()
    for optimizer in ("sgd", "rmsprop", "adagrad", "adam"):
        page.get_by_label("最適化手法", exact=True).select_option(optimizer)
        rest(page)
        found |= said(page)
    pick(page, "n1.0")
    for activation in ("leaky_relu", "elu"):
        page.get_by_label("第 1 層の活性化関数", exact=True).select_option(activation)
        rest(page)
        found |= said(page)
    for panel in ("data", "file"):
        page.locator(f"#tab-{panel}").click()
        rest(page)
        found |= said(page)
    assert {t for t in found if re.match(kinds, t)} <= proper


def said(page):
    return {
        t.strip()
        for t in page.locator(
            ".panel:not([hidden]) :is(label, option, button), .tools :is(option, button)"
        ).all_inner_texts()
        if t.strip() not in "↶↷"
    }


def test_the_names_of_parts_stand_in_the_fields(play):
    page = play()
    goto(page, "n2.0")
    assert page.locator("#panel-edit h2").inner_text() == "the output neuron · n2.0"
    assert field(page, "weight from hidden neuron 1").input_value() == "0.2"
    enter(page, "bias", "1/3")
    slider = page.locator("#panel-edit input[type=range]").first
    assert float(slider.input_value()) == pytest.approx(1 / 3, abs=0.005)
    assert shown(page, "n2.0")["δ"].startswith("−0.2")


def test_back_and_forward_between_two_links(play):
    page = play()
    first = state_of(page)
    page.locator("#step-once").click()
    rest(page)
    second = state_of(page)
    other = play()
    link = other.url.partition("#")[2]
    page.evaluate("(hash) => { location.hash = hash; }", link)
    rest(page)
    assert state_of(page) == first
    page.go_back()
    rest(page)
    assert state_of(page) == second
    page.go_forward()
    rest(page)
    assert state_of(page) == first
