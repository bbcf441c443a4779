"""Preparation: raw typed columns become float32 features without gaps, by what the training rows of a split say."""

import numpy as np
import pandas as pd
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from stillhouse import kinds
from stillhouse.columns import FOLD, ROW
from stillhouse.errors import UserError
from stillhouse.methods import build
from stillhouse.tables import rows_in


class Preparation:
    """Imputed, scaled numbers, gap indicators and one-hot categories.

    A gap in a categorical column is a category of its own. A category that the training rows do not hold takes the
    place of the rare ones, where more than ``categories`` made some rare, and is all zeros otherwise.
    """

    def __init__(self, columns, imputer, indicators, scale, categories):
        self.numbers = [column for column in columns if column["kind"] in (kinds.NUMERIC, kinds.BOOLEAN, kinds.DATETIME)]
        self.words = [column for column in columns if column["kind"] == kinds.CATEGORICAL]
        self.imputer, self.indicators = imputer, indicators
        self.scaler = StandardScaler(with_mean=scale, with_std=scale)
        self.encoder = OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            max_categories=categories,
            sparse_output=False,
            dtype=np.float32,
            feature_name_combiner=_category_name,
        )

    def fit(self, table):
        """Learn fill values, scales and categories from training rows."""
        if self.numbers:
            raw = self.raw_numbers(table)
            self.gappy = np.isnan(raw).any(axis=0) & self.indicators
            self.scaler.fit(self.imputer.fit(raw).transform(raw))
        if self.words:
            self.encoder.fit(self.raw_words(table))
        return self

    def transform(self, table):
        """Return ``row`` and the float32 features of any rows, in the order of ``table``."""
        blocks = []
        if self.numbers:
            raw = self.raw_numbers(table)
            blocks += [self.scaler.transform(self.imputer.transform(raw)), np.isnan(raw)[:, self.gappy]]
        if self.words:
            blocks.append(self.encoder.transform(self.raw_words(table)))
        features = pd.DataFrame(np.hstack(blocks).astype(np.float32), columns=self.names(), index=table.index)
        features.insert(0, ROW, table[ROW])
        return features

    def names(self):
        """Return the names of the features, which tell their kind and source column; see ``columns.py``."""
        numbers = [f"n{column['position']}:{column['name']}" for column in self.numbers]
        gaps = [
            f"m{column['position']}:{column['name']} is missing"
            for column, has_gaps in zip(self.numbers, self.gappy if self.numbers else (), strict=True)
            if has_gaps
        ]
        words = [f"c{column['position']}:{column['name']}" for column in self.words]
        return [*numbers, *gaps, *(self.encoder.get_feature_names_out(words) if words else [])]

    def raw_numbers(self, table):
        """Return the numeric columns as float64, gaps as NaN; shape (rows, columns)."""
        return table[[column["name"] for column in self.numbers]].to_numpy("float64")

    def raw_words(self, table):
        """Return the categorical columns as text, gaps as a word of their own; shape (rows, columns)."""
        return table[[column["name"] for column in self.words]].astype("object").fillna(kinds.GAP).to_numpy()


def _category_name(column, category):
    return f"{column} is rare" if category == "infrequent_sklearn" else f"{column}={category}"


def prepared(table, folds, split, columns, options):
    """Return the fitted preparation of a split and the features of every row but those it leaves out.

    ``drop`` leaves out training rows with gaps; rows to be predicted are filled by the median, as every row has to
    be scored.
    """
    settings = ("indicators", "scale", "categories")
    method = {key: value for key, value in options.items() if key not in settings}
    imputer = build("imputers", method)
    is_training = rows_in(folds, split["train"], FOLD)
    left_out = is_training & has_gaps(table, columns) & getattr(imputer, "drops_rows", False)
    if not (is_training & ~left_out).any():
        raise UserError("impute: drop leaves no training row, as each has a gap; choose an imputer that fills them")
    preparation = Preparation(columns, imputer, **{key: options[key] for key in settings})
    preparation.fit(table[is_training & ~left_out])
    return preparation, preparation.transform(table[~left_out])


def has_gaps(table, columns):
    """Return a mask of the rows with a gap in any of the columns."""
    return table[[column["name"] for column in columns]].isna().any(axis=1).to_numpy()
