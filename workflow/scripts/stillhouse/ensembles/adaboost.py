"""AdaBoost of any models that take weights, for classes (SAMME; Zhu, Zou, Rosset & Hastie 2009, algorithm 2)."""

import numpy as np
from scipy.special import softmax

from stillhouse.columns import LABEL, STOP, WEIGHT
from stillhouse.errors import UserError


class Voted:
    """Models that each vote for their most likely class; ``votes`` has the weight of each model's vote.

    A single model has nobody to vote with, and keeps its own probabilities; votes would make two values of them.
    """

    # A model of votes has no quantiles, as votes are for classes.
    levels = ()

    def __init__(self, models, votes, n_classes):
        self.models, self.votes, self.n_classes = models, np.array(votes), n_classes

    @property
    def names(self):
        """The names of the features."""
        return self.models[0].names

    def predict(self, table):
        """Return probabilities of prepared rows (rows, classes): the softmax of the weighted votes, as the paper derives it."""
        if len(self.models) == 1:
            return self.models[0].predict(table)
        chosen = np.stack([model.predict(table).argmax(axis=1) for model in self.models])
        agreed = np.where(np.arange(self.n_classes) == chosen[:, :, None], 1.0, -1 / (self.n_classes - 1))
        decision = np.tensordot(self.votes, agreed, 1) / self.votes.sum()
        return softmax(decision / (self.n_classes - 1), axis=1)


class Boost:
    """The boosting of one sample: rows that the model of a round misclassifies get larger weights in the next round."""

    def __init__(self, sample, n_classes, rate):
        self.rows, self.n_classes, self.rate = sample, n_classes, rate
        self.is_fitted = ~sample[STOP].to_numpy()
        self.labels = sample[LABEL].to_numpy()[self.is_fitted].astype(int)
        self.weights = sample[WEIGHT].to_numpy()[self.is_fitted] / sample[WEIGHT].to_numpy()[self.is_fitted].sum()
        self.models, self.votes, self.is_done = [], [], False

    def sample(self):
        """Return the sample with the current weights, mean 1 over the fitted rows; stop rows keep their own."""
        weights = self.rows[WEIGHT].to_numpy(copy=True)
        weights[self.is_fitted] = self.weights * self.is_fitted.sum()
        return self.rows.assign(**{WEIGHT: weights})

    def add(self, model):
        """Add the model of a round. Boosting ends with a model without errors, with one that is no better than guessing, or
        with None, where training diverged.
        """
        if model is None:
            self.is_done = True
            return
        is_wrong = model.predict(self.rows[self.is_fitted]).argmax(axis=1) != self.labels
        error = float(self.weights @ is_wrong)
        if error >= 1 - 1 / self.n_classes:
            self.is_done = True
            return
        self.models.append(model)
        if error <= 0:
            self.votes.append(1.0)
            self.is_done = True
            return
        vote = self.rate * (np.log((1 - error) / error) + np.log(self.n_classes - 1))
        self.votes.append(vote)
        raised = self.weights * np.exp(vote * is_wrong)
        self.weights = raised / raised.sum()

    def keep(self, count):
        """Keep the first models, at most so many."""
        self.models, self.votes = self.models[:count], self.votes[:count]

    def voted(self):
        """Return the boosted model; raises ``UserError`` where no model was better than guessing."""
        if not self.models:
            raise UserError(
                "boost: the first model is no better than guessing; choose a stronger method, or leave `boost` at 0"
            )
        return Voted(self.models, self.votes, self.n_classes)


def boosted(samples, fit_all, rounds, rate, n_classes, followed=None):
    """Return a ``Voted`` for each sample; the models of a round are fitted together.

    ``fit_all(indices, samples, number)`` returns the models of a round, one for each of these samples. ``followed`` maps a
    sample to the one that it follows: it has as many rounds at most, and the result is None where it could not be boosted.
    """
    if not n_classes:
        raise UserError("boost: votes are for classes, and the target is numeric; leave it at 0, or fit `boosting`")
    boosts, followed = [Boost(sample, n_classes, rate) for sample in samples], followed or {}
    for number in range(rounds):
        ended = [boost.is_done for boost in boosts]
        going = [index for index, done in enumerate(ended) if not done and not ended[followed.get(index, index)]]
        models = fit_all(going, [boosts[index].sample() for index in going], number) if going else []
        for index, model in zip(going, models, strict=True):
            boosts[index].add(model)
    for index, other in followed.items():
        # The last model of the one that is followed may have been no better than guessing.
        boosts[index].keep(len(boosts[other].models))
    return [boost.voted() if boost.models or index not in followed else None for index, boost in enumerate(boosts)]
