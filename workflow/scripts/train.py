"""Train a network on the sample of each split, and predict the rows that the split holds out."""

from stillhouse.errors import log_to
from stillhouse.modelling import Job
from stillhouse.training import train

log_to(snakemake.log[0])
job = Job(snakemake.input, snakemake.params, snakemake.wildcards)

with job.results(snakemake.output) as keep:
    for split in job.splits:
        sample = job.sample(split)
        keep(split, sample, *train(sample, None, job.options, job.n_classes, job.seed(split)))
