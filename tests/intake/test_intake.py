"""Intake: from raw tables to typed ones, or a message that says what is wrong."""

import gzip
import re
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

from stillhouse.config.dataset import embargo_of
from stillhouse.errors import UserError
from stillhouse.intake import kinds
from stillhouse.intake.audit import alerts, duplicate_notes, limit_notes, notes
from stillhouse.intake.challenge import moved_to_deploy, thinned, with_gaps
from stillhouse.intake.copies import copies
from stillhouse.intake.folds import make_folds
from stillhouse.intake.labels import shuffled
from stillhouse.intake.load import digests, load
from stillhouse.intake.notation import described
from stillhouse.intake.raw import RAW_PART

OPTIONS = {"labels": {}, "missing": ["", "?"], "missing_in": {}, "separator": "", "drop": [], "slices": [], "kinds": {}, "time": False, "duplicates": "auto", "dates": {}, "thousands": "",
           "task": "auto", "encoding": "utf-8", "decimal": ".", "sha256": {}}  # fmt: skip
TABLE = """age,site,visit,ill,note
31,a,2020-01-03,no,"x"
45,b,2020-02-03,yes,"x"
?,a,2020-03-09,no,"x"
52,,2021-01-03,yes,"x"
40,c,2020-01-04,no,"x"
"""


def read(folder, text=TABLE, **options):
    (folder / "table.csv").write_text(text)
    return load({**OPTIONS, "train": str(folder / "table.csv"), "target": "ill", **options}, np.random.default_rng(0))


def test_a_raw_table_becomes_typed_columns_labels_and_a_schema(tmp_path):
    table, schema = read(tmp_path)
    assert schema["task"] == "binary"
    assert schema["classes"] == ["no", "yes"]
    assert table["label"].tolist() == [0, 1, 0, 1, 0]
    assert table["age"].isna().tolist() == [False, False, True, False, False]
    assert table["site"].isna().sum() == 1
    assert {column["name"]: column["kind"] for column in schema["columns"]} == {
        "age": "numeric",
        "site": "categorical",
        "visit year": "datetime",
        "visit month": "datetime",
        "visit day": "datetime",
        "visit weekday": "datetime",
        "note": "constant",
    }
    assert table["visit month"].tolist() == [1, 2, 3, 1, 1]


@pytest.mark.parametrize(
    "form",
    [
        "table.csv.gz",
        "table.tsv",
        "table.csv.xz",
        "table.csv.bz2",
        "table.csv.zst",
        "table.arff",
        "table.parquet",
        "table.feather",
    ],
)
def test_every_format_gives_the_same_table(tmp_path, form):
    expected, _ = read(tmp_path)
    raw = pd.read_csv(tmp_path / "table.csv", dtype=str, na_values=["?"])
    path = tmp_path / form
    if form == "table.csv.gz":
        path.write_bytes(gzip.compress(TABLE.encode()))
    elif form == "table.csv.zst":
        with pa.CompressedOutputStream(str(path), "zstd") as stream:
            stream.write(TABLE.encode())
    elif form == "table.arff":
        header = "".join(f"@ATTRIBUTE {name} string\n" for name in raw)
        path.write_text(f"% a comment\n@RELATION t\n{header}@data\n" + TABLE.split("\n", 1)[1].replace(",,", ",?,"))
    elif form.endswith("parquet"):
        raw.to_parquet(path)
    elif form.endswith("feather"):
        raw.to_feather(path)
    else:
        raw.to_csv(path, index=False, sep="\t" if "tsv" in form else ",")
    found, _ = load({**OPTIONS, "train": str(path), "target": "ill"}, np.random.default_rng(0))
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2.5", None, "3"], kinds.NUMERIC),
        (["0", "1", "0", "1"], kinds.BOOLEAN),
        (["yes", "no", "Yes", None], kinds.BOOLEAN),
        (["a", "b", "a", "c"], kinds.CATEGORICAL),
        (["a", "a", "a", "a"], kinds.CONSTANT),
        (["2020-01-01", "2020-01-02 10:00", None, "2020-01-03"], kinds.DATETIME),
        ([f"p{number}" for number in range(200)], kinds.IDENTIFIER),
        ([f"{number}" for number in range(200)], kinds.IDENTIFIER),
        ([f"the patient said {number} words today" for number in range(200)], kinds.TEXT),
        ([f"{number * 7 % 1009}" for number in range(200)], kinds.NUMERIC),
    ],
)
def test_kinds_are_inferred_from_values(values, kind):
    assert described(pd.Series(values, name="x", dtype="str"), {"kinds": {}, "dates": {}})[0]["kind"] == kind


def test_rows_without_a_label_are_left_out_and_counted(tmp_path):
    table, schema = read(tmp_path, TABLE + "50,a,2020-01-01,,x\n")
    assert len(table) == 5
    assert "1 rows without a value of 'ill' are left out" in schema["notes"]


def test_labels_are_renamed_and_the_positive_class_comes_last(tmp_path):
    _, schema = read(tmp_path, labels={"no": "healthy", "yes": "sick"}, positive="healthy")
    assert schema["classes"] == ["sick", "healthy"]


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("age,ill\n", {}, "has no rows"),
        ("", {}, "the file is empty"),
        ("age,ill\n1,yes\n2,no,3,4\n", {}, "line 3: 4 fields where the header has 2; is the separator ','?"),
        ("age,ill\n1,yes\n2\n", {}, "line 3: 1 fields where the header has 2"),
        ("age,ill\n1,yes\ninf,no\n", {}, "row 2: column 'age' is infinite"),
        (
            "age,ill\n" + "".join(f"{n},yes\n{n}.5,no\n" for n in range(30)) + "old,no\n",
            {},
            "row 61: column 'age' holds 'old' among numbers; name the words for a missing value under `missing_in`, such as {age: [old]}",
        ),
        (TABLE, {"positive": "maybe"}, "positive: there is no class 'maybe'"),
        ("age,ill\n1,yes\n2,yes\n", {}, "has only the class yes"),
        (TABLE, {"task": "regression"}, "holds 'no', which is not a number"),
        (TABLE, {"labels": {"ja": "ill"}}, "labels: there is no label 'ja'; there are no, yes"),
        (TABLE, {"kinds": {"site": "numeric"}}, "kinds: column 'site' holds 'a', which is not a numeric value"),
        (TABLE, {"kinds": {"age": "datetime"}}, "kinds: column 'age' holds '31', which is not a datetime value"),
        (
            "age;ill\n" + "".join(f"{n},5;{'yes' if n % 2 else 'no'}\n" for n in range(30)),
            {"separator": ";"},
            "a decimal comma? Then set `decimal: ','`",
        ),
        (TABLE, {"target": "il"}, "has no column 'il'; did you mean 'ill'?"),
        ("ill,name\nyes,x\nno,x\n", {}, "no column is left"),
        ("age,ill\n1,a\n2,b\n3,c\n", {"task": "binary"}, "has 3 classes, not two"),
    ],
)
def test_a_bad_table_ends_in_one_message(tmp_path, text, options, said):
    with pytest.raises(UserError, match=re.escape(said)):
        read(tmp_path, text, **options)


def test_bytes_that_are_no_text_are_named(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"age,ill\n\xff\xfe,yes\n")
    with pytest.raises(UserError, match=r"line 2: byte 0xff is not utf-8; save the table as UTF-8"):
        load({**OPTIONS, "train": str(path), "target": "ill"}, np.random.default_rng(0))


def test_columns_with_reserved_names_are_kept_under_another(tmp_path):
    table, schema = read(tmp_path, "row,label,ill\n5,a,yes\n6,b,no\n9,a,no\n")
    assert table["row_"].tolist() == [5, 6, 9]
    assert [(column["name"], column["source"]) for column in schema["columns"]] == [("row_", "row"), ("label_", "label")]


def labelled(rows, classes=2, **columns):
    x = np.arange(rows) * 1.0
    return pd.DataFrame({"row": range(rows), "part": "train", "label": x % classes, "x": x, **columns})


def test_every_labelled_row_has_one_fold_and_deploy_rows_have_none():
    table = labelled(50)
    table.loc[45:, "part"] = "deploy"
    folds = make_folds(table, ["x"], ["a", "b"], k=5, seed=1)
    assert folds["fold"].value_counts().to_dict() == {0: 9, 1: 9, 2: 9, 3: 9, 4: 9, -1: 5}


def test_a_group_never_straddles_folds():
    table = labelled(60, group=np.repeat([f"p{n}" for n in range(20)], 3))
    folds = make_folds(table, ["x"], ["a", "b"], k=4, seed=1)
    assert (folds.groupby("group")["fold"].nunique() == 1).all()


def test_blocks_in_time_follow_each_other():
    table = labelled(50, time=np.random.default_rng(0).permutation(50).astype(float))
    folds = make_folds(table, ["x"], ["a", "b"], k=5, seed=1).sort_values("time")
    assert folds["fold"].is_monotonic_increasing
    assert folds["fold"].nunique() == 5


def test_rows_that_lie_less_than_an_embargo_before_a_block_are_in_none():
    time = np.random.default_rng(0).permutation(100).astype(float)
    table = labelled(100, time=time)
    folds = make_folds(table, ["x"], ["a", "b"], k=4, seed=1, embargo=5)
    for block, begin in enumerate((25, 50, 75)):
        left = folds.loc[(folds["time"] >= begin - 25) & (folds["time"] < begin)]
        assert (left["fold"] == np.where(left["time"] > begin - 5, -5, block)).all()
    assert (folds.loc[folds["time"] >= 75, "fold"] == 3).all()
    assert (folds["fold"] == -5).sum() == 3 * 4
    with pytest.raises(UserError, match=r"embargo: 26 leaves no row in block 1 of 4; shorten it"):
        make_folds(table, ["x"], ["a", "b"], k=4, seed=1, embargo=26)


@pytest.mark.parametrize("embargo", [0, 5])
def test_groups_in_time_are_in_one_block_and_no_model_learns_from_later_rows(embargo):
    rng = np.random.default_rng(0)
    table = labelled(200, time=rng.permutation(200).astype(float)).assign(group=rng.integers(0, 60, 200).astype(str))
    folds = make_folds(table, ["x"], ["a", "b"], k=4, seed=1, embargo=embargo)
    kept = folds[folds["fold"] >= 0]
    assert (kept.groupby("group")["fold"].nunique() == 1).all()
    assert kept.sort_values("time")["fold"].is_monotonic_increasing
    assert (kept["fold"] == kept["time"] // 50).all()
    # A group has at least as many rows in its block as in any other.
    counts = folds[~((folds["time"] % 50 > 50 - embargo) & (folds["time"] < 150))].assign(block=folds["time"] // 50)
    most = counts.groupby("group")["block"].agg(lambda block: block.value_counts().max())
    assert (kept["group"].value_counts() == most.loc[kept["group"].value_counts().index]).all()


def test_groups_whose_rows_leave_a_block_empty_are_refused():
    group = np.r_[np.repeat("all", 25), np.arange(25), np.repeat("all", 25), np.repeat("all", 25)].astype(str)
    table = labelled(100, time=np.arange(100.0)).assign(group=group)
    with pytest.raises(UserError, match=r"group: with `time`, each group stays in .* and block 3 of 4 is that of none; lower"):
        make_folds(table, ["x"], ["a", "b"], k=4, seed=1)


def test_an_embargo_is_in_the_unit_of_its_column(tmp_path):
    dates = [f"2024-01-{day:02d}T12:00:00" for day in range(1, 29)]
    rows = "".join(f"{date},{place % 3},{'yes' if place % 2 else 'no'}\n" for place, date in enumerate(dates))
    table, _ = read(tmp_path, "seen,x,ill\n" + rows, time="seen", embargo="36 hours")
    assert np.diff(table["time"]) == pytest.approx(86_400)
    assert embargo_of({"embargo": "36 hours"}) == 129_600
    folds = make_folds(table, ["x"], ["no", "yes"], k=4, seed=1, embargo=129_600)
    assert (folds["fold"] == -5).sum() == 3
    with pytest.raises(UserError, match=r"embargo: column 'seen' holds dates; state a duration, such as 7 days, and not 2"):
        read(tmp_path, "seen,x,ill\n" + rows, time="seen", embargo=2)
    with pytest.raises(UserError, match=r"embargo: column 'x' holds numbers; state a number in its unit, and not '2 days'"):
        read(tmp_path, "seen,x,ill\n" + rows, time="x", embargo="2 days")


def test_given_test_rows_are_fold_zero():
    table = labelled(50)
    table.loc[40:, "part"] = "test"
    folds = make_folds(table, ["x"], ["a", "b"], k=4, seed=1)["fold"]
    assert set(folds[40:]) == {0}
    assert set(folds[:40]) == {1, 2, 3, 4}


@pytest.mark.parametrize("grouped", [False, True])
def test_of_a_share_one_in_so_many_rows_are_in_folds_with_the_same_shares_of_classes(grouped):
    """Groups stay whole, given test rows are scored all the same, and the other rows are in no fold."""
    table = labelled(400, **({"group": np.repeat(np.arange(100), 4)} if grouped else {}))
    table.loc[360:, "part"] = "test"
    folds = make_folds(table, ["x"], ["a", "b"], k=3, seed=1, share=4)
    counts = folds["fold"].value_counts()
    assert counts[0] == 40
    assert counts[-5] == pytest.approx(270, abs=4)
    assert set(counts.index) == {-5, 0, 1, 2, 3}
    own = folds["fold"] > 0
    assert table.loc[own, "label"].mean() == pytest.approx(0.5, abs=0.02)
    if grouped:
        assert (folds.groupby("group")["fold"].nunique() == 1).all()
    with pytest.raises(UserError, match=r"report.halvings: .* fewer than the 192 that one in 64 rows takes; lower"):
        make_folds(table, ["x"], ["a", "b"], k=3, seed=1, share=64)


def test_a_class_with_fewer_rows_than_folds_is_refused_with_advice():
    table = labelled(30)
    table["label"] = [1.0] * 3 + [0.0] * 27
    with pytest.raises(UserError, match=r"class 'rare' has 3 different rows, fewer than the 5 folds; lower folds.k to 3"):
        make_folds(table, ["x"], ["often", "rare"], k=5, seed=1)


def test_a_challenge_thins_a_class_to_the_stated_share():
    table = thinned(labelled(100), ["a", "b"], {"b": 0.25}, np.random.default_rng(0))
    assert table["label"].value_counts().to_dict() == {0: 50, 1: 12}


def test_a_challenge_moves_the_stated_share_and_keeps_the_true_ratio():
    x = np.random.default_rng(1).normal(size=20000)
    table = moved_to_deploy(labelled(20000, x=x), {"column": "x", "share": 0.3, "strength": 1.0}, np.random.default_rng(0))
    moved = table["part"] == "deploy"
    assert moved.mean() == pytest.approx(0.3, abs=0.01)
    weighted_mean = np.average(table.loc[~moved, "x"], weights=table.loc[~moved, "true_ratio"])
    assert weighted_mean == pytest.approx(table.loc[moved, "x"].mean(), abs=0.05)


def test_a_challenge_removes_large_values_more_often():
    table = pd.DataFrame({"x": np.arange(10000.0), "y": np.arange(10000.0)})
    gappy = with_gaps(table, ["x", "y"], {"random": 0.1, "by_value": {"y": 0.3}}, np.random.default_rng(0))
    assert gappy["x"].isna().mean() == pytest.approx(0.1, abs=0.01)
    assert gappy["y"][5000:].isna().mean() > 2 * gappy["y"][:5000].isna().mean()


def test_a_table_behind_an_address_is_read_like_a_file(tmp_path):
    expected, _ = read(tmp_path)
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        place = f"http://127.0.0.1:{server.server_port}/table.csv"
        found, _ = load({**OPTIONS, "train": place, "target": "ill"}, np.random.default_rng(0))
        with pytest.raises(UserError, match="cannot be fetched: File not found"):
            load({**OPTIONS, "train": place.replace("table", "tabel"), "target": "ill"}, np.random.default_rng(0))
        server.shutdown()
    pd.testing.assert_frame_equal(found, expected)


def test_tables_bundled_with_scikit_learn_are_read_with_their_class_names():
    table, schema = load({**OPTIONS, "train": "sklearn:wine", "target": "target"}, np.random.default_rng(0))
    assert schema["classes"] == ["class_0", "class_1", "class_2"]
    assert len(table) == 178


@pytest.mark.parametrize("place", ["sklearn:iriss", "openml:abc"])
def test_a_place_that_cannot_be_is_refused(place):
    with pytest.raises(UserError, match=place):
        load({**OPTIONS, "train": place, "target": "target"}, np.random.default_rng(0))


def test_words_for_gaps_hold_in_their_column_alone(tmp_path):
    table, _ = read(tmp_path, "age,dose,ill\n0,0.0,yes\n5,2,no\n6,1,no\n", missing_in={"dose": ["0"]})
    assert table["age"].isna().sum() == 0
    assert table["dose"].isna().tolist() == [True, False, False]


def test_several_files_can_say_which_one_a_row_comes_from(tmp_path):
    for name in ("north", "south"):
        (tmp_path / f"{name}.csv").write_text("age,ill\n1,yes\n2,no\n")
    places = [str(tmp_path / f"{name}.csv") for name in ("north", "south")]
    table, _ = load({**OPTIONS, "train": places, "target": "ill", "source": "site"}, np.random.default_rng(0))
    assert table["site"].tolist() == ["north.csv", "north.csv", "south.csv", "south.csv"]


def test_a_target_whose_most_frequent_value_ends_its_range_looks_cut():
    values = pd.Series(np.r_[np.arange(100.0), np.full(20, 100.0)])
    assert limit_notes(values, "price") == [
        "20 rows (16.7 %) have the largest value of 'price', 100: if values were cut there, its errors cannot be judged"
    ]
    assert limit_notes(-values, "loss")[0].startswith("20 rows (16.7 %) have the smallest value of 'loss', -100:")
    assert limit_notes(values.where(values < 100, 50.0), "price") == []
    assert limit_notes(values.clip(90), "grade") == [], "few different values are no sign of a cut"


def test_given_test_rows_with_the_features_of_training_rows_are_counted():
    table = labelled(40).assign(x=np.r_[np.arange(30.0), np.arange(5.0), np.arange(90.0, 95.0)])
    table["part"] = np.repeat(["train", "test"], [30, 10])
    said = duplicate_notes(table, ["x"], "tie")
    assert said[0].startswith("10 rows have the same features as another, 5 of them given test rows with the features of a tr")


def test_equal_rows_stay_in_one_fold_and_are_noted():
    table = labelled(60)
    table["x"] = table["row"] // 3
    folds = make_folds(table, ["x"], ["a", "b"], k=4, seed=1, duplicates="tie")
    assert folds["copy"].tolist() == table["x"].tolist()
    assert (folds.groupby(table["x"])["fold"].nunique() == 1).all()
    schema = {"task": "binary", "classes": ["a", "b"], "columns": [{"name": "x", "kind": "numeric"}]}
    said = notes(table, table, schema, "tie")
    assert said[0].startswith("60 rows have the same features as another")
    assert said[1].startswith("20 sets of such rows have different labels")


def patterns(rows=3000, seed=0):
    """Different cases with the same few answers: two columns of four levels, each pattern with its own share of labels."""
    rng, share = np.random.default_rng(seed), np.random.default_rng(99).beta(0.5, 0.5, (4, 4))
    table = pd.DataFrame({"row": range(rows), "part": "train", "x": rng.integers(0, 4, rows), "y": rng.integers(0, 4, rows)})
    return table.assign(label=(rng.random(rows) < share[table["x"], table["y"]]).astype(float))


def test_a_table_of_few_patterns_is_divided_like_any_other_and_one_of_copies_is_not():
    few = patterns()
    assert copies(few, ["x", "y"], "auto") is None
    assert "copy" not in make_folds(few, ["x", "y"], ["a", "b"], k=5, seed=1)
    assert (
        "taken for different cases"
        in notes(few, few, {"task": "binary", "classes": ["a", "b"], "columns": COLUMNS_XY}, "auto")[0]
    )
    rng = np.random.default_rng(0)
    once = few.assign(x=rng.normal(size=len(few)))
    oversampled = pd.concat([once, once[once["label"] == 1]], ignore_index=True).assign(row=lambda table: range(len(table)))
    folds = make_folds(oversampled, ["x", "y"], ["a", "b"], k=5, seed=1)
    assert (folds.groupby("copy")["fold"].nunique() == 1).all()
    values = few.assign(label=few["x"] + rng.normal(size=len(few)))
    assert copies(values, ["x", "y"], "auto") is None
    assert copies(pd.concat([values] * 2, ignore_index=True).assign(x=np.tile(once["x"], 2)), ["x", "y"], "auto") is not None


COLUMNS_XY = [{"name": name, "kind": "numeric"} for name in "xy"]


@pytest.mark.parametrize(("duplicates", "is_tied"), [("tie", True), ("leave", False)])
def test_what_equal_rows_are_can_be_stated(duplicates, is_tied):
    assert (copies(patterns(), ["x", "y"], duplicates) is not None) == is_tied


def test_cross_validation_of_few_patterns_tells_what_fresh_rows_would():
    """With each pattern in one fold, every held-out pattern would be new, and the score far too low."""
    few, fresh = patterns(), patterns(20_000, seed=1)
    scores = {}
    for duplicates in ("auto", "tie"):
        fold = make_folds(few, ["x", "y"], ["a", "b"], k=5, seed=1, duplicates=duplicates)["fold"]
        p = np.empty(len(few))
        for number in range(5):
            forest = RandomForestClassifier(40, random_state=0).fit(
                few.loc[fold != number, ["x", "y"]], few["label"][fold != number]
            )
            p[fold == number] = forest.predict_proba(few.loc[fold == number, ["x", "y"]])[:, 1]
        scores[duplicates] = roc_auc_score(few["label"], p)
    forest = RandomForestClassifier(40, random_state=0).fit(few[["x", "y"]], few["label"])
    truth = roc_auc_score(fresh["label"], forest.predict_proba(fresh[["x", "y"]])[:, 1])
    assert scores["auto"] == pytest.approx(truth, abs=0.02)
    assert scores["tie"] < truth - 0.05


def test_rows_to_be_scored_that_models_learn_from_are_an_alert_and_a_test_table_of_them_is_refused():
    rng = np.random.default_rng(0)
    train = patterns(200).assign(x=rng.normal(size=200))
    schema = {"task": "binary", "classes": ["no", "yes"], "columns": COLUMNS_XY}
    some = pd.concat([train, train[:30].assign(part="deploy"), patterns(100, 3).assign(part="deploy")], ignore_index=True)
    [said] = alerts(some, some, schema, "auto")
    assert said.startswith("30 of 130 labelled deploy rows are equal to a training row")
    again = pd.concat([train, train[:50].assign(part="test")], ignore_index=True)
    with pytest.raises(UserError, match="test: every row of the test table is in the train table"):
        alerts(again, again, schema, "auto")


def test_a_column_that_gives_the_answer_away_is_an_alert():
    table = labelled(200, boat=pd.Series(np.where(np.arange(200) % 2 == 1, "7", None), dtype="str"))
    schema = {
        "task": "binary",
        "classes": ["no", "yes"],
        "columns": [{"name": "boat", "kind": "categorical"}, {"name": "x", "kind": "numeric"}],
    }
    assert alerts(table, table, schema, "auto") == [
        "column 'boat' (1.00) alone nearly tells the target (AUC): is it known before the outcome is? If not, leave out what is not, by `drop`"
    ]


def test_categories_that_only_deploy_rows_have_are_noted():
    table = labelled(40, site="a", part=np.repeat(["train", "deploy"], 20))
    table.loc[35:, "site"] = "z"
    said = notes(
        table,
        table,
        {
            "task": "binary",
            "classes": ["a", "b"],
            "columns": [{"name": "site", "kind": "categorical"}, {"name": "x", "kind": "numeric"}],
        },
        "auto",
    )
    assert said == ["column 'site': 1 categories are seen in deploy rows only (z)"]


def test_a_table_whose_digest_is_not_the_stated_one_is_refused(tmp_path):
    read(tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=tmp_path)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        place = f"http://127.0.0.1:{server.server_port}/table.csv"
        with pytest.raises(UserError, match="has the file changed"):
            load({**OPTIONS, "train": place, "target": "ill", "sha256": {place: "0" * 64}}, np.random.default_rng(0))
        server.shutdown()


def test_decimal_commas_are_read_where_the_configuration_says_so(tmp_path):
    text = "age;site;ill\n" + "".join(f"{n},5;a,b;{'yes' if n % 2 else 'no'}\n" for n in range(30))
    table, _ = read(tmp_path, text + "40,5;c;no\n", separator=";", decimal=",")
    assert table["age"].tolist() == [*(n + 0.5 for n in range(30)), 40.5]
    assert table["site"].tolist() == [*["a,b"] * 30, "c"]


def test_equal_times_stay_together_and_too_few_times_are_refused():
    table = labelled(60, time=np.repeat(np.arange(6.0), 10))
    assert (make_folds(table, ["x"], ["a", "b"], k=3, seed=1).groupby(table["time"])["fold"].nunique() == 1).all()
    with pytest.raises(UserError, match="its 2 different values do not divide the rows into 5 blocks"):
        make_folds(table.assign(time=np.repeat([0.0, 1.0], 30)), ["x"], ["a", "b"], k=5, seed=1)


def test_labels_of_deploy_rows_do_not_decide_the_task(tmp_path):
    read(tmp_path)
    (tmp_path / "train.csv").write_text("x,ill\n" + "".join(f"{n},{n % 2}\n" for n in range(40)))
    for label, task in (("0.5", "binary"), ("unknown", "binary")):
        (tmp_path / "deploy.csv").write_text(f"x,ill\n7,{label}\n")
        places = {"train": str(tmp_path / "train.csv"), "deploy": str(tmp_path / "deploy.csv")}
        table, schema = load({**OPTIONS, **places, "target": "ill"}, np.random.default_rng(0))
        assert (schema["task"], schema["classes"]) == (task, ["0", "1"])
        assert table["label"].isna().tolist()[-1]


def test_whole_numbers_are_the_same_classes_and_categories_in_every_type(tmp_path):
    frame = pd.DataFrame(
        {"x": np.arange(40.0), "code": pd.array([1, 2, None, 3] * 10, dtype="Int64"), "ill": np.arange(40) % 2}
    )
    frame.to_parquet(tmp_path / "train.parquet")
    frame.drop(columns="ill")[:5].to_parquet(tmp_path / "deploy.parquet")
    places = {"train": str(tmp_path / "train.parquet"), "deploy": str(tmp_path / "deploy.parquet")}
    options = {**OPTIONS, **places, "target": "ill", "kinds": {"code": "categorical"}, "positive": "1"}
    table, schema = load(options, np.random.default_rng(0))
    assert schema["classes"] == ["0", "1"]
    assert set(table["code"].dropna()) == {"1", "2", "3"}


def test_columns_of_any_name_are_kept_apart(tmp_path):
    text = "part,row,row_,visit,visit year,ill\n" + "".join(
        f"p{n % 3},{n % 5},{n % 7},20{10 + n % 4}-01-0{1 + n % 9},{n % 6},{'yes' if n % 2 else 'no'}\n" for n in range(40)
    )
    table, schema = read(tmp_path, text)
    names = [column["name"] for column in schema["columns"]]
    assert len(set(names)) == len(names)
    assert {"part_", "row_", "row__", "visit year", "visit year_"} <= set(names)
    assert table["part_"].tolist()[:3] == ["p0", "p1", "p2"]
    assert set(names) <= set(table.columns)


def test_the_file_that_a_row_comes_from_is_no_feature_unless_asked_for(tmp_path):
    for name in ("north", "south"):
        (tmp_path / f"{name}.csv").write_text("age,ill\n1,yes\n2,no\n")
    places = [str(tmp_path / f"{name}.csv") for name in ("north", "south")]
    options = {**OPTIONS, "train": places, "target": "ill", "source": "site"}
    _, schema = load(options, np.random.default_rng(0))
    assert [column["source"] for column in kinds.feature_columns(schema)] == ["age"]
    _, schema = load({**options, "kinds": {"site": "categorical"}}, np.random.default_rng(0))
    assert [column["source"] for column in kinds.feature_columns(schema)] == ["age", "site"]
    with pytest.raises(UserError, match="has a column 'age' already"):
        load({**options, "source": "age"}, np.random.default_rng(0))


def test_a_row_without_a_group_is_refused(tmp_path):
    with pytest.raises(UserError, match="group: column 'site' has no value in row 4"):
        read(tmp_path, group="site")


def test_labels_of_different_cases_that_look_alike_are_shuffled_one_by_one():
    """Given one label together and divided among folds, they would look like a leak."""
    raw = patterns().rename(columns={"label": "ill"}).drop(columns=["row", "part"]).assign(**{RAW_PART: "train"})
    found = shuffled(raw, {"target": "ill", "drop": [], "duplicates": "auto"}, np.random.default_rng(1))
    assert (found.groupby(["x", "y"])["ill"].nunique() == 2).all()


def test_shuffled_labels_keep_their_counts_and_tell_nothing_and_like_rows_keep_one_label():
    rng, rows = np.random.default_rng(0), 400
    raw = pd.DataFrame({"(part)": np.repeat(["train", "deploy"], [300, 100]), "x": rng.normal(size=rows).round(3)})
    raw["ill"] = np.where(raw["x"] > 0.5, "yes", "no")
    raw.loc[50:54, ["x", "ill"]] = [0.1, "no"]
    raw.loc[[3, 350], "ill"] = np.nan
    raw = raw.rename(columns={"(part)": RAW_PART})
    found = shuffled(raw, {"target": "ill", "drop": [], "duplicates": "auto"}, np.random.default_rng(1))
    assert found.loc[50:54, "ill"].nunique() == 1
    assert found["ill"].isna().equals(raw["ill"].isna())
    for part in ("train", "deploy"):
        before, after = ((one.loc[one[RAW_PART] == part, "ill"] == "yes").sum() for one in (raw, found))
        assert abs(before - after) <= 5
    known = found.dropna()
    assert abs(np.corrcoef(known["x"], known["ill"] == "yes")[0, 1]) < 0.15
    alone = shuffled(raw.drop(columns="x"), {"target": "ill", "drop": []}, np.random.default_rng(1))
    assert (alone["ill"] == "yes").sum() == (raw["ill"] == "yes").sum()
    grouped = raw.assign(patient=np.arange(rows) // 10)
    drawn = shuffled(grouped, {"target": "ill", "drop": [], "group": "patient"}, np.random.default_rng(1))
    assert drawn.groupby("patient")["ill"].nunique().max() == 1


def test_a_dropped_column_may_still_make_slices(tmp_path):
    table, schema = read(tmp_path, drop=["site"], slices=["site"])
    column = next(column for column in schema["columns"] if column["name"] == "site")
    assert column["kind"] == "aside"
    assert table["site"].tolist()[:3] == ["a", "b", "a"]
    assert "site" not in {column["name"] for column in kinds.feature_columns(schema)}


def test_costs_are_in_the_order_of_the_classes_and_of_known_ones(tmp_path):
    assert read(tmp_path, costs={"yes": 7})[1]["costs"] == [1.0, 7.0]
    assert read(tmp_path)[1]["costs"] is None
    with pytest.raises(UserError, match="costs: there is no class 'yess'; did you mean 'yes'"):
        read(tmp_path, costs={"yess": 7})


def test_a_digest_changes_with_the_content_alone(tmp_path):
    table, _ = read(tmp_path)
    found = digests([str(tmp_path / "table.csv")], table)
    assert len(found) == 2
    assert digests([str(tmp_path / "table.csv")], table.copy()) == found
    assert digests([], table.assign(label=0.0))["table.parquet"] != found["table.parquet"]
