"""Score a model on rows that it did not see, and say which labels each row may have."""

from stillhouse.columns import TIME
from stillhouse.errors import log_to
from stillhouse.evaluation.conformal import with_conformal
from stillhouse.evaluation.scores import (
    corrected_for_label_shift,
    evaluate,
    held_out_predictions,
    held_out_weights,
    ratio_of,
    scored,
)
from stillhouse.seeds import derive
from stillhouse.tables import read_json, read_table, write_json, write_table

log_to(snakemake.log[0])
table, folds = read_table(snakemake.input.table), read_table(snakemake.input.folds)
schema, splits, settings = read_json(snakemake.input.schema), snakemake.params.splits, snakemake.params.settings
seed = derive(snakemake.params.seed, snakemake.wildcards.dataset)

predictions = held_out_predictions(snakemake.input.split_predictions, folds, splits)
weights = held_out_weights(snakemake.input.weights, snakemake.input.facts, folds, splits)
corrected = corrected_for_label_shift(predictions, table, schema["classes"])
rows, ratio = scored(predictions, table, folds), ratio_of(folds, splits)
metrics = evaluate(rows, schema, settings, seed, weights, corrected, ratio)
metrics, sets = with_conformal(metrics, predictions, rows, schema, settings, TIME in folds, weights)

write_table(predictions, snakemake.output.predictions)
write_table(predictions[:0] if corrected is None else corrected, snakemake.output.corrected)
write_table(sets, snakemake.output.conformal)
write_json(metrics, snakemake.output.metrics)
