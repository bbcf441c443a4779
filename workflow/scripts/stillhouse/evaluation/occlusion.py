"""What single words of a text did to a prediction: how it changes without them (Robnik-Šikonja & Kononenko 2008)."""

import numpy as np

# The most different words of a text that are left out in turn, the first ones; and the most that are named, the strongest.
MOST_WORDS, MOST_NAMED = 100, 3
# Effects below this are what rounding leaves.
ROUNDING = 1e-6


def without_each_word(text):
    """Return the different words of a plain text, and the text without each, wherever it stands."""
    words = text.split()
    different = list(dict.fromkeys(words))[:MOST_WORDS]
    return different, [" ".join(word for word in words if word != left_out) for left_out in different]


def strongest_words(words, predicted, without):
    """Return pairs of words and their effects, the strongest first: the prediction less that without the word.

    ``predicted`` is the prediction of the whole text, ``without`` those without each word, shape (words,).
    """
    effects = predicted - np.asarray(without)
    order = np.argsort(-np.abs(effects), kind="stable")[:MOST_NAMED]
    return [(words[place], float(effects[place])) for place in order if abs(effects[place]) > ROUNDING]
