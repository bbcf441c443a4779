"""A job of all splits takes no more memory than it was given, and its results do not depend on it."""

import os

import pytest
from network_samples import options, sample_of, scores

from stillhouse.learning.job import memory_of
from stillhouse.learning.networks import networks
from stillhouse.splits import NONE, Split

SPLITS = [Split(name, [], [], {}) for name in (NONE, "0", "1")]
ROWS = {NONE: 400, "0": 310, "1": 300}


class SmallJob:
    """The job of a network of three splits of unequal size, given this many bytes of memory."""

    def __init__(self, memory):
        self.memory, self.splits, self.sources = memory, SPLITS, {}
        self.options, self.n_classes = options(epochs=3, seeds=2), 2

    def split(self, name):
        return next(split for split in self.splits if split.name == name)

    def sample(self, split):
        return sample_of(ROWS[split.name])

    def whole(self, split):
        return sample_of(ROWS[split.name]).assign(stop=False) if split.name == NONE else None

    def hints(self, split, sample):
        return None

    def start(self, split, again=False):
        return None

    def seed(self, split):
        return ROWS[split.name]


def test_networks_of_splits_that_do_not_fit_together_are_what_they_are_together(caplog):
    together = list(networks(SmallJob(1e12), 1, "network", None))
    assert not caplog.records
    with caplog.at_level("INFO"):
        apart = list(networks(SmallJob(1.0), 2, "network", None))
    assert [found[0].name for found in apart] == [NONE, "0", "1"]
    for one, other in zip(together, apart, strict=True):
        assert (scores(one[2]) == scores(other[2])).all()
        assert (one[4] is None) == (other[4] is None) == (one[0].name != NONE)
        assert one[4] is None or (scores(one[4]) == scores(other[4])).all()
    said = ["network: trains the networks of split none first", "network: trains the networks of split 0 first"]
    assert [record.message.split(",")[0] for record in caplog.records] == said


@pytest.mark.parametrize(("given", "expected"), [({"mem_mb": 3000}, 3e9), ({}, None), ({"mem_mb": None}, None)])
def test_a_job_counts_on_the_memory_of_its_rule_or_on_half_of_the_machine(given, expected):
    half = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2
    assert memory_of(given) == (expected or half)
