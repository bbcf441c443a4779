"""Follow a shipped model through later batches: left as it is, trained on with each batch, and made anew."""

from stillhouse.config.dataset import variant
from stillhouse.drift.following import Followed, as_table
from stillhouse.errors import log_to
from stillhouse.learning.job import sources
from stillhouse.preparation.picture_columns import with_pictures
from stillhouse.seeds import derive
from stillhouse.splits import NONE
from stillhouse.tables import read_fitted, read_json, read_split, read_table, write_table

log_to(snakemake.log[0])
files, options = snakemake.input, snakemake.params.options
table, folds = read_table(files.table), read_table(files.folds)
schema = read_json(files.schema)
seed = derive(snakemake.params.seed, variant(snakemake.wildcards.dataset), snakemake.wildcards.model, "update")
features = with_pictures(read_split(files.features, NONE), table, schema["columns"])

shipped = read_fitted(files.fitted, NONE), features
followed = Followed(table, folds, schema, shipped, {**options, "teachers": sources(files)}, seed)
write_table(as_table(followed.scores(), schema["classes"]), snakemake.output.updates)
