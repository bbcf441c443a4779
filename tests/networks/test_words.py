"""Networks that read texts word by word."""

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import network_options, trained
from prepared_samples import prepared_by
from shipped_samples import AS_IT_WAS, READING
from sklearn.metrics import roc_auc_score
from text_samples import COLUMNS, assert_reads_raw_texts, notes

from stillhouse.ensembles.pipeline import SinglePipeline
from stillhouse.errors import UserError
from stillhouse.networks.texts import Bag, Convolutions, WordVectors
from stillhouse.networks.training import train
from stillhouse.networks.training_sets import TrainingSet
from stillhouse.predictions.calibration import OnOriginalPrior
from stillhouse.preparation.text_encoders.tokens import make
from stillhouse.shipping.export import exported, metadata

SMALL = {
    "wordbag": network_options("wordbag", word_width=8, width=8, epochs=30, rate=0.02, patience=30, numbers="none", heads=2),
    "textcnn": network_options("textcnn", word_width=8, width=8, channels=6, kernels=[1, 3], epochs=30, rate=0.02, patience=30),
}


def test_words_are_numbered_by_how_many_texts_have_them_and_unknown_ones_are_one():
    encoder = make(seed=1, length=5, words=2, keep="start").fit(["b a", "a c b", "a d", "c"])
    assert encoder.known_ == ["a", "b"]
    assert encoder.transform(["b a", "x a", "", "a a a a a b"]).tolist() == [
        [3, 2, 0, 0, 0],
        [1, 2, 0, 0, 0],
        [0] * 5,
        [2] * 5,
    ]
    last = make(seed=1, length=5, words=2, keep="end").fit(["b a", "a c b", "a d", "c"])
    assert last.transform(["a a a a a b", "b"]).tolist() == [[2, 2, 2, 2, 3], [3, 0, 0, 0, 0]]


@pytest.mark.parametrize("reader", [Bag(4), Convolutions(4, (1, 2, 3), 5)])
def test_room_behind_the_last_word_does_not_count(reader):
    torch.manual_seed(0)
    vectors = WordVectors(9, 4)
    short = torch.tensor([[3.0, 5.0, 2.0, 0.0, 0.0], [4.0, 0.0, 0.0, 0.0, 0.0], [0.0] * 5])
    long = torch.nn.functional.pad(short, (0, 20))
    found = [reader(vectors(tokens), (tokens != 0).float()) for tokens in (short, long)]
    assert torch.allclose(*found, atol=1e-7)
    assert (found[0][2] == 0).all()


def test_a_bag_is_the_mean_of_its_words_and_unknown_numbers_share_a_vector():
    torch.manual_seed(0)
    vectors, tokens = WordVectors(5, 3), torch.tensor([[2.0, 4.0, 0.0], [9.0, 0.0, 0.0]])
    found = Bag(3)(vectors(tokens), (tokens != 0).float())
    assert torch.allclose(found[0], (vectors.weight[2] + vectors.weight[4]) / 2)
    assert torch.equal(found[1], vectors.weight[1])


def test_convolutions_are_those_of_torch():
    torch.manual_seed(0)
    module, vectors = Convolutions(3, (2,), 4), torch.randn(6, 7, 3)
    own = torch.nn.Conv1d(3, 4, 2)
    with torch.no_grad():
        own.weight.copy_(module.layers[0].weight.view(4, 2, 3).transpose(1, 2))
        own.bias.copy_(module.layers[0].bias)
    expected = own(vectors.transpose(1, 2)).relu().amax(dim=2)
    assert torch.allclose(module(vectors, torch.ones(6, 7)), expected, atol=1e-6)


def read_by(method, keep="start", columns=COLUMNS, n_classes=2):
    """A table of texts, its preparation, and a network fitted on it."""
    table = notes(360)
    imputer = prepared_by(columns, "median", texts={"method": "tokens", "length": 12, "keep": keep}).fit(table)
    sample = imputer.transform(table).assign(label=table["label"], weight=1.0, stop=table["row"] % 5 == 0)
    return table, imputer, trained(sample, SMALL[method], n_classes)[0], sample


@pytest.mark.parametrize("method", SMALL)
def test_a_network_learns_what_words_tell(method):
    _, imputer, model, _ = read_by(method)
    new = notes(300, seed=5)
    assert roc_auc_score(new["label"], model.predict(imputer.transform(new))[:, 1]) > 0.95


@pytest.mark.parametrize("keep", ["start", "end"])
@pytest.mark.parametrize("columns", [COLUMNS, COLUMNS[:1]])
@pytest.mark.parametrize("method", SMALL)
def test_a_shipped_network_reads_raw_texts_as_the_workflow_does(method, columns, keep, tmp_path):
    table, imputer, model, sample = read_by(method, keep, columns)
    whole = SinglePipeline(imputer, OnOriginalPrior(model, AS_IT_WAS, sample[sample["stop"]]))
    schema = {"task": "binary", "target": "y", "classes": ["sick", "well"], "columns": columns, "reading": READING}
    path = tmp_path / "model.onnx"
    path.write_bytes(exported(whole, metadata(schema, whole, "d", "m", {})))
    assert_reads_raw_texts(path, table, whole)


def test_a_word_that_no_fitted_row_has_is_unknown():
    table = notes()
    fitted = prepared_by(COLUMNS, "median", texts={"method": "tokens", "length": 8}).fit(table[:120])
    found = fitted.transform(table.assign(note="words of rows that are held out"))
    assert [name for name in found if name.startswith("w")][:2] == ["w0:note 000", "w0:note 001"]
    assert (found["w0:note 000"] == 1).all()


@pytest.mark.parametrize("method", SMALL)
def test_splits_that_know_other_words_are_trained_together_as_they_are_alone(method):
    table = notes(360)
    rare = table["note"].fillna("") + " " + (table["row"] // 2).astype(str)
    table = table.assign(note=table["note"].where(table["row"] >= 180, rare))

    def new_set(rows):
        prepared = prepared_by(COLUMNS[:1], "median", texts={"method": "tokens", "length": 12}).fit(rows)
        sample = prepared.transform(rows).assign(label=rows["label"], weight=1.0, stop=rows["row"] % 5 == 0)
        return TrainingSet(sample, None, {**SMALL[method], "epochs": 3}, 2, seed=1)

    parts = [table[:180], table[90:270].reset_index(drop=True), table[180:].reset_index(drop=True)]
    assert len({new_set(rows).tokens for rows in parts}) > 1
    samples = [new_set(rows).sample for rows in parts]
    together = [model for model, _ in train([new_set(rows) for rows in parts], threads=1)]
    for rows, sample, model in zip(parts, samples, together, strict=True):
        ((alone, _),) = train([new_set(rows)], threads=1)
        assert (alone.predict(sample) == model.predict(sample)).all()


def test_a_network_of_words_says_that_there_is_no_text():
    sample = pd.DataFrame({"row": range(60), "n0:x": np.arange(60.0), "label": np.arange(60) % 2, "weight": 1.0})
    with pytest.raises(UserError, match="no column is read as text"):
        trained(sample.assign(stop=sample["row"] % 5 == 0), SMALL["wordbag"])
