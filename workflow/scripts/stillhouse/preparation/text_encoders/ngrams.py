"""Counts of words and of groups of characters, weighted by how rare they are, and their leading components.

Latent semantic analysis (Deerwester et al. 1990) of tf-idf weights (Salton & Buckley 1988). Each kind of count is divided by
its length for a text, so that long texts do not count more, and words and characters weigh the same.
"""

import numpy as np
from scipy.sparse import csr_matrix, diags, hstack
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils.extmath import randomized_svd

from stillhouse.errors import UserError

# Words and pairs of them; groups of three or four characters.
WORDS, CHARACTERS = (1, 2), (3, 4)
# Counts of what a single text has tell nothing of others.
LEAST_TEXTS = 2
# The least deviation of a component that says something, as a share of the largest.
LEAST_DEVIATION = 0.01


class Counts:
    """Counts of one kind, as log(1 + count) times the inverse document frequency, of length 1 for each text.

    ``terms_`` has the n-grams in the order of the columns, each a tuple of words or of characters; ``rarity_`` their inverse
    document frequencies, log((1 + texts) / (1 + texts that have it)) + 1.
    """

    def __init__(self, most, lengths, split):
        self.most, self.lengths, self.split = most, lengths, split

    def fit(self, texts, more=()):
        """Learn the most frequent n-grams of texts and, where there are fewer than may be counted, those of ``more`` texts."""
        self.fit_transform(texts, more)
        return self

    def fit_transform(self, texts, more=()):
        """Learn as ``fit`` does, and return the weighted counts of ``texts`` and then of ``more``; see ``transform``."""
        every, terms = [*texts, *more], dict.fromkeys(self._frequent(texts))
        if len(more) and len(terms) < self.most:
            added = [term for term in self._frequent(every) if term not in terms]
            terms |= dict.fromkeys(added[: self.most - len(terms)])
        self.terms_ = sorted(terms)
        counts = self._counted(every)
        self.rarity_ = np.log((1 + len(every)) / (1 + np.asarray((counts > 0).sum(axis=0)).ravel())) + 1
        return self._weighted(counts)

    def _frequent(self, texts):
        """Return the n-grams that at least two texts have, the most frequent one first, as many as may be counted."""
        counted = CountVectorizer(analyzer=self._ngrams, min_df=min(LEAST_TEXTS, len(texts)), max_features=self.most)
        try:
            often = np.asarray(counted.fit_transform(texts).sum(axis=0)).ravel()
        except ValueError:  # no n-gram is in two texts
            return []
        return sorted(counted.vocabulary_, key=lambda term: (-often[counted.vocabulary_[term]], term))

    def _counted(self, texts):
        """Return the counts of the terms; sparse, shape (texts, terms)."""
        if not self.terms_:
            return csr_matrix((len(texts), 0))
        counted = CountVectorizer(analyzer=self._ngrams, vocabulary={term: index for index, term in enumerate(self.terms_)})
        return counted.transform(texts).astype("float64")

    def transform(self, texts):
        """Return the weighted counts; sparse, shape (texts, terms)."""
        return self._weighted(self._counted(texts))

    def _weighted(self, counts):
        counts.data = np.log1p(counts.data)
        weighted = counts @ diags(self.rarity_)
        lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1))[:, 0])
        return diags(1 / np.where(lengths > 0, lengths, 1)) @ weighted

    def _ngrams(self, text):
        parts = self.split(text)
        return [tuple(parts[start : start + n]) for n in self._sizes() for start in range(len(parts) - n + 1)]

    def _sizes(self):
        return range(self.lengths[0], self.lengths[1] + 1)


class NGrams:
    """The leading components of weighted counts, each with mean 0 and deviation 1 over the texts that were fitted on.

    ``kinds`` are the counts that are made, ``components_`` of shape (size, terms), ``centre_`` and ``scale_`` of shape (size,).
    ``scores`` says whether a preparation also makes ``TextScores`` of the counts, ``unlabelled`` whether it has the encoder
    learn from texts without labels, too.
    """

    def __init__(self, size, words, characters, seed, scores=False, unlabelled=False):
        self.scores, self.unlabelled = scores, unlabelled
        asked = [Counts(words, WORDS, str.split)] if words else []
        self.size, self.seed, self.kinds = size, seed, [*asked, *([Counts(characters, CHARACTERS, list)] if characters else [])]

    def fit(self, texts):
        """Learn terms, their rarity, and components."""
        self.fit_counts(texts)
        return self

    def fit_counts(self, texts, more=()):
        """Learn as ``fit`` does, of ``more`` texts too, and return the weighted counts of ``texts``; see ``counts``.

        Terms of ``texts`` come first, and components are scaled by these alone.
        """
        weighted = hstack([counts.fit_transform(texts, more) for counts in self.kinds]).tocsr()
        self.size_ = min(self.size, *(side - 1 for side in weighted.shape))
        if self.size_ < 1:
            self.size_, self.components_ = 0, np.zeros((0, weighted.shape[1]))
            self.centre_ = self.scale_ = np.zeros(0)
            return weighted[: len(texts)]
        # In half precision, as shipped files carry them: they are most of a file.
        components = randomized_svd(weighted, self.size_, random_state=self.seed)[2].astype("float16").astype("float64")
        weighted = weighted[: len(texts)]
        found = weighted @ components.T
        deviation = found.std(axis=0)
        # Texts of few kinds have fewer components than are asked for; the others are nothing but rounding.
        kept = deviation > LEAST_DEVIATION * max(deviation.max(), LEAST_DEVIATION)
        self.components_, self.size_ = components[kept], int(kept.sum())
        self.centre_, self.scale_ = found.mean(axis=0)[kept], deviation[kept]
        return weighted

    def counts(self, texts):
        """Return the weighted counts of texts; sparse, shape (texts, terms)."""
        return hstack([counts.transform(texts) for counts in self.kinds]).tocsr()

    def components(self, counts):
        """Return the components of weighted counts; shape (texts, size)."""
        return (counts @ self.components_.T - self.centre_) / self.scale_

    def transform(self, texts):
        """Return the components of texts; shape (texts, size)."""
        return self.components(self.counts(texts))


def make(seed, size, words, characters, scores, unlabelled):
    """Return the encoder; raises ``UserError`` where nothing is to be counted."""
    if not words and not characters:
        raise UserError("texts: neither words nor characters are counted; leave one of them above 0")
    return NGrams(size, words, characters, seed, scores, unlabelled)
