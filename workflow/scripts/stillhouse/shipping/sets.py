"""Conformal sets of new rows, by the thresholds that a shipped file carries."""

import numpy as np

from stillhouse.columns import ROW
from stillhouse.errors import UserError
from stillhouse.evaluation.sets import FIFTH, GROUP, group_names, positions_by_stratum, threshold_sets
from stillhouse.intake import kinds


class ShippedSets:
    """What the sets of new rows are made by; see ``Strata.thresholds_of_new``. ``unknown`` counts rows of unknown strata."""

    def __init__(self, facts, classes):
        self.settings, self.by, self.edges = facts["settings"], facts["by"], facts["edges"]
        self.classes, self.unknown = classes, 0
        self.limits = {
            (line[GROUP], line[FIFTH]): [np.inf if limit is None else limit for limit in line["limits"]]
            for line in facts["strata"]
        }

    def of(self, predicted, raw):
        """Return the sets of predicted rows as ``in_<class>``, or ``low`` and ``high``; ``raw`` has their raw columns.

        The index has the numbers of the rows. Sets of a row whose stratum no held-out row has exclude nothing.
        """
        limit = np.full((len(predicted), len(next(iter(self.limits.values())))), np.inf)
        rows, left = predicted.assign(**{ROW: predicted.index}), len(predicted)
        for stratum, positions in positions_by_stratum(rows, self._groups(raw), self.edges).items():
            if stratum in self.limits:
                limit[positions] = self.limits[stratum]
                left -= len(positions)
        self.unknown += left
        found = threshold_sets(rows, limit, self.classes, self.settings)
        return found.drop(columns=ROW).set_axis(predicted.index)

    def _groups(self, raw):
        if self.by is None:
            return None
        if self.by["source"] not in raw:
            raise UserError(
                f"sets are made by column {self.by['source']!r}, which the table does not have; "
                f"its columns are {', '.join(map(str, raw.columns))}"
            )
        values, own = kinds.raw_feature(raw, self.by), raw[self.by["source"]]
        names = group_names(values)
        # What is no number where all were is a group that nobody knows, and no gap.
        return names.mask((values.isna() & own.notna()).to_numpy(), kinds.as_text(own).astype("object"))

    def sentences(self):
        """Return what is said of the sets: what they hold, and of how many rows they exclude nothing."""
        what = "in_… say which classes a row may have" if self.classes else "low and high are the ends of where a value may lie"
        right = "the right one is among them" if self.classes else "it does"
        said = [f"{what}: of rows like the held-out ones {right} for {100 * self.settings['coverage']:g} %"]
        if self.unknown:
            said.append(f"{self.unknown:,} rows are of a group that no held-out row has; their sets exclude nothing")
        return said
