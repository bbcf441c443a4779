"""Probabilities that mean what they say: calibrated, and on the prior of the rows that a model learned from."""

import copy

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from stillhouse.columns import LABEL, WEIGHT
from stillhouse.predictions.decisions import tuned_factors
from stillhouse.predictions.predictions import SMALLEST, on_original_prior

# What holds the calibration of a resampled model at "as it is", in units of rows' log loss.
PULL = 0.5


class BiasCorrectedTemperature:
    """Temperature scaling with a bias per class (Alexandari, Kundaje & Shrikumar 2020, section 2.2).

    ``pull`` times the squares of the log temperature and of the biases is added to the summed log loss.
    """

    def __init__(self, pull=0.0):
        self.pull = pull

    def fit(self, p, labels, weight=None):
        """Find temperature and biases of least log loss on probabilities (rows, classes), labels and weights (rows,)."""
        logs, n = logs_of(p), p.shape[1]
        weight = np.ones(len(p)) if weight is None else weight
        target, share = np.eye(n)[labels], (weight / weight.sum())[:, None]
        pull = np.r_[self.pull, np.full(n, self.pull + 1e-6)] / len(p)

        def loss(parameters):
            scaled = logs * np.exp(parameters[0]) + parameters[1:]
            slope = (softmax(scaled, axis=1) - target) * share
            slopes = np.r_[(slope * logs).sum() * np.exp(parameters[0]), slope.sum(axis=0)]
            value = -(target * log_softmax(scaled, axis=1) * share).sum()
            return value + pull @ parameters**2, slopes + 2 * pull * parameters

        found = minimize(loss, np.zeros(n + 1), jac=True, method="L-BFGS-B").x
        self.slope_, self.biases_ = float(np.exp(found[0])), found[1:]
        return self

    def predict(self, p):
        """Return calibrated probabilities."""
        return softmax(logs_of(p) * self.slope_ + self.biases_, axis=1)


def logs_of(p):
    """Return logarithms of probabilities, each at least 1e-7."""
    return np.log(np.clip(p, SMALLEST, 1))


class OnOriginalPrior:
    """A fitted model that predicts on the prior of the rows it learned from, whatever resampling made of them.

    The change of the prior that the ledger records is undone. A resampler may also change what the rows of a class are like,
    so the probabilities of a resampled model are then calibrated on the stop rows, which keep their natural mix and which
    the model was not fitted on. ``factors`` are tuned on the same rows, to decide for a class by, for the least cost where
    there are ``costs``. A regression is predicted as it is.
    """

    def __init__(self, model, ledger, stop, costs=None):
        self.model, self.ledger, self.calibration = model, ledger, None
        self.factors = np.ones(len(ledger["before"])) if ledger else None
        if not ledger or not len(stop):
            return
        labels, weight = stop[LABEL].to_numpy(int), stop[WEIGHT].to_numpy()
        if ledger["resampled"]:
            before, after = np.array(ledger["before"]), np.array(ledger["after"])
            undone = weight * np.divide(before, after, out=np.zeros_like(before), where=after > 0)[labels]
            self.calibration = BiasCorrectedTemperature(PULL).fit(self.predict(stop), labels, undone)
        self.factors = tuned_factors(self.predict(stop), labels, weight, costs)

    def predict(self, table):
        """Return probabilities (rows, classes) or values (rows, 1) of prepared rows."""
        p = on_original_prior(self.model.predict(table), self.ledger)
        return self.calibration.predict(p) if self.calibration else p

    def with_model(self, model):
        """Return another model of the same kind under the same ledger, calibration and factors."""
        other = copy.copy(self)
        other.model = model
        return other
