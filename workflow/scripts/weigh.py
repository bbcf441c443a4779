"""Estimate for each split how much its training rows count for the rows where the model will be used."""

from stillhouse.config.dataset import variant
from stillhouse.errors import log_to
from stillhouse.preparation.weights import weighed
from stillhouse.progress import told
from stillhouse.seeds import derive
from stillhouse.splits import splits_from
from stillhouse.tables import read_split, read_table, split_writer, write_json

log_to(snakemake.log[0])
folds = read_table(snakemake.input.folds)

facts = {}
with split_writer(snakemake.output.weights) as write:
    for split in told(splits_from(snakemake.params.splits), "splits"):
        seed = derive(snakemake.params.seed, variant(snakemake.wildcards.dataset), "weigh", split.name)
        features = read_split(snakemake.input.features, split.name)
        weights, facts[split.name] = weighed(features, folds, split, snakemake.params.options, seed)
        write(split.name, weights)
write_json(facts, snakemake.output.facts)
