"""A column of texts in a preparation: its encoder and, where that asks for it, the label's scores by all that it counts."""

from stillhouse.columns import MEAN_LABEL, feature_name
from stillhouse.intake import kinds
from stillhouse.preparation.encoded_column import EncodedColumn
from stillhouse.preparation.target_means import cross_fitted, target_names
from stillhouse.preparation.text_scores import TextScores


class TextColumn(EncodedColumn):
    """A column of texts, and what is learned of it from training rows.

    What the encoder reads of texts, ``read``, is made once: counts where it has them, for components and scores alike, and else
    the texts. Without labels there are no scores.
    """

    def __init__(self, column, encoder, classes):
        super().__init__(column, encoder)
        self.classes = classes

    def fit(self, table, labels, unlabelled):
        """Learn the encoder, from ``unlabelled`` rows too if it does so, and with labels (rows, outputs) the scores.

        Returns what was read of the rows of ``table``.
        """
        read = kinds.plain_texts(table[self.column["name"]])
        if hasattr(self.encoder, "fit_counts"):
            read = self.encoder.fit_counts(read, kinds.plain_texts(self.more(unlabelled)))
        else:
            self.encoder.fit(read)
        if labels is not None and getattr(self.encoder, "scores", False) and read.shape[1]:
            self.scores = self._new().fit(read, labels)
        return read

    def read(self, table):
        """Return the counts of a table's texts, sparse, or the texts for an encoder that counts nothing; one for each row."""
        texts = kinds.plain_texts(table[self.column["name"]])
        return self.encoder.counts(texts) if hasattr(self.encoder, "counts") else texts

    def encoded(self, read):
        """Return the encoder's features; shape (rows, size)."""
        return self.encoder.components(read) if hasattr(self.encoder, "counts") else self.encoder.transform(read)

    def unseen_scores(self, read, labels, parts):
        """Return the scores of the rows that were fitted on, none of them by its own label; shape (rows, outputs)."""
        return cross_fitted(self._new, read, labels, parts)

    def score_names(self):
        """Return the names of the scores, if there are any."""
        titles = target_names(self.classes) if self.scores else []
        return [feature_name(MEAN_LABEL, self.column, f"{self.column['name']}, score of {title}") for title in titles]

    def _new(self):
        return TextScores(bool(self.classes))
