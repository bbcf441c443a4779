"""Say whether and how the deploy rows have moved away from the training rows, and what should be done about it."""

from stillhouse.config.dataset import variant
from stillhouse.errors import log_to
from stillhouse.seeds import generator
from stillhouse.shift.diagnosis import against_truth, diagnose
from stillhouse.splits import NONE
from stillhouse.tables import file_of, read_json, read_split, read_table, write_json

log_to(snakemake.log[0])
table = read_table(snakemake.input.table)
schema = read_json(snakemake.input.schema)
predictions = read_table(snakemake.input.predictions)
prepared = read_split(snakemake.input.features, NONE)
weights = read_split(snakemake.input.weights, NONE)
facts = read_json(file_of(snakemake.input.facts, NONE))[NONE]
rng = generator(snakemake.params.seed, variant(snakemake.wildcards.dataset), "diagnose")

found = diagnose(table, prepared, schema, predictions, snakemake.params.settings, rng)
found |= {"weights": facts, "truth": against_truth(table, weights), "reference": snakemake.params.reference}
write_json(found, snakemake.output.shift)
