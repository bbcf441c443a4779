"""Strata: rows that have conformal sets of their own, so that what is stated holds in each of them and not only on average.

A stratum is a group of rows, by a column, and with values a fifth of them by what is predicted (Vovk 2012; Boström & Johansson
2020). It is known of a row before its label is, as classes are not.
"""

import numpy as np
import pandas as pd

from stillhouse.columns import PREDICTION, ROW
from stillhouse.evaluation.conformal import HeldOut
from stillhouse.evaluation.nonconformity import score_settings
from stillhouse.evaluation.sets import FIFTH, GROUP, JUDGED, contains_all, group_names, positions_by_stratum
from stillhouse.intake import kinds
from stillhouse.intake.groups import column_of_groups

# The parts of the rows by their predicted values.
FIFTHS = 5


def groups_of(table, schema, source):
    """Return the group of each row by a raw column, as text by row number, and how new rows' are read; None for no column."""
    if source is None:
        return None, None
    column = column_of_groups(table, schema, source)
    values = table[column["name"]]
    # A column that no model sees is a number or not by all of its values, and a few new ones would not tell.
    kind = kinds.NUMERIC if pd.api.types.is_numeric_dtype(values) else kinds.CATEGORICAL
    described = {**column, "kind": kind} if column["kind"] in kinds.LEFT_OUT else column
    return group_names(values).set_axis(table[ROW]), described


class Strata:
    """The held-out rows of each stratum, which judge themselves and new rows of it; see ``conformal.HeldOut``."""

    def __init__(self, rows, protocol, timed, groups=None):
        classes, settings = protocol.task.classes, protocol.settings
        self.classes, self.settings, self.groups, self.edges, self.rows = classes, settings, groups, None, len(rows)
        if not classes and settings["by_class"]:
            self.edges = np.quantile(rows[PREDICTION], np.arange(1, FIFTHS) / FIFTHS)
        self.judges = {
            stratum: (positions, HeldOut(rows.iloc[positions].reset_index(drop=True), classes, settings, timed))
            for stratum, positions in self._positions(rows).items()
        }

    def _positions(self, rows):
        return positions_by_stratum(rows, None if self.groups is None else self.groups.loc[rows[ROW]], self.edges)

    def limits(self, weight):
        """Return the threshold of each held-out row and class; shape (rows, classes), or (rows, 1) if all share it."""
        found = np.full((self.rows, len(self.classes) if self.classes and self.settings["by_class"] else 1), np.inf)
        for positions, judge in self.judges.values():
            found[positions] = judge.limits(weight[positions])
        return found

    def sets_of_new(self, predictions, weight):
        """Return the sets of new rows by CV+; see ``HeldOut.sets_of_new``. A row's part is that of its mean prediction."""
        first = next(iter(predictions.values()))
        if self.edges is not None:
            first = first.assign(**{PREDICTION: np.mean([table[PREDICTION] for table in predictions.values()], axis=0)})
        found = []
        for stratum, positions in self._positions(first).items():
            if stratum not in self.judges:
                found.append(contains_all(first[ROW].iloc[positions], self.classes).assign(**{JUDGED: False}))
                continue
            own, judge = self.judges[stratum]
            of_stratum = {fold: table.iloc[positions].reset_index(drop=True) for fold, table in predictions.items()}
            found.append(judge.sets_of_new(of_stratum, weight[own]).assign(**{JUDGED: True}))
        return pd.concat(found, ignore_index=True)

    def thresholds_of_new(self, weight, described=None):
        """Return what the sets of new rows of average weight are made by; ``described`` is the column of the groups.

        Under ``strata`` are the thresholds of each stratum, of each class or of all as one, and the rows that gave them; None
        excludes nothing.
        """
        lines = []
        for (group, fifth), (positions, judge) in self.judges.items():
            limits = [limit if np.isfinite(limit) else None for limit in judge.limits_of_new(weight[positions])]
            lines.append({GROUP: group, FIFTH: int(fifth), "rows": [int(one.sum()) for one in judge.counted], "limits": limits})
        edges = None if self.edges is None else self.edges.tolist()
        return {"settings": score_settings(self.settings), "by": described, "edges": edges, "strata": lines}
