"""What columns of texts and of pictures have in common in a preparation."""

from stillhouse.columns import ENCODED, feature_name


class EncodedColumn:
    """A raw column and its encoder; ``scores`` are what is learned of the label, if anything."""

    scores = None

    def __init__(self, column, encoder):
        self.column, self.encoder = column, encoder

    @property
    def learns_unlabelled(self):
        """Whether the encoder learns from rows without labels, too."""
        return getattr(self.encoder, "unlabelled", False)

    @property
    def kind(self):
        """The kind of the encoder's features: numbers, or what only some networks read, such as the numbers of tokens."""
        return getattr(self.encoder, "kind", ENCODED)

    def names(self):
        """Return the names of the encoder's features."""
        return [
            feature_name(self.kind, self.column, f"{self.column['name']} {place:03d}") for place in range(self.encoder.size_)
        ]
