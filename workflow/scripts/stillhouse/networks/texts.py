"""Networks that read the words of texts: vectors of words, and what is made of a text's vectors.

Shapes omit the leading axes, as in ``architecture.py``. What stands after a text's last word never counts: a text is read alike
whatever room there is behind it.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from stillhouse.errors import UserError
from stillhouse.networks.architecture import FlatInputs
from stillhouse.preparation.text_encoders.tokens import PADDING, UNKNOWN


class WordVectors(nn.Module):
    """A learned vector for each known token; others count as unknown."""

    vectorizes = True

    def __init__(self, count, width):
        super().__init__()
        # Small, as the networks of texts have few rows for many words.
        self.weight = nn.Parameter(torch.randn(count, width) / math.sqrt(width))

    def forward(self, tokens):
        """Return the vectors (…, tokens, width) of the numbers of tokens (…, tokens), zeros for padding."""
        count, width = self.weight.shape[-2:]
        places = torch.where(tokens < count, tokens, UNKNOWN).long()
        if self.weight.dim() == 3:
            members = torch.arange(len(self.weight), device=places.device).view(-1, *[1] * (places.dim() - 1))
            places = places + members * count
        vectors = F.embedding(places, self.weight.reshape(-1, width))
        return vectors * (tokens != PADDING).unsqueeze(-1)


class Bag(nn.Module):
    """The mean of a text's vectors (Joulin et al. 2017)."""

    def __init__(self, width):
        super().__init__()
        self.size = width

    def forward(self, vectors, is_word):
        """Return (…, size) of vectors (…, tokens, width) and of which of them are words (…, tokens)."""
        return vectors.sum(dim=-2) / is_word.sum(dim=-1, keepdim=True).clamp_min(1)


class Convolutions(nn.Module):
    """Features of every few words that follow each other, the largest of each in a text (Kim 2014)."""

    def __init__(self, width, kernels, channels):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(kernel * width, channels) for kernel in kernels)
        self.kernels, self.size = kernels, len(kernels) * channels

    def forward(self, vectors, is_word):
        """Return (…, size) of vectors (…, tokens, width) and of which of them are words (…, tokens)."""
        found = []
        for kernel, layer in zip(self.kernels, self.layers, strict=True):
            windows = vectors.unfold(-2, kernel, 1).transpose(-2, -1).flatten(-2)
            # A window counts where it begins with a word.
            counts = is_word[..., : windows.shape[-2]].unsqueeze(-1)
            found.append((layer(windows).relu() * counts).amax(dim=-2))
        return torch.cat(found, dim=-1)


class TextInputs(nn.Module):
    """What is read of the texts of a row, beside its other features; ``reader`` returns the module that reads vectors."""

    def __init__(self, inputs, reader, word_width, dropout, **entry_options):
        super().__init__()
        if not inputs.tokens:
            raise UserError("no column is read as text, and this network reads words; set `kinds: {column: text}`")
        self.inputs, self.flat = inputs, FlatInputs(inputs, **entry_options)
        self.vectors = nn.ModuleList(WordVectors(count, word_width) for _, count in inputs.tokens)
        self.readers = nn.ModuleList(reader() for _ in inputs.tokens)
        self.dropout = nn.Dropout(dropout)
        self.shape = (self.flat.shape[0] + sum(one.size for one in self.readers),)

    def forward(self, x):
        """Return vectors of ``shape`` of features (…, features)."""
        tokens = x.split(self.inputs.widths, dim=-1)[3]
        texts = tokens.split([length for length, _ in self.inputs.tokens], dim=-1)
        read = [
            reader(vectors(tokens), (tokens != PADDING).to(x.dtype))
            for tokens, vectors, reader in zip(texts, self.vectors, self.readers, strict=True)
        ]
        return torch.cat([self.flat(x), self.dropout(torch.cat(read, dim=-1))], dim=-1)
