"""Train networks on the samples of all splits at once, and predict the rows that each split holds out."""

from stillhouse.errors import log_to
from stillhouse.learning.job import Job
from stillhouse.networks.training import train
from stillhouse.networks.training_sets import TrainingSet
from stillhouse.tables import remove

log_to(snakemake.log[0])
job = Job(snakemake.input, snakemake.params, snakemake.wildcards)

sets = [
    TrainingSet(job.sample(split), None, job.options, job.n_classes, job.seed(split), job.start(split), split.name)
    for split in job.splits
]
fitted = train(sets, snakemake.threads, snakemake.wildcards.model, snakemake.params.checkpoints)
with job.results(snakemake.output) as keep:
    for split, training_set, found in zip(job.splits, sets, fitted, strict=True):
        keep(split, training_set.sample, *found)
remove(snakemake.params.checkpoints)
