"""Train a student on the sample of each split and its teacher's unseen predictions, and predict what is held out."""

from stillhouse.distillation import soft_targets
from stillhouse.errors import log_to
from stillhouse.modelling import Job
from stillhouse.training import train

log_to(snakemake.log[0])
job = Job(snakemake.input, snakemake.params, snakemake.wildcards)

with job.results(snakemake.output) as keep:
    for split in job.splits:
        sample = job.sample(split)
        soft = soft_targets(sample, snakemake.input.teacher, job.folds, split, job.classes, job.ledger(split))
        keep(split, sample, *train(sample, soft, job.options, job.n_classes, job.seed(split)))
