"""Networks: trained on the samples of all splits together, and what is shipped again on all rows."""

from stillhouse.distillation.soft_targets import Teaching, student_sample
from stillhouse.errors import log
from stillhouse.networks.training import train
from stillhouse.networks.training_sets import TrainingSet
from stillhouse.splits import NONE, WHOLE


def networks(job, threads, title, checkpoints):
    """Yield for each split what ``Job.results`` keeps: split, sample, networks, history, and the networks fitted again."""
    sets = [training_set(job, split, job.sample(split)) for split in job.splits]
    again = [
        training_set(job, split, job.whole(split), follows=own)
        for split, own in zip(job.splits, sets, strict=True)
        if split.name == NONE
    ]
    found = train([*sets, *again], threads, title, checkpoints)
    refitted = {own.follows: model for own, (model, _) in zip(again, found[len(sets) :], strict=True)}
    if None in refitted.values():
        log.info("%s: the networks that were fitted again on all rows diverged; those fitted without stop rows are kept", title)
    for split, own, fitted in zip(job.splits, sets, found, strict=False):
        yield split, own.sample, *fitted, refitted.get(own)


def training_set(job, split, sample, follows=None):
    """Return the training set of a split's networks, or of those that are fitted again on all rows."""
    soft = None
    if job.sources:
        sample, soft = with_targets(job, split, sample, WHOLE if follows else split.name)
    hints, start = job.hints(split, sample), job.start(split, again=bool(follows))
    return TrainingSet(sample, soft, job.options, job.n_classes, job.seed(split), start, split.name, hints, follows)


def with_targets(job, split, sample, name):
    """Return a student's sample and its soft targets, on the class prior of the ledger of this name."""
    teaching = Teaching(job.sources, job.folds, job.classes, job.options, again=name == WHOLE)
    return student_sample(sample, job.features(split), split, job.ledger(name), teaching)
