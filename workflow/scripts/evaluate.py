"""Score a model on rows that it did not see, and say which labels each row may have."""

from stillhouse.columns import TIME
from stillhouse.config.dataset import variant
from stillhouse.errors import log_to
from stillhouse.evaluation.coverage import with_conformal
from stillhouse.evaluation.protocol import Protocol
from stillhouse.evaluation.scores import (
    corrected_for_label_shift,
    deploy_predictions,
    evaluate,
    held_out_predictions,
    held_out_weights,
    ratio_of,
    scored,
)
from stillhouse.evaluation.strata import groups_of
from stillhouse.intake.task import Task
from stillhouse.seeds import derive
from stillhouse.splits import splits_from
from stillhouse.tables import read_json, read_table, write_json, write_table

log_to(snakemake.log[0])
table, folds = read_table(snakemake.input.table), read_table(snakemake.input.folds)
task, splits = Task.of(read_json(snakemake.input.schema)), splits_from(snakemake.params.splits)
seed = derive(snakemake.params.seed, variant(snakemake.wildcards.dataset))

predictions = held_out_predictions(snakemake.input.split_predictions, folds, splits)
weights = held_out_weights(snakemake.input.weights, snakemake.input.facts, folds, splits)
corrected = corrected_for_label_shift(predictions, table, task.classes)
rows, protocol = scored(predictions, table, folds), Protocol(task, snakemake.params.settings, seed, ratio_of(folds, splits))
metrics = evaluate(rows, protocol, weights, corrected)
of_splits = deploy_predictions(snakemake.input.split_predictions, folds, splits)
groups = groups_of(table, read_json(snakemake.input.schema), snakemake.params.sets_by)
metrics, sets = with_conformal(metrics, rows, protocol, TIME in folds, weights, of_splits, *groups)

write_table(predictions, snakemake.output.predictions)
write_table(predictions[:0] if corrected is None else corrected, snakemake.output.corrected)
write_table(sets, snakemake.output.conformal)
write_json(metrics, snakemake.output.metrics)
