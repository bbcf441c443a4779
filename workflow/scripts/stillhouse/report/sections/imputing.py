"""What gaps leave open: scores of the reference model over several draws of the values that are missing."""

import pandas as pd

from stillhouse.report import figures
from stillhouse.report.text import METRIC_TITLES, number, percent, with_interval


def pictures(run):
    """Return the main metric of each imputation beside the pooled one, if imputations were asked for."""
    if not run.imputations or run.main not in run.imputations["metrics"]:
        return []
    pooled = run.imputations["metrics"][run.main]
    shown = {"pooled": pooled, "rows without a gap alone": run.imputations["by_complete_rows"]}
    single = {f"draw {number}": {"value": value} for number, value in enumerate(pooled["imputations"], 1)}
    estimates = [{"name": name, **found} for name, found in {**shown, **single}.items() if found]
    drawn = figures.ranking(
        pd.DataFrame(estimates).reindex(columns=["name", "value", "low", "high"]).astype({"low": "float64", "high": "float64"}),
        METRIC_TITLES[run.main],
    )
    text = (
        "For each draw, values for gaps were drawn anew and the model made anew. The pooled interval holds what the rows leave "
        "open and what the gaps do (Rubin's rules)."
    )
    return [figures.Picture("imputations", drawn, f"What gaps leave open about {run.title(run.reference)}", text)]


def sentence(run):
    """Return the pooled score, what of it gaps account for, and the score of rows without gaps."""
    if not run.imputations or run.main not in run.imputations["metrics"]:
        return ""
    found, title = run.imputations, METRIC_TITLES[run.main]
    pooled = found["metrics"][run.main]
    if found["complete_rows"] == found["rows"]:
        return "No value was drawn for a gap, as no column of numbers has one; those of categories are categories of their own."
    first = (
        f"With values for gaps in columns of numbers drawn {found['imputations']} times, {run.quoted(run.reference)} has a "
        f"pooled {title} of {with_interval(pooled)}; these gaps account for {percent(pooled['of_gaps'])} of its variance. By "
        f"the mean of its {found['imputations']} predictions of each row, it has "
        f"{number(found['by_mean_predictions']['value'])}."
    )
    complete = found["by_complete_rows"]
    if not complete:
        return first
    return (
        f"{first} On the {found['complete_rows']:,} of {found['rows']:,} rows without such a gap alone, it would have "
        f"{with_interval(complete)}, which says nothing of rows with gaps."
    )
