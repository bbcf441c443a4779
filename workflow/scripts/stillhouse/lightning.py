"""The Lightning module: steps, optimiser, early stopping with the best weights kept."""

import copy

import pytorch_lightning as pl
import torch

from stillhouse.losses import distillation, regression


class Batches:
    """Batches of a shuffled table by index, as a Trainer iterates them; tensors are never collated row by row."""

    def __init__(self, tensors, size, seed, shuffle):
        self.tensors, self.shuffle = tensors, shuffle
        self.rows = len(tensors[0])
        self.size = min(size, self.rows)
        self.generator = torch.Generator().manual_seed(seed)

    def __len__(self):
        return self.rows // self.size if self.shuffle else -(-self.rows // self.size)

    def __iter__(self):
        order = torch.randperm(self.rows, generator=self.generator) if self.shuffle else torch.arange(self.rows)
        for start in range(0, len(self) * self.size, self.size):
            rows = order[start : start + self.size]
            yield tuple(tensor[rows] for tensor in self.tensors)


class Learner(pl.LightningModule):
    """One network, its loss, and its history of (epoch, loss, stop loss)."""

    def __init__(self, network, n_classes, rate, decay, alpha, temperature):
        super().__init__()
        self.network, self.n_classes = network, n_classes
        self.rate, self.decay, self.alpha, self.temperature = rate, decay, alpha, temperature
        self.history, self._sums = [], {}

    def forward(self, features):
        """Return logits or values; shape (rows, outputs)."""
        return self.network(features)

    def training_step(self, batch, _):
        """Return the loss of a batch: the sum of weighted losses over the number of rows.

        Weights have mean 1 over all fitted rows, not over a batch: a batch divided by its own weight would count the same
        whether it holds heavy rows or none, and so undo the weights.
        """
        return self._weighted_losses(batch, "loss") / len(batch[0])

    def validation_step(self, batch, _):
        """Add a batch to the stop loss."""
        self._weighted_losses(batch, "stop_loss")

    def on_validation_epoch_end(self):
        """Write down the epoch; Lightning validates before it ends a training epoch."""
        means = {name: float(loss / weight) for name, (loss, weight) in self._sums.items()}
        self.history.append({"epoch": self.current_epoch, **means})
        self._sums = {}

    def configure_optimizers(self):
        """Return AdamW."""
        return torch.optim.AdamW(self.parameters(), lr=self.rate, weight_decay=self.decay)

    def _weighted_losses(self, batch, name):
        features, label, soft, weight = batch
        output = self(features)
        if self.n_classes:
            losses = distillation(output, label, soft, self.alpha, self.temperature)
        else:
            losses = regression(output, label, soft, self.alpha)
        total, mass = (losses * weight).sum(), weight.sum()
        before = self._sums.get(name, (0.0, 0.0))
        self._sums[name] = (before[0] + total.detach(), before[1] + mass)
        return total


class BestWeights(pl.Callback):
    """Stop when the stop loss has not fallen for ``patience`` epochs, and go back to the weights of the best one."""

    def __init__(self, patience):
        self.patience, self.best, self.epoch, self.weights = patience, float("inf"), -1, None

    def on_validation_end(self, trainer, learner):
        """Keep the weights of a new best epoch, or count towards the end."""
        loss = learner.history[-1]["stop_loss"]
        if loss < self.best:
            self.best, self.epoch = loss, learner.current_epoch
            self.weights = copy.deepcopy(learner.network.state_dict())
        trainer.should_stop |= learner.current_epoch - self.epoch >= self.patience

    def on_fit_end(self, trainer, learner):
        """Load the best weights."""
        if self.weights is not None:
            learner.network.load_state_dict(self.weights)
