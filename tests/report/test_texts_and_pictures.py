"""What the report says of words that moved, of words of one text, and of the parts of a picture."""

import numpy as np
import pandas as pd
from conftest import report_run

from stillhouse.report.sections import gallery, rows, shift

WORDS = [
    {"word": "recall", "train": 0.0, "deploy": 0.4, "p": 1e-9},
    {"word": "x" * 500, "train": 0.3, "deploy": 0.1, "p": 0.01},
]
NOTE = {"name": "note", "kind": "text", "distance": 0.4, "p": 1e-9, "words": WORDS}
AGE = {"name": "age", "kind": "numeric", "distance": 0.1, "p": 0.5}


def test_words_that_moved_have_a_picture_and_the_distance_of_a_text_is_explained():
    run = report_run(shift={"columns": [NOTE, AGE], "truth": None, "labels": None}, metrics={})
    columns, words = shift.pictures(run)
    assert "Of texts it is that of the number of words, or of the word that moved most." in columns.text
    assert "Of pictures" not in columns.text
    assert words.title == "Words of note that moved"
    assert words.drawn[1]["name"].tolist() == ["recall", "x" * 500]
    assert words.drawn[1]["deploy rows"].tolist() == [0.4, 0.1]


def test_the_strongest_words_of_a_row_are_told_by_what_would_be_without_them():
    lines = pd.DataFrame({"column": ["note", "note", "title"], "word": ["bad", "y" * 500, "late"], "predicted": 0.8})
    said = rows.words_sentence(lines.assign(effect=[0.3, -0.1, 0.2]), "{:.2f}".format)
    assert said.startswith(" Without one word of note it would be 0.50 (“bad”) and 0.90 (“yyyy")
    assert said.endswith(" Without one word of title it would be 0.60 (“late”).")
    assert "y" * 30 not in said
    assert rows.words_sentence(lines[:0].assign(effect=0.0), str) == ""


def test_parts_that_carry_a_class_are_orange_and_those_that_speak_against_it_blue():
    picture = np.full((2, 2, 1), 100, dtype=np.uint8)
    shown = gallery.overlaid(picture, np.array([[0.4, -0.4], [0.0, 0.2]]))
    assert shown[0, 0].tolist() == list(gallery.ORANGE)
    assert shown[0, 1].tolist() == list(gallery.BLUE)
    assert shown[1, 0].tolist() == [100, 100, 100]
    assert (gallery.overlaid(picture, np.full((2, 2), 1e-9)) == 100).all()
