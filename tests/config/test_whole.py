"""Texts and pictures that are read whole: a model that cannot read them, or gets none, is refused."""

import pytest

from stillhouse.config.checks.configuration import checked
from stillhouse.config.completion import ConfigError

WHOLE = {
    "texts": {"method": "median", "texts": {"method": "tokens"}},
    "pictures": {"method": "median", "pictures": {"method": "pixels"}},
}
READERS = {"texts": ("attention", "rnn", "textcnn", "wordbag"), "pictures": ("cnn", "resnet2d")}
OF_AMOUNTS = [("texts", "mixup", 0.4), ("texts", "curriculum", 3), ("pictures", "curriculum", 3)]


def refused(schema, said, **model):
    config = {"datasets": {"d": {"train": "sklearn:iris", "target": "target"}}, "imputers": WHOLE, "models": {"m": model}}
    with pytest.raises(ConfigError, match=said):
        checked(config, schema)


@pytest.mark.parametrize("what", WHOLE)
def test_a_model_that_cannot_read_them_is_refused(schema, what):
    refused(schema, f"m.prepare.impute: tree cannot read whole {what}", prepare={"impute": what}, fit={"method": "tree"})


@pytest.mark.parametrize(("what", "method"), [(what, method) for what, methods in READERS.items() for method in methods])
def test_a_network_of_them_that_gets_none_or_resamples_them_is_refused(schema, what, method):
    refused(schema, f"m.prepare.impute: {method} reads whole {what}; choose an imputer with", train={"method": method})
    prepare = {"impute": what, "resample": "smote"}
    refused(schema, "m.prepare.resample: smote compares features", prepare=prepare, train={"method": method})


@pytest.mark.parametrize(("what", "key", "value"), OF_AMOUNTS)
def test_a_setting_that_takes_them_for_amounts_is_refused(schema, what, key, value):
    train = {"method": READERS[what][0], key: value}
    refused(schema, f"m.train.{key}: cannot be combined with whole {what}", prepare={"impute": what}, train=train)
