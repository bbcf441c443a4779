"""The parts that architectures share: input layers, activations, heads, initial weights.

Modules are written for one network and count their axes from the right, so that they also run on vectorized networks; see
``vectorized/layers.py``. Shapes below omit the leading axes: (features) stands for (rows, features) and for
(members, rows, features).
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from stillhouse.columns import (
    ENCODED,
    GAP_INDICATOR,
    MEAN_LABEL,
    NUMBER,
    TOKEN,
    blocks_of,
    feature_kind,
    one_hot_blocks,
)
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
    """How prepared features are ordered: numbers, flags, one-hot blocks of categories, tokens of texts, pixels of pictures.

    ``numbers`` and ``flags`` are counts, ``categories`` has the width of each block, ``tokens`` for each column of texts how
    many are read and how many are known, ``pictures`` for each column of pictures its shape, and the means and deviations by
    channel over the fitted rows. ``edges`` are the bin edges of the fitted rows' numbers, shape (numbers, bins + 1), for a
    piecewise linear encoding.
    """

    numbers: int
    flags: int
    categories: tuple
    edges: np.ndarray | None = None
    tokens: tuple = ()
    pictures: tuple = ()

    @property
    def widths(self):
        """How many features are numbers, flags, columns of one-hot blocks, tokens, and pixels."""
        pixels = sum(math.prod(shape) for shape, *_ in self.pictures)
        return [self.numbers, self.flags, sum(self.categories), sum(length for length, _ in self.tokens), pixels]


def inputs_of(names, fitted=None, bins=0, tokens=(), pictures=()):
    """Return how features of these names are ordered, with ``bins`` bins of the numbers of fitted rows (rows, features)."""
    kinds = [feature_kind(name) for name in names]
    numbers = kinds.count(NUMBER) + kinds.count(MEAN_LABEL) + kinds.count(ENCODED)
    categories = tuple(map(len, one_hot_blocks(names)))
    edges = np.stack([edges_of(column, bins) for column in fitted[:, :numbers].T]) if bins and numbers else None
    return Inputs(numbers, kinds.count(GAP_INDICATOR), categories, edges, tokens, pictures)


def tokens_of(names, fitted):
    """Return for each column of texts how many tokens are read and how many are known, of fitted rows (rows, features).

    Those are known up to the largest number that fitted rows have, and then up to a power of two: splits know about as many
    words, and networks have to be built equally to be trained together.
    """
    blocks = blocks_of(TOKEN, names)
    return tuple((len(block), 1 << int(fitted[:, block].max()).bit_length()) for block in blocks)


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

    def weights(self):
        """Return the weight of each position, shape (in, out)."""
        return list(self.weight)

    def forward(self, x):
        """Return outputs (…, positions, out) of inputs (…, positions, in)."""
        lead = self.weight.dim() - 3
        rows = x.reshape(*x.shape[:lead], -1, *x.shape[-2:]).transpose(-3, -2)
        weight = self.weight.reshape(-1, *self.weight.shape[-2:])
        bias = None if self.bias is None else self.bias.reshape(len(weight), -1)
        result = product(rows.reshape(len(weight), -1, x.shape[-1]), weight, bias)
        result = result.view(*self.weight.shape[:-2], -1, weight.shape[-1]).transpose(-3, -2)
        return result.reshape(*x.shape[:-1], -1)


class PaddedLinears(LinearEach):
    """Linear layers of about equal size in one product: each is padded with zeros, which stay zeros in training."""

    def __init__(self, layers):
        nn.Module.__init__(self)
        self.sizes = [(layer.in_features, layer.out_features) for layer in layers]
        n_in, n_out = map(max, zip(*self.sizes, strict=True))
        self.weight = nn.Parameter(torch.zeros(len(layers), n_in, n_out))
        has_bias = layers[0].bias is not None
        self.register_parameter("bias", nn.Parameter(torch.zeros(len(layers), n_out)) if has_bias else None)
        with torch.no_grad():
            for position, (own, layer) in enumerate(zip(self.weights(), layers, strict=True)):
                own.copy_(layer.weight.mT)
                if has_bias:
                    self.bias[position, : layer.out_features] = layer.bias

    def weights(self):
        """Return the weight of each layer without its padding, shape (in, out)."""
        return [self.weight[position, :n_in, :n_out] for position, (n_in, n_out) in enumerate(self.sizes)]


class Places:
    """Positions of columns; their copy on a device is made once, as each copy would make a GPU wait."""

    def __init__(self, places):
        self.places, self._copies = torch.from_numpy(places), {}

    def on(self, device):
        """Return the positions on a device."""
        if device not in self._copies:
            self._copies[device] = self.places.to(device)
        return self._copies[device]

    def __getstate__(self):
        return {"places": self.places, "_copies": {}}


class _Columns(torch.autograd.Function):
    """Columns of ``x`` (…, columns), each at most once; ``back`` says where each column has gone, or past the end."""

    @staticmethod
    def forward(ctx, x, columns, back):
        ctx.save_for_backward(back)
        return x.index_select(-1, columns)

    @staticmethod
    def backward(ctx, slope):
        return F.pad(slope, (0, 1)).index_select(-1, ctx.saved_tensors[0]), None, None


class Embeddings(nn.Module):
    """An embedding of each categorical column: a linear layer of its one-hot block, of ``counts`` categories.

    A product for each column would cost more to start than to compute; so columns of similar size are computed together.
    """

    def __init__(self, counts, sizes, bias):
        super().__init__()
        layers = [nn.Linear(*pair, bias=bias) for pair in zip(counts, sizes, strict=True)]
        by_size = {}
        for place, count in enumerate(counts):
            by_size.setdefault(max(4, 1 << (count - 1).bit_length()), []).append(place)
        self.places = list(by_size.values())
        self.products = nn.ModuleList(PaddedLinears([layers[place] for place in own]) for own in self.places)
        self.taken, self.given, self.back = self._orders(counts, sizes)

    def _orders(self, counts, sizes):
        """Return, for each product, which columns it reads; which of all padded results are given; and where these have gone.

        The place after the last column is one of zeros.
        """
        starts, taken = np.cumsum([0, *counts]), []
        given, begin = [None] * len(counts), 0
        for own, product_of in zip(self.places, self.products, strict=True):
            _, n_in, n_out = product_of.weight.shape
            read = np.full((len(own), n_in), starts[-1])
            for position, place in enumerate(own):
                read[position, : counts[place]] = np.arange(starts[place], starts[place + 1])
                given[place] = begin + position * n_out + np.arange(sizes[place])
            taken.append(Places(read.ravel()))
            begin += len(own) * n_out
        given = np.concatenate(given)
        back = np.full(begin, len(given))
        back[given] = np.arange(len(given))
        return taken, Places(given), Places(back)

    def forward(self, x):
        """Return embeddings (…, sum of sizes), in the order of the columns, of one-hot blocks (…, sum of counts)."""
        padded, results = F.pad(x, (0, 1)), []
        for taken, product_of in zip(self.taken, self.products, strict=True):
            blocks = padded.index_select(-1, taken.on(x.device)).unflatten(-1, (len(product_of.sizes), -1))
            results.append(product_of(blocks).flatten(-2))
        return _Columns.apply(torch.cat(results, dim=-1), self.given.on(x.device), self.back.on(x.device))

    def layers(self):
        """Return the weight (in, out) and the bias (out,) or None of each column, in their order."""
        found = [None] * sum(map(len, self.places))
        for own, product_of in zip(self.places, self.products, strict=True):
            for position, (place, weight) in enumerate(zip(own, product_of.weights(), strict=True)):
                bias = None if product_of.bias is None else product_of.bias[position, : weight.shape[1]]
                found[place] = weight, bias
        return found


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
        self.categories = Embeddings(inputs.categories, sizes, bias=False) if sizes else None
        self.shape = (inputs.numbers * (embedding if self.is_embedded else 1) + inputs.flags + sum(sizes or inputs.categories),)

    def forward(self, x):
        """Return vectors of ``shape`` of features (…, features), tokens and pictures left out."""
        numbers, flags, categories, *_ = x.split(self.inputs.widths, dim=-1)
        if self.is_embedded:
            numbers = self.activation(self.embed(self.encode(numbers))).flatten(-2)
        if self.categories:
            categories = self.categories(categories)
        return torch.cat([numbers, flags, categories], dim=-1)


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
        sizes = [embedding] * len(inputs.categories)
        self.categories = Embeddings(inputs.categories, sizes, bias=True) if sizes else None
        self.shape = (1 + inputs.numbers + inputs.flags + len(inputs.categories), embedding)

    def forward(self, x):
        """Return tokens of ``shape`` (1 + columns, embedding) of features (…, features)."""
        numbers, flags, categories, *_ = x.split(self.inputs.widths, dim=-1)
        first = self.first.view(*self.first.shape[:-1], *[1] * (x.dim() - self.first.dim() + 1), self.shape[-1])
        tokens = [first.expand(*x.shape[:-1], 1, -1)]
        tokens += [self.numbers(self.encode(numbers))] if self.inputs.numbers else []
        tokens += [self.flags(flags.unsqueeze(-1))] if self.inputs.flags else []
        tokens += [self.categories(categories).unflatten(-1, (-1, self.shape[-1]))] if self.categories else []
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
        return _Scaled.apply(x, self.scale, -1 - self.axes)


class _Scaled(torch.autograd.Function):
    """``x`` (…, rows, *shape) times each of the scales (…, heads, *shape): (…, rows, heads, *shape).

    The gradients are summed head by head, so that no product of the size of the result is written for them.
    """

    @staticmethod
    def forward(ctx, x, scale, own):
        ctx.save_for_backward(x, scale)
        ctx.own = own
        return x.unsqueeze(own) * scale.unsqueeze(own - 1)

    @staticmethod
    def backward(ctx, slope):
        x, scale = ctx.saved_tensors
        of_x, of_scale = torch.zeros_like(x) if ctx.needs_input_grad[0] else None, []
        for part, factor in zip(slope.unbind(ctx.own), scale.unsqueeze(ctx.own - 1).unbind(ctx.own), strict=True):
            if of_x is not None:
                of_x.addcmul_(part, factor)
            of_scale.append((part * x).sum(dim=ctx.own))
        return of_x, torch.stack(of_scale, dim=ctx.own), None


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


def perceptron(entry_layer, n_outputs, heads, width, depth, dropout, activation, norm):
    """Return a network of ``depth`` hidden layers after an input layer, each with norm, activation and dropout."""
    sizes = [*entry_layer.shape, *[width] * depth]
    layers = [
        nn.Sequential(nn.Linear(*pair), NORMS[norm](width), ACTIVATIONS[activation](), nn.Dropout(share))
        for pair, share in zip(pairwise(sizes), per_layer(dropout, depth), strict=True)
    ]
    return Network(entry_layer, nn.Sequential(*layers), sizes[-1], n_outputs, heads)


def initialise(network, initialization):
    """Redraw the weights of linear layers and set their biases to zero; ``default`` keeps PyTorch's own initialization."""
    if initialization == "default":
        return network
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, (nn.Linear, LinearEach)):
                for weight in [layer.weight.mT] if isinstance(layer, nn.Linear) else layer.weights():
                    INITIALIZATIONS[initialization](weight.mT)
                if layer.bias is not None:
                    layer.bias.zero_()
    return network


def parameter_count(network):
    """Return the number of parameters, without padding."""
    padded = [layer for layer in network.modules() if isinstance(layer, PaddedLinears)]
    padding = sum(layer.weight.numel() - sum(weight.numel() for weight in layer.weights()) for layer in padded)
    return sum(values.numel() for values in network.parameters()) - padding


def first(dropout):
    """Return the dropout of the inputs of hidden layers: the only one, or the first of a list."""
    return dropout[0] if isinstance(dropout, list) else dropout


def per_layer(dropout, depth):
    """Return the dropout of each layer: one number for all, or a list from the input on; raises ``UserError``."""
    rates = dropout if isinstance(dropout, list) else [dropout] * depth
    if len(rates) != depth:
        raise UserError(f"dropout: {len(rates)} rates for {depth} layers; give one number, or one for each layer")
    return rates
