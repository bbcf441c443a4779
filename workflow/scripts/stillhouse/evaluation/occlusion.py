"""What single words of a text did to a prediction: how it changes without them (Robnik-Šikonja & Kononenko 2008)."""

import numpy as np

# The most texts that are predicted at once for a text, and the most words that are named, the strongest.
MOST_AT_ONCE, MOST_NAMED = 100, 3
# Of a prediction, what rounding may change.
ROUNDING = 1e-6


def strongest_words(predict, text):
    """Return pairs of words of a plain text and their effects, the strongest first: the prediction less that without the word.

    ``predict`` takes a list of plain texts, the whole one last, and returns a prediction for each. A word is left out wherever
    it stands. Of a text with more than a hundred different words, words that follow each other are first left out together, and
    then those of the strongest groups one by one.
    """
    words = text.split()
    groups = [[word] for word in dict.fromkeys(words)]
    if len(groups) > MOST_AT_ONCE:
        together = np.array_split(np.array(groups, dtype=object)[:, 0], MOST_AT_ONCE)
        effects, _ = effects_of(predict, text, words, together)
        kept = np.argsort(-np.abs(effects), kind="stable")[: max(1, MOST_AT_ONCE // max(map(len, together)))]
        groups = [[word] for place in sorted(kept) for word in together[place]]
    effects, least = effects_of(predict, text, words, groups)
    order = np.argsort(-np.abs(effects), kind="stable")[:MOST_NAMED]
    return [(groups[place][0], float(effects[place])) for place in order if abs(effects[place]) > least[place]]


def effects_of(predict, text, words, groups):
    """Return the prediction of a text less that without the words of each group, and what rounding may make of each."""
    left = [" ".join(word for word in words if word not in out) for out in map(set, groups)]
    *without, whole = np.asarray(predict([*left, text]), dtype="float64")
    without = np.array(without)
    return whole - without, ROUNDING * np.maximum(abs(whole), np.abs(without))
