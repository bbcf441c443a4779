"""Give every labelled row a fold."""

from stillhouse.config.dataset import REPEAT, share, variant
from stillhouse.errors import log_to
from stillhouse.intake.folds import check_repeat, make_folds
from stillhouse.intake.kinds import feature_columns
from stillhouse.intake.near_copies import with_near_copies_equal
from stillhouse.seeds import derive
from stillhouse.tables import read_json, read_table, write_table

log_to(snakemake.log[0])
schema = read_json(snakemake.input.schema)
columns = feature_columns(schema)
table = with_near_copies_equal(read_table(snakemake.input.table), columns)
names = [column["name"] for column in columns]
seed = derive(snakemake.params.seed, variant(snakemake.wildcards.dataset), "folds")

if variant(snakemake.wildcards.dataset).startswith(REPEAT):
    check_repeat(table, snakemake.params.k)
params = snakemake.params
drawn = params.k, seed, params.duplicates, share(snakemake.wildcards.dataset), params.embargo
folds = make_folds(table, names, schema["classes"], *drawn)
write_table(folds, snakemake.output.folds)
