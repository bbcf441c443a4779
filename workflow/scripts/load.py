"""Read a dataset's tables, find out what its columns hold, and write one typed table with its schema."""

from stillhouse.config.dataset import origin
from stillhouse.errors import log, log_to
from stillhouse.intake.groups import column_of_groups
from stillhouse.intake.load import digests, load
from stillhouse.seeds import generator
from stillhouse.tables import write_json, write_table

log_to(snakemake.log[0])
params = snakemake.params
rng = generator(params.seed, "challenge")
shuffling = generator(params.seed, "control") if params.shuffled else None

table, schema = load(params.dataset, rng, shuffling)
# No parameter, as another column of groups changes nothing here.
sets_by = snakemake.config["datasets"][origin(snakemake.wildcards.dataset)].get("sets_by")
if sets_by is not None:
    column_of_groups(table, schema, sets_by)
if snakemake.wildcards.dataset == origin(snakemake.wildcards.dataset):
    # The notes of a variant are those of its dataset, which says them.
    for note in [*schema["notes"], *schema["alerts"]]:
        log.info("%s", note)
schema["files"] = digests(snakemake.input.files, table)
write_table(table, snakemake.output.table)
write_json(schema, snakemake.output.schema)
