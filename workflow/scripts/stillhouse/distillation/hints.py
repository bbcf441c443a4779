"""Hints: a student also learns to predict the last hidden layer of a network teacher (Romero et al. 2015).

The predictions are further outputs of the student's last layer (hint outputs), which are removed after training. Networks of
different splits have unrelated hidden layers, so the teacher of each unseen fold has hint outputs of its own.
"""

import numpy as np
import torch
from torch import nn

from stillhouse.columns import FOLD, ROW

# How many leading principal components of a hidden layer are predicted.
HINT_COMPONENTS = 16


def hints(rows, folds, unseen, teacher_of, features_of):
    """Return the targets of the hint outputs, NaN for the outputs of other folds' teachers; shape (rows, hint outputs).

    ``unseen`` maps a fold to the split that also holds out this fold; ``teacher_of`` and ``features_of`` return the fitted
    networks and the prepared rows of a split.
    """
    fold = rows[[ROW]].merge(folds[[ROW, FOLD]], on=ROW, how="left")[FOLD].to_numpy()
    wanted = np.full((len(rows), len(unseen) * HINT_COMPONENTS), np.nan)
    for position, (number, split) in enumerate(unseen.items()):
        own = np.flatnonzero(fold == int(number))
        table = features_of(split).set_index(ROW).loc[rows[ROW].to_numpy()[own]].reset_index()
        components = leading_components(hidden_layer(teacher_of(split), table))
        start = position * HINT_COMPONENTS
        wanted[own, start : start + components.shape[1]] = components
    return wanted


def hidden_layer(fitted, table):
    """Return the last hidden layer of the first network, averaged over heads; shape (rows, width)."""
    network = fitted.members[0][-1]
    with torch.inference_mode():
        layer = torch.cat([network.body(network.inputs(part)) for part in fitted.blocks(table)])
    return (layer.mean(dim=1) if layer.dim() == 3 else layer).double().numpy()


def leading_components(layer):
    """Return the leading principal components of a layer, scaled to a mean square of 1; shape (rows, components)."""
    # Few networks have hints.
    from sklearn.decomposition import PCA

    components = PCA(min(HINT_COMPONENTS, *layer.shape), svd_solver="full").fit_transform(layer)
    return components / max(np.sqrt((components**2).mean()), 1e-12)


def split_hints(outputs, n_outputs):
    """Return the outputs that predict labels, and the hint outputs."""
    return outputs[..., :n_outputs], outputs[..., n_outputs:]


def hint_loss(guesses, wanted):
    """Return the mean squared error of the hint outputs (members, rows[, heads], outputs), over heads too; (members, rows)."""
    is_wanted = ~torch.isnan(wanted)
    has_heads = guesses.dim() == 4
    guesses = guesses.movedim(-2, 0) if has_heads else guesses
    squares = torch.where(is_wanted, guesses - torch.nan_to_num(wanted), 0.0) ** 2
    errors = squares.sum(dim=-1) / is_wanted.sum(dim=-1).clamp_min(1)
    return errors.mean(dim=0) if has_heads else errors


def without_hints(network, n_outputs):
    """Remove the hint outputs from the last layer of a network, in place, and return it."""
    head = network.head
    with torch.no_grad():
        if isinstance(head, nn.Linear):
            head.weight = nn.Parameter(head.weight[:n_outputs].clone())
            head.out_features = n_outputs
        else:
            head.weight = nn.Parameter(head.weight[..., :n_outputs].clone())
        head.bias = nn.Parameter(head.bias[..., :n_outputs].clone())
    return network
