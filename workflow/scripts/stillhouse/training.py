"""Networks: what owns the only Trainer, from a sample to fitted networks that predict."""

import logging
import warnings

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch

from stillhouse.columns import LABEL, STOP, WEIGHT, features
from stillhouse.errors import UserError
from stillhouse.lightning import Batches, BestWeights, Learner
from stillhouse.methods import build
from stillhouse.seeds import derive

# How a network is trained, beside the options of its architecture.
TRAINING = ("batch", "epochs", "patience", "rate", "decay", "clip", "seeds", "bag", "alpha", "temperature", "teacher")

logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
# The batches are tensors by index, so workers would only add copies.
warnings.filterwarnings("ignore", message=".*does not have many workers.*")
warnings.filterwarnings("ignore", message=".*number of training batches.*")
warnings.filterwarnings("ignore", message=".*LeafSpec.*")


class FittedNetworks:
    """Networks whose probabilities (or values) are averaged, with the names of their features."""

    def __init__(self, networks, names, n_classes, centre, scale):
        self.networks, self.names, self.n_classes = networks, names, n_classes
        self.centre, self.scale = centre, scale

    def predict(self, table):
        """Return scores of prepared rows: probabilities (rows, classes), or values (rows, 1), as float64."""
        X = torch.tensor(table[self.names].to_numpy(np.float32))
        with torch.inference_mode():
            outputs = [network(X).double() for network in self.networks]
        if self.n_classes:
            return torch.stack([output.softmax(dim=1) for output in outputs]).mean(dim=0).numpy()
        return (torch.stack(outputs).mean(dim=0) * self.scale + self.centre).numpy()


def train(sample, soft, options, n_classes, seed, start=None):
    """Return fitted networks and their histories, one per ``seeds``.

    ``soft`` has the teacher's probabilities or values for the rows of ``sample``, NaN for rows without, or is None.
    A regression learns labels with mean 0 and deviation 1 over the rows that are not stop rows. ``start`` are fitted
    networks to go on from; they stay as they are where training makes the stop loss no better.
    """
    names = start.names if start else features(sample)
    centre, scale = (start.centre, start.scale) if start else units(sample, n_classes)
    tensors = as_tensors(sample, names, soft, n_classes, centre, scale)
    networks, histories = [], []
    for number in range(options["seeds"]):
        begin = start.networks[number] if start else None
        learner = train_one(tensors, sample[STOP].to_numpy(), options, n_classes, derive(seed, "network", number), begin)
        networks.append(learner.network.eval())
        histories.append(pd.DataFrame(learner.history).assign(network=number))
    return FittedNetworks(networks, names, n_classes, centre, scale), pd.concat(histories, ignore_index=True)


def units(sample, n_classes):
    """Return the centre and scale that a regression's labels are learned in; 0 and 1 for classes."""
    learnt = sample.loc[~sample[STOP], LABEL]
    return (0.0, 1.0) if n_classes else (float(learnt.mean()), float(learnt.std()) or 1.0)


def as_tensors(sample, names, soft, n_classes, centre, scale):
    """Return features, label, soft targets and weight as tensors with one entry a row."""
    width = n_classes or 1
    soft = np.full((len(sample), width), np.nan) if soft is None else soft
    label = sample[LABEL].to_numpy()
    return (
        torch.tensor(sample[names].to_numpy(np.float32)),
        torch.from_numpy(label.astype(np.int64) if n_classes else ((label - centre) / scale).astype(np.float32)),
        torch.from_numpy(((soft - centre) / scale).astype(np.float32)),
        torch.tensor(sample[WEIGHT].to_numpy(np.float32)),
    )


def train_one(tensors, is_stop, options, n_classes, seed, begin=None):
    """Return a trained learner, which may ``begin`` from a network; raises ``UserError`` where its loss is no number."""
    fitted, stop = np.flatnonzero(~is_stop), np.flatnonzero(is_stop)
    if options["bag"]:
        fitted = np.random.default_rng(derive(seed, "bag")).choice(fitted, len(fitted))
    learner = new_learner(tensors[0].shape[1], options, n_classes, seed)
    if begin is not None:
        learner.network.load_state_dict(begin.state_dict())
    best = BestWeights(options["patience"])
    trainer = new_trainer(options, best)
    size = batch_size(options["batch"], len(fitted))
    weight = tensors[3] / tensors[3][fitted].mean()
    tensors = (*tensors[:3], weight)
    train_batches = Batches([tensor[fitted] for tensor in tensors], size, derive(seed, "batches"), shuffle=True)
    stop_batches = Batches([tensor[stop] for tensor in tensors], 65536, seed=0, shuffle=False)
    with torch.random.fork_rng():
        torch.manual_seed(derive(seed, "dropout"))
        if begin is not None:
            trainer.validate(learner, stop_batches, verbose=False)
        trainer.fit(learner, train_batches, stop_batches)
    if best.weights is None:
        raise UserError("the loss of a network is not a number; lower its `rate`, or look for huge values in the table")
    return learner.cpu()


def new_trainer(options, callback):
    """Return a Trainer on one device that prints and writes nothing."""
    return pl.Trainer(
        max_epochs=options["epochs"],
        gradient_clip_val=options["clip"],
        callbacks=[callback],
        accelerator="auto",
        devices=1,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def batch_size(most, rows):
    """Return rows a step: small tables take fewer than ``most``, so that an epoch has 8 steps, but 32 where they can."""
    return min(most, rows, max(32, rows // 8))


def new_learner(n_inputs, options, n_classes, seed):
    """Return a network with weights drawn under its own seed, in its Lightning module."""
    architecture = {key: value for key, value in options.items() if key not in TRAINING}
    with torch.random.fork_rng():
        torch.manual_seed(derive(seed, "weights"))
        network = build("networks", architecture, n_inputs=n_inputs, n_outputs=n_classes or 1)
    alpha, temperature = options.get("alpha", 1.0), options.get("temperature", 1.0)
    return Learner(network, n_classes, options["rate"], options["decay"], alpha, temperature)
