"""Say whether and how the deploy rows have moved away from the training rows."""

from stillhouse.errors import log_to
from stillhouse.plan import NONE
from stillhouse.shift import diagnose
from stillhouse.tables import file_of, read_columns, read_json, read_split, write_json

log_to(snakemake.log[0])
table = read_columns(snakemake.input.table, without=["label"])
schema = read_json(snakemake.input.schema)
weights = read_split(snakemake.input.weights, NONE)
facts = read_json(file_of(snakemake.input.facts, NONE))[NONE]

write_json(diagnose(table, schema, weights, facts), snakemake.output.shift)
