"""The data: classes, and columns with gaps."""

from stillhouse.columns import DEPLOY, LABELLED, PART
from stillhouse.evaluation.gaps import gaps_by_class
from stillhouse.intake.kinds import feature_columns
from stillhouse.report import figures
from stillhouse.report.text import listed, percent

MOST_BARS, MOST_NAMED = 15, 4


def pictures(run):
    """Return the number of rows of each class, and the share of gaps of each column that has any."""
    return [picture for picture in (class_picture(run), gap_picture(run)) if picture]


def class_picture(run):
    """Return the number of labelled rows of each class; None for a regression."""
    if not run.task.classes:
        return None
    counts = run.schema["class_rows"]
    drawn = figures.bars(list(counts), {"rows": list(counts.values())}, label="rows")
    return figures.Picture("classes", drawn, f"Classes of {run.schema['target']}", "Labelled rows of each class.")


def gap_picture(run):
    """Return the share of gaps in columns of labelled and of deploy rows; None without gaps."""
    columns, table = feature_columns(run.schema), run.table
    gappy = sorted((column for column in columns if column["missing"]), key=lambda column: -column["missing"])
    if not gappy:
        return None
    names = [column["name"] for column in gappy[:MOST_BARS]]
    parts = {"labelled rows": table[table[PART].isin(LABELLED)], "deploy rows": table[table[PART] == DEPLOY]}
    series = {title: part[names].isna().mean().tolist() for title, part in parts.items() if len(part)}
    drawn = figures.bars(names, series, label="share of missing values")
    return figures.Picture("gaps", drawn, "Gaps", f"{len(gappy)} of {len(columns)} columns have gaps.")


def gap_sentence(run):
    """Return the columns whose gaps tell of the label, the one that tells most with its shares; empty for none."""
    classes = run.task.classes
    found = gaps_by_class(run.table, [column["name"] for column in feature_columns(run.schema)], classes) if classes else {}
    if not found:
        return ""
    (name, shares), *others = found.items()
    most, least = (pick(shares, key=shares.get) for pick in (max, min))
    further = f"; so do those of {listed([other for other, _ in others[:MOST_NAMED]])}" if others else ""
    further += f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
    return (
        f"Gaps of column {name} tell of the label: {percent(shares[most])} of the rows that are {most} have one, and "
        f"{percent(shares[least])} of those that are {least}{further}. Where gaps will come about otherwise, this misleads."
    )
