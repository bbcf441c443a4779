"""Find out which columns a model leans on, how its predictions move with them, and what small tree says nearly the same."""

from stillhouse.columns import FOLD, ROW
from stillhouse.config.dataset import variant
from stillhouse.ensembles.pipeline import load_pipeline
from stillhouse.errors import log_to
from stillhouse.evaluation.contributions import contributions
from stillhouse.evaluation.dependence import dependence
from stillhouse.evaluation.importance import importance, surrogate
from stillhouse.evaluation.occlusion_maps import occlusion_maps
from stillhouse.evaluation.protocol import Protocol
from stillhouse.evaluation.scores import ratio_of, scored
from stillhouse.intake.task import Task
from stillhouse.seeds import generator
from stillhouse.splits import splits_from
from stillhouse.tables import read_json, read_table, write_csv, write_json

log_to(snakemake.log[0])
files, params = snakemake.input, snakemake.params
table, folds, schema = read_table(files.table), read_table(files.folds), read_json(files.schema)
rows = scored(read_table(files.predictions), table, folds)
rng = generator(params.seed, variant(snakemake.wildcards.dataset), "explain")

splits = splits_from(params.splits)
models = {split.held_out[0]: load_pipeline(params.model, params.all_models, files, split.name) for split in splits}
protocol = Protocol(Task.of(schema), params.settings, ratio=ratio_of(folds, splits))
found = importance(models, table, folds, schema, protocol, rng)
write_csv(found, snakemake.output.importance)
write_csv(dependence(models, table, folds, schema, found["column"], rng), snakemake.output.dependence)
trained = {split.held_out[0]: folds.loc[folds[FOLD].isin(split.train), ROW] for split in splits}
# A table without lines where rows, or pictures, may not be shown.
told, shown = (rows if may_be_shown else rows[:0] for may_be_shown in (params.explain_rows, params.pictures))
write_csv(contributions(models, trained, told, table, schema), snakemake.output.contributions)
write_csv(occlusion_maps(models, shown, table, schema), snakemake.output.maps)
write_json(surrogate(rows, table, schema, max(models)), snakemake.output.surrogate)
