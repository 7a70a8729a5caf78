"""Each verdict, by pages of a few lines."""

from __future__ import annotations

import pytest

import miya

GIVEN = """# Two sigmoid neurons and one

Sigmoid neurons, C = (a2 - y)^2, η = 0.5

x = [0.4, 0.6], y = 1

W1 = [[0.3, -0.3], [0.7, 0.5]]

b1 = [0.1, -0.1]

W2 = [[0.6, -0.4]]

b2 = 0.2

"""


@pytest.fixture
def marks(tmp_path):
    def read(text, given=GIVEN):
        path = tmp_path / "page.md"
        path.write_text(given + text, "utf-8")
        return miya.check(path).marking

    return read


def only(marking):
    (mark,) = marking.marks
    return mark


@pytest.mark.parametrize(
    "line, verdict",
    [
        ("z1[1] = 0.48", "right"),
        ("z1[1] = 0.480", "right"),
        ("a1[1] = 0.61775", "rounding"),
        ("a1[1] = 0.6177", "rounding"),  # 0.617748: rounded well
        ("a1[1] = 0.61774", "last_digit"),  # cut
        ("a1[1] = 0.6179", "wrong"),
        ("z1[1] = -0.48", "wrong"),  # signs count
        ("a1[1] = 1", "wrong"),  # a bare integer earns no half
        ("z1[0] = 0.0", "unclear"),
    ],
)
def test_one_number(marks, line, verdict):
    assert only(marks(line)).verdict == verdict


def test_a_tie_of_rounding_counts_both_ways(marks):
    given = (
        "x = [0.5], y = 0, η = 1, C = (a - y)^2\n\nW1 = [[0.25]]\n\nb1 = [0]\n\nlinear neuron\n\n"
    )
    for text in ("z1 = [0.12]", "z1 = [0.13]"):  # 0.125
        assert only(marks(text, given)).verdict == "rounding"
    assert only(marks("z1 = [0.11]", given)).verdict == "wrong"


def test_from_the_pages_own_rounded_inputs(marks):
    # exact: 0.50999867 0.61774787 -> 0.25890; from 0.51 and 0.62 by hand 0.258
    found = marks("a1 = [0.51, 0.62]\n\nz2 = 0.6*0.51 - 0.4*0.62 + 0.2 = 0.258")
    assert [m.verdict for m in found.marks] == ["rounding", "rounding", "rounding"]


def test_what_follows_from_a_slip_is_forgiven_and_shows_both_values(marks):
    found = marks("z1[1] = 0.58\n\na1[1] = 0.6411")
    slip, after = found.marks
    assert slip.verdict == "wrong" and after.verdict == "follows"
    assert (round(after.exact, 4), round(after.own, 4)) == (0.6177, 0.6411)
    assert [(str(q), text) for q, text in after.inherited] == [("z1[1]", "0.58")]
    assert found.first_slips == (slip,)


def test_right_although_the_pages_own_number_leads_elsewhere(marks):
    slip, after = marks("z1[1] = 0.58\n\na1[1] = 0.6177").marks
    assert (slip.verdict, after.verdict) == ("wrong", "not_carried")


def test_a_slip_after_a_slip_is_a_slip_of_its_own(marks):
    found = marks("z1[1] = 0.58\n\na1[1] = 0.72")
    assert [m.verdict for m in found.first_slips] == ["wrong", "wrong"]


def test_a_line_that_does_not_equal_its_own_result(marks):
    mark = only(marks("z1[1] = 0.7*0.4 + 0.5*0.6 - 0.1 = 0.58"))
    assert mark.verdict == "wrong" and mark.work_fails and "line" in mark.diagnosis
    assert mark.work.value == pytest.approx(0.48)
    right = only(marks("z1[1] = 0.7*0.4 + 0.5*0.6 + 0.1 = 0.48"))
    assert right.verdict == "not_carried" and right.diagnosis[0] == "line"


def test_a_line_of_no_known_quantity_is_still_worked_out(marks):
    assert only(marks("0.3*0.7*0.6 = 0.12")).verdict == "last_digit"
    assert only(marks("0.7*0.4 = 0.38")).verdict == "wrong"
    assert only(marks("0.7*0.4 = 0.28")).verdict == "right"


def test_a_slip_that_makes_the_rest_trivial_earns_no_forgiveness(marks):
    found = marks("a1[0] = 0\n\nσ'(z1)[0] = 0\n\nδ1[0] = 0")
    assert [m.verdict for m in found.marks] == ["wrong", "wrong", "wrong"]
    assert [m.trivial for m in found.marks] == [False, True, True]
    assert len(found.first_slips) == 1


def test_a_slip_is_never_excused_by_rounding(marks):
    # rounded inputs give 0.258, unrounded ones 0.2589; the inputs' rounding would allow 0.262
    found = marks("a1 = [0.51, 0.62]\n\nz2 = 0.2620")
    assert found.marks[-1].verdict == "wrong"


def test_a_repeated_number_is_no_second_slip(marks):
    found = marks("z1[1] = 0.58\n\nSo again z1[1] = 0.58")
    assert [m.verdict for m in found.marks] == ["wrong", "follows"]


def test_all_mistakes_that_give_the_digits_are_listed(marks):
    # δ2 without σ' and ∂C/∂a2 are one number: both names are known for it
    mark = only(marks("δ2 = -0.8713"))
    assert mark.verdict == "wrong" and "slope_left_out" in mark.diagnosis
    assert "bias_left_out" in only(marks("z1[0] = -0.06")).diagnosis
    assert only(marks("z1[0] = 0.777")).diagnosis == ()


def test_written_digits_are_kept(marks):
    assert only(marks("a1[1] = 0.6180")).verdict == "wrong"
    assert only(marks("a1[1] = 0.618")).verdict == "rounding"


def test_an_open_loss_is_settled_by_the_numbers(marks):
    given = GIVEN.replace(", C = (a2 - y)^2", "")
    found = marks("C = 0.0949\n\n∂C/∂a2 = -0.4356\n\nδ2 = -0.1071", given)
    (convention,) = [c for c in found.conventions if c.name == "loss"]
    assert convention.chosen == "half_squared_error"
    assert convention.fits["half_squared_error"] == 3 > convention.fits["squared_error"]


def test_frozen_biases_are_found_by_the_numbers(marks):
    found = marks("b1_new = [0.1, -0.1]\n\nb2_new = 0.2")
    assert [(c.name, c.chosen) for c in found.conventions] == [("biases", "frozen")]
    assert not found.first_slips


def test_a_square_w_either_way_round(marks):
    given = GIVEN.replace("[[0.6, -0.4]]", "[0.6, -0.4]")
    found = marks("z1 = [0.64, 0.08]", given)  # Wᵀ x + b
    assert [(c.name, c.chosen) for c in found.conventions] == [("orientation", "(in, out)")]
    assert not found.first_slips


def test_a_claim_that_does_not_hold_names_who_leads(marks):
    found = marks(
        "∂C/∂W2 = [-0.1092, -0.1323]\n\nThe biggest is -0.1092: this weight caused the most loss."
    )
    (answer,) = found.answers
    assert not answer.held["pressure"] and answer.leads["pressure"] == "W2[0][1]"
