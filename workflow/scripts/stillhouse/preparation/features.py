"""Preparation: typed columns become float32 features, by what the training rows of a split show."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from stillhouse.columns import (
    COPY,
    DROPPED,
    ENCODED,
    FOLD,
    GAP_INDICATOR,
    GROUP,
    LABEL,
    MEAN_LABEL,
    NUMBER,
    ONE_HOT,
    PIXELS,
    ROW,
    TOKEN,
    divided,
    feature_name,
)
from stillhouse.errors import UserError
from stillhouse.intake import kinds
from stillhouse.intake.folds import OF_UNLABELLED, unit_numbers
from stillhouse.methods import build
from stillhouse.preparation.categories import fitted_encoder
from stillhouse.preparation.picture_columns import PictureColumn
from stillhouse.preparation.scaling import Scaler
from stillhouse.preparation.target_means import TargetMeans, as_targets, cross_fitted, target_names
from stillhouse.preparation.text_columns import TextColumn
from stillhouse.seeds import derive, uniforms
from stillhouse.tables import rows_in

# The options that all imputers share.
IMPUTER_OPTIONS = ("indicators", "scale", "categories", "encode", "texts", "pictures", "columns_above")
TARGET = "target"
# Rows whose features are made at once.
ROWS_AT_ONCE = 100_000
# Parts for cross-fitting mean labels where all training rows are of one fold.
PARTS = 5


class Preparation:
    """Imputed, scaled numbers, encoded texts and pictures, gap indicators, categories as one-hot columns or as mean labels.

    A gap in a categorical column is a category of its own. Of more than ``categories`` categories, the rarest share one
    column, and so does a category that no training row has; where there is no such column, all one-hot columns of an unknown
    category are 0. With ``encode: target`` a column of more than ``categories`` categories becomes the mean label of each.
    ``encoders`` has a function by kind of column, of texts and of pictures, that returns an unfitted encoder; each column has
    one of its own. A gap is an empty text, or a black picture.

    Mean labels of categories and scores of texts are learned of the labels; no training row has them by its own label.
    """

    def __init__(self, columns, imputer, classes, options, encoders=None):
        self.columns, self.imputer, self.classes = columns, imputer, classes
        self.indicators, self.categories, self.encode = options["indicators"], options["categories"], options["encode"]
        self.numbers = [column for column in columns if column["kind"] not in kinds.NO_NUMBERS]
        self.texts = [TextColumn(one, encoders[kinds.TEXT](), classes) for one in columns if one["kind"] == kinds.TEXT]
        self.pictures = [PictureColumn(one, encoders[kinds.IMAGE]()) for one in columns if one["kind"] == kinds.IMAGE]
        self.scaler = Scaler(options["scale"])

    def fit(self, table, labels=None, parts=None, unlabelled=None):
        """Learn fill values, scales, categories and words from training rows.

        What is learned of labels needs ``labels``, shape (rows, outputs), and ``parts``, the fold of each row. Encoders that do
        so learn from ``unlabelled`` rows, too.
        """
        self._learned(table, labels, parts, unlabelled)
        return self

    def fit_transform(self, table, labels, parts, unlabelled=None):
        """Learn from training rows and return their features; see ``fit``."""
        learned = self._learned(table, labels, parts, unlabelled)
        return self._features(table, [slice(None)], lambda rows: self._blocks(rows, *learned))

    def _learned(self, table, labels, parts, unlabelled):
        """Learn; return what labels tell of the training rows themselves, and their texts and pictures as they are read."""
        categorical = [column for column in self.columns if column["kind"] == kinds.CATEGORICAL]
        self.target_encoded = [
            column for column in categorical if self.encode == TARGET and self._is_long(table[column["name"]])
        ]
        self.categorical = [column for column in categorical if column not in self.target_encoded]
        if self.numbers:
            self.imputer.fit(self.raw(table))
        self.gappy = self.gaps(table).any(axis=0) & self.indicators
        if self.categorical:
            self.encoder = fitted_encoder(self.categories, self.raw_categories(table, self.categorical))
        read = [column.fit(table, labels, table[:0] if unlabelled is None else unlabelled) for column in self.encoded]
        categories = [self._categories_of(table, column) for column in self.target_encoded]
        self.means = [TargetMeans().fit(own, labels) for own in categories]
        unseen = [cross_fitted(TargetMeans, own, labels, parts) for own in categories]
        scored = [(column, own) for column, own in zip(self.encoded, read, strict=True) if column.scores]
        unseen += [column.unseen_scores(own, labels, parts) for column, own in scored]
        if self.numbers or unseen:
            self.scaler.fit(self._unscaled(table, unseen))
        return unseen, read

    def transform(self, table):
        """Return ``row`` and the features of any rows, in the order of ``table``: float32, and bytes of whole pictures."""
        pieces = [slice(start, start + ROWS_AT_ONCE) for start in range(0, max(1, len(table)), ROWS_AT_ONCE)]
        return self._features(table, pieces, lambda rows: self._blocks(rows, *self._read(rows)))

    def _read(self, table):
        """Return what is known of the labels of rows by their categories and texts, and their texts and pictures as read."""
        means = [
            means.transform(self._categories_of(table, column))
            for column, means in zip(self.target_encoded, self.means, strict=True)
        ]
        read = [column.read(table) for column in self.encoded]
        scores = [column.scores.transform(own) for column, own in zip(self.encoded, read, strict=True) if column.scores]
        return [*means, *scores], read

    def names(self):
        """Return the names of the features; see ``columns.py``."""
        numbers = [feature_name(NUMBER, column, column["name"]) for column in self.numbers]
        gappy = (column for column, has_gaps in zip(self.numbers, self.gappy, strict=True) if has_gaps)
        gaps = [feature_name(GAP_INDICATOR, column, f"{column['name']} is missing") for column in gappy]
        means = [
            feature_name(MEAN_LABEL, column, f"{column['name']}, mean of {title}")
            for column in self.target_encoded
            for title in target_names(self.classes)
        ]
        means += [name for text in self.texts for name in text.score_names()]
        encoded, tokens, pixels = (
            [name for column in self.encoded if column.kind == kind for name in column.names()]
            for kind in (ENCODED, TOKEN, PIXELS)
        )
        titles = [feature_name(ONE_HOT, column, column["name"]) for column in self.categorical]
        categories = self.encoder.get_feature_names_out(titles) if titles else []
        return [*numbers, *means, *encoded, *gaps, *categories, *tokens, *pixels]

    @property
    def encoded(self):
        """The columns that encoders read: texts, and pictures."""
        return [*self.texts, *self.pictures]

    def raw(self, table):
        """Return the columns of numbers, booleans and categories, indexed by row number: the table that imputers work on."""
        types = {column["name"]: "object" if column["kind"] == kinds.CATEGORICAL else "float64" for column in self.columns}
        kept = [column["name"] for column in self.columns if column["kind"] not in kinds.ENCODED]
        return pd.DataFrame({name: table[name].astype(types[name]) for name in kept}).set_axis(table[ROW])

    def gaps(self, table):
        """Return a mask of the gaps in the numeric columns; shape (rows, columns)."""
        return table[[column["name"] for column in self.numbers]].isna().to_numpy()

    def raw_categories(self, table, columns):
        """Return categorical columns as text, a gap being a category of its own; shape (rows, columns)."""
        return table[[column["name"] for column in columns]].astype("object").fillna(kinds.GAP).to_numpy()

    def _blocks(self, table, means, read):
        """Return the features of rows in blocks of columns, and whole pictures, by what ``_read`` returns."""
        blocks = [self.scaler.transform(self._unscaled(table, means))] if self.numbers or means else []
        encoded = [(column.kind, column.encoded(own)) for column, own in zip(self.encoded, read, strict=True)]
        blocks += [block for kind, block in encoded if kind == ENCODED]
        blocks.append(self.gaps(table)[:, self.gappy])
        if self.categorical:
            blocks.append(self.encoder.transform(self.raw_categories(table, self.categorical)))
        blocks += [block for kind, block in encoded if kind == TOKEN]
        return blocks, [block[:, 0] for kind, block in encoded if kind == PIXELS]

    def _features(self, table, pieces, blocks_of):
        """Return ``row`` and the features of rows, made piece by piece, as blocks take many times their memory."""
        names, held = divided(self.names())
        X, pictures = np.empty((len(table), len(names)), dtype=np.float32, order="F"), []
        for piece in pieces:
            blocks, own = blocks_of(table.iloc[piece])
            start = 0
            for block in blocks:
                X[piece, start : start + block.shape[1]] = block
                start += block.shape[1]
            pictures.append(own)
        features = pd.DataFrame(X, columns=names, index=table.index, copy=False)
        whole = map(np.concatenate, zip(*pictures, strict=True))
        features = features.assign(**dict(zip(held, whole, strict=True)))
        features.insert(0, ROW, table[ROW])
        return features

    def _unscaled(self, table, means):
        filled = [self.imputer.transform(self.raw(table))] if self.numbers else []
        return np.hstack([*filled, *means])

    def _is_long(self, column):
        return column.nunique() > self.categories

    def _categories_of(self, table, column):
        return self.raw_categories(table, [column])[:, 0]


def preparation(columns, options, classes, seed, imputation=1):
    """Return the unfitted preparation that an imputer's options describe; each ``imputation`` has its own seed."""
    of_gaps = seed if imputation == 1 else derive(seed, imputation)
    method = {key: value for key, value in options.items() if key not in IMPUTER_OPTIONS}
    encoders = {
        kinds.TEXT: partial(build, "text_encoders", options["texts"], seed=seed),
        kinds.IMAGE: partial(build, "picture_encoders", options["pictures"], seed=seed),
    }
    return Preparation(columns, build("imputers", method, seed=of_gaps), classes, options, encoders)


@dataclass(frozen=True)
class Recipe:
    """What preparations of all splits have in common: the raw columns, the options of the imputer, and the classes.

    ``imputation`` is the number of the time that values for gaps are drawn, from 1.
    """

    columns: list
    options: dict
    classes: list | None
    imputation: int = 1


def prepared(table, labels, folds, split, recipe, seed):
    """Return the fitted preparation of a split and the features of every row.

    ``labels`` (row, label) is None unless ``reads_labels``; only those of training rows are read. Encoders learn of unlabelled
    rows, too, unless their options say otherwise. With ``drop`` the column ``dropped`` marks training rows with too many gaps,
    which nothing is fitted on; their gaps are filled with the median, as those of every row that is predicted.
    """
    is_training, without_labels = rows_in(folds, split.train, FOLD), table[rows_in(folds, [OF_UNLABELLED], FOLD)]
    columns = kept_columns(table[is_training], recipe.columns, recipe.options["columns_above"])
    made = preparation(columns, recipe.options, recipe.classes, seed, recipe.imputation)
    dropped = is_training & dropped_rows(made.imputer, table, made.columns)
    is_fitted = is_training & ~dropped
    if not is_fitted.any():
        raise UserError("impute: drop leaves no training row, as every one has gaps; choose an imputer that fills them")
    if labels is None:
        features = made.fit(table[is_fitted], unlabelled=without_labels).transform(table)
    else:
        known = as_targets(labels.set_index(ROW)[LABEL].loc[table[ROW][is_fitted]], recipe.classes)
        fitted = table[is_fitted], known, parts_of(folds[is_fitted], seed), without_labels
        seen = made.fit_transform(*fitted)
        others = [] if is_fitted.all() else [made.transform(table[~is_fitted])]
        features = pd.concat([seen, *others]).sort_index()
    if not made.names():
        why = "their texts have no words in common, or their pictures do not differ"
        raise UserError(f"impute: the training rows leave nothing to learn from: {why}")
    return made, features.assign(**{DROPPED: dropped}) if hasattr(made.imputer, "drops") else features


def kept_columns(table, columns, most):
    """Return the columns whose share of gaps in training rows is at most ``most``."""
    kept = [column for column in columns if table[column["name"]].isna().mean() <= most]
    if not kept:
        raise UserError("impute: columns_above leaves no column, as every one has a larger share of gaps; raise it")
    return kept


def parts_of(folds, seed):
    """Return the fold of each training row; if there is one fold alone, one of five parts that keep groups and copies whole."""
    if folds[FOLD].nunique() > 1:
        return folds[FOLD].to_numpy()
    units = unit_numbers(folds) if GROUP in folds or COPY in folds else folds[ROW]
    return (uniforms(seed, units, 1)[:, 0] * PARTS).astype(int)


def reads_labels(options, columns):
    """Return whether a preparation of these raw columns learns from labels."""
    has_texts = any(column["kind"] == kinds.TEXT for column in columns)
    return options["encode"] == TARGET or (has_texts and options["texts"].get("scores", False))


def dropped_rows(imputer, table, columns):
    """Return a mask of the rows that an imputer leaves out of training."""
    if not hasattr(imputer, "drops"):
        return np.zeros(len(table), dtype=bool)
    return imputer.drops(table[[column["name"] for column in columns]])
