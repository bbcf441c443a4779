"""A residual network for tables (Gorishniy, Rubachev, Khrulkov & Babenko 2021)."""

from torch import nn

from stillhouse.networks.architecture import ACTIVATIONS, NORMS, FlatInputs, Network, per_layer


class Block(nn.Module):
    """Norm, two linear layers and dropout, added to the input."""

    def __init__(self, width, hidden, dropout, activation, norm):
        super().__init__()
        self.norm = NORMS[norm](width)
        self.layers = nn.Sequential(
            nn.Linear(width, hidden), ACTIVATIONS[activation](), nn.Dropout(dropout), nn.Linear(hidden, width)
        )

    def forward(self, x):
        """Return (…, width) of (…, width)."""
        return x + self.layers(self.norm(x))


def make(inputs, n_outputs, heads, width, depth, dropout, activation, norm, factor, **entry_options):
    """Return a network of ``depth`` blocks whose hidden layers are ``factor`` times as wide."""
    entry_layer = FlatInputs(inputs, **entry_options)
    shares = per_layer(dropout, depth)
    blocks = [Block(width, round(factor * width), share, activation, norm) for share in shares]
    last = nn.Sequential()
    last.add_module("norm", NORMS[norm](width))
    last.add_module("activation", ACTIVATIONS[activation]())
    return Network(entry_layer, nn.Sequential(nn.Linear(*entry_layer.shape, width), *blocks, last), width, n_outputs, heads)
