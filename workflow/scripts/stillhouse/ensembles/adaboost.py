"""AdaBoost for classes over models of any kind that take weights (SAMME; Zhu, Zou, Rosset & Hastie 2009, algorithm 2)."""

import numpy as np
from scipy.special import softmax

from stillhouse.columns import LABEL, STOP, WEIGHT
from stillhouse.errors import UserError


class Voted:
    """Models that vote for their likeliest class; ``votes`` says how much each one's counts."""

    def __init__(self, models, votes, n_classes):
        self.models, self.votes, self.n_classes = models, np.array(votes), n_classes

    @property
    def names(self):
        """The names of the features."""
        return self.models[0].names

    def predict(self, table):
        """Return probabilities of prepared rows (rows, classes): the softmax of what the votes for a class have more."""
        chosen = np.stack([model.predict(table).argmax(axis=1) for model in self.models])
        agreed = np.where(np.arange(self.n_classes) == chosen[:, :, None], 1.0, -1 / (self.n_classes - 1))
        decision = np.tensordot(self.votes, agreed, 1) / self.votes.sum()
        return softmax(decision / (self.n_classes - 1), axis=1)


class Boost:
    """One sample's way through the rounds: rows that a round's model gets wrong weigh more in the next."""

    def __init__(self, sample, n_classes, rate):
        self.rows, self.n_classes, self.rate = sample, n_classes, rate
        self.is_fitted = ~sample[STOP].to_numpy()
        self.labels = sample[LABEL].to_numpy()[self.is_fitted].astype(int)
        self.weights = sample[WEIGHT].to_numpy()[self.is_fitted] / sample[WEIGHT].to_numpy()[self.is_fitted].sum()
        self.models, self.votes, self.is_done = [], [], False

    def sample(self):
        """Return the rows with the present weights, mean 1; stop rows keep theirs."""
        weights = self.rows[WEIGHT].to_numpy(copy=True)
        weights[self.is_fitted] = self.weights * self.is_fitted.sum()
        return self.rows.assign(**{WEIGHT: weights})

    def add(self, model):
        """Take in the model of a round; it ends with one that errs nowhere, or no less than guessing would."""
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

    def voted(self):
        """Return what has been learned; raises ``UserError`` where no model was better than guessing."""
        if not self.models:
            raise UserError(
                "boost: the first model is no better than guessing; choose a stronger method, or leave `boost` at 0"
            )
        return Voted(self.models, self.votes, self.n_classes)


def boosted(samples, fit_all, rounds, rate, n_classes):
    """Return a ``Voted`` for each sample; all go through a round together.

    ``fit_all(places, samples, number)`` returns the models of a round, of the samples at these places.
    """
    if not n_classes:
        raise UserError("boost: votes are for classes, and the target is a value; leave it at 0, or fit `boosting`")
    boosts = [Boost(sample, n_classes, rate) for sample in samples]
    for number in range(rounds):
        places = [place for place, boost in enumerate(boosts) if not boost.is_done]
        models = fit_all(places, [boosts[place].sample() for place in places], number) if places else []
        for place, model in zip(places, models, strict=True):
            boosts[place].add(model)
    return [boost.voted() for boost in boosts]
