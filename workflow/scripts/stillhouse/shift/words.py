"""Words of texts that are more, or less, frequent in a second table."""

import numpy as np
from scipy.stats import chi2
from sklearn.feature_extraction.text import CountVectorizer

from stillhouse.intake import kinds
from stillhouse.shift.adjusted import holm
from stillhouse.shift.two_sample import LEAST_EXPECTED, PERMUTATIONS, column_test

# The most frequent words of both tables are compared; of those that moved, so many are named.
MOST_WORDS, MOST_NAMED = 1000, 10
CLEAR = 0.05


def text_test(texts, sides, rng):
    """Return how far texts have moved between tables (0 to 1), the p-value, and the words that moved, the clearest first.

    The distance is the larger of two: that of the numbers of words (Kolmogorov-Smirnov), and the largest difference of the
    shares of texts that have a word, among the words that moved. P-values are adjusted for the number of words, and that of the
    column for these two tests. Gaps are left out.
    """
    known = texts.notna().to_numpy()
    texts, sides = texts[known].reset_index(drop=True), sides.part(known)
    if sides.of_second.all() or not sides.of_second.any():
        return 0.0, 1.0, []
    distance, p = column_test(kinds.measured(texts, {"kind": kinds.TEXT})[1], sides, rng, is_categorical=False)
    words, present = words_of(texts, sides)
    if not words:
        return distance, p, []
    before, after = shares(present, sides.of_second[:, None].astype(float))[:, :, 0]
    of_words = p_values(present, sides, rng)
    order = np.lexsort([-np.abs(after - before), of_words])
    moved = [word for word in order[:MOST_NAMED] if of_words[word] < CLEAR]
    named = [
        {"word": words[word], "train": float(before[word]), "deploy": float(after[word]), "p": float(of_words[word])}
        for word in moved
    ]
    farthest = max(float(np.abs(after - before)[moved].max(initial=0)), distance)
    return farthest, float(min(1.0, 2 * min(p, of_words.min()))), named


def words_of(texts, sides):
    """Return the words that can be compared, and which text has which; sparse, shape (texts, words).

    Of a word that either table has, five texts are expected in each.
    """
    plain, smaller = kinds.plain_texts(texts), min(sides.of_second.mean(), 1 - sides.of_second.mean())
    least = LEAST_EXPECTED / (smaller * len(texts))
    counted = CountVectorizer(analyzer=str.split, binary=True, max_features=MOST_WORDS)
    if not any(plain):
        return [], None
    present = counted.fit_transform(plain).astype("float64")
    frequent = np.flatnonzero(np.asarray(present.mean(axis=0))[0] >= least)
    return counted.get_feature_names_out()[frequent].tolist(), present[:, frequent]


def shares(present, of_second):
    """Return the share of texts with each word in either table; (texts, permutations) to (2, words, permutations)."""
    counts = np.stack([present.T @ (1 - of_second), present.T @ of_second])
    return counts / np.stack([(1 - of_second).sum(axis=0), of_second.sum(axis=0)])[:, None, :]


def p_values(present, sides, rng):
    """Return each word's p-value, adjusted for the number of words; shape (words,).

    By chi-squared and Holm; with groups, by how far the farthest word moves in permutations of groups (Westfall & Young 1993).
    """
    if sides.units is None:
        return holm(chi2.sf(squared_distances(present, sides.of_second[:, None].astype(float))[:, 0], df=1))
    found = squared_distances(present, sides.shuffled(PERMUTATIONS, rng))
    return (found.max(axis=0) >= found[:, :1] - 1e-12).mean(axis=1)


def squared_distances(present, of_second):
    """Return the squared difference of shares in units of its variance for independent texts; (words, permutations)."""
    before, after = shares(present, of_second)
    overall, n = np.asarray(present.mean(axis=0)).T, of_second.sum(axis=0)
    variance = overall * (1 - overall) * (1 / n + 1 / (len(of_second) - n))
    return np.where(variance > 0, (after - before) ** 2 / np.where(variance > 0, variance, 1), 0)
