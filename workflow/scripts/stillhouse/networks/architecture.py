"""The parts that architectures share: input layers, activations, heads, initial weights.

Modules are written for one network and count their axes from the right, so that they also run on vectorized networks; see
``vectorized/layers.py``. Shapes below omit the leading axes: (features) stands for (rows, features) and for
(members, rows, features).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from stillhouse.columns import GAP_INDICATOR, MEAN_LABEL, NUMBER, feature_kind, one_hot_blocks
from stillhouse.errors import UserError
from stillhouse.networks.vectorized.layers import BatchNorm, product

ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
}
# Each sets a weight of shape (out, in). Glorot & Bengio 2010; He et al. 2015.
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
    """How prepared features are ordered: numbers, flags, then a block of one-hot columns for each categorical column.

    ``numbers`` and ``flags`` are counts, ``categories`` has the width of each block. ``edges`` are the bin edges of the fitted
    rows' numbers, shape (numbers, bins + 1), for a piecewise linear encoding.
    """

    numbers: int
    flags: int
    categories: tuple
    edges: np.ndarray | None = None


def inputs_of(names, fitted=None, bins=0):
    """Return how features of these names are ordered, with ``bins`` bins of the numbers of fitted rows (rows, features)."""
    kinds = [feature_kind(name) for name in names]
    numbers = kinds.count(NUMBER) + kinds.count(MEAN_LABEL)
    categories = tuple(map(len, one_hot_blocks(names)))
    edges = np.stack([edges_of(column, bins) for column in fitted[:, :numbers].T]) if bins and numbers else None
    return Inputs(numbers, kinds.count(GAP_INDICATOR), categories, edges)


def edges_of(values, bins):
    """Return bin edges: half are quantiles of the rows, half are quantiles of the distinct values; shape (bins + 1,).

    Where most rows have the same value, quantiles of rows alone would put nearly all bins there and none among the others.
    """
    by_rows = np.quantile(values, np.linspace(0, 1, bins // 2 + 1))
    halfway = (np.arange(bins - bins // 2) + 0.5) / (bins - bins // 2)
    return np.sort(np.concatenate([by_rows, np.quantile(np.unique(values), halfway)]))


class LinearEach(nn.Module):
    """A separate linear layer for each position on the axis before the last: (positions, in) to (positions, out)."""

    vectorizes = True

    def __init__(self, positions, n_in, n_out):
        super().__init__()
        bound = 1 / math.sqrt(n_in)
        self.weight = nn.Parameter(torch.empty(positions, n_in, n_out).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(positions, n_out).uniform_(-bound, bound))

    def forward(self, x):
        """Return outputs (…, positions, out) of inputs (…, positions, in)."""
        lead = self.weight.dim() - 3
        rows = x.reshape(*x.shape[:lead], -1, *x.shape[-2:]).transpose(-3, -2)
        weight = self.weight.reshape(-1, *self.weight.shape[-2:])
        result = product(rows.reshape(len(weight), -1, x.shape[-1]), weight, self.bias.reshape(len(weight), -1))
        result = result.view(*self.weight.shape[:-2], -1, weight.shape[-1]).transpose(-3, -2)
        return result.reshape(*x.shape[:-1], -1)


class PiecewiseLinearEncoding(nn.Module):
    """Piecewise linear encoding (Gorishniy, Rubachev & Babenko 2022): the share of each bin that lies below a number."""

    vectorizes = True

    def __init__(self, edges):
        super().__init__()
        edges = torch.tensor(edges, dtype=torch.get_default_dtype())
        widths = edges.diff(dim=1)
        self.register_buffer("start", edges[:, :-1].contiguous())
        # A bin without width is a step.
        self.register_buffer("slope", 1 / widths.clamp_min(1e-6))
        self.width = widths.shape[1]

    def forward(self, x):
        """Return encodings (…, numbers, bins) of numbers (…, numbers)."""
        return ((x.unsqueeze(-1) - self.start.unsqueeze(-3)) * self.slope.unsqueeze(-3)).clamp(0, 1)


class Periodic(nn.Module):
    """Sines and cosines of learned frequencies (Gorishniy, Rubachev & Babenko 2022), drawn with deviation ``spread``."""

    vectorizes = True

    def __init__(self, numbers, frequencies, spread):
        super().__init__()
        self.frequency = nn.Parameter(torch.randn(numbers, frequencies) * spread)
        self.width = 2 * frequencies

    def forward(self, x):
        """Return encodings (…, numbers, 2 x frequencies) of numbers (…, numbers)."""
        angle = 2 * math.pi * x.unsqueeze(-1) * self.frequency.unsqueeze(-3)
        return torch.cat([angle.cos(), angle.sin()], dim=-1)


class Single(nn.Module):
    """No encoding: an axis of length one is added."""

    width = 1

    def forward(self, x):
        """Return (…, numbers, 1) of numbers (…, numbers)."""
        return x.unsqueeze(-1)


def encoding(inputs, numbers, frequencies, spread):
    """Return the encoding of numbers before their embedding; ``numbers`` is one of none, piecewise and periodic."""
    if numbers == "piecewise":
        return PiecewiseLinearEncoding(inputs.edges)
    return Periodic(inputs.numbers, frequencies, spread) if numbers == "periodic" else Single()


class FlatInputs(nn.Module):
    """All features as one vector: numbers, raw or embedded; flags; categories, one-hot or embedded."""

    def __init__(self, inputs, numbers, categorical, embedding, frequencies, spread):
        super().__init__()
        self.inputs, self.is_embedded = inputs, numbers != "none" and inputs.numbers > 0
        if self.is_embedded:
            self.encode = encoding(inputs, numbers, frequencies, spread)
            self.embed = LinearEach(inputs.numbers, self.encode.width, embedding)
            self.activation = nn.ReLU()
        sizes = [min(embedding, count) for count in inputs.categories] if categorical == "embedded" else []
        self.tables = nn.ModuleList(nn.Linear(*pair, bias=False) for pair in zip(inputs.categories, sizes, strict=bool(sizes)))
        self.shape = (inputs.numbers * (embedding if self.is_embedded else 1) + inputs.flags + sum(sizes or inputs.categories),)

    def forward(self, x):
        """Return vectors of ``shape`` of features (…, features)."""
        numbers, flags, *categories = x.split([self.inputs.numbers, self.inputs.flags, *self.inputs.categories], dim=-1)
        if self.is_embedded:
            numbers = self.activation(self.embed(self.encode(numbers))).flatten(-2)
        if self.tables:
            categories = [table(block) for table, block in zip(self.tables, categories, strict=True)]
        return torch.cat([numbers, flags, *categories], dim=-1)


class Tokens(nn.Module):
    """A token for every source column, after one learned token that is the same for all rows (Gorishniy et al. 2021)."""

    vectorizes = True

    def __init__(self, inputs, numbers, embedding, frequencies, spread):
        super().__init__()
        self.inputs = inputs
        self.first = nn.Parameter(torch.randn(embedding) / math.sqrt(embedding))
        if inputs.numbers:
            self.encode = encoding(inputs, numbers, frequencies, spread)
            self.numbers = LinearEach(inputs.numbers, self.encode.width, embedding)
        if inputs.flags:
            self.flags = LinearEach(inputs.flags, 1, embedding)
        self.tables = nn.ModuleList(nn.Linear(count, embedding) for count in inputs.categories)
        self.shape = (1 + inputs.numbers + inputs.flags + len(inputs.categories), embedding)

    def forward(self, x):
        """Return tokens of ``shape`` (1 + columns, embedding) of features (…, features)."""
        numbers, flags, *categories = x.split([self.inputs.numbers, self.inputs.flags, *self.inputs.categories], dim=-1)
        first = self.first.view(*self.first.shape[:-1], *[1] * (x.dim() - self.first.dim() + 1), self.shape[-1])
        tokens = [first.expand(*x.shape[:-1], 1, -1)]
        tokens += [self.numbers(self.encode(numbers))] if self.inputs.numbers else []
        tokens += [self.flags(flags.unsqueeze(-1))] if self.inputs.flags else []
        tokens += [table(block).unsqueeze(-2) for table, block in zip(self.tables, categories, strict=True)]
        return torch.cat(tokens, dim=-2)


class ScaleEnsemble(nn.Module):
    """Copies of a body's inputs, each times a scale of its own: random signs at first, then learned (Gorishniy et al. 2025)."""

    vectorizes = True

    def __init__(self, heads, shape):
        super().__init__()
        signs = torch.randint(0, 2, (heads, *shape)) * 2 - 1
        self.scale, self.axes = nn.Parameter(signs.to(torch.get_default_dtype())), len(shape)

    def forward(self, x):
        """Return (…, heads, *shape) of inputs (…, *shape)."""
        own = -1 - self.axes
        return x.unsqueeze(own) * self.scale.unsqueeze(own - 1)


class Network(nn.Module):
    """A network of three parts, which may have learning rates of their own: ``inputs``, ``body`` and ``head``.

    With several heads, each has its own scaled copy of the body's inputs and its own last layer; outputs then have shape
    (rows, heads, outputs), otherwise (rows, outputs).
    """

    def __init__(self, inputs, body, width, n_outputs, heads):
        super().__init__()
        self.inputs = inputs if heads == 1 else nn.Sequential(inputs, ScaleEnsemble(heads, inputs.shape))
        self.body = body
        self.head = nn.Linear(width, n_outputs) if heads == 1 else LinearEach(heads, width, n_outputs)

    def forward(self, x):
        """Return logits or values of features (…, features)."""
        return self.head(self.body(self.inputs(x)))


def initialise(network, initialization):
    """Redraw the weights of linear layers and set their biases to zero; ``default`` keeps PyTorch's own initialization."""
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
