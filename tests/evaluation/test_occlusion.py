"""What single words of a text did to a prediction."""

import numpy as np
import pytest

from stillhouse.evaluation.occlusion import strongest_words


def by_words(worth, scale=1.0):
    """A prediction that is the sum of what each word is worth."""
    return lambda texts: [scale * sum(worth.get(word, 0) for word in text.split()) for text in texts]


def test_the_strongest_words_are_named_with_their_signs_wherever_they_stand():
    found = strongest_words(by_words({"good": 1.0, "bad": -2.0, "so": 0.1, "not": 0.5}), "bad so good bad not so")
    assert found == [("bad", -4.0), ("good", 1.0), ("not", 0.5)]


def test_a_word_at_the_end_of_a_long_text_is_found():
    text = " ".join([*(f"w{number}" for number in range(1500)), "bad", "end"])
    asked = []

    def predict(texts):
        asked.append(len(texts))
        return by_words({"bad": 3.0, "w7": 1.0})(texts)

    assert strongest_words(predict, text) == [("bad", 3.0), ("w7", 1.0)]
    assert max(asked) <= 101
    assert len(asked) == 2


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_effects_are_named_whatever_the_unit_of_the_value_and_rounding_is_not(scale):
    predict = by_words({"x": 1.0, "y": 1e-9, "z": 0.5}, scale)
    assert [word for word, _ in strongest_words(predict, "x y z")] == ["x", "z"]


def test_a_text_without_words_has_none():
    assert strongest_words(lambda texts: np.zeros(len(texts)), "") == []
