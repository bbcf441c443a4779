"""Calibration: probabilities on the original class prior, whatever prior resampling had a model learn."""

import copy

import numpy as np
from scipy.special import log_softmax, softmax

from stillhouse.columns import LABEL, WEIGHT
from stillhouse.predictions.decisions import tuned_factors
from stillhouse.predictions.predictions import SMALLEST, on_original_prior, prior_ratio

# How strongly the calibration of a resampled model is shrunk towards none: the penalty, in units of one row's log loss.
SHRINKAGE = 0.5


class BiasCorrectedTemperature:
    """Temperature scaling with a bias per class (Alexandari, Kundaje & Shrikumar 2020, section 2.2).

    ``shrinkage`` times the squares of the log temperature and of the biases is added to the summed log loss.
    """

    def __init__(self, shrinkage=0.0):
        self.shrinkage = shrinkage

    def fit(self, p, labels, weight=None):
        """Minimise the log loss of probabilities (rows, classes) over temperature and biases; labels and weights (rows,)."""
        # Most jobs that read this module optimise nothing, and the import takes longer than they run.
        from scipy.optimize import minimize

        logs, n = logs_of(p), p.shape[1]
        weight = np.ones(len(p)) if weight is None else weight
        target, share = np.eye(n)[labels], (weight / weight.sum())[:, None]
        penalty = np.r_[self.shrinkage, np.full(n, self.shrinkage + 1e-6)] / len(p)

        def loss(parameters):
            scaled = logs * np.exp(parameters[0]) + parameters[1:]
            slope = (softmax(scaled, axis=1) - target) * share
            slopes = np.r_[(slope * logs).sum() * np.exp(parameters[0]), slope.sum(axis=0)]
            value = -(target * log_softmax(scaled, axis=1) * share).sum()
            return value + penalty @ parameters**2, slopes + 2 * penalty * parameters

        best = minimize(loss, np.zeros(n + 1), jac=True, method="L-BFGS-B").x
        self.slope_, self.biases_ = float(np.exp(best[0])), best[1:]
        return self

    def predict(self, p):
        """Return calibrated probabilities."""
        return softmax(logs_of(p) * self.slope_ + self.biases_, axis=1)


def logs_of(p):
    """Return logarithms of probabilities, each at least 1e-7."""
    return np.log(np.clip(p, SMALLEST, 1))


class OnOriginalPrior:
    """A fitted model whose probabilities are on the original class prior, whatever prior resampling had it learn.

    The change of the prior that the ledger records is undone. As a resampler may also change the distribution of features
    within a class, the probabilities of a resampled model are then calibrated on the stop rows, which are not resampled and
    which the model was not fitted on. ``factors``, by which classes are decided for, are tuned on the same rows, for the least
    cost where there are ``costs``. The values of a regression stay as they are.
    """

    def __init__(self, model, ledger, stop, costs=None):
        self.model, self.first, self.ledger, self.calibration = model, None, ledger, None
        self.factors = np.ones(len(ledger.before)) if ledger else None
        if not ledger or not len(stop):
            return
        labels = stop[LABEL].to_numpy(int)
        # Stop rows have the learned prior by their weights; costs and calibration are those of the original one.
        weight = stop[WEIGHT].to_numpy() * prior_ratio(ledger.before, ledger.after)[labels]
        if ledger.resampled:
            self.calibration = BiasCorrectedTemperature(SHRINKAGE).fit(self.predict(stop), labels, weight)
        self.factors = tuned_factors(self.predict(stop), labels, weight, costs)

    def predict(self, table):
        """Return probabilities (rows, classes), or values with their quantiles (rows, outputs), of prepared rows."""
        p = on_original_prior(self.model.predict(table), self.ledger)
        return self.calibration.predict(p) if self.calibration else p

    def with_model(self, model):
        """Return a copy with another model and the same ledger, calibration and factors."""
        other = copy.copy(self)
        other.model = model
        return other

    def fitted_again(self, model, ledger, keeps_first):
        """Return a copy with the model that was fitted again on all rows, and its ledger; ``first`` is the one before, if kept.

        Calibration and factors stay those of the first model, which was not fitted on the stop rows.
        """
        other = self.with_model(model)
        other.ledger, other.first = ledger, self.model if keeps_first else None
        return other
