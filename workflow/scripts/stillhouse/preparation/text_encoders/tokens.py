"""The words, or the characters, of a text in their order, each as its number among the known ones; networks read them."""

from collections import Counter

import numpy as np

from stillhouse.columns import TOKEN

# What a text is divided into, by name.
PARTS = {"words": str.split, "characters": list}
# The numbers of what stands after the last word, and of a word that is not known.
PADDING, UNKNOWN = 0, 1
# A word of a single text tells nothing of others.
LEAST_TEXTS = 2


class Tokens:
    """The first, or the last, ``length`` words of each text; ``known_`` has the words of the numbers from 2 on.

    They are the most frequent words that at least two texts have, the most frequent one first. ``of`` says whether texts are
    divided into words or into characters, which are then what is called words here.
    """

    kind = TOKEN

    def __init__(self, length, words, keep, of):
        self.length, self.words, self.keep, self.of = length, words, keep, of

    def fit(self, texts):
        """Learn the most frequent words of texts."""
        found = Counter(word for text in texts for word in dict.fromkeys(PARTS[self.of](text)))
        common = sorted((word for word, count in found.items() if count >= LEAST_TEXTS), key=lambda word: (-found[word], word))
        self.known_, self.size_ = common[: self.words], self.length
        return self

    def transform(self, texts):
        """Return the numbers of words, 0 after the last one; shape (texts, length)."""
        numbers = {word: number for number, word in enumerate(self.known_, start=UNKNOWN + 1)}
        found = np.full((len(texts), self.length), PADDING, dtype=np.float32)
        for row, text in enumerate(texts):
            words = PARTS[self.of](text)
            words = words[: self.length] if self.keep == "start" else words[-self.length :]
            found[row, : len(words)] = [numbers.get(word, UNKNOWN) for word in words]
        return found


def make(seed, length, words, keep, of):
    """Return the encoder."""
    return Tokens(length, words, keep, of)
