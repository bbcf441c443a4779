"""Methods of the user's own: found in a folder beside the configuration, held to the same rules, part of the code's digest."""

import pytest
from conftest import Run, write_table_with_categories

from stillhouse.config.settings import load_schema
from stillhouse.errors import UserError
from stillhouse.methods import USERS_FOLDER, is_method, use_methods_of

HALFWAY = '''"""A gap lies halfway between the smallest and the largest value."""

from stillhouse.preparation.imputing import numbers

import numpy as np


class Halfway:
    """Fills with the middle of the range."""

    def __init__(self, share):
        self.share = share

    def fit(self, table):
        """Learn the middles."""
        X = numbers(table)
        self.middle_ = np.nanmin(X, axis=0) + self.share * (np.nanmax(X, axis=0) - np.nanmin(X, axis=0))
        return self

    def transform(self, table):
        """Return the filled numbers."""
        X = numbers(table)
        return np.where(np.isnan(X), self.middle_, X)


def make(seed, share):
    """Return the imputer."""
    return Halfway(share)
'''
SETTINGS = """
methods:
  halfway:
    description: the middle of the range
    options:
      share: {type: number, minimum: 0, maximum: 1, default: 0.5, description: Where in the range a gap lies.}
"""
CONFIG = {
    "methods": "mine",
    "datasets": {"d": {"train": "table.csv", "target": "diagnosis", "challenge": {"gaps": {"random": 0.1}}}},
    "folds": {"k": 3},
    "models": {"m": {"prepare": {"impute": "halfway"}, "fit": {"method": "tree"}}},
    "report": {"draws": 100, "control": []},
}


@pytest.fixture
def own(tmp_path):
    folder = tmp_path / "mine" / "imputers"
    folder.mkdir(parents=True)
    (folder / "halfway.py").write_text(HALFWAY)
    (folder / "settings.yaml").write_text(SETTINGS)
    yield folder
    use_methods_of(None)


def test_an_own_method_has_its_settings_beside_those_of_the_others(own):
    use_methods_of(own.parent)
    methods = load_schema()["$defs"]["methods"]["imputers"]
    assert methods["halfway"]["options"]["share"]["default"] == 0.5 and "knn" in methods
    assert is_method("imputers", "halfway") and not is_method("weighers", "halfway")
    use_methods_of(None)
    assert "halfway" not in load_schema()["$defs"]["methods"]["imputers"]


def test_a_folder_of_methods_that_cannot_be_used_is_refused_in_one_message(own, tmp_path, monkeypatch):
    with pytest.raises(UserError, match="methods: there is no folder 'nowhere'"):
        use_methods_of("nowhere")
    (own / "knn.py").write_text("def make():\n    return None\n")
    use_methods_of(own.parent)
    with pytest.raises(UserError, match=r"does not describe .knn.; add"):
        load_schema()
    (own / "settings.yaml").write_text(SETTINGS + "  knn: {description: mine}\n")
    with pytest.raises(UserError, match=r"knn\.py has the name of a method that is there already"):
        load_schema()
    (own / "knn.py").unlink()
    with pytest.raises(UserError, match=r"describes 'knn', and .* has no knn\.py"):
        load_schema()
    (own / "near.py").write_text("def make():\n    return None\n")
    (own / "settings.yaml").write_text(SETTINGS + "  near: {description: the nearest rows, of all}\n")
    with pytest.raises(UserError, match=r"near has 'of all', which says nothing about a method; quote a description"):
        load_schema()
    (own.parent / "imputer").mkdir()
    with pytest.raises(UserError, match="imputer is not a kind of method; did you mean 'imputers'"):
        use_methods_of(own.parent)
    monkeypatch.delenv(USERS_FOLDER, raising=False)


@pytest.mark.workflow
def test_an_own_method_fits_predicts_is_explained_and_reruns_what_uses_it(own, tmp_path):
    run = Run(tmp_path, CONFIG)
    write_table_with_categories(run / "table.csv", columns=["mean texture", "mean area", "mean symmetry"])
    run()
    assert (run / "results/d/report.html").is_file()
    assert run.jobs() == {}
    (own / "halfway.py").write_text(HALFWAY + "\n# edited\n")
    assert run.jobs()["impute"] == 1
    run.write({**CONFIG, "imputers": {"half": {"method": "halfway", "share": 2}}})
    assert "imputers.half.share: 2 is greater than the maximum of 1" in run("--dry-run", check=False)
