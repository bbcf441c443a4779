"""Words of texts that moved: those that did are named, and chance is not taken for a move."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency

from stillhouse.shift.diagnosis import column_difference
from stillhouse.shift.two_sample import Sides
from stillhouse.shift.words import squared_distances, text_test, two_sided, words_of

WORDS = [f"w{number}" for number in range(300)]
COMMON = 1 / np.arange(1, 301)


def texts_of(rng, count, extra=""):
    """Texts of 3 to 11 words, common and rare ones."""
    p = COMMON / COMMON.sum()
    return [f"{' '.join(rng.choice(WORDS, rng.integers(3, 12), p=p))} {extra}" for _ in range(count)]


def test_the_words_that_moved_are_named_with_their_shares():
    rng = np.random.default_rng(0)
    texts = texts_of(rng, 400) + texts_of(rng, 80, "Recall!") + texts_of(rng, 20)
    distance, p, words = text_test(pd.Series(texts), Sides(np.arange(500) >= 400), rng)
    assert [word["word"] for word in words] == ["!", "recall"]
    assert [(word["train"], word["deploy"]) for word in words] == [(0, 0.8)] * 2
    assert distance == pytest.approx(0.8)
    assert p < 1e-6


def test_gaps_are_no_texts_and_a_side_without_texts_moves_nothing():
    rng, sides = np.random.default_rng(0), Sides(np.arange(200) >= 100)
    some_gaps = pd.Series(texts_of(rng, 100) + [None] * 60 + texts_of(rng, 40))
    assert text_test(some_gaps, sides, rng)[2] == []
    assert text_test(pd.Series(texts_of(rng, 100) + [None] * 100), sides, rng) == (0.0, 1.0, [])
    assert text_test(pd.Series([""] * 200), sides, rng) == (0.0, 1.0, [])


def test_the_distance_of_a_word_is_that_of_chi_squared():
    rng, sides = np.random.default_rng(1), Sides(np.arange(300) >= 200)
    words, present = words_of(texts_of(rng, 300))
    found = squared_distances(present, sides.of_second[:, None].astype(float))[:, 0]
    for place in (0, len(words) // 2, len(words) - 1):
        has = present[:, place].toarray()[:, 0]
        assert found[place] == pytest.approx(chi2_contingency(pd.crosstab(has, sides.of_second), correction=False).statistic)


@pytest.mark.parametrize(("before", "after"), [(300, 100), (3000, 60)])
def test_texts_without_a_shift_are_found_moved_no_more_often_than_stated(before, after):
    named, p = 0, []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        has = rng.random((before + after, 150)) < np.repeat([0.04, 0.5, 0.99], 50)
        texts = pd.Series([" ".join(np.array(WORDS[:150])[own]) for own in has])
        _, found, words = text_test(texts, Sides(np.arange(before + after) >= before), rng)
        p.append(found)
        named += bool(words)
    assert named <= 5
    assert np.mean(np.array(p) < 0.05) <= 0.15


def test_a_word_that_only_a_few_later_texts_have_is_named():
    """A hundred times as many texts were there before, and none of them has the word."""
    rng = np.random.default_rng(0)
    texts = pd.Series(texts_of(rng, 6000) + texts_of(rng, 50, "recall") + texts_of(rng, 10))
    _, p, words = text_test(texts, Sides(np.arange(6060) >= 6000), rng)
    assert words[0]["word"] == "recall"
    assert p < 1e-6


def test_tails_are_those_of_fisher_for_a_table_worked_by_hand():
    """Of ten texts four have the word, three of them among the three later ones: one draw of 120 / 4."""
    assert two_sided(np.array([3]), 10, np.array([4]), 3) == pytest.approx([2 * 4 / 120])
    assert two_sided(np.array([0]), 10, np.array([4]), 3) == pytest.approx([2 * 20 / 120])


def test_texts_of_patients_who_write_alike_are_not_taken_for_independent():
    """Every patient has a word of their own in all of ten texts, and patients are allotted by chance."""
    moved, of_rows = 0, 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        patients = np.repeat(np.arange(40), 10)
        own = rng.choice([f"own{number}" for number in range(6)], 40)[patients]
        texts = pd.Series([f"{text} {word}" for text, word in zip(texts_of(rng, 400), own, strict=True)])
        is_deploy = np.isin(patients, rng.permutation(40)[:15])
        moved += text_test(texts, Sides(is_deploy, patients), rng)[1] < 0.05
        of_rows += text_test(texts, Sides(is_deploy), rng)[1] < 0.05
    assert moved <= 5
    assert of_rows >= 20


def test_pictures_are_compared_by_their_brightness():
    column = {"name": "scan", "kind": "image", "size": [2, 2], "channels": 1}
    cells = pd.Series([bytes([light] * 4) for light in [*range(100), *range(150, 250)]] + [None])
    found = column_difference(cells, column, Sides(np.arange(201) >= 100), np.random.default_rng(0))
    assert found["distance"] == 1
    assert found["p"] < 1e-6
