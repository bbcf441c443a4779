"""Attention between the tokens of a row, be they columns of a table or words of a text (Vaswani et al. 2017)."""

import torch
import torch.nn.functional as F
from torch import nn

from stillhouse.networks.architecture import ACTIVATIONS

# Some of a GPU's kernels take no more sequences at once.
MOST_SEQUENCES = 65_535


class Attention(nn.Module):
    """Self-attention between the tokens of a row."""

    def __init__(self, width, attention_heads):
        super().__init__()
        self.heads = attention_heads
        self.project, self.merge = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x, mask=None):
        """Return (…, tokens, width) of (…, tokens, width); ``mask`` (…, tokens) is added to the logits of attention."""
        parts = self.project(x).unflatten(-1, (3, self.heads, -1)).transpose(-4, -2)
        inputs = [part.flatten(0, -4) for part in parts.unbind(-3)]
        if mask is not None:
            inputs.append(mask.flatten(0, -2)[:, None, None, :])
        blocks = zip(*(part.split(max(1, MOST_SEQUENCES // self.heads)) for part in inputs), strict=True)
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

    def forward(self, x, mask=None):
        """Return (…, tokens, width) of (…, tokens, width); see ``Attention``."""
        x = x + self.attention(self.norm(x), mask)
        return x + self.layers(self.norm_after(x))
