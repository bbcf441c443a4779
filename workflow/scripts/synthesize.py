"""Draw rows that are like the labelled ones of each fold, for students to learn from."""

from stillhouse.columns import LABEL
from stillhouse.config.dataset import variant
from stillhouse.errors import log_to
from stillhouse.intake.kinds import feature_columns
from stillhouse.preparation.transfer_rows import synthetic_rows
from stillhouse.seeds import derive
from stillhouse.tables import read_columns, read_json, read_table, write_table

log_to(snakemake.log[0])
table = read_columns(snakemake.input.table, without=[LABEL])
folds = read_table(snakemake.input.folds)
columns = feature_columns(read_json(snakemake.input.schema))
seed = derive(snakemake.params.seed, variant(snakemake.wildcards.dataset))

drawn = synthetic_rows(table, folds, columns, snakemake.params.options, seed)
write_table(drawn, snakemake.output.synthetic)
