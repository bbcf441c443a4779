"""Networks: trained on the samples of all splits together, and again on all training rows where that is asked for."""

from stillhouse.distillation.soft_targets import Teaching, student_sample
from stillhouse.errors import log
from stillhouse.networks.rows import bytes_of_pictures
from stillhouse.networks.training import train
from stillhouse.networks.training_sets import TrainingSet
from stillhouse.splits import whole_of

# A sample lies in memory as a table, as tensors, and once more while those of several splits are joined.
COPIES = 3
# The rest is for libraries, prepared features, and the split that is read next.
SHARE_OF_MEMORY = 0.6


def networks(job, threads, title, checkpoints):
    """Yield for each split what ``Job.results`` keeps: split, sample, networks, history, and the networks fitted again.

    Splits whose samples do not fit the job's memory together are trained one group after the other, with the same results.
    """
    for sets in groups_that_fit(job, title):
        found = train(sets, threads, title, checkpoints)
        models = dict(zip(sets, found, strict=True))
        again = {own.follows: model for own, (model, _) in models.items() if own.follows}
        if None in again.values():
            log.info(
                "%s: the networks that were fitted again on all rows diverged; those fitted without stop rows are kept", title
            )
        for own, fitted in models.items():
            if not own.follows:
                yield job.split(own.split), own.sample, *fitted, again.get(own)


def groups_that_fit(job, title):
    """Yield lists of training sets, each as many as fit the job's memory, and at least those of one split."""
    sets, taken = [], 0
    for split in job.splits:
        own = [training_set(job, split, job.sample(split))]
        if (whole := job.whole(split)) is not None:
            own.append(training_set(job, split, whole, follows=own[0]))
        needed = sum(COPIES * bytes_of(one) for one in own)
        if sets and taken + needed > SHARE_OF_MEMORY * job.memory:
            said = title, ", ".join(one.split for one in sets if not one.follows), job.memory / 1e9
            log.info("%s: trains the networks of split %s first, as those of all splits do not fit its %.1f GB", *said)
            yield sets
            sets, taken = [], 0
        sets, taken = [*sets, *own], taken + needed
    yield sets


def bytes_of(training_set):
    """Return the bytes of a sample, and of the pictures in it."""
    sample = training_set.sample
    return sample.memory_usage().sum() + len(sample) * bytes_of_pictures(training_set.names)


def training_set(job, split, sample, follows=None):
    """Return the training set of a split's networks, or of those that are fitted again on all rows."""
    soft = None
    if job.sources:
        sample, soft = with_targets(job, split, sample, again=bool(follows))
    hints, start = job.hints(split, sample), job.start(split, again=bool(follows))
    return TrainingSet(sample, soft, job.options, job.n_classes, job.seed(split), start, split.name, hints, follows)


def with_targets(job, split, sample, again):
    """Return a student's sample and its soft targets, on the class prior of the sample; see ``Teaching`` for ``again``."""
    teaching = Teaching(job.sources, job.folds, job.classes, job.options, again)
    ledger = job.ledger(whole_of(split.name) if again else split.name)
    return student_sample(sample, job.features(split), split, ledger, teaching)
