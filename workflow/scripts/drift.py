"""Score a followed model on each later batch, and say where the relation of features and label has moved."""

from stillhouse.columns import LABELLED, PART
from stillhouse.config.dataset import variant
from stillhouse.drift.monitoring import monitored
from stillhouse.errors import log_to
from stillhouse.evaluation.protocol import Protocol
from stillhouse.evaluation.scores import scored
from stillhouse.intake.task import Task
from stillhouse.seeds import derive, generator
from stillhouse.tables import read_json, read_table, write_json

log_to(snakemake.log[0])
table, folds = read_table(snakemake.input.table), read_table(snakemake.input.folds)
task = Task.of(read_json(snakemake.input.schema))
updates = read_table(snakemake.input.updates)
rows = scored(read_table(snakemake.input.predictions), table, folds)
seed = derive(snakemake.params.seed, variant(snakemake.wildcards.dataset))
rng = generator(seed, snakemake.wildcards.model, "drift")

protocol = Protocol(task, snakemake.params.settings, seed)
found = monitored(updates, table, folds, rows[rows[PART].isin(LABELLED)], protocol, rng)
write_json(found, snakemake.output.drift)
