"""A transformer over the columns of a table, each a token (Gorishniy, Rubachev, Khrulkov & Babenko 2021)."""

from torch import nn

from stillhouse.networks.architecture import Network, Tokens, per_layer
from stillhouse.networks.attention import Layer


class FirstToken(nn.Module):
    """The first token of each row, after a norm."""

    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, x):
        """Return (…, width) of (…, tokens, width)."""
        return self.norm(x.select(-2, 0))


def make(inputs, n_outputs, heads, depth, dropout, activation, attention_heads, factor, embedding, **entry_options):
    """Return a network of ``depth`` layers over tokens of width ``embedding``."""
    tokens = Tokens(inputs, embedding=embedding, **entry_options)
    shares = per_layer(dropout, depth)
    layers = [Layer(embedding, attention_heads, factor, share, activation) for share in shares]
    return Network(tokens, nn.Sequential(*layers, FirstToken(embedding)), embedding, n_outputs, heads)
