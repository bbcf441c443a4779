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
from stillhouse.networks.attention import Layer
from stillhouse.preparation.text_encoders.tokens import PADDING, UNKNOWN

# The gates of a cell, its new state among them, by the kind of cell.
GATES = {"plain": 1, "gru": 3, "lstm": 4}
# Added to its logit, it gives what is no word a weight of exactly 0, unless there are no words at all.
MASKED = -1e9


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


class Cell(nn.Module):
    """A text read word by word, each of which changes a state.

    The cell is ``plain`` (Elman 1990), ``gru`` (Cho et al. 2014) or ``lstm`` (Hochreiter & Schmidhuber 1997).
    """

    def __init__(self, width, units, cell):
        super().__init__()
        self.cell, self.units = cell, units
        self.of_word = nn.Linear(width, GATES[cell] * units)
        self.of_state = nn.Linear(units, GATES[cell] * units)

    def forward(self, vectors, is_word, backwards=False):
        """Return the state after each word (…, tokens, units), reading from either end; past a text's end it stays as it is."""
        of_words = self.of_word(vectors).unbind(-2)
        state = memory = torch.zeros_like(of_words[0][..., : self.units])
        counts, found = is_word.unsqueeze(-1).unbind(-2), [None] * len(of_words)
        for place in reversed(range(len(of_words))) if backwards else range(len(of_words)):
            new = self._next(of_words[place], self.of_state(state), state, memory)
            state, memory = (torch.where(counts[place] > 0, *pair) for pair in zip(new, (state, memory), strict=True))
            found[place] = state
        return torch.stack(found, dim=-2)

    def _next(self, word, own, state, memory):
        """Return the next state and memory by what the word and the state say to each gate."""
        if self.cell == "plain":
            return torch.tanh(word + own), memory
        if self.cell == "gru":
            (reset, keep, new), (reset_own, keep_own, new_own) = word.chunk(3, dim=-1), own.chunk(3, dim=-1)
            keep = torch.sigmoid(keep + keep_own)
            new = torch.tanh(new + torch.sigmoid(reset + reset_own) * new_own)
            return (1 - keep) * new + keep * state, memory
        let_in, forget, new, out = (word + own).chunk(4, dim=-1)
        memory = torch.sigmoid(forget) * memory + torch.sigmoid(let_in) * torch.tanh(new)
        return torch.sigmoid(out) * torch.tanh(memory), memory


class Recurrent(nn.Module):
    """Cells that read a text from its start and, with ``both_ways``, from its end too, and what is taken of their states.

    ``last`` takes the state after all words, ``attended`` a mean of the states after each word, weighed by what a small network
    says of them (Bahdanau, Cho & Bengio 2015).
    """

    def __init__(self, width, units, cell, both_ways, taken):
        super().__init__()
        self.cells = nn.ModuleList(Cell(width, units, cell) for _ in range(1 + both_ways))
        self.size = len(self.cells) * units
        self.score = nn.Sequential(nn.Linear(self.size, units), nn.Tanh(), nn.Linear(units, 1)) if taken == "attended" else None

    def forward(self, vectors, is_word):
        """Return (…, size) of vectors (…, tokens, width) and of which of them are words (…, tokens)."""
        states = [cell(vectors, is_word, backwards=place > 0) for place, cell in enumerate(self.cells)]
        if self.score is None:
            ends = [own.select(-2, -1 if place == 0 else 0) for place, own in enumerate(states)]
            return torch.cat(ends, dim=-1)
        states = torch.cat(states, dim=-1)
        weights = torch.softmax(self.score(states).squeeze(-1) + mask_of(is_word), dim=-1)
        return (states * (weights * is_word).unsqueeze(-1)).sum(dim=-2)


class Attended(nn.Module):
    """Layers of attention between the words of a text, whose places have vectors too, and the mean of what they make of words.

    Places are ``learned``, or ``sinusoidal``: sines and cosines of ever longer waves (Vaswani et al. 2017).
    """

    vectorizes = True

    def __init__(self, length, width, layers, attention_heads, factor, places, dropout, activation):
        super().__init__()
        if places == "learned":
            self.places = nn.Parameter(torch.randn(length, width) / math.sqrt(width))
        else:
            self.register_buffer("places", waves(length, width))
        of_each = (width, attention_heads, factor, dropout, activation)
        self.layers = nn.ModuleList(Layer(*of_each) for _ in range(layers))
        self.norm, self.mean, self.size = nn.LayerNorm(width), Bag(width), width

    def forward(self, vectors, is_word):
        """Return (…, size) of vectors (…, tokens, width) and of which of them are words (…, tokens)."""
        x, mask = vectors + self.places.unsqueeze(-3), mask_of(is_word)
        for layer in self.layers:
            x = layer(x, mask)
        return self.mean(self.norm(x) * is_word.unsqueeze(-1), is_word)


def mask_of(is_word):
    """Return what is added to the logits of tokens before a softmax, nothing for a word; shape (…, tokens)."""
    return (1 - is_word) * MASKED


def waves(length, width):
    """Return sines and cosines of each place, from waves of 2π places to some 10,000 times that; shape (length, width)."""
    rates = 10_000 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angles = torch.arange(length, dtype=torch.float64)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :width].to(torch.get_default_dtype())


class TextInputs(nn.Module):
    """What is read of the texts of a row, beside its other features; ``reader(length)`` returns what reads so many vectors."""

    def __init__(self, inputs, reader, word_width, dropout, **entry_options):
        super().__init__()
        if not inputs.tokens:
            raise UserError("no column is read as text, and this network reads words; set `kinds: {column: text}`")
        self.inputs, self.flat = inputs, FlatInputs(inputs, **entry_options)
        self.vectors = nn.ModuleList(WordVectors(count, word_width) for _, count in inputs.tokens)
        self.readers = nn.ModuleList(reader(length) for length, _ in inputs.tokens)
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
