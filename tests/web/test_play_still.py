"""A picture that is drawn anew stands where the one before it stood, at once."""

from web.playing import rest

WATCH = """() => {
  window.moved = 0;
  document.addEventListener("transitionrun", ({ target, propertyName }) => {
    if (propertyName === "transform" && target.matches(".view > svg")) window.moved += 1;
  });
}"""


def test_a_new_picture_does_not_move(play):
    page = play(reduced_motion="no-preference")
    for _ in range(4):
        page.click("#closer")
    rest(page)
    page.wait_for_timeout(500)
    page.evaluate(WATCH)
    for _ in range(2):
        page.click("#step-once")
        rest(page)
        page.wait_for_timeout(100)
    assert page.evaluate("window.moved") == 0
    page.click("#closer")
    page.wait_for_timeout(100)
    assert page.evaluate("window.moved") == 1  # by the reader's own wish it does
