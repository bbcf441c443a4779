"""Predictions made outside the workflow, as those of a split."""

from stillhouse.columns import ROW, SPLIT
from stillhouse.errors import UserError
from stillhouse.predictions.predictions import columns_of, prediction_table, rows_to_predict


def predictions_for(table, folds, split, classes, path):
    """Return the predictions of the rows that a split predicts; raises ``UserError`` for a row without one.

    With a column ``split`` the predictions are those of this split; without one, all splits have the same predictions.
    """
    rows = rows_to_predict(folds, split)
    own = table[table[SPLIT] == split.name] if SPLIT in table else table
    predicted = own.set_index(ROW)[columns_of(classes)].reindex(rows)
    if (lacking := predicted.isna().any(axis=1).to_numpy()).any():
        where = f" of split {split.name}" if SPLIT in table else ""
        raise UserError(f"{path}: there is no prediction{where} for row {rows[lacking].iloc[0]} and {lacking.sum() - 1} others")
    scores = predicted.to_numpy()
    return prediction_table(rows, scores, classes, scores.argmax(axis=1) if classes else None)
