"""What columns of texts and of pictures have in common in a preparation."""

from stillhouse.columns import ENCODED, feature_name


class EncodedColumn:
    """A raw column and its encoder; ``scores`` are what is learned of the label, if anything."""

    scores = None

    def __init__(self, column, encoder):
        self.column, self.encoder = column, encoder

    def more(self, unlabelled):
        """Return the cells of unlabelled rows that the encoder learns from, too: none, or all that are no gaps."""
        cells = unlabelled[self.column["name"]]
        return cells.dropna() if getattr(self.encoder, "unlabelled", False) else cells[:0]

    @property
    def kind(self):
        """The kind of the encoder's features: numbers, or what only some networks read, such as the numbers of tokens."""
        return getattr(self.encoder, "kind", ENCODED)

    def names(self):
        """Return the names of the encoder's features."""
        return [
            feature_name(self.kind, self.column, f"{self.column['name']} {place:03d}") for place in range(self.encoder.size_)
        ]
