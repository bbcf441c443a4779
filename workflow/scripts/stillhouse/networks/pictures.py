"""Networks that read pictures: how pixels are scaled and augmented, and the layers of convolutions.

Shapes omit the leading axes, as in ``architecture.py``: a picture is (channels, height, width).
"""

import math
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from stillhouse.errors import UserError
from stillhouse.networks.architecture import ACTIVATIONS, FlatInputs, first, perceptron
from stillhouse.networks.vectorized.draws import hashed, random_bytes, salt
from stillhouse.networks.vectorized.layers import LAYERS, VectorizedEach

POOLS = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}
WHITE = 255
# The draws of a picture: turn, zoom, shear, shifts across and down, brightness, contrast, flip, saturation, hue, grey.
DRAWS = 11
# The settings of an augmentation that change colours, and the channels of a picture that has some.
OF_COLOURS, COLOURED = ("saturation", "hue", "grey"), 3
# Light and two numbers of colour (YIQ, as television had them) of red, green and blue.
LIGHT_AND_COLOUR = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])


class Scaled(nn.Module):
    """Pixels less the mean of their channel, in units of its deviation, over the fitted rows."""

    vectorizes = True

    def __init__(self, means, deviations):
        super().__init__()
        for name, values in (("mean", means), ("deviation", deviations)):
            self.register_buffer(name, torch.tensor(values, dtype=torch.get_default_dtype())[:, None, None])

    def forward(self, x):
        """Return (…, channels, height, width) of pixels from 0 to 255 in this shape."""
        return (x - self.mean.unsqueeze(-4)) / self.deviation.unsqueeze(-4)


class Augmentation(nn.Module):
    """Pictures changed by chance in training, each row and epoch anew, and left as they are otherwise."""

    def __init__(self, augment):
        super().__init__()
        self.settings = augment

    def forward(self, x):
        """Return pictures as they are; a network is trained in its vectorized form alone."""
        return x


class VectorizedAugmentation(nn.Module):
    """One affine map and a change of light for each row, drawn from each member's key of the step; all its pictures share them.

    A picture is turned by up to ``turn`` degrees, made larger or smaller by up to ``zoom``, sheared by up to ``shear``, and
    shifted by up to ``shift`` of its sides; ``flip`` mirrors half of them left to right. ``contrast`` and ``brightness`` change
    the distance of pixels from their mean, and the mean, by up to these shares. Of coloured pictures, ``saturation`` changes
    how strong colours are by up to this share, ``hue`` turns them by up to so many degrees, and a share ``grey`` loses them.
    """

    def __init__(self, modules, keys):
        super().__init__()
        self.settings, self.keys = modules[0].settings, keys
        keys.layers += 1
        self.salt = salt(keys.layers)

    def forward(self, x):
        """Return pictures (members, rows, channels, height, width), from 0 to 255, changed in training."""
        if not self.training or not any(self.settings.values()):
            return x
        return changed(x, self._drawn(x), self.settings)

    def _drawn(self, x):
        """Return uniform draws from -1 to 1 for each picture; shape (members, rows, draws)."""
        members, rows = x.shape[:2]
        drawn = random_bytes(hashed(self.keys.of_step + self.salt), 2 * rows * DRAWS).contiguous().view(torch.int16)
        return (drawn.to(x.dtype) / (1 << 15)).view(members, rows, DRAWS)


LAYERS[Augmentation] = VectorizedAugmentation


def changed(x, drawn, settings):
    """Return pictures (…, channels, height, width), from 0 to 255, changed by draws from -1 to 1 (…, 11)."""
    return coloured(lit(moved(x, maps(drawn, settings, x.shape[-2:])), drawn, settings), drawn, settings)


def maps(drawn, settings, size):
    """Return where each place of a picture is taken from, as an affine map of places from -1 to 1; shape (…, 2, 3).

    ``drawn`` has draws from -1 to 1 (…, 11), ``size`` the height and the width.
    """
    angle, zoom, shear, across, down, _, _, flip = drawn[..., :8].unbind(-1)
    angle = angle * math.radians(settings["turn"])
    scale, shear = 1 + zoom * settings["zoom"], shear * settings["shear"]
    mirrored = torch.where(flip < 0, -1.0, 1.0) if settings["flip"] else 1.0
    # Turned by the same angle on pictures that are no squares.
    ratio = size[0] / size[1]
    rows = (
        (mirrored * angle.cos() * scale, (shear - angle.sin() * scale) * ratio, 2 * settings["shift"] * across),
        (mirrored * angle.sin() * scale / ratio, angle.cos() * scale, 2 * settings["shift"] * down),
    )
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def moved(x, maps):
    """Return pictures (…, channels, height, width) of which each place is taken from where its map says, by the four nearest.

    Beyond the edge a picture goes on as at its edge.
    """
    height, width = x.shape[-2:]
    down, across = ((2 * torch.arange(n, dtype=x.dtype, device=x.device) + 1) / n - 1 for n in (height, width))
    flat, maps = x.reshape(-1, *x.shape[-3:]), maps.reshape(-1, 2, 3, 1, 1)
    # No product of matrices, whose sums might depend on how many pictures there are.
    places = [own[:, 0] * across + own[:, 1] * down[:, None] + own[:, 2] for own in maps.unbind(1)]
    return F.grid_sample(flat, torch.stack(places, dim=-1), padding_mode="border", align_corners=False).view(x.shape)


def lit(x, drawn, settings):
    """Return pictures with another contrast and brightness, by draws from -1 to 1 (…, 11)."""
    if not settings["brightness"] and not settings["contrast"]:
        return x
    drawn = drawn[..., None, None, None]
    brightness, contrast = drawn[..., 5, :, :, :] * settings["brightness"], drawn[..., 6, :, :, :] * settings["contrast"]
    mean = x.mean(dim=(-3, -2, -1), keepdim=True)
    return ((x - mean) * (1 + contrast) + mean * (1 + brightness)).clamp(0, WHITE)


def coloured(x, drawn, settings):
    """Return pictures whose colours are stronger or weaker, turned, or gone, by draws from -1 to 1 (…, 11)."""
    if x.shape[-3] != COLOURED or not any(settings[name] for name in OF_COLOURS):
        return x
    saturation, hue, grey = drawn[..., 8:].unbind(-1)
    strength = torch.where(grey < 2 * settings["grey"] - 1, 0.0, 1 + saturation * settings["saturation"])
    angle = hue * math.radians(settings["hue"])
    light, first, second = channels_by(LIGHT_AND_COLOUR, x).unbind(-3)
    along, aside = ((strength * part)[..., None, None] for part in (angle.cos(), angle.sin()))
    turned = torch.stack([light, along * first - aside * second, aside * first + along * second], dim=-3)
    return channels_by(np.linalg.inv(LIGHT_AND_COLOUR), turned).clamp(0, WHITE)


def channels_by(matrix, x):
    """Return three channels as sums of three others (…, 3, height, width), by a matrix; sum by sum, see ``moved``."""
    sums = [sum(weight * own for weight, own in zip(row, x.unbind(-3), strict=True)) for row in matrix.tolist()]
    return torch.stack(sums, dim=-3)


class Layers(nn.Sequential):
    """Layers of plain torch that read pictures; members of a vectorized network compute them one after the other."""


LAYERS[Layers] = VectorizedEach


class Residual(nn.Module):
    """Two convolutions, added to the input, which gets as many channels by a convolution of one pixel (He et al. 2016)."""

    def __init__(self, before, channels, kernel, norm, activation):
        super().__init__()
        first = convolution(before, channels, kernel, norm, activation)
        self.layers = nn.Sequential(*first, *convolution(channels, channels, kernel, norm))
        self.shortcut = nn.Conv2d(before, channels, 1) if before != channels else nn.Identity()
        self.activation = ACTIVATIONS[activation]()

    def forward(self, x):
        """Return (…, channels, height, width) of (…, before, height, width)."""
        return self.activation(self.shortcut(x) + self.layers(x))


def convolution(before, channels, kernel, norm, activation=None):
    """Return the layers of a convolution that keeps the size of a picture, with its norm and activation."""
    has_norm = norm == "batch"
    return [
        nn.Conv2d(before, channels, kernel, padding=kernel // 2, bias=not has_norm),
        *([nn.BatchNorm2d(channels)] if has_norm else []),
        *([ACTIVATIONS[activation]()] if activation else []),
    ]


def stages(shape, channels, pooling, grid, stage):
    """Return the layers that read pictures of a shape, and how many numbers they make of one.

    For each entry of ``channels`` there are the layers ``stage(before, channels)``, then fields of two by two become one. At
    the end fields are averaged until ``grid`` by ``grid`` of them are left, or a few more.
    """
    before, height, width = shape
    layers = []
    for count in channels:
        layers += stage(before, count)
        before = count
        if min(height, width) > 1:
            layers.append(POOLS[pooling](2))
            height, width = height // 2, width // 2
    over = max(1, min(height, width) // grid)
    if over > 1:
        layers.append(nn.AvgPool2d(over))
        height, width = height // over, width // over
    return Layers(*layers, nn.Flatten()), before * height * width


def network_of(inputs, n_outputs, stage, channels, pooling, grid, augment, dropout, heads, width, depth, activation, **entry):
    """Return a network whose stages read pictures, followed by hidden layers that see the other columns too."""
    reader = partial(stages, channels=channels, pooling=pooling, grid=grid, stage=stage)
    entry_layer = PictureInputs(inputs, reader, augment, first(dropout), **entry)
    return perceptron(entry_layer, n_outputs, heads, width, depth, dropout, activation, "none")


class PictureInputs(nn.Module):
    """What is read of the pictures of a row, beside its other features; ``reader(shape)`` returns layers and their size."""

    def __init__(self, inputs, reader, augment, dropout, **entry_options):
        super().__init__()
        if not inputs.pictures:
            advice = "set `kinds: {column: image}`, or raise `columns_above` of the imputer if it has left them out"
            raise UserError(f"no column is read as pictures, and this network reads them; {advice}")
        asked = [name for name in OF_COLOURS if augment[name]]
        if asked and all(shape[0] != COLOURED for shape, _, _ in inputs.pictures):
            raise UserError(f"augment: {', '.join(asked)} would change colours, and these pictures are grey; leave it out")
        self.inputs, self.flat = inputs, FlatInputs(inputs, **entry_options)
        self.augmentation = Augmentation(augment)
        self.scales = nn.ModuleList(Scaled(means, deviations) for _, means, deviations in inputs.pictures)
        readers, sizes = zip(*(reader(shape) for shape, _, _ in inputs.pictures), strict=True)
        self.readers, self.dropout = nn.ModuleList(readers), nn.Dropout(dropout)
        self.shape = (self.flat.shape[0] + sum(sizes),)

    def forward(self, x):
        """Return vectors of ``shape`` of features (…, features)."""
        shapes = [shape for shape, _, _ in self.inputs.pictures]
        blocks = x.split(self.inputs.widths, dim=-1)[-1].split([math.prod(shape) for shape in shapes], dim=-1)
        read = [
            reader(scale(self.augmentation(block.unflatten(-1, shape))))
            for block, shape, scale, reader in zip(blocks, shapes, self.scales, self.readers, strict=True)
        ]
        return torch.cat([self.flat(x), self.dropout(torch.cat(read, dim=-1))], dim=-1)
