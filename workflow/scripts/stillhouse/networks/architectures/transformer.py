"""A transformer over the columns of a table, each a token (Gorishniy, Rubachev, Khrulkov & Babenko 2021)."""

import torch
import torch.nn.functional as F
from torch import nn

from stillhouse.networks.architecture import ACTIVATIONS, Network, Tokens, per_layer

# Some of a GPU's kernels take no more sequences at once.
MOST_SEQUENCES = 65_535


class Attention(nn.Module):
    """Self-attention between the tokens of a row (Vaswani et al. 2017)."""

    def __init__(self, width, attention_heads):
        super().__init__()
        self.heads = attention_heads
        self.project, self.merge = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        """Return (…, tokens, width) of (…, tokens, width)."""
        parts = self.project(x).unflatten(-1, (3, self.heads, -1)).transpose(-4, -2)
        query, key, value = (part.flatten(0, -4) for part in parts.unbind(-3))
        blocks = zip(*(part.split(max(1, MOST_SEQUENCES // self.heads)) for part in (query, key, value)), strict=True)
        mixed = torch.cat([F.scaled_dot_product_attention(*block) for block in blocks])
        return self.merge(mixed.transpose(-3, -2).reshape(x.shape))


class Layer(nn.Module):
    """Attention and two linear layers, each after a norm and added to its input."""

    def __init__(self, width, attention_heads, factor, dropout, activation):
        super().__init__()
        hidden = round(factor * width)
        self.norm, self.attention = nn.LayerNorm(width), Attention(width, attention_heads)
        self.norm_after = nn.LayerNorm(width)
        self.layers = nn.Sequential(
            nn.Linear(width, hidden), ACTIVATIONS[activation](), nn.Dropout(dropout), nn.Linear(hidden, width)
        )

    def forward(self, x):
        """Return (…, tokens, width) of (…, tokens, width)."""
        x = x + self.attention(self.norm(x))
        return x + self.layers(self.norm_after(x))


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
