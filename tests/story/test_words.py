"""Every language has every text, with the same places to fill in."""

import string

import pytest

import miya
from miya.story.words import languages, load


def places(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", [name for name in languages() if name != "en"])
def test_a_language_ships_whole(language):
    english, other = load("en"), load(language)
    assert {(s, k) for s in english for k in english[s]} == {
        (s, k) for s in other for k in other[s]
    }
    for section, texts in english.items():
        for key, text in texts.items():
            assert places(other[section][key]) == places(text), (section, key)
            assert other[section][key] != text or text.isascii() is False or key == "step"


def test_two_languages_ship():
    assert languages() == ["en", "ja"]


def test_prose_lives_in_the_words_files():
    told = miya.explain(language="ja").text()
    assert "順伝播" in told and "Forward pass" not in told


def test_no_miya_leaves_her_out():
    with_her, without = miya.explain().text(), miya.explain(miya=False).text()
    assert "Miya" in with_her and "(=^" in with_her
    assert "Miya" not in without and "(=^" not in without
    assert "z1[0] = " in without


def test_the_original_story_has_its_names_in_every_language():
    told = miya.explain(language="ja")
    assert told.trace.loss == miya.explain().trace.loss
    text = told.text()
    assert "はじまりの物語" in text and "出力ニューロン" in text and "尺度: 圧力" in text
    assert not [word for word in ("neuron", "hidden", "story", "measure") if word in text]
