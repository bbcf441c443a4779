"""Texts become numbers by what the training rows of a split show, and equally in a shipped file."""

import numpy as np
import pandas as pd
import pytest
from chain import Chain, intake
from conftest import model_options, trained
from network_samples import NETWORK
from prepared_samples import prepared_by
from shipped_samples import AS_IT_WAS, READING
from text_samples import COLUMNS, ODD, assert_reads_raw_texts, notes

from stillhouse.ensembles.pipeline import SinglePipeline
from stillhouse.errors import UserError
from stillhouse.evaluation.importance import readable
from stillhouse.evaluation.slicing import values_of
from stillhouse.intake.folds import OF_DEPLOY, OF_UNLABELLED
from stillhouse.intake.kinds import plain_texts
from stillhouse.learning.fitting import fit
from stillhouse.predictions.calibration import OnOriginalPrior
from stillhouse.preparation import features
from stillhouse.preparation.target_means import as_targets
from stillhouse.preparation.text_columns import TextColumn
from stillhouse.preparation.text_encoders.ngrams import Counts, make
from stillhouse.preparation.transfer_rows import synthetic_rows
from stillhouse.shipping.export import exported, metadata
from stillhouse.shipping.serving import pieces


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Call NOW!!! £5 off", "call now ! ! ! £ 5 off"),
        ("ﬁne ① e\u0301", "fine 1 é"),
        ("don't", "don ' t"),
        (" a\n\tb\x01c ", "a b c"),
        ("नमस्ते", "नमस्ते"),
        (None, ""),
        ("  ", ""),
    ],
)
def test_how_a_text_is_written_does_not_matter(text, plain):
    assert plain_texts(pd.Series([text], dtype="str")).tolist() == [plain]


def test_a_text_is_read_alone_whatever_texts_come_with_it():
    texts = pd.Series(ODD * 20, dtype="str")
    alone = [plain_texts(pd.Series([text], dtype="str"))[0] for text in ODD]
    assert plain_texts(texts).tolist() == alone * 20


def test_counts_are_those_worked_by_hand():
    """Of three texts, two have "b": its rarity is log(4 / 3) + 1. The first has it twice, and "a b" in no other."""
    counts = Counts(10, (1, 2), str.split).fit(["b b c", "a b", "c d"])
    assert counts.terms_ == [("b",), ("c",)]
    rarity = np.log(4 / 3) + 1
    assert counts.rarity_ == pytest.approx([rarity, rarity])
    first = np.array([np.log(3), np.log(2)])
    assert counts.transform(["b b c"]).toarray()[0] == pytest.approx(first / np.linalg.norm(first))
    assert counts.transform(["", "e f"]).toarray().tolist() == [[0, 0], [0, 0]]


def test_components_are_those_of_the_decomposition_and_alike_in_scale():
    texts = plain_texts(notes()["note"])
    encoder = make(seed=1, size=8, words=50, characters=50, scores=False, unlabelled=False).fit(texts)
    found = encoder.transform(texts)
    assert found.shape == (240, 8)
    assert found.mean(axis=0) == pytest.approx(np.zeros(8), abs=1e-9)
    assert found.std(axis=0) == pytest.approx(np.ones(8))
    weighted = np.hstack([kind.transform(texts).toarray() for kind in encoder.kinds])
    largest = np.linalg.svd(weighted, compute_uv=False)[:8]
    assert np.linalg.norm(weighted @ encoder.components_.T, axis=0) == pytest.approx(largest, rel=0.02)
    assert (
        make(seed=1, size=8, words=50, characters=50, scores=False, unlabelled=False).fit(texts).transform(texts) == found
    ).all()


@pytest.mark.parametrize("texts", [["", "", ""], ["a", "bc", "def ghi"], ["same words here"] * 5])
def test_texts_that_tell_nothing_have_no_features(texts):
    texts = np.array(texts, dtype=object)
    encoder = make(seed=1, size=8, words=50, characters=50, scores=False, unlabelled=False).fit(texts)
    assert encoder.transform(texts).shape == (len(texts), encoder.size_) == (len(texts), 0)


def test_texts_of_few_kinds_have_no_more_features_than_they_differ_by():
    texts = np.array(["first visit", "second visit", "a call"] * 20, dtype=object)
    assert make(seed=1, size=8, words=50, characters=50, scores=False, unlabelled=False).fit(texts).size_ <= 3


def test_a_preparation_learns_words_from_the_rows_that_it_is_fitted_on_alone():
    table = notes()
    fitted = prepared_by(COLUMNS, "median", texts={"method": "ngrams", "size": 5}).fit(table[:120])
    other = table.assign(note=table["note"].where(table["row"] < 120, "words of rows that are held out"))
    before, after = (
        fitted.transform(table),
        prepared_by(COLUMNS, "median", texts={"method": "ngrams", "size": 5}).fit(other[:120]),
    )
    pd.testing.assert_frame_equal(before[:120], after.transform(other)[:120])
    assert [name for name in before if name.startswith("e")][:6] == [
        *(f"e0:note 00{place}" for place in range(5)),
        "e2:title 000",
    ]


def test_words_are_learned_of_unlabelled_texts_too_unless_the_encoder_may_not():
    table = notes()
    labels, parts = as_targets(table["label"][:40], ["no", "yes"]), np.arange(40) % 5
    more = table[40:200].assign(note=table["note"][40:200] + " newword")
    features = []
    for unlabelled, others in ((True, more), (False, more), (True, None)):
        texts = {"method": "ngrams", "size": 5, "unlabelled": unlabelled}
        made = prepared_by(COLUMNS[:1], "median", texts=texts)
        features.append(made.fit_transform(table[:40], labels, parts, others))
        pd.testing.assert_series_equal(features[-1]["row"], table["row"][:40])
        assert (("newword",) in made.texts[0].encoder.kinds[0].terms_) == (unlabelled and others is not None)
    pd.testing.assert_frame_equal(features[1], features[2])
    assert not np.allclose(features[0], features[1])


def test_many_unlabelled_texts_of_other_words_take_none_from_the_labelled_ones():
    own, other = (
        [f"pain fever day{number % 9}" for number in range(40)],
        [f"alpha beta gamma{number % 50}" for number in range(2000)],
    )
    counts = Counts(8, (1, 1), str.split).fit(own, other)
    assert counts.terms_ == Counts(8, (1, 1), str.split).fit(own).terms_
    more = Counts(14, (1, 1), str.split).fit(own, other)
    assert {("pain",), ("fever",), ("day8",), ("alpha",), ("beta",)} <= set(more.terms_)
    encoder = make(seed=1, size=4, words=40, characters=0, scores=False, unlabelled=True)
    found = encoder.components(encoder.fit_counts(np.array(own, dtype=object), other))
    assert np.allclose(found.mean(axis=0), 0, atol=1e-9)
    assert np.allclose(found.std(axis=0), 1)


def test_of_all_rows_without_labels_only_those_of_unlabelled_tables_are_learned_from(tmp_path):
    config = texts_config(tmp_path)
    table, schema, folds = intake(config)
    other = folds.copy()
    for fold, learns in ((OF_UNLABELLED, True), (OF_DEPLOY, False)):
        other.loc[other.index[-40:], "fold"] = fold
        changed = table.assign(note=table["note"].where(table.index < len(table) - 40, "words of other texts"))
        honest = Chain(tmp_path / f"{fold} honest", config, table, schema, other)
        after = Chain(tmp_path / f"{fold} changed", config, changed, schema, other)
        same = honest.features("median", "0")[:100].equals(after.features("median", "0")[:100])
        assert same != learns


@pytest.mark.parametrize("n_classes", [0, 2])
@pytest.mark.parametrize("method", ["logistic", "boosting", "mlp"])
@pytest.mark.parametrize("columns", [COLUMNS, COLUMNS[:1]])
def test_a_shipped_file_reads_raw_texts_as_the_workflow_does(method, n_classes, columns, tmp_path):
    table = notes()
    texts, classes = {"method": "ngrams", "size": 12, "scores": True}, ["sick", "well"] if n_classes else None
    imputer = prepared_by(columns, "none" if method == "boosting" else "median", classes=classes, texts=texts)
    imputer.fit(table, as_targets(table["label"], classes), parts=table["row"] % 3)
    assert any("score of" in name for name in imputer.names())
    sample = imputer.transform(table).assign(label=table["label"], weight=1.0, stop=table["row"] % 5 == 0)
    if method == "mlp":
        model, _ = trained(sample, {**NETWORK, "epochs": 3}, n_classes)
    else:
        model = fit(sample, model_options(method), n_classes, threads=1, seed=1)
    whole = SinglePipeline(imputer, OnOriginalPrior(model, AS_IT_WAS if n_classes else None, sample[sample["stop"]]))
    schema = {
        "task": "binary" if n_classes else "regression",
        "target": "y",
        "classes": classes,
        "columns": columns,
        "reading": READING,
    }
    path = tmp_path / "model.onnx"
    path.write_bytes(exported(whole, metadata(schema, whole, "d", "m", {})))
    assert_reads_raw_texts(path, table, whole)


def texts_config(tmp_path):
    """The configuration of two models on texts alone, written as a table."""
    notes(300)[["note", "label"]].to_csv(tmp_path / "notes.csv", index=False)
    dataset = {"train": str(tmp_path / "notes.csv"), "target": "label", "kinds": {"note": "text"}}
    models = {"linear": {"fit": {"method": "logistic"}}, "network": {"train": {"method": "mlp", "width": 8, "epochs": 6}}}
    reader = {"method": "textcnn", "word_width": 8, "channels": 8, "epochs": 20, "rate": 0.02}
    models["reader"] = {"prepare": {"impute": "words"}, "train": reader}
    words = {"method": "median", "texts": {"method": "tokens", "length": 10}}
    return {"datasets": {"notes": dataset}, "folds": {"k": 3}, "models": models, "imputers": {"words": words}}


def test_a_split_does_not_see_the_texts_that_it_holds_out(tmp_path):
    config = texts_config(tmp_path)
    table, schema, folds = intake(config)
    is_out = (folds["fold"] == 0).to_numpy()
    other = table.assign(note=table["note"].where(~is_out, "other words altogether"))
    for model, imputer in (("linear", "median"), ("network", "median"), ("reader", "words")):
        honest, changed = (Chain(tmp_path / name, config, rows, schema, folds) for name, rows in (("a", table), ("b", other)))
        features, others = (chain.features(imputer, "0").set_index("row") for chain in (honest, changed))
        pd.testing.assert_frame_equal(features[~is_out], others[~is_out])
        told = honest.predictions(model, "0").merge(table[["row", "label"]], on="row")
        # A network of a few steps has learned little yet.
        assert ((told.iloc[:, 2] > 0.5) == (told["label"] == 1)).mean() > (0.5 if model == "network" else 0.9)


def test_a_split_does_not_see_the_labels_of_texts_that_it_holds_out(tmp_path):
    config = texts_config(tmp_path)
    table, schema, folds = intake(config)
    is_out = (folds["fold"] == 0).to_numpy()
    flipped = table.assign(label=table["label"].where(~is_out, 1 - table["label"]))
    honest, changed = (Chain(tmp_path / name, config, rows, schema, folds) for name, rows in (("a", table), ("b", flipped)))
    pd.testing.assert_frame_equal(honest.features("median", "0"), changed.features("median", "0"))
    assert any("score of" in name for name in honest.features("median", "0"))
    for model in config["models"]:
        pd.testing.assert_frame_equal(honest.predictions(model, "0"), changed.predictions(model, "0"))


def scored(texts, labels, classes):
    """A column of these texts that was fitted on labels, and its unseen scores, by five parts of the rows."""
    table = pd.DataFrame({"note": pd.Series(texts, dtype="str")})
    text = TextColumn(COLUMNS[0], make(seed=1, size=5, words=500, characters=0, scores=True, unlabelled=False), classes)
    read, targets = text.fit(table, as_targets(labels, classes), table[:0]), as_targets(labels, classes)
    return text, read, text.unseen_scores(read, targets, np.arange(len(table)) % 5)


def test_no_text_meets_its_own_label_in_its_score():
    """Texts of words that tell nothing: a model seems to know the labels of the texts that it has learned from."""
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice([f"w{n}" for n in range(300)], 8)) for _ in range(600)]
    labels = rng.integers(0, 2, 600)
    text, read, unseen = scored(texts, labels, ["a", "b"])
    assert np.corrcoef(text.scores.transform(read)[:, 0], labels)[0, 1] > 0.6
    assert abs(np.corrcoef(unseen[:, 0], labels)[0, 1]) < 0.12
    flipped = np.where(np.arange(600) % 5 == 2, 1 - labels, labels)
    assert (scored(texts, flipped, ["a", "b"])[2][2::5] == unseen[2::5]).all()


@pytest.mark.parametrize("classes", [None, ["a", "b"], ["a", "b", "c"]])
def test_scores_tell_the_label_by_words_for_values_and_for_each_of_many_classes(classes):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, len(classes or "abcd"), 400)
    texts = [f"{rng.choice(list('xyz'))} {'no one two three'.split()[label]} more" for label in labels]
    text, _, unseen = scored(texts, labels, classes)
    assert unseen.shape == (400, {None: 1, 2: 1, 3: 3}[classes and len(classes)])
    guessed = {1: unseen[:, 0] > 0, 3: unseen.argmax(axis=1)}[unseen.shape[1]]
    assert np.corrcoef(unseen[:, 0], labels)[0, 1] > 0.95 if not classes else (guessed == labels).all()
    titles = [name.rsplit(" ", 1)[1] for name in text.score_names()]
    assert titles == {None: ["target"], 2: ["b"], 3: ["a", "b", "c"]}[classes and len(classes)]


@pytest.mark.parametrize("unit", [1e-9, 1.0, 3e6])
def test_scores_of_values_have_the_units_of_the_values(unit):
    """Weights are kept in half precision, which has no numbers above 65,504."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 400)
    texts = [f"{rng.choice(list('xyz'))} {'no one two three'.split()[label]} more" for label in labels]
    unseen = scored(texts, labels * unit, None)[2]
    assert unseen[:, 0] / unit == pytest.approx(labels, abs=0.1)


def test_words_of_a_text_are_counted_where_people_read():
    table = notes()
    schema = {"target": "label", "classes": ["no", "yes"], "columns": COLUMNS}
    counted = readable(table, np.ones(len(table), dtype=bool), schema)
    assert "n0:note, number of words" in counted
    assert counted.loc[1, "n0:note, number of words"] == 7
    titles = [title for title, _ in values_of(table, schema, "note", table["label"])]
    assert titles[0].startswith("note, number of words, 0 to")


def test_synthetic_rows_of_texts_are_refused():
    table = notes().assign(fold=0)
    with pytest.raises(UserError, match="synthetic: texts and pictures cannot be drawn, and column 'note' holds such"):
        synthetic_rows(table, table[["row", "fold"]], COLUMNS, {"method": "swap", "share": 1}, 1)


def test_a_graph_takes_few_enough_texts_at_once_whatever_their_lengths():
    rng = np.random.default_rng(0)
    lengths = np.where(rng.random(60_000) < 0.001, 20_000, rng.integers(0, 200, 60_000))
    found = list(pieces(lengths))
    assert [row for part in found for row in range(part.start, part.stop)] == list(range(60_000))
    assert max(lengths[part].max() * (part.stop - part.start) for part in found) <= 4_000_000
    assert len(found) < 400
    assert [*pieces([])] == []
    assert [*pieces([10**9, 3])] == [slice(0, 1), slice(1, 2)]
    assert [*pieces([3, 4, 5, 6, 7], 2)] == [slice(0, 2), slice(2, 4), slice(4, 5)]
    assert [*pieces([0, 0, 0, 0, 0], 2)] == [slice(0, 2), slice(2, 4), slice(4, 5)]


def test_messages_that_differ_in_their_digits_alone_stay_in_one_fold(tmp_path):
    words = [f"offer {word} call" for word in ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")]
    texts = [f"{text.title() if copy % 2 else text} 0{copy}7{copy}!" for text in words for copy in range(6)]
    table = pd.DataFrame({"note": texts, "label": [text.split()[1] < "o" for text in words for _ in range(6)]})
    table.to_csv(tmp_path / "notes.csv", index=False)
    dataset = {"train": str(tmp_path / "notes.csv"), "target": "label", "kinds": {"note": "text"}}
    _, schema, folds = intake(
        {"datasets": {"notes": dataset}, "folds": {"k": 3}, "models": {"m": {"fit": {"method": "logistic"}}}}
    )
    assert (folds["fold"].groupby(np.repeat(range(10), 6)).nunique() == 1).all()
    assert any("60 rows have the same features as another; taken for copies" in note for note in schema["notes"])


@pytest.mark.parametrize("encoder", ["ngrams", "tokens"])
def test_features_that_are_made_in_pieces_are_those_of_all_rows_at_once(monkeypatch, encoder):
    table = notes(60)
    table.loc[::7, "age"] = np.nan
    made = prepared_by(COLUMNS, "median", indicators=True, texts={"method": encoder})
    made.fit(table, as_targets(table["label"], ["no", "yes"]), np.arange(60) % 3)
    whole = made.transform(table)
    monkeypatch.setattr(features, "ROWS_AT_ONCE", 7)
    pd.testing.assert_frame_equal(made.transform(table), whole, check_exact=True)
