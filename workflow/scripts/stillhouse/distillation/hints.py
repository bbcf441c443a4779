"""Hints: a student's last hidden layer is mapped linearly onto that of a network teacher (Romero et al. 2015).

A map is part of the student's last layer, as further outputs of it, and is cut off after training. The hidden layers of
networks of different splits have nothing in common, so the teacher of each unseen fold is mapped onto by outputs of its own.
"""

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import nn

from stillhouse.columns import FOLD, ROW

# What of a hidden layer is mapped onto: its leading principal components.
COMPONENTS = 16


def hints(rows, folds, unseen, teacher_of, features_of):
    """Return what the further outputs are to be for some rows, NaN where it does not matter; shape (rows, outputs).

    ``unseen`` maps a fold to the split that did not see it, ``teacher_of`` and ``features_of`` give the fitted networks and
    the prepared rows of a split.
    """
    fold = rows[[ROW]].merge(folds[[ROW, FOLD]], on=ROW, how="left")[FOLD].to_numpy()
    wanted = np.full((len(rows), len(unseen) * COMPONENTS), np.nan)
    for place, (number, split) in enumerate(unseen.items()):
        own = np.flatnonzero(fold == int(number))
        table = features_of(split).set_index(ROW).loc[rows[ROW].to_numpy()[own]].reset_index()
        found = leading(hidden(teacher_of(split), table))
        wanted[own, place * COMPONENTS : place * COMPONENTS + found.shape[1]] = found
    return wanted


def hidden(fitted, table):
    """Return the last hidden layer of the first network, its heads averaged; shape (rows, width)."""
    network = fitted.members[0][-1]
    with torch.inference_mode():
        layer = network.body(network.inputs(torch.tensor(table[fitted.names].to_numpy(np.float32))))
    return (layer.mean(dim=1) if layer.dim() == 3 else layer).double().numpy()


def leading(layer):
    """Return the leading principal components of a layer, together of mean square 1; shape (rows, components)."""
    found = PCA(min(COMPONENTS, *layer.shape), svd_solver="full").fit_transform(layer)
    return found / max(np.sqrt((found**2).mean()), 1e-12)


def parted(outputs, n_outputs):
    """Return outputs proper, and the further ones."""
    return outputs[..., :n_outputs], outputs[..., n_outputs:]


def hint_loss(guesses, wanted):
    """Return the mean squared error of further outputs per row, over heads too; (members, rows[, heads], outputs)."""
    matters = ~torch.isnan(wanted)
    has_heads = guesses.dim() == 4
    guesses = guesses.movedim(-2, 0) if has_heads else guesses
    squares = torch.where(matters, guesses - torch.nan_to_num(wanted), 0.0) ** 2
    found = squares.sum(dim=-1) / matters.sum(dim=-1).clamp_min(1)
    return found.mean(dim=0) if has_heads else found


def without_hints(network, n_outputs):
    """Return a network whose last layer is cut to its outputs proper."""
    head = network.head
    with torch.no_grad():
        if isinstance(head, nn.Linear):
            head.weight = nn.Parameter(head.weight[:n_outputs].clone())
            head.out_features = n_outputs
        else:
            head.weight = nn.Parameter(head.weight[..., :n_outputs].clone())
        head.bias = nn.Parameter(head.bias[..., :n_outputs].clone())
    return network
