"""Score a model on parts of the rows by themselves: given ones, with their errors, and the worst that can be found."""

from stillhouse.config.dataset import variant
from stillhouse.errors import log_to
from stillhouse.evaluation.groups import groups
from stillhouse.evaluation.protocol import Protocol
from stillhouse.evaluation.scores import scored
from stillhouse.evaluation.slicing import slices
from stillhouse.intake.task import Task
from stillhouse.seeds import derive
from stillhouse.tables import read_json, read_table, write_csv

log_to(snakemake.log[0])
table, folds = read_table(snakemake.input.table), read_table(snakemake.input.folds)
rows = scored(read_table(snakemake.input.predictions), table, folds)
params, seed = snakemake.params, derive(snakemake.params.seed, variant(snakemake.wildcards.dataset))

schema = read_json(snakemake.input.schema)
what = rows, table, schema, params.columns, Protocol(Task.of(schema), params.settings, seed)
write_csv(slices(*what, read_table(snakemake.input.conformal)), snakemake.output.slices)
write_csv(groups(*what), snakemake.output.groups)
