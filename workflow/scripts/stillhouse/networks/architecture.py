"""What architectures share: how prepared features enter a network, its activations, its heads, its first weights.

Modules are written for one member and read their axes from the right, so that they run as well on stacked members; see
``stacked/layers.py``. Shapes below leave the leading axes out: (features) stands for (rows, features) and for
(members, rows, features).
"""

import math
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from torch import nn

from stillhouse.columns import source
from stillhouse.errors import UserError
from stillhouse.networks.vectorized.layers import BatchNorm, product

ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
}
# Of weights (out, in). Glorot & Bengio 2010; He et al. 2015.
INITIALIZATIONS = {
    "normal": lambda weight: nn.init.normal_(weight, std=0.05),
    "uniform": lambda weight: nn.init.uniform_(weight, -0.05, 0.05),
    "xavier_normal": nn.init.xavier_normal_,
    "xavier_uniform": nn.init.xavier_uniform_,
    "kaiming_normal": lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu"),
    "kaiming_uniform": lambda weight: nn.init.kaiming_uniform_(weight, nonlinearity="relu"),
}
NORMS = {"none": nn.Identity, "batch": BatchNorm, "layer": nn.LayerNorm}


@dataclass(frozen=True)
class Inputs:
    """Where prepared features lie: ``numbers`` and ``flags`` first, then one block of columns a categorical column.

    ``edges`` are the ends of bins of the fitted rows' numbers, shape (numbers, bins + 1), for who wants them.
    """

    numbers: int
    flags: int
    words: tuple
    edges: np.ndarray | None = None


def inputs_of(names, fitted=None, bins=0):
    """Return where features of these names lie, with ``bins`` bins of the numbers of fitted rows (rows, features)."""
    kinds = [name[0] for name in names]
    numbers = sum(kind in "nt" for kind in kinds)
    words = tuple(len(list(block)) for _, block in groupby(source(name) for name in names if name[0] == "c"))
    edges = np.stack([edges_of(column, bins) for column in fitted[:, :numbers].T]) if bins and numbers else None
    return Inputs(numbers, kinds.count("m"), words, edges)


def edges_of(values, bins):
    """Return ends of bins, half of them with like many rows and half with like many distinct values; shape (bins + 1,).

    Quantiles of rows alone have nothing to say about the few that differ, where most are the same, such as no gain at all.
    """
    by_rows = np.quantile(values, np.linspace(0, 1, bins // 2 + 1))
    halfway = (np.arange(bins - bins // 2) + 0.5) / (bins - bins // 2)
    return np.sort(np.concatenate([by_rows, np.quantile(np.unique(values), halfway)]))


class LinearEach(nn.Module):
    """A linear layer of its own for each place of the axis before the last: (places, in) to (places, out)."""

    stacks = True

    def __init__(self, places, n_in, n_out):
        super().__init__()
        bound = 1 / math.sqrt(n_in)
        self.weight = nn.Parameter(torch.empty(places, n_in, n_out).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(places, n_out).uniform_(-bound, bound))

    def forward(self, x):
        """Return outputs (…, places, out) of inputs (…, places, in)."""
        lead = self.weight.dim() - 3
        rows = x.reshape(*x.shape[:lead], -1, *x.shape[-2:]).transpose(-3, -2)
        weight = self.weight.reshape(-1, *self.weight.shape[-2:])
        result = product(rows.reshape(len(weight), -1, x.shape[-1]), weight, self.bias.reshape(len(weight), -1))
        result = result.view(*self.weight.shape[:-2], -1, weight.shape[-1]).transpose(-3, -2)
        return result.reshape(*x.shape[:-1], -1)


class Piecewise(nn.Module):
    """Piecewise linear encoding (Gorishniy, Rubachev & Babenko 2022): how far a number is through each of its bins."""

    stacks = True

    def __init__(self, edges):
        super().__init__()
        edges = torch.tensor(edges, dtype=torch.get_default_dtype())
        widths = edges.diff(dim=1)
        self.register_buffer("start", edges[:, :-1].contiguous())
        # A bin without width is a step at its place.
        self.register_buffer("slope", 1 / widths.clamp_min(1e-6))
        self.width = widths.shape[1]

    def forward(self, x):
        """Return encodings (…, numbers, bins) of numbers (…, numbers)."""
        return ((x.unsqueeze(-1) - self.start.unsqueeze(-3)) * self.slope.unsqueeze(-3)).clamp(0, 1)


class Periodic(nn.Module):
    """Sines and cosines of learned frequencies (Gorishniy, Rubachev & Babenko 2022), drawn with deviation ``spread``."""

    stacks = True

    def __init__(self, numbers, frequencies, spread):
        super().__init__()
        self.frequency = nn.Parameter(torch.randn(numbers, frequencies) * spread)
        self.width = 2 * frequencies

    def forward(self, x):
        """Return encodings (…, numbers, 2 x frequencies) of numbers (…, numbers)."""
        angle = 2 * math.pi * x.unsqueeze(-1) * self.frequency.unsqueeze(-3)
        return torch.cat([angle.cos(), angle.sin()], dim=-1)


class Single(nn.Module):
    """A number as it is, with an axis of length one."""

    width = 1

    def forward(self, x):
        """Return (…, numbers, 1) of numbers (…, numbers)."""
        return x.unsqueeze(-1)


def encoding(inputs, numbers, frequencies, spread):
    """Return what a number becomes before it is embedded; ``numbers`` is one of none, piecewise and periodic."""
    if numbers == "piecewise":
        return Piecewise(inputs.edges)
    return Periodic(inputs.numbers, frequencies, spread) if numbers == "periodic" else Single()


class Vector(nn.Module):
    """All features as one vector: numbers as they are or embedded, flags, and words as they are or embedded."""

    def __init__(self, inputs, numbers, words, embedding, frequencies, spread):
        super().__init__()
        self.inputs, self.is_embedded = inputs, numbers != "none" and inputs.numbers > 0
        if self.is_embedded:
            self.encode = encoding(inputs, numbers, frequencies, spread)
            self.embed = LinearEach(inputs.numbers, self.encode.width, embedding)
            self.activation = nn.ReLU()
        sizes = [min(embedding, count) for count in inputs.words] if words == "embedded" else []
        self.tables = nn.ModuleList(nn.Linear(*pair, bias=False) for pair in zip(inputs.words, sizes, strict=bool(sizes)))
        self.shape = (inputs.numbers * (embedding if self.is_embedded else 1) + inputs.flags + sum(sizes or inputs.words),)

    def forward(self, x):
        """Return vectors of ``shape`` of features (…, features)."""
        numbers, flags, *words = x.split([self.inputs.numbers, self.inputs.flags, *self.inputs.words], dim=-1)
        if self.is_embedded:
            numbers = self.activation(self.embed(self.encode(numbers))).flatten(-2)
        if self.tables:
            words = [table(word) for table, word in zip(self.tables, words, strict=True)]
        return torch.cat([numbers, flags, *words], dim=-1)


class Tokens(nn.Module):
    """Every source column as a token, after one that is the same for all rows (Gorishniy et al. 2021)."""

    stacks = True

    def __init__(self, inputs, numbers, embedding, frequencies, spread):
        super().__init__()
        self.inputs = inputs
        self.first = nn.Parameter(torch.randn(embedding) / math.sqrt(embedding))
        if inputs.numbers:
            self.encode = encoding(inputs, numbers, frequencies, spread)
            self.numbers = LinearEach(inputs.numbers, self.encode.width, embedding)
        if inputs.flags:
            self.flags = LinearEach(inputs.flags, 1, embedding)
        self.tables = nn.ModuleList(nn.Linear(count, embedding) for count in inputs.words)
        self.shape = (1 + inputs.numbers + inputs.flags + len(inputs.words), embedding)

    def forward(self, x):
        """Return tokens of ``shape`` (1 + columns, embedding) of features (…, features)."""
        numbers, flags, *words = x.split([self.inputs.numbers, self.inputs.flags, *self.inputs.words], dim=-1)
        first = self.first.view(*self.first.shape[:-1], *[1] * (x.dim() - self.first.dim() + 1), self.shape[-1])
        tokens = [first.expand(*x.shape[:-1], 1, -1)]
        tokens += [self.numbers(self.encode(numbers))] if self.inputs.numbers else []
        tokens += [self.flags(flags.unsqueeze(-1))] if self.inputs.flags else []
        tokens += [table(word).unsqueeze(-2) for table, word in zip(self.tables, words, strict=True)]
        return torch.cat(tokens, dim=-2)


class Scales(nn.Module):
    """Copies of what enters a body, each scaled by random signs of its own that are then learned (Gorishniy et al. 2025)."""

    stacks = True

    def __init__(self, heads, shape):
        super().__init__()
        signs = torch.randint(0, 2, (heads, *shape)) * 2 - 1
        self.scale, self.axes = nn.Parameter(signs.to(torch.get_default_dtype())), len(shape)

    def forward(self, x):
        """Return (…, heads, *shape) of inputs (…, *shape)."""
        own = -1 - self.axes
        return x.unsqueeze(own) * self.scale.unsqueeze(own - 1)


class Network(nn.Module):
    """A network of three parts, which may be trained at rates of their own: ``inputs``, ``body`` and ``head``.

    With several heads, each has a scaled copy of the body's inputs and a last layer of its own; outputs then are
    (rows, heads, outputs), and (rows, outputs) otherwise.
    """

    def __init__(self, inputs, body, width, n_outputs, heads):
        super().__init__()
        self.inputs = inputs if heads == 1 else nn.Sequential(inputs, Scales(heads, inputs.shape))
        self.body = body
        self.head = nn.Linear(width, n_outputs) if heads == 1 else LinearEach(heads, width, n_outputs)

    def forward(self, x):
        """Return logits or values of features (…, features)."""
        return self.head(self.body(self.inputs(x)))


def initialise(network, initialization):
    """Draw the weights of linear layers anew and set their biases to zero; ``default`` leaves a network as it is."""
    if initialization == "default":
        return network
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, (nn.Linear, LinearEach)):
                for weight in [layer.weight.mT] if isinstance(layer, nn.Linear) else layer.weight:
                    INITIALIZATIONS[initialization](weight.mT)
                if layer.bias is not None:
                    layer.bias.zero_()
    return network


def per_layer(dropout, depth):
    """Return the dropout of each layer: one number for all, or a list from the input on; raises ``UserError``."""
    rates = dropout if isinstance(dropout, list) else [dropout] * depth
    if len(rates) != depth:
        raise UserError(f"dropout: {len(rates)} rates for {depth} layers; give one number, or one for each layer")
    return rates
