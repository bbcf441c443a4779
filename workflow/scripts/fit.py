"""Fit a model on the sample of each split, and predict the rows that the split holds out."""

from stillhouse.errors import log_to
from stillhouse.learning.fitting import fit, history_of
from stillhouse.learning.job import Job

log_to(snakemake.log[0])
job = Job(snakemake.input, snakemake.params, snakemake.wildcards)

with job.results(snakemake.output) as keep:
    for split in job.splits:
        sample = job.sample(split)
        model = fit(sample, job.options, job.n_classes, snakemake.threads, job.seed(split))
        keep(split, sample, model, history_of(model, sample, job.n_classes))
