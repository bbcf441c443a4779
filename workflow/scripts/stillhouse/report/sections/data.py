"""The data: classes, and columns with gaps."""

from stillhouse.columns import DEPLOY, GROUP, LABEL, LABELLED, LATER, PART, TIME, UNLABELLED
from stillhouse.evaluation.gaps import gaps_by_class
from stillhouse.intake.kinds import ASIDE, BOOLEAN, CATEGORICAL, DATETIME, NUMERIC, feature_columns
from stillhouse.report import figures
from stillhouse.report.text import listed, percent, short

MOST_BARS, MOST_NAMED, MOST_CATEGORIES = 15, 4, 3
# What becomes of rows that are in no fold.
OTHER_PARTS = {DEPLOY: "deploy rows", UNLABELLED: "unlabelled rows", LATER: "rows of later batches"}


def pictures(run):
    """Return the flow of rows, the number of rows of each class, and the share of gaps of each column that has any."""
    return [picture for picture in (flow_picture(run), class_picture(run), gap_picture(run)) if picture]


def flow_picture(run):
    """Return how many rows were read, left out, learned from and scored; None where all that were read are scored."""
    rows, target = dict(run.schema["rows"]), run.schema["target"]
    labelled = sum(rows.pop(part, 0) for part in LABELLED)
    aside = [(f"without a value of {target}", run.schema["without_label"]), *((OTHER_PARTS[part], rows[part]) for part in rows)]
    scored = len(run.held_out(run.leader))
    in_folds = labelled - run.left_out
    learned = "of the first block, not scored" if TIME in run.table else "training rows, not scored"
    steps = [
        ("rows read", labelled + sum(count for _, count in aside), aside),
        ("labelled rows", labelled, [(left_out_reason(run), run.left_out)]),
        ("rows in folds", in_folds, [(learned, in_folds - scored)]),
        ("rows scored", scored, []),
    ]
    steps = [(name, count, [(reason, left) for reason, left in aside if left]) for name, count, aside in steps]
    kept = [step for number, step in enumerate(steps) if number in (0, len(steps) - 1) or step[2]]
    if len(kept) == 2 and not kept[0][2]:
        return None
    text = "From the rows that were read to those that models are scored on, and beside it what becomes of the others."
    return figures.Picture("flow", figures.flow(kept), "Flow of rows", text)


def left_out_reason(run):
    """Return why rows in time are in no block."""
    embargo, reasons = run.config["datasets"][run.dataset].get("embargo"), []
    if embargo:
        reasons.append(f"that lie less than the embargo ({embargo}) before a block")
    if GROUP in run.table:
        reasons.append("of a group with most of its rows in another block")
    return " or ".join(reasons)


def class_picture(run):
    """Return the number of labelled rows of each class, or how the values of the target are distributed."""
    if not run.task.classes:
        labelled = run.table.loc[run.table[PART].isin(LABELLED), LABEL].dropna().to_numpy("float64")
        drawn, target = figures.histogram(labelled, run.schema["target"]), run.schema["target"]
        return figures.Picture("target", drawn, f"Values of {target}", "Labelled rows by their value.")
    counts = run.schema["class_rows"]
    drawn = figures.bars(list(counts), {"rows": list(counts.values())}, label="rows")
    return figures.Picture("classes", drawn, f"Classes of {run.schema['target']}", "Labelled rows of each class.")


def gap_picture(run):
    """Return the share of gaps in columns of labelled and of deploy rows; None without gaps."""
    columns = feature_columns(run.schema)
    gappy = sorted((column for column in columns if column["missing"]), key=lambda column: -column["missing"])
    if not gappy:
        return None
    names = [column["name"] for column in gappy[:MOST_BARS]]
    series = {title: part[names].isna().mean().tolist() for title, part in parts_of(run).items()}
    drawn = figures.bars(names, series, label="share of missing values")
    return figures.Picture("gaps", drawn, "Gaps", f"{len(gappy)} of {len(columns)} columns have gaps.")


def gap_sentence(run):
    """Return the columns whose gaps tell of the label, the one that tells most with its shares; empty for none."""
    classes = run.task.classes
    # Parts of a time have their gaps together.
    names = {column["source"]: column["name"] for column in reversed(feature_columns(run.schema))}
    found = gaps_by_class(run.table, list(names.values()), classes) if classes else {}
    if not found:
        return ""
    sources = {name: source for source, name in names.items()}
    (name, shares), *others = [(sources[name], shares) for name, shares in found.items()]
    most, least = (pick(shares, key=shares.get) for pick in (max, min))
    further = f"; so do those of {listed([other for other, _ in others[:MOST_NAMED]])}" if others else ""
    further += f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
    return (
        f"Gaps of column {name} tell of the label: {percent(shares[most])} of the rows that are {most} have one, and "
        f"{percent(shares[least])} of those that are {least}{further}. Models that use this are misled where values are "
        "missing for other reasons."
    )


def column_lines(run):
    """Return a line for each column: its kind, its share of gaps, and what it holds in labelled and in deploy rows, as text."""
    parts = parts_of(run).values()
    return [
        {
            "name": " ".join(filter(None, (column["source"], column.get("part")))),
            "kind": "not used" if column["kind"] == ASIDE else column["kind"],
            "missing": f"{100 * column['missing']:.1f} %",
            "held": [held(part[column["name"]], column) if column["name"] in part else "" for part in parts],
        }
        for column in run.schema["columns"]
    ]


def parts_of(run):
    """Return the labelled rows, and the deploy rows if there are some, by title."""
    parts = {"labelled rows": run.table[run.table[PART].isin(LABELLED)], "deploy rows": run.table[run.table[PART] == DEPLOY]}
    return {title: part for title, part in parts.items() if len(part)}


def held(values, column):
    """Return what a column holds: the median of numbers and where nine tenths lie, or the most frequent categories."""
    values = values.dropna()
    if not len(values):
        return "nothing"
    if column["kind"] in (NUMERIC, DATETIME):
        write = "{:.0f}".format if column.get("part") == "year" else short
        low, middle, high = map(write, values.quantile([0.05, 0.5, 0.95]))
        return f"{middle} ({low} to {high})"
    if column["kind"] == BOOLEAN:
        return f"{percent(values.mean())} are 1"
    if column["kind"] == CATEGORICAL:
        shares = values.value_counts(normalize=True)
        more = f" and {len(shares) - MOST_CATEGORIES:,} more" if len(shares) > MOST_CATEGORIES else ""
        return ", ".join(f"{name} {percent(share)}" for name, share in shares[:MOST_CATEGORIES].items()) + more
    return ""
