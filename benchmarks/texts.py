"""Models of raw texts beside tf-idf with logistic regression and fastText's classifier, for docs/benchmarks.md.

    python benchmarks/texts.py TABLES FOLDER [--preset quick] [--fasttext PYTHON] [--names sms-spam trec]

TABLES is the folder that stands for data/; FOLDER keeps the results, so that a second call takes them up. The workflow has what
`new.py` writes; all others learn from the same folds, and are scored on the same held-out rows: those of all folds of sms-spam,
the given test rows of trec. PYTHON is that of an environment with fasttext-wheel and a numpy below 2.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline, make_union
from students import REPOSITORY, seconds_of_run

from stillhouse.intake.kinds import plain_texts
from stillhouse.shipping.serving import Shipped

FASTTEXT = """
import sys, fasttext, json
train, test, out = sys.argv[1:]
model = fasttext.train_supervised(train, epoch=25, lr=0.5, wordNgrams=2, minCount=1, thread=1, seed=1, verbose=0)
with open(test) as rows:
    said = [model.predict(row.strip(), k=-1) for row in rows]
json.dump([{name[9:]: float(p) for name, p in zip(*one)} for one in said], open(out, "w"))
"""


def written(name, tables, folder):
    """Write a table of texts, and its given test rows if it has any; return their names."""
    if name == "sms-spam":
        rows = pd.read_csv(tables / name / "sms.tsv", sep="\t", quoting=3, names=["label", "text"])
        rows.to_csv(folder / "texts.csv", index=False)
        return None
    for part in ("train", "test"):
        lines = (tables / name / f"TREC.{part}").read_text(encoding="latin-1").splitlines()
        rows = pd.DataFrame([line.split(" ", 1) for line in lines], columns=["label", "text"])
        rows.assign(label=rows["label"].str.split(":").str[0]).to_csv(
            folder / f"{'texts' if part == 'train' else part}.csv", index=False
        )
    return "test.csv"


def run(folder, test, preset):
    """Make all models of a table by the workflow, in the seconds that are returned."""
    new = [sys.executable, REPOSITORY / "workflow/scripts/new.py", "texts.csv", "--target", "label", "-o", "new.yaml"]
    if not (folder / "new.yaml").exists():
        subprocess.run([*new, "--preset", preset], check=True, cwd=folder, stdout=subprocess.DEVNULL)
        text = (folder / "new.yaml").read_text()
        given = f'train: "texts.csv"\n    test: {test}' if test else 'train: "texts.csv"'
        (folder / "new.yaml").write_text(text.replace('train: "texts.csv"', given))
    return seconds_of_run(folder)


def of_workflow(results, rows, classes):
    """Yield each model's name and its probabilities of held-out rows (rows, classes)."""
    for path in sorted(results.glob("models/*/predictions.parquet")):
        found = pd.read_parquet(path).set_index("row").loc[rows.index]
        yield path.parent.name, found[[f"p_{name}" for name in classes]].to_numpy()


def tfidf(characters):
    """Return tf-idf of words, or of words and groups of characters, with logistic regression."""
    words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
    both = make_union(words, TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(3, 4)))
    return make_pipeline(both if characters else words, LogisticRegression(C=10, max_iter=2000))


def of_fasttext(python, train, labels, test, classes):
    """Return the probabilities of fastText's classifier, fitted on texts and labels, for other texts."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("train.txt", "test.txt", "out.json")]
        files[0].write_text("".join(f"__label__{classes[label]} {text}\n" for label, text in zip(labels, train, strict=True)))
        files[1].write_text("".join(f"{text}\n" for text in test))
        subprocess.run([python, "-c", FASTTEXT, *files], check=True)
        said = json.loads(files[2].read_text())
    p = np.array([[one.get(name, 0.0) for name in classes] for one in said]) + 1e-7
    return p / p.sum(axis=1, keepdims=True)


def peers(table, folds, rows, classes, python):
    """Yield the name and the probabilities of each peer, fitted on all other folds."""
    texts, labels = plain_texts(table["text"]), table["label"].to_numpy(int)
    ways = {"tf-idf of words": lambda train, test: tfidf(False).fit(texts[train], labels[train]).predict_proba(texts[test])}
    ways["tf-idf of words and characters"] = lambda train, test: (
        tfidf(True).fit(texts[train], labels[train]).predict_proba(texts[test])
    )
    if python:
        ways["fastText"] = lambda train, test: of_fasttext(python, texts[train], labels[train], texts[test], classes)
    for name, way in ways.items():
        p = np.zeros((len(table), len(classes)))
        for fold in sorted(set(folds.loc[rows.index])):
            test = np.flatnonzero(folds == fold)
            p[test] = way(np.flatnonzero((folds != fold) & (folds >= 0)), test)
        yield name, p[rows.index]


def line(name, p, labels, classes):
    """Return a line of the table: AUC, log loss and macro F1."""
    auc = roc_auc_score(labels, p[:, 1] if len(classes) == 2 else p, multi_class="ovr")
    f1 = f1_score(labels, p.argmax(axis=1), average="macro")
    return f"| {name} | {auc:.4f} | {log_loss(labels, p):.3f} | {f1:.3f} |"


def texts_a_second(path, texts):
    """Return how many texts a shipped file predicts in a second on one core, the best of three."""
    shipped, taken = Shipped(path, threads=1), []
    for _ in range(3):
        begin = time.perf_counter()
        shipped.predict(texts)
        taken.append(time.perf_counter() - begin)
    return len(texts) / min(taken)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("tables", type=lambda text: Path(text).resolve())
    parser.add_argument("folder", type=lambda text: Path(text).resolve())
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--fasttext")
    parser.add_argument("--names", nargs="+", default=["sms-spam", "trec"])
    given = parser.parse_args()
    for name in given.names:
        folder = given.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        seconds = run(folder, written(name, given.tables, folder), given.preset)
        results = folder / "results" / "texts"
        classes = json.loads((results / "schema.json").read_text())["classes"]
        table, folds = pd.read_parquet(results / "table.parquet"), pd.read_parquet(results / "folds.parquet")["fold"]
        rows = pd.read_parquet(results / "models/stack/predictions.parquet").set_index("row")
        labels = table["label"].to_numpy(int)[rows.index]
        print(f"\n{name}: the run took {seconds:.0f} s\n\n| model | AUC | log loss | macro F1 |\n|---|---|---|---|")
        for model, p in [*of_workflow(results, rows, classes), *peers(table, folds, rows, classes, given.fasttext)]:
            print(line(model, p, labels, classes), flush=True)
        shipped = results / "deploy/student.onnx"
        speed = texts_a_second(shipped, table[["text"]].iloc[:5000])
        print(f"\nstudent: {shipped.stat().st_size:,} bytes, {speed:,.0f} texts a second on one core", flush=True)
