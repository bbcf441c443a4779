"""Comparison: every model beside every other by paired tests, and students beside teachers and twins."""

from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import t

from stillhouse.columns import DEPLOY, PART, ROW
from stillhouse.errors import UserError
from stillhouse.evaluation.intervals import bootstrap_p, draws, interval, resampled_t
from stillhouse.evaluation.metrics import LESS_IS_BETTER, main_metric, possible
from stillhouse.evaluation.scores import main_of, unit_numbers
from stillhouse.predictions.predictions import SMALLEST, columns_of
from stillhouse.seeds import generator
from stillhouse.shift.two_sample import holm

PAIRS = ("model", "other", "gap", "gap_low", "gap_high", "p_rows", "p_folds", "p", "p_adjusted", "better")
STUDENTS = ("student", "other", "is", "gap", "gap_low", "gap_high", "p", "better", "worse", "agreement", "divergence")
PARTS = {"": "value", "_low": "low", "_high": "high"}


class Contest:
    """The main metric of all models of a dataset on the same held-out rows, with what it takes to test their gaps.

    ``metrics`` maps a model to its metrics, those of repeated folds after those of the first, and ``drawn`` to the draws of
    ``main_draws``.
    """

    def __init__(self, metrics, drawn, schema, settings):
        self.name, self.drawn, self.settings = main_metric(schema["task"]), drawn, settings
        self.sign = -1 if self.name in LESS_IS_BETTER else 1
        found = {model: [part["held_out"] for part in repeats] for model, repeats in metrics.items()}
        self.values = {model: parts[0]["metrics"][self.name]["value"] for model, parts in found.items()}
        self.ratio = next(iter(found.values()))[0]["ratio"]
        self.folds = {
            model: np.array([value for part in parts for value in part["metrics"][self.name]["folds"].values()], dtype=float)
            for model, parts in found.items()
        }
        if None in self.values.values():
            why = "as they are of one class; score more rows, or merge classes"
            raise UserError(f"the scored rows have no {self.name}, {why}")

    @property
    def ranked(self):
        """The models, the best first."""
        return sorted(self.values, key=lambda model: -self.sign * self.values[model])

    def mean_over_folds(self, model):
        """Return the mean over all folds, repeated ones included, and its corrected resampled t interval."""
        middle, low, high, _ = resampled_t(self.folds[model], self.ratio, self.settings["level"])
        return middle, *possible(self.name, low, high)

    def gap(self, model, other):
        """Return the gap of two models with its bootstrap interval and p-values; see ``pairs``."""
        gap, drawn = self.values[model] - self.values[other], self.drawn[model] - self.drawn[other]
        low, high = interval(drawn, self.settings["level"])
        p_rows, p_folds = bootstrap_p(gap, drawn), self.p_over_folds(model, other)
        p = p_rows if p_folds is None else max(p_rows, p_folds)
        return {"gap": gap, "gap_low": low, "gap_high": high, "p_rows": p_rows, "p_folds": p_folds, "p": p}

    def p_over_folds(self, model, other):
        """Return the p-value of a gap by the corrected resampled t-test, its variance moderated by those of all pairs.

        Five folds tell little of a variance. So that of a pair's gap over folds is taken together with what its variance over
        rows makes one expect, by the mean ratio of the two over all pairs, one part to as many as there are further models
        (after Smyth 2004, who shares variances between genes). Of two models it is the plain test. None without folds.
        """
        own, apart = self.variances(model, other), self.apart(model, other)
        if own is None:
            return None
        further = max(0, len(self.values) - 2)
        variance = (own[0] + further * self.dispersion * own[1]) / (further + 1)
        mean, freedom = float(apart.mean()), (len(apart) - 1) * (further + 1)
        return float(2 * t.sf(abs(mean) / np.sqrt(variance), freedom)) if variance > 0 else float(mean == 0)

    @cached_property
    def dispersion(self):
        """The mean over pairs of the variance of their gap over folds in units of that over rows."""
        found = [self.variances(*pair) or (0.0, 0.0) for pair in combinations(self.values, 2)]
        return float(np.mean([folds / rows for folds, rows in found if rows > 0] or [1.0]))

    def variances(self, model, other):
        """Return the variance of a gap over folds, corrected as training sets overlap, and over rows; None without folds."""
        apart = self.apart(model, other)
        if self.ratio is None or len(apart) < 2:
            return None
        over_folds = (1 / len(apart) + self.ratio) * float(apart.var(ddof=1))
        return over_folds, float(np.nanvar(self.drawn[model] - self.drawn[other]))

    def apart(self, model, other):
        """Return the gaps of two models by fold, where both have a value."""
        apart = self.folds[model] - self.folds[other]
        return apart[np.isfinite(apart)]


def pairs(contest):
    """Return one row for each pair of models, the better one first: its gap, p-values, and whether it is better.

    ``p_rows`` asks whether the gap could be one of rows: a bootstrap of the models as they are. ``p_folds`` asks whether it
    could be one of training sets and seeds: the corrected resampled t-test over folds, moderated over pairs. A model is called
    better where both say so, the larger p-value adjusted for the number of pairs (Holm 1979); there may be none.
    """
    lines = [{"model": model, "other": other, **contest.gap(model, other)} for model, other in combinations(contest.ranked, 2)]
    table = pd.DataFrame(lines, columns=[name for name in PAIRS if name not in ("p_adjusted", "better")])
    table["p_adjusted"] = holm(table["p"])
    table["better"] = table["p_adjusted"] < 1 - contest.settings["level"]
    return table


def compare(contest, tested, metrics, plain):
    """Return one row per model, the leading one first: its metrics, its mean over folds, and its gap to the leader.

    ``tested`` has the ``pairs``; ``behind`` is True for what the leader is better than. ``plain`` maps a resampled model to the
    same without resampling, which at its tuned threshold is what resampling has to beat.
    """
    leader = contest.ranked[0]
    better = set(tested.loc[(tested["model"] == leader) & tested["better"], "other"])
    lines = []
    for name in contest.ranked:
        mean, low, high = contest.mean_over_folds(name)
        of_folds = {f"{contest.name}_folds_mean": mean, f"{contest.name}_t_low": low, f"{contest.name}_t_high": high}
        found = contest.gap(name, leader)
        gap = {key: found[key] for key in ("gap", "gap_low", "gap_high")}
        named = {"model": name, "plain": plain.get(name, "")}
        lines.append({**named, **numbers(metrics[name][0]), **of_folds, **gap, "behind": name in better})
    return pd.DataFrame(lines)


def compare_students(contest, students, rows, schema):
    """Return one row for each student and each model that it is held against: its teachers, and its twin.

    ``students`` maps a name to those models by what they are to it. ``gap`` is the student's main metric less the other's
    on the same rows; ``better`` and ``worse`` go by ``p``, which is not adjusted, as these few pairs are named beforehand.
    ``agreement`` is the share of rows whose likeliest class is the same, ``divergence`` the mean of KL(other || student); of a
    regression these are the correlation and the root mean squared difference.
    """
    lines = []
    for student, others in students.items():
        for other, part in others.items():
            found = contest.gap(student, other)
            is_clear, gain = found["p"] < 1 - contest.settings["level"], contest.sign * found["gap"]
            line = {"student": student, "other": other, "is": part, **found}
            line |= {"better": is_clear and gain > 0, "worse": is_clear and gain < 0}
            lines.append(line | fidelity(rows[student], rows[other], schema["classes"]))
    return pd.DataFrame(lines, columns=STUDENTS)


def fidelity(student, other, classes):
    """Return how alike the predictions of two models are on held-out rows; see ``compare_students``."""
    both = student[student[PART] != DEPLOY].merge(other, on=ROW, suffixes=("", " of other"))
    names = columns_of(classes)
    p, q = both[names].to_numpy(), both[[f"{name} of other" for name in names]].to_numpy()
    if not classes:
        alike = float(np.corrcoef(p[:, 0], q[:, 0])[0, 1]) if p.std() and q.std() else None
        return {"agreement": alike, "divergence": float(np.sqrt(((p - q) ** 2).mean()))}
    logs = np.log(np.maximum(q, SMALLEST)) - np.log(np.maximum(p, SMALLEST))
    return {"agreement": float((p.argmax(1) == q.argmax(1)).mean()), "divergence": float((q * logs).sum(axis=1).mean())}


def main_draws(rows, schema, settings, seed):
    """Return bootstrap draws of the main metric on held-out rows."""
    rows = rows[rows[PART] != DEPLOY]
    of_weightings, rng = {"": main_of(rows, schema, settings)}, generator(seed, "bootstrap")
    return draws(of_weightings, np.ones(len(rows)), unit_numbers(rows), settings["draws"], rng)[""]


def numbers(metrics):
    """Return a model's metrics as one flat row."""
    values = {}
    for population, assessed in metrics.items():
        prefix = "" if population == "held_out" else f"{population}_"
        for metric, found in assessed["metrics"].items():
            values |= {f"{prefix}{metric}{part}": found[key] for part, key in PARTS.items()}
        if covered := assessed["conformal"]:
            values |= {f"{prefix}coverage{part}": covered[key] for part, key in PARTS.items()}
            values[f"{prefix}set_size"] = covered["size"]
    return values
