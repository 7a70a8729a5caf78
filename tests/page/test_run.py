"""The page of many steps: the slider, the plots, and what is left out of a long run."""

import json
import re

import pytest
from networks import description

import miya
from miya.render.page.plots import ticks
from miya.render.page.snapshots import MOST_STEPS, keep
from miya.story.numbers import number


@pytest.fixture(scope="module")
def run():
    return list(miya.train(steps=12))


def move(page, value):
    page.locator("#time").fill(str(value))


def test_the_slider_shows_the_numbers_of_each_step(open_page, run):
    page = open_page(miya.page(run))
    for k in (0, 7, 11):
        move(page, k)
        layer = run[k].layers[1]
        row = page.locator("tr[data-ref='W2[0][1]']").first
        shown = [c.inner_text() for c in row.locator("td").all()]
        update = layer.weight
        arrays = (update.before, update.gradient, update.change, update.after)
        assert shown == [number(a[0, 1], 5) for a in arrays]
        neuron = page.locator(".run tr[data-ref='δ2[0]'] td").all_inner_texts()
        assert neuron == [number(v[0, 0], 5) for v in (layer.z, layer.a, layer.delta)]
        assert page.locator(".when").inner_text() == f"step {k + 1}"
        assert page.locator("#time").get_attribute("aria-valuetext") == f"step {k + 1}"


def test_the_keyboard_moves_the_slider_and_not_the_story(open_page, run):
    page = open_page(miya.page(run))
    page.locator("#time").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".when").inner_text() == "step 2"
    assert page.locator("#position").inner_text() == "Step 1 of 12"


def test_the_marker_stands_at_the_step_in_both_plots(open_page, run):
    page = open_page(miya.page(run))
    move(page, 11)
    for plot in page.locator(".plot").all():
        assert float(plot.locator(".now").get_attribute("x1")) == pytest.approx(
            float(plot.get_attribute("data-right"))
        )


def test_the_plots_show_the_losses_and_the_pressed(run):
    html = miya.page(run)
    loss, blame = re.findall(r'<svg class="plot".*?</svg>', html)
    points = re.search(r'points="([^"]*)"', loss).group(1).split()
    heights = [float(p.split(",")[1]) for p in points]
    assert len(points) == 12 and heights == sorted(heights), "the loss falls"
    drops = [(a.loss - b.loss) / (run[0].loss - run[-1].loss) for a, b in zip(run, run[1:])]
    steps = [(b - a) / (heights[-1] - heights[0]) for a, b in zip(heights, heights[1:])]
    assert steps == pytest.approx(drops, abs=0.002)
    assert blame.count("<polyline") == 6 and "b2[0]" in blame and "W2[0][1]" in blame


def test_the_numbers_of_a_run_are_linked_to_the_picture(open_page, run):
    page = open_page(miya.page(run))
    page.locator(".run tr[data-ref='W2[0][1]'] td").first.hover()
    assert "lit" in page.locator(".view .edge[data-ref='W2[0][1]']").last.get_attribute("class")


def test_guessing_hides_the_numbers_of_the_run(open_page, run):
    page = open_page(miya.page(run))
    page.click("#guess")
    assert not page.locator(".run").is_visible()
    page.keyboard.press("ArrowLeft")
    assert not page.locator(".run").is_visible()


def test_without_a_script_the_plots_stand(open_page, run):
    page = open_page(miya.page(run), java_script_enabled=False)
    assert page.locator(".plot:visible").count() == 2
    assert page.locator(".run td").first.inner_text() == "0.08"
    assert not page.locator("#time").is_visible()


@pytest.mark.parametrize("steps", [1, 2, 99, 100, 101, 102, 250, 401])
def test_a_long_run_is_thinned_evenly(steps):
    kept = keep(miya.train(steps=steps))
    numbers = [s.number for s in kept.snapshots]
    assert numbers[0] == 1 and numbers[-1] == steps == kept.steps
    assert len(numbers) <= MOST_STEPS + 1
    assert len({b - a for a, b in zip(numbers[:-1], numbers[1:-1])}) <= 1


def test_what_is_left_out_is_said():
    html = miya.page(miya.train(steps=250))
    told = len(json.loads(re.search(r'id="run-data">(.*?)</script>', html).group(1))["steps"])
    assert f"Shown: {told} of the 250 steps" in html
    wide = miya.page(miya.train(description(3, sizes=[9, 9, 2], examples=1), steps=3))
    assert "24 are listed" in wide
    assert "listed" not in miya.page(miya.train(steps=3))


def test_a_long_run_of_a_wide_network_stays_small():
    net = description(4, sizes=[12, 12, 12, 3], examples=1, activation="tanh", learning_rate=0.001)
    assert len(miya.page(miya.train(net, steps=300))) < 2_500_000


def test_the_story_of_a_chosen_step_is_told(run):
    assert "0.074643" not in miya.page(run, story=1).split('id="step-2"')[1].split("Step 2")[0]
    html = miya.page(run, story=2)
    assert "are of step 2" in html and "This is step 2" in html
    assert "are of step 12" in miya.page(run, story=99), "the run ended before"


def test_no_steps_are_refused():
    with pytest.raises(miya.MiyaInputError, match="E645"):
        miya.page([])


def test_round_ticks():
    assert ticks(0, 1) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert ticks(-0.25, 0.02) == pytest.approx([-0.2, -0.1, 0])
    assert ticks(0, 3e-7) == pytest.approx([0, 1e-7, 2e-7, 3e-7])


def test_the_picture_says_which_step_it_shows(open_page, run):
    page = open_page(miya.page(run, story=3))
    caption = page.locator(".picture .caption")
    move(page, 7)
    assert caption.is_visible() and "The picture shows step 3" in caption.inner_text()
    page.set_viewport_size({"width": 390, "height": 800})
    assert caption.is_visible()
    assert open_page(miya.explain().html()).locator(".caption").count() == 0
