"""Pool the metrics and the predictions of a model over several imputations, and say what gaps leave open."""

from stillhouse.columns import DEPLOY, PART, ROW
from stillhouse.config.dataset import variant
from stillhouse.errors import log_to
from stillhouse.evaluation.pooling import pooling
from stillhouse.evaluation.protocol import Protocol
from stillhouse.evaluation.scores import scored
from stillhouse.intake.kinds import NO_NUMBERS, feature_columns
from stillhouse.intake.task import Task
from stillhouse.seeds import derive
from stillhouse.tables import read_json, read_table, write_json, write_table

log_to(snakemake.log[0])
table, folds = read_table(snakemake.input.table), read_table(snakemake.input.folds)
schema = read_json(snakemake.input.schema)
seed = derive(snakemake.params.seed, variant(snakemake.wildcards.dataset))

tables = [scored(read_table(path), table, folds) for path in snakemake.input.predictions]
tables = [rows[rows[PART] != DEPLOY].reset_index(drop=True) for rows in tables]
# Gaps of categories and texts are categories and empty texts, and are not drawn.
names = [column["name"] for column in feature_columns(schema) if column["kind"] not in NO_NUMBERS]
is_complete = table.set_index(ROW)[names].notna().all(axis=1).loc[tables[0][ROW]].to_numpy()
found, predictions = pooling(tables, is_complete, Protocol(Task.of(schema), snakemake.params.settings, seed))

write_json(found, snakemake.output.imputations)
write_table(predictions, snakemake.output.predictions)
