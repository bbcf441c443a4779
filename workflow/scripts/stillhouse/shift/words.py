"""Words of texts that are more, or less, frequent in a second table."""

import numpy as np
import pandas as pd
from scipy.stats import hypergeom
from sklearn.feature_extraction.text import CountVectorizer

from stillhouse.intake import kinds
from stillhouse.shift.adjusted import holm
from stillhouse.shift.two_sample import PERMUTATIONS, column_test

# A word is compared that so many texts of both tables together have, the most frequent ones; so many that moved are named.
LEAST_TEXTS, MOST_WORDS, MOST_NAMED = 5, 5000, 10
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
    plain = kinds.plain_texts(texts)
    distance, p = column_test(pd.Series(kinds.lengths_of(plain)), sides, rng, is_categorical=False)
    words, present = words_of(plain)
    if not words:
        return distance, p, []
    before, after = shares(present, sides.of_second[:, None].astype(float))[:, :, 0]
    of_words, moves = p_values(present, sides, rng), np.abs(after - before)
    moved = of_words < CLEAR
    named = [
        {"word": words[word], "train": float(before[word]), "deploy": float(after[word]), "p": float(of_words[word])}
        for word in np.lexsort([-moves, of_words])[:MOST_NAMED]
        if moved[word]
    ]
    return max(float(moves[moved].max(initial=0)), distance), float(min(1.0, 2 * min(p, of_words.min()))), named


def words_of(plain):
    """Return the words of plain texts that are compared, and which text has which; sparse, shape (texts, words)."""
    counted = CountVectorizer(analyzer=str.split, binary=True, min_df=min(LEAST_TEXTS, len(plain)), max_features=MOST_WORDS)
    try:
        present = counted.fit_transform(plain).astype("float64")
    except ValueError:  # no word is in so many texts
        return [], None
    return counted.get_feature_names_out().tolist(), present


def shares(present, of_second):
    """Return the share of texts with each word in either table; (texts, permutations) to (2, words, permutations)."""
    counts = np.stack([present.T @ (1 - of_second), present.T @ of_second])
    return counts / np.stack([(1 - of_second).sum(axis=0), of_second.sum(axis=0)])[:, None, :]


def p_values(present, sides, rng):
    """Return each word's p-value, adjusted for the number of words; shape (words,).

    By the hypergeometric distribution of how many of the texts with a word are in the second table; with groups, by how far the
    farthest word moves in permutations of groups (Westfall & Young 1993).
    """
    if sides.units is None:
        return exact_p_values(present, sides.of_second)
    found = squared_distances(present, sides.shuffled(PERMUTATIONS, rng))
    return (found.max(axis=0) >= found[:, :1] - 1e-12).mean(axis=1)


def exact_p_values(present, of_second):
    """Return p-values of independent texts, adjusted by Holm among the words that could be clear at all (Tarone 1990)."""
    have, n = np.asarray(present.sum(axis=0)).ravel().astype(int), int(of_second.sum())
    margins = len(of_second), have, n
    p = two_sided(np.asarray(present[of_second].sum(axis=0)).ravel().astype(int), *margins)
    ends = np.maximum(0, n + have - len(of_second)), np.minimum(have, n)
    least = np.minimum(*(two_sided(end, *margins) for end in ends))
    # As few words as possible, such that no more than these can be below their share of the level.
    ordered = np.sort(least)
    tested = next(count for count in range(1, len(least) + 1) if (ordered <= CLEAR / count).sum() <= count)
    can_be_clear = least <= CLEAR / tested
    adjusted = np.ones(len(p))
    adjusted[can_be_clear] = holm(p[can_be_clear])
    return adjusted


def two_sided(found, texts, have, n):
    """Return twice the smaller tail of the hypergeometric distribution, at most 1; shape (words,)."""
    tails = np.minimum(hypergeom.cdf(found, texts, have, n), hypergeom.sf(found - 1, texts, have, n))
    return np.clip(2 * tails, 0, 1)


def squared_distances(present, of_second):
    """Return the squared difference of shares in units of its variance for independent texts; (words, permutations)."""
    before, after = shares(present, of_second)
    overall, n = np.asarray(present.mean(axis=0)).T, of_second.sum(axis=0)
    variance = overall * (1 - overall) * (1 / n + 1 / (len(of_second) - n))
    return np.where(variance > 0, (after - before) ** 2 / np.where(variance > 0, variance, 1), 0)
