"""Take over predictions that somebody else made, after a look at whether they can be what they are said to be."""

from stillhouse.errors import log_to
from stillhouse.methods import build
from stillhouse.predictions.external import predictions_for
from stillhouse.progress import told
from stillhouse.splits import splits_from
from stillhouse.tables import read_json, read_table, split_writer

log_to(snakemake.log[0])
path, folds = snakemake.input.table, read_table(snakemake.input.folds)
classes = read_json(snakemake.input.schema)["classes"]
table = build("readers", snakemake.params.options)(path, folds, classes)

with split_writer(snakemake.output.predictions) as write:
    for split in told(splits_from(snakemake.params.splits), "splits"):
        write(split.name, predictions_for(table, folds, split, classes, path))
