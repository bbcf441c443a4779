"""Fitted networks: how they predict, and how they are collected from trained members."""

import numpy as np
import pandas as pd
import torch

from stillhouse.columns import CHOICE, EPOCHS, PHASE, RANGE_TEST
from stillhouse.distillation.hints import without_hints
from stillhouse.distillation.soft_targets import chosen_candidate
from stillhouse.ensembles.out_of_bag import out_of_bag
from stillhouse.errors import UserError, log
from stillhouse.networks.architecture import Inputs
from stillhouse.networks.rows import blocks, tensors_of
from stillhouse.networks.vectorized.layers import vectorized
from stillhouse.networks.vectorized.memory import PROBED_ROWS, bytes_of_a_row, rows_at_once
from stillhouse.predictions.predictions import with_sorted_quantiles

# Rows that are predicted at once: what a network makes of more of them does not fit the caches.
ROWS_AT_ONCE = 1024


class FittedNetworks:
    """Networks whose probabilities or values are averaged; ``members`` has a list of networks for each seed."""

    def __init__(self, members, names, n_classes, centre, scale, levels=()):
        self.members, self.names, self.n_classes = members, names, n_classes
        self.centre, self.scale, self.levels = centre, scale, levels

    @property
    def networks(self):
        """All networks, in one list."""
        return [network for member in self.members for network in member]

    def predict(self, table):
        """Return scores of prepared rows as float64: probabilities (rows, classes), or values and quantiles (rows, outputs)."""
        rows = tensors_of(table, self.names)
        with torch.inference_mode():
            # A job that has trained on a GPU holds one; other jobs do not set it up for the sake of a few predictions.
            means = self.means_on("cuda", *rows) if torch.cuda.is_initialized() else self.means(*rows)
        return means.numpy() if self.n_classes else with_sorted_quantiles((means * self.scale + self.centre).numpy())

    def bytes_of_a_row(self):
        """Return about how many bytes the layers of one network take for a row."""
        inputs = next(
            module.inputs for module in self.networks[0].modules() if isinstance(getattr(module, "inputs", None), Inputs)
        )
        return bytes_of_a_row(self.networks[0], torch.zeros(PROBED_ROWS, sum(inputs.widths)))

    def blocks(self, table):
        """Yield what the networks read of the rows of a prepared table, so many at a time as fit the caches."""
        return blocks(*tensors_of(table, self.names), ROWS_AT_ONCE)

    def means(self, features, pixels=None):
        """Return the networks' mean probabilities or values (rows, outputs) of rows, as ``tensors_of`` returns them."""
        parts = blocks(features, pixels, ROWS_AT_ONCE)
        return torch.cat([self._pooled(torch.stack([network(part) for network in self.networks])) for part in parts])

    def means_on(self, device, features, pixels=None):
        """Return what ``means`` does, computed on a device by all networks at once, which on a CPU is no faster."""
        network, _ = vectorized(self.networks)
        network.to(device).eval()
        count = rows_at_once(self.networks[0], next(blocks(features, pixels, PROBED_ROWS)), len(self.networks))
        moved = (None if part is None else part.to(device) for part in (features, pixels))
        parts = (part.expand(len(self.networks), -1, -1) for part in blocks(*moved, count))
        return torch.cat([self._pooled(network(part)) for part in parts]).cpu()

    def _pooled(self, outputs):
        outputs = outputs.double()
        scores = outputs.softmax(dim=-1) if self.n_classes else outputs
        return (scores.mean(dim=2) if scores.dim() == 4 else scores).mean(dim=0)


def outcome(training_set, members):
    """Return the fitted networks of a set and their history; networks whose loss was never finite are left out.

    Of a set that follows another, they are those of the candidate that was chosen there, without a history.
    """
    if training_set.follows:
        chosen = slice(training_set.follows.kept, training_set.follows.kept + training_set.options["seeds"])
        return fitted(training_set, members[chosen]), pd.DataFrame()
    parts = [
        pd.DataFrame(lines).assign(**{PHASE: phase, "network": number})
        for number, member in enumerate(members)
        for phase, lines in ((RANGE_TEST, member.curve), (EPOCHS, member.history))
    ]
    history = pd.concat([part for part in parts if len(part)], ignore_index=True)
    seeds = training_set.options["seeds"]
    models = [fitted(training_set, members[start : start + seeds]) for start in range(0, len(members), seeds)]
    if not any(models):
        where = f" in split {training_set.split}" if training_set.split else ""
        raise UserError(f"the loss is not a number{where}; lower `rate`, or look for huge values in the table")
    if diverged := sum(not member.kept for member in members):
        log.info("%d of %d networks diverged and are left out", diverged, len(members))
    if len(models) == 1:
        return models[0], pd.concat([history, bag_history(training_set, members, models[0])], ignore_index=True)
    kept, table = chosen_candidate(training_set.candidates, models, training_set.sample, training_set.n_classes)
    training_set.kept = kept * seeds
    chosen = history[history["network"] // seeds == kept].assign(network=history["network"] % seeds)
    return models[kept], pd.concat([chosen, table.assign(**{PHASE: CHOICE})], ignore_index=True)


def bag_history(training_set, members, model):
    """Return the out-of-bag score of bagged networks as a line of history; an empty history without a bag."""
    if not training_set.options["bag"]:
        return pd.DataFrame()
    rows = training_set.sample.iloc[training_set.fitted]
    kept = [member for member in members if member.kept]
    drawn = [np.isin(training_set.offset + training_set.fitted, member.fitted) for member in kept]
    predicted = [
        FittedNetworks([networks], model.names, model.n_classes, model.centre, model.scale).predict(rows)
        for networks in model.members
    ]
    return out_of_bag(predicted, drawn, rows, training_set.n_classes)


def fitted(training_set, members):
    """Return the networks of the members that did not diverge, or None where all did."""
    learned = [networks_of(training_set, number, member) for number, member in enumerate(members) if member.kept]
    if training_set.hints is not None:
        learned = [[without_hints(network, training_set.n_outputs) for network in kept] for kept in learned]
    networks = [[network.eval() for network in kept] for kept in learned]
    names, n_classes = training_set.names, training_set.n_classes
    levels = training_set.options["quantiles"]
    return FittedNetworks(networks, names, n_classes, *training_set.units, levels) if networks else None


def networks_of(training_set, number, member):
    """Return the networks that a member keeps; those of its warm start where no epoch was better."""
    is_unmoved = member.is_warm_started and member.best_epoch < 0
    return training_set.start.members[number % len(training_set.start.members)] if is_unmoved else member.kept
