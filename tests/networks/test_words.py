"""Networks that read texts word by word."""

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import network_options, trained
from onnx import helper
from onnxruntime import InferenceSession
from prepared_samples import prepared_by
from shipped_samples import AS_IT_WAS, READING
from sklearn.metrics import roc_auc_score
from text_samples import COLUMNS, assert_reads_raw_texts, notes

from stillhouse.ensembles.pipeline import SinglePipeline
from stillhouse.errors import UserError
from stillhouse.networks.texts import GATES, Attended, Bag, Convolutions, Recurrent, WordVectors, waves
from stillhouse.networks.training import train
from stillhouse.networks.training_sets import TrainingSet
from stillhouse.predictions.calibration import OnOriginalPrior
from stillhouse.preparation.text_encoders.tokens import make
from stillhouse.shipping.export import exported, metadata
from stillhouse.shipping.onnx import words
from stillhouse.shipping.onnx.graph import Graph
from stillhouse.shipping.onnx.layers import add_module
from stillhouse.shipping.serving import Shipped

SMALL = {
    "wordbag": network_options("wordbag", word_width=8, width=8, epochs=30, rate=0.02, patience=30, numbers="none", heads=2),
    "textcnn": network_options("textcnn", word_width=8, width=8, channels=6, kernels=[1, 3], epochs=30, rate=0.02, patience=30),
    "rnn": network_options("rnn", word_width=8, width=8, units=6, epochs=30, rate=0.04, patience=30),
    "attention": network_options(
        "attention", word_width=8, attention_heads=2, width=8, epochs=30, rate=0.01, patience=30, heads=2
    ),
}
READERS = {
    "bag": lambda: Bag(4),
    "convolutions": lambda: Convolutions(4, (1, 2, 3), 5),
    **{
        f"{cell}, {taken}": lambda cell=cell, taken=taken: Recurrent(4, 3, cell, both_ways=True, taken=taken)
        for cell in GATES
        for taken in ("last", "attended")
    },
    "one way": lambda: Recurrent(4, 3, "gru", both_ways=False, taken="last"),
    **{places: lambda places=places: Attended(25, 4, 2, 2, 2, places, 0.0, "relu") for places in ("learned", "sinusoidal")},
}


def test_words_are_numbered_by_how_many_texts_have_them_and_unknown_ones_are_one():
    encoder = make(seed=1, length=5, words=2, keep="start", of="words").fit(["b a", "a c b", "a d", "c"])
    assert encoder.known_ == ["a", "b"]
    assert encoder.transform(["b a", "x a", "", "a a a a a b"]).tolist() == [
        [3, 2, 0, 0, 0],
        [1, 2, 0, 0, 0],
        [0] * 5,
        [2] * 5,
    ]
    last = make(seed=1, length=5, words=2, keep="end", of="words").fit(["b a", "a c b", "a d", "c"])
    assert last.transform(["a a a a a b", "b"]).tolist() == [[2, 2, 2, 2, 3], [3, 0, 0, 0, 0]]


def test_a_text_of_characters_is_numbered_by_them():
    encoder = make(seed=1, length=6, words=3, keep="start", of="characters").fit(["ab a", "cab", "b d"])
    assert encoder.known_ == ["b", " ", "a"]
    assert encoder.transform(["bad ab", "", "ccc"]).tolist() == [[2, 4, 1, 3, 4, 2], [0] * 6, [1, 1, 1, 0, 0, 0]]


@pytest.mark.parametrize("which", READERS)
def test_room_behind_the_last_word_does_not_count(which):
    torch.manual_seed(0)
    reader, vectors = READERS[which](), WordVectors(9, 4)
    if isinstance(reader, Attended):
        reader = Shortened(reader)
    short = torch.tensor([[3.0, 5.0, 2.0, 0.0, 0.0], [4.0, 0.0, 0.0, 0.0, 0.0], [0.0] * 5])
    long = torch.nn.functional.pad(short, (0, 20))
    found = [reader(vectors(tokens), (tokens != 0).float()) for tokens in (short, long)]
    assert torch.allclose(*found, atol=1e-7)
    assert (found[0][2] == 0).all()


class Shortened(torch.nn.Module):
    """A reader whose places are those of the words that there are."""

    def __init__(self, reader):
        super().__init__()
        self.reader, self.whole = reader, reader.places

    def forward(self, vectors, is_word):
        del self.reader.places
        self.reader.places = self.whole[: vectors.shape[-2]].detach()
        return self.reader(vectors, is_word)


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


@pytest.mark.parametrize("both_ways", [False, True])
@pytest.mark.parametrize(("cell", "kind"), [("plain", torch.nn.RNN), ("gru", torch.nn.GRU), ("lstm", torch.nn.LSTM)])
def test_cells_are_those_of_torch_on_packed_texts(cell, kind, both_ways):
    torch.manual_seed(0)
    module = Recurrent(5, 4, cell, both_ways, "last").double()
    own = kind(5, 4, batch_first=True, bidirectional=both_ways).double()
    with torch.no_grad():
        for place, one in enumerate(module.cells):
            end = "_reverse" * place
            for name, layer in (("ih", one.of_word), ("hh", one.of_state)):
                getattr(own, f"weight_{name}_l0{end}").copy_(layer.weight)
                getattr(own, f"bias_{name}_l0{end}").copy_(layer.bias)
    lengths, vectors = torch.tensor([7, 3, 1, 5]), torch.randn(4, 7, 5, dtype=torch.float64)
    is_word = (torch.arange(7) < lengths[:, None]).double()
    packed = torch.nn.utils.rnn.pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
    states, last = own(packed)
    last = last[0] if cell == "lstm" else last
    assert torch.allclose(module(vectors, is_word), last.transpose(0, 1).flatten(1), atol=1e-10)
    states, _ = torch.nn.utils.rnn.pad_packed_sequence(states, batch_first=True)
    found = torch.cat([one(vectors, is_word, place > 0) for place, one in enumerate(module.cells)], dim=-1)
    assert torch.allclose(found * is_word.unsqueeze(-1), states, atol=1e-10)


def test_attention_between_words_is_that_of_torch():
    torch.manual_seed(0)
    module = Attended(6, 8, 1, 2, 2, "learned", 0.0, "relu").double()
    own = torch.nn.TransformerEncoderLayer(8, 2, 16, 0.0, "relu", batch_first=True, norm_first=True).double()
    layer = module.layers[0]
    with torch.no_grad():
        own.self_attn.in_proj_weight.copy_(layer.attention.project.weight)
        own.self_attn.in_proj_bias.copy_(layer.attention.project.bias)
    own.self_attn.out_proj, own.norm1, own.norm2 = layer.attention.merge, layer.norm, layer.norm_after
    own.linear1, own.linear2 = layer.layers[0], layer.layers[3]
    lengths, vectors = torch.tensor([6, 2, 4]), torch.randn(3, 6, 8, dtype=torch.float64)
    is_word = (torch.arange(6) < lengths[:, None]).double()
    vectors = vectors * is_word.unsqueeze(-1)
    made = module.norm(own.train()(vectors + module.places, src_key_padding_mask=is_word == 0))
    expected = (made * is_word.unsqueeze(-1)).sum(dim=1) / lengths[:, None]
    assert torch.allclose(module(vectors, is_word), expected, atol=1e-10)


def test_places_are_told_by_sines_and_cosines_of_longer_and_longer_waves():
    found = waves(50, 6).double()
    for place in (0, 1, 49):
        rates = [1, 10_000 ** (-1 / 3), 10_000 ** (-2 / 3)]
        expected = [part(place * rate) for rate in rates for part in (np.sin, np.cos)]
        assert found[place].numpy() == pytest.approx(expected, abs=1e-6)


def read_by(method, columns=COLUMNS, epochs=30, **given):
    """A table of texts, its preparation, and a network fitted on it."""
    table = notes(360)
    imputer = prepared_by(columns, "median", texts={"method": "tokens", "length": 12, **given}).fit(table)
    sample = imputer.transform(table).assign(label=table["label"], weight=1.0, stop=table["row"] % 5 == 0)
    return table, imputer, trained(sample, {**SMALL[method], "epochs": epochs})[0], sample


@pytest.mark.parametrize("method", SMALL)
def test_a_network_learns_what_words_tell(method):
    _, imputer, model, _ = read_by(method, epochs=12 if method == "rnn" else 30)
    new = notes(300, seed=5)
    assert roc_auc_score(new["label"], model.predict(imputer.transform(new))[:, 1]) > 0.95


@pytest.mark.parametrize(
    ("method", "columns", "given"),
    [
        *((method, columns, {}) for method in ("wordbag", "textcnn") for columns in (COLUMNS, COLUMNS[:1])),
        *(
            ("textcnn", COLUMNS, given)
            for given in ({"keep": "end"}, {"of": "characters"}, {"of": "characters", "keep": "end"})
        ),
        *((method, COLUMNS, {}) for method in ("rnn", "attention")),
    ],
)
def test_a_shipped_network_reads_raw_texts_as_the_workflow_does(method, columns, given, tmp_path):
    table, imputer, model, sample = read_by(method, columns, epochs=3, **given)
    whole = SinglePipeline(imputer, OnOriginalPrior(model, AS_IT_WAS, sample[sample["stop"]]))
    schema = {"task": "binary", "target": "y", "classes": ["sick", "well"], "columns": columns, "reading": READING}
    path = tmp_path / "model.onnx"
    path.write_bytes(exported(whole, metadata(schema, whole, "d", "m", {})))
    assert_reads_raw_texts(path, table, whole)


@pytest.mark.parametrize("which", READERS)
def test_a_reader_is_written_as_it_computes(which, tmp_path):
    """Vectors of words in, what is read of them out: short texts, long ones, and one without words."""
    torch.manual_seed(0)
    reader, graph = READERS[which]().eval(), Graph()
    vectors, is_word = torch.randn(4, 25, 4), (torch.arange(25) < torch.tensor([25, 1, 0, 7])[:, None]).float()
    vectors = vectors * is_word.unsqueeze(-1)
    output = words.READERS[type(reader)](graph, "vectors", "is_word", reader, add_module)
    inputs = [helper.make_tensor_value_info(*facts) for facts in (("vectors", 1, [None, 25, 4]), ("is_word", 1, [None, 25]))]
    made = helper.make_graph(graph.nodes, "reader", inputs, [helper.make_tensor_value_info(output, 1, None)], graph.constants)
    session = InferenceSession(
        helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=9).SerializeToString()
    )
    (found,) = session.run(None, {"vectors": vectors.numpy(), "is_word": is_word.numpy()})
    assert found == pytest.approx(reader(vectors, is_word).detach().numpy(), abs=2e-6)


@pytest.mark.parametrize("method", ["rnn", "attention"])
def test_a_shipped_file_takes_few_enough_rows_at_once_and_none(method, tmp_path):
    table, imputer, model, sample = read_by(method, epochs=1, length=300)
    whole = SinglePipeline(imputer, OnOriginalPrior(model, AS_IT_WAS, sample[sample["stop"]]))
    schema = {"task": "binary", "target": "y", "classes": ["sick", "well"], "columns": COLUMNS, "reading": READING}
    path = tmp_path / "model.onnx"
    path.write_bytes(exported(whole, metadata(schema, whole, "d", "m", {})))
    shipped = Shipped(path)
    assert 1 <= shipped.most_rows <= 20_000
    assert len(shipped.predict(table[:0])) == 0
    assert shipped.predict(table[:3])["p_well"].to_numpy() == pytest.approx(whole.predict(table[:3])[:, 1], abs=1e-5)


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
