"""Train students on the samples of all splits and their teacher's unseen predictions, and predict what is held out."""

from stillhouse.distillation import soft_targets
from stillhouse.errors import log_to
from stillhouse.modelling import Job
from stillhouse.training import train
from stillhouse.training_sets import TrainingSet

log_to(snakemake.log[0])
job = Job(snakemake.input, snakemake.params, snakemake.wildcards)

sets = []
for split in job.splits:
    sample = job.sample(split)
    soft = soft_targets(sample, snakemake.input.teacher, job.folds, split, job.classes, job.ledger(split))
    seed, start = job.seed(split), job.start(split)
    sets.append(TrainingSet(sample, soft, job.options, job.n_classes, seed, start, split["name"]))
fitted = train(sets, snakemake.threads, snakemake.wildcards.model, snakemake.params.checkpoints)
with job.results(snakemake.output) as keep:
    for split, training_set, found in zip(job.splits, sets, fitted, strict=True):
        keep(split, training_set.sample, *found)
