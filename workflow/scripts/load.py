"""Read a dataset's tables, find out what its columns hold, and write one typed table with its schema."""

from stillhouse.errors import log_to
from stillhouse.intake import load
from stillhouse.seeds import generator
from stillhouse.tables import write_json, write_table

log_to(snakemake.log[0])
rng = generator(snakemake.params.seed, snakemake.wildcards.dataset, "challenge")

table, schema = load(snakemake.params.dataset, rng)
write_table(table, snakemake.output.table)
write_json(schema, snakemake.output.schema)
