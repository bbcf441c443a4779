"""Comparison: which model is the best, and how students compare with their teachers and twins.

There are two questions, and each has a test of its own. Over rows: do these models, as they were fitted, differ on such rows?
Over training sets: do these methods differ on such data, whatever rows and seeds they learn from?
"""

from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import stdtr

from stillhouse.columns import DEPLOY, PART, ROW
from stillhouse.errors import UserError
from stillhouse.evaluation.intervals import bootstrap_p, draws, interval, resampled_t
from stillhouse.evaluation.metrics import LESS_IS_BETTER, main_metric, possible
from stillhouse.evaluation.scores import main_of
from stillhouse.intake.folds import unit_numbers
from stillhouse.predictions.predictions import SMALLEST, columns_of
from stillhouse.seeds import generator
from stillhouse.shift.adjusted import holm

PAIRS = ("model", "other", "gap", "gap_low", "gap_high", "p_rows", "p_folds")
STUDENTS = (
    *("student", "other", "is", "gap", "gap_low", "gap_high", "p_rows", "p_folds", "p_adjusted"),
    *("better", "worse", "within_margin", "agreement", "divergence"),
)
# What `main_draws` calls the draws of a model on the rows that a draw has left out.
LEFT_OUT = "left out"
SUFFIXES = {"": "value", "_low": "low", "_high": "high"}


class Comparison:
    """The main metric of all models of a dataset on the same held-out rows, and tests of their gaps.

    ``metrics`` maps a model to a list of its metrics, first those of the configured folds, then those of repeated folds;
    ``drawn`` and ``left_out`` map a model to the draws of ``main_draws``.
    """

    def __init__(self, metrics, drawn, protocol, left_out=None):
        self.name, self.drawn, self.settings = main_metric(protocol.task), drawn, protocol.settings
        self.left_out = left_out
        self.classes = protocol.task.classes
        self.sign = -1 if self.name in LESS_IS_BETTER else 1
        held_out = {model: [part["held_out"] for part in repeats] for model, repeats in metrics.items()}
        self.values = {model: parts[0]["metrics"][self.name]["value"] for model, parts in held_out.items()}
        first = next(iter(held_out.values()))[0]
        self.ratio, self.units = first["ratio"], first["units"]
        self.folds = {
            model: np.array([value for part in parts for value in part["metrics"][self.name]["folds"].values()], dtype=float)
            for model, parts in held_out.items()
        }
        if None in self.values.values():
            advice = "score more rows, or merge classes"
            raise UserError(f"{self.name} cannot be computed, as all scored rows are of one class; {advice}")

    @property
    def ranked(self):
        """The names of the models, the best first."""
        return sorted(self.values, key=lambda model: -self.sign * self.values[model])

    def corrected(self):
        """Return the leading model's value, corrected for its having been picked as the best; None where it cannot be told.

        In each bootstrap draw the best model is picked by the rows that were drawn, and scored on those that were not; the mean
        of these scores is unbiased (Tsamardinos, Greasidou & Borboudakis 2018). What fewer rows change for all is undone.
        """
        if self.left_out is None or len(self.values) < 2:
            return None
        drawn, rest = (np.stack([found[name] for name in self.values]) for found in (self.drawn, self.left_out))
        known = np.isfinite(drawn).all(axis=0) & np.isfinite(rest).all(axis=0)
        if not known.any():
            return None
        drawn, rest = drawn[:, known], rest[:, known]
        picked = rest[(self.sign * drawn).argmax(axis=0), np.arange(drawn.shape[1])].mean()
        corrected = picked - (rest.mean() - np.mean(list(self.values.values())))
        return float(self.sign * min(self.sign * corrected, self.sign * self.values[self.ranked[0]]))

    def mean_over_folds(self, model):
        """Return the mean over all folds, repeated ones included, and its corrected resampled t interval."""
        middle, low, high, _ = resampled_t(self.folds[model], self.ratio, self.settings["level"])
        return middle, *possible(self.name, low, high)

    def gap(self, model, other):
        """Return the gap of two models with its bootstrap interval, and its p-values over rows and over training sets."""
        gap, drawn = self.values[model] - self.values[other], self.drawn[model] - self.drawn[other]
        low, high = interval(gap, drawn, self.settings["level"], self.units)
        p_rows, p_folds = bootstrap_p(gap, drawn, self.units), self.p_over_folds(model, other)
        return {"gap": gap, "gap_low": low, "gap_high": high, "p_rows": p_rows, "p_folds": p_folds}

    def is_within_margin(self, gap):
        """Return whether a gap is no loss of more than the stated margin, by its interval; None where that cannot be told."""
        margin, worst = self.settings["margin"], gap["gap_low"] if self.sign > 0 else gap["gap_high"]
        # An error in the target's unit is judged by its size.
        size = 1.0 if self.classes else abs(self.values[gap["other"]])
        return None if not margin or worst is None else bool(self.sign * worst > -margin * size)

    def wins(self):
        """Return whether the leading model is better than every other one, over rows and over folds; None without folds.

        The p-values need no adjustment: whichever model leads, to be called the best by mistake it has to beat a model that is
        as good as itself (Berger 1982, theorem 1). Over folds the leading model must also be ahead in the mean over folds.
        """
        leader, *others = self.ranked
        alpha, gaps = 1 - self.settings["level"], [self.gap(leader, other) for other in others]
        over_rows = bool(gaps) and max(gap["p_rows"] for gap in gaps) < alpha
        if not gaps or any(gap["p_folds"] is None for gap in gaps):
            return {"winner_rows": over_rows, "winner_folds": None}
        is_ahead = all(self.sign * self.fold_gaps(leader, other).mean() > 0 for other in others)
        return {"winner_rows": over_rows, "winner_folds": is_ahead and max(gap["p_folds"] for gap in gaps) < alpha}

    def p_best_over_rows(self):
        """Return for each model the p-value of its being the best on such rows: multiple comparisons with the best (Hsu 1984).

        It is the share of bootstrap draws in which the largest standardized advantage of another model, less its mean, exceeds
        the one observed. The best model has a p-value below 0.05 one time in 20, however many models there are.
        """
        names = self.ranked
        values = self.sign * np.array([self.values[name] for name in names])
        drawn = self.sign * np.stack([self.drawn[name] for name in names])
        found = {}
        for own, name in enumerate(names):
            ahead, moved = values - values[own], drawn - drawn[own]
            error = np.nanstd(moved, axis=1)
            others = np.flatnonzero(error > 0)
            if not len(others):
                found[name] = 1.0
                continue
            observed = (ahead[others] / error[others]).max()
            noise = ((moved[others] - ahead[others, None]) / error[others, None]).max(axis=0)
            found[name] = float((1 + (noise >= observed).sum()) / (1 + np.isfinite(noise).sum()))
        return found

    def p_best_over_folds(self):
        """Return for each model the p-value of its method's being the best on such data; None without several folds.

        It is the smallest one-sided p-value against another model, times the number of other models (Bonferroni).
        """
        found = {}
        for name in self.ranked:
            others = [other for other in self.ranked if other != name]
            both_sides = [self.p_over_folds(name, other) for other in others]
            if None in both_sides:
                return dict.fromkeys(self.ranked)
            is_ahead = [self.sign * self.fold_gaps(other, name).mean() > 0 for other in others]
            found[name] = min([1.0, *(len(others) * p / 2 for p, ahead in zip(both_sides, is_ahead, strict=True) if ahead)])
        return found

    def p_over_folds(self, model, other):
        """Return the p-value of a gap by the corrected resampled t-test, with a variance moderated over all pairs.

        Five folds estimate a variance poorly. So with m further models, a pair's variance over folds v is replaced by
        (v + m d w) / (m + 1), where w is its variance over rows by the bootstrap, and d the mean of v / w over all pairs (after
        Smyth 2004, who moderates variances between genes). With two models it is the plain test. None without folds.
        """
        own, fold_gaps = self.variances(model, other), self.fold_gaps(model, other)
        if own is None:
            return None
        further = max(0, len(self.values) - 2)
        variance = (own[0] + further * self.dispersion * own[1]) / (further + 1)
        mean, freedom = float(fold_gaps.mean()), (len(fold_gaps) - 1) * (further + 1)
        return float(2 * stdtr(freedom, -abs(mean) / np.sqrt(variance))) if variance > 0 else float(mean == 0)

    @cached_property
    def dispersion(self):
        """The mean ratio, over pairs, of the variance of their gap over folds to its variance over rows."""
        pairs_of_variances = [self.variances(*pair) or (0.0, 0.0) for pair in combinations(self.values, 2)]
        return float(np.mean([folds / rows for folds, rows in pairs_of_variances if rows > 0] or [1.0]))

    def variances(self, model, other):
        """Return a gap's variance over folds, corrected for overlapping training sets, and over rows; None without folds."""
        fold_gaps = self.fold_gaps(model, other)
        if self.ratio is None or len(fold_gaps) < 2:
            return None
        over_folds = (1 / len(fold_gaps) + self.ratio) * float(fold_gaps.var(ddof=1))
        return over_folds, float(np.nanvar(self.drawn[model] - self.drawn[other]))

    def fold_gaps(self, model, other):
        """Return the gaps of two models by fold, where both have a value."""
        fold_gaps = self.folds[model] - self.folds[other]
        return fold_gaps[np.isfinite(fold_gaps)]


def pairs(contest):
    """Return one row for each pair of models, the better one first: the gap with its interval, and its p-values.

    ``p_rows`` is the p-value over rows: a bootstrap of the held-out rows, with the models as fitted. ``p_folds`` is that over
    training sets and seeds: the corrected resampled t-test over folds, moderated over pairs.
    """
    lines = [{"model": model, "other": other, **contest.gap(model, other)} for model, other in combinations(contest.ranked, 2)]
    return pd.DataFrame(lines, columns=PAIRS)


def compare(contest, metrics, plain):
    """Return one row for each model, the leading one first: its metrics, its mean over folds, and its gap to the leader.

    ``p_best_rows`` is the p-value of a model's being the best on such rows, ``p_best_folds`` that of its method's being the
    best on such data. ``behind`` says whether the first is ruled out. ``winner_rows`` and ``winner_folds`` say whether a model
    is better than every other one, over rows and over training sets. ``corrected`` is the main metric of the leading model,
    corrected for its having been picked. ``plain`` maps a resampled model to its counterpart without resampling, whose tuned
    threshold is what resampling has to beat.
    """
    leader, alpha = contest.ranked[0], 1 - contest.settings["level"]
    over_rows, over_folds = contest.p_best_over_rows(), contest.p_best_over_folds()
    wins = contest.wins()
    lines = []
    for name in contest.ranked:
        mean, low, high = contest.mean_over_folds(name)
        of_folds = {f"{contest.name}_folds_mean": mean, f"{contest.name}_t_low": low, f"{contest.name}_t_high": high}
        gaps = contest.gap(name, leader)
        gap = {key: gaps[key] for key in ("gap", "gap_low", "gap_high")}
        best = {"p_best_rows": over_rows[name], "p_best_folds": over_folds[name], "behind": over_rows[name] < alpha}
        won = {key: None if win is None else win and name == leader for key, win in wins.items()}
        won["corrected"] = contest.corrected() if name == leader else None
        lines.append(
            {"model": name, "plain": plain.get(name, ""), **flat_metrics(metrics[name][0]), **of_folds, **gap, **best, **won}
        )
    return pd.DataFrame(lines)


def compare_students(contest, students, rows):
    """Return one row for each student and each model that it is compared with: its teachers and its twin.

    ``students`` is ``{student: {other: "teacher" or "twin"}}``. ``gap`` is the student's main metric minus the other's on the
    same rows; ``better`` and ``worse`` are by the p-value over rows, adjusted for the number of lines (Holm 1979).
    ``within_margin`` says whether the student is not worse by more than the stated margin, by the interval of the gap; it is
    None without a margin.
    ``agreement`` is the share of rows with the same most likely class, ``divergence`` the mean of KL(other || student); of a
    regression they are the correlation and the root mean squared difference.
    """
    lines = []
    for student, others in students.items():
        for other, part in others.items():
            line = {"student": student, "other": other, "is": part, **contest.gap(student, other)}
            line["within_margin"] = contest.is_within_margin(line)
            lines.append(line | fidelity(rows[student], rows[other], contest.classes))
    table = pd.DataFrame(lines, columns=[name for name in STUDENTS if name not in ("p_adjusted", "better", "worse")])
    table["p_adjusted"] = holm(table["p_rows"])
    is_clear, is_ahead = table["p_adjusted"] < 1 - contest.settings["level"], contest.sign * table["gap"] > 0
    return table.assign(better=is_clear & is_ahead, worse=is_clear & ~is_ahead)[list(STUDENTS)]


def fidelity(student, other, classes):
    """Return the agreement and divergence of two models on held-out rows; see ``compare_students``."""
    both = student[student[PART] != DEPLOY].merge(other, on=ROW, suffixes=("", " of other"))
    names = columns_of(classes)
    p, q = both[names].to_numpy(), both[[f"{name} of other" for name in names]].to_numpy()
    if not classes:
        correlation = float(np.corrcoef(p[:, 0], q[:, 0])[0, 1]) if p.std() and q.std() else None
        return {"agreement": correlation, "divergence": float(np.sqrt(((p - q) ** 2).mean()))}
    logs = np.log(np.maximum(q, SMALLEST)) - np.log(np.maximum(p, SMALLEST))
    return {"agreement": float((p.argmax(1) == q.argmax(1)).mean()), "divergence": float((q * logs).sum(axis=1).mean())}


def main_draws(rows, protocol):
    """Return bootstrap draws of each model's main metric on held-out rows, and on the rows that each draw leaves out.

    Both are by name of the model; models of the same rows have the same draws.
    """
    held_out, alike = {name: own[own[PART] != DEPLOY] for name, own in rows.items()}, {}
    for name, own in held_out.items():
        alike.setdefault(own[ROW].to_numpy().tobytes(), []).append(name)
    found = {}
    for names in alike.values():
        first, rng = held_out[names[0]], generator(protocol.seed, "bootstrap")
        metrics = {name: main_of(held_out[name], protocol) for name in names}
        metrics |= {(LEFT_OUT, name): on_left_out_rows(metrics[name]) for name in names}
        found |= draws(metrics, np.ones(len(first)), unit_numbers(first), protocol.settings["draws"], rng)
    return {name: found[name] for name in rows}, {name: found[LEFT_OUT, name] for name in rows}


def on_left_out_rows(metric):
    """Return a metric of the rows that a draw leaves out, as a function of draws."""
    return lambda W: metric((W == 0).astype("float64"))


def flat_metrics(metrics):
    """Return all metrics of a model as one flat dictionary."""
    values = {}
    for population, assessed in metrics.items():
        prefix = "" if population == "held_out" else f"{population}_"
        for metric, estimate in assessed["metrics"].items():
            values |= {f"{prefix}{metric}{part}": estimate[key] for part, key in SUFFIXES.items()}
        if covered := assessed["conformal"]:
            values |= {f"{prefix}coverage{part}": covered[key] for part, key in SUFFIXES.items()}
            values[f"{prefix}set_size"] = covered["size"]
    return values
