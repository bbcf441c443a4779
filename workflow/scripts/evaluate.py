"""Score a model on rows that it did not see."""

import pandas as pd

from stillhouse.errors import log_to
from stillhouse.evaluation import (
    corrected_for_label_shift,
    evaluate,
    held_out_predictions,
    held_out_weights,
    scored,
)
from stillhouse.seeds import derive
from stillhouse.tables import read_json, write_json, write_table

log_to(snakemake.log[0])
table = pd.read_parquet(snakemake.input.table)
folds = pd.read_parquet(snakemake.input.folds)
schema = read_json(snakemake.input.schema)
splits = snakemake.params.splits
seed = derive(snakemake.params.seed, snakemake.wildcards.dataset)

predictions = held_out_predictions(snakemake.input.split_predictions, folds, splits)
weights = held_out_weights(snakemake.input.weights, snakemake.input.facts, folds, splits)
corrected = corrected_for_label_shift(predictions, table, schema["classes"])
metrics = evaluate(scored(predictions, table, folds), schema, snakemake.params.settings, seed, weights, corrected)
write_table(predictions, snakemake.output.predictions)
write_table(predictions[:0] if corrected is None else corrected, snakemake.output.corrected)
write_json(metrics, snakemake.output.metrics)
