"""The model card: what a shipped model is for, how good it is, and where not to trust it (Mitchell et al. 2019)."""

from stillhouse.columns import LABELLED
from stillhouse.intake.kinds import feature_columns
from stillhouse.report.text import METRIC_TITLES, how_made, listed, percent, with_interval

POPULATIONS = {
    "held_out": "Rows that no model had seen",
    "deploy_weighted": "The same rows, weighted to resemble the deploy rows",
    "deploy": "Labelled deploy rows: rows like those that the model will predict in use",
    "deploy_corrected": "The same, with probabilities corrected for the class prior that is estimated there",
}


def card(facts, schema, options, metrics, learned, file):
    """Return the card as Markdown.

    ``learned`` has the number of rows that the model learned from, and their weighted shares of classes as ``shares``;
    ``file`` has the footprint of the file, and its largest difference from the workflow.
    """
    milliseconds = file["milliseconds"]
    return "\n".join(
        [
            f"# {facts['model']} for {facts['dataset']}",
            "",
            f"Predicts `{schema['target']}` ({schema['task']}) from {len(feature_columns(schema))} columns:",
            f"{how_made(options, schema['task'])}.",
            "",
            "## Data",
            "",
            *data_lines(schema, learned),
            "",
            "## Scores",
            "",
            *score_lines(metrics),
            *decision_lines(facts),
            *set_lines(metrics),
            *whose_lines(facts, metrics),
            "",
            "## Limits",
            "",
            *limit_lines(schema, metrics),
            "",
            "## File",
            "",
            f"- {file['bytes']:,} bytes of ONNX with raw columns as inputs; gaps and unseen categories are allowed.",
            f"- {file['parameters']:,} parameters. One row takes {milliseconds['median']:.2f} ms on one core (99th",
            f"  percentile {milliseconds['p99']:.2f} ms), preparation included, on the machine of the export.",
            f"- Agrees with the workflow to {file['difference']:.1e} on every row that it was made from.",
            f"- Stillhouse {facts['stillhouse']}, run `{facts['run']}`.",
            "",
        ]
    )


def data_lines(schema, learned):
    """Return the lines on the data that the model learned from."""
    labelled = sum(schema["rows"].get(part, 0) for part in LABELLED)
    of_all = "all" if learned["rows"] == labelled else f"{learned['rows']:,} of"
    others = [f"{count:,} {part}" for part, count in schema["rows"].items() if part not in LABELLED]
    beside = f"; beside them there are {listed(others)} rows" if others else ""
    lines = [f"- The shipped model learned from {of_all} {labelled:,} labelled rows{beside}."]
    if schema["classes"]:
        # Files have their keys in the order of the alphabet.
        counts = [schema["class_rows"][name] for name in schema["classes"]]
        shares = shares_of([count / max(1, sum(counts)) for count in counts], schema["classes"])
        weighed = shares_of(learned["shares"], schema["classes"])
        lines.append(f"- Of the labelled rows, {shares}.")
        if weighed != shares:
            lines.append(
                f"- Those that it learned from, weighted as it did, are {weighed}: its probabilities are for such shares."
            )
    return [*lines, *(f"- {note}." for note in schema["notes"])]


def shares_of(shares, names):
    """Return shares of classes as text."""
    return listed([f"{100 * share:.1f} % {name}" for share, name in zip(shares, names, strict=True)])


def whose_lines(facts, metrics):
    """Return the lines on which models the scores are of."""
    threshold = ", each with a threshold of its own" if len(facts["factors"] or []) == 2 else ""
    lines = [
        "Scores of rows that no model had seen are of models made in the same way on part of the rows"
        f"{threshold}; the shipped model learned from these rows too.",
    ]
    return [*lines, "Scores of deploy rows are of the shipped model itself."] if "deploy" in metrics else lines


def score_lines(metrics):
    """Return a table of scores with intervals for each population."""
    lines = []
    for population, assessed in sorted(metrics.items(), key=lambda item: list(POPULATIONS).index(item[0])):
        lines += [f"{POPULATIONS[population]} ({assessed['rows']:,}):", "", "| metric | value (interval) |", "|---|---|"]
        lines += [f"| {METRIC_TITLES[name]} | {with_interval(found)} |" for name, found in assessed["metrics"].items()]
        lines.append("")
    return lines


def decision_lines(facts):
    """Return the line on the tuned threshold of two classes; none for other tasks."""
    if len(facts["factors"] or []) != 2:
        return []
    first, second = facts["factors"]
    share = first / (first + second)
    threshold = (
        f"`decision` is {facts['classes'][1]} from a probability of {share:.3f} on: the threshold tuned on rows not fitted on."
    )
    return [threshold, ""]


def set_lines(metrics):
    """Return the line on the conformal sets that the file carries; none without."""
    covered, sets = metrics["held_out"].get("conformal"), metrics["held_out"].get("sets")
    if not covered or not sets:
        return []
    kind = "the classes that a row may have" if metrics["held_out"].get("decisions") else "what a row may be"
    what = f"{kind}, meant to hold for {percent(sets['settings']['coverage'])} of rows (conformal sets)"
    deploy = (metrics.get("deploy") or {}).get("conformal")
    used = f", and of {percent(deploy['value'])} of labelled deploy rows" if deploy else ""
    by = f" Each value of {sets['by']['source']} has limits of its own." if sets["by"] else ""
    return [
        f"`predict.py --sets` adds {what}: they contain the label of {percent(covered['value'])} of held-out rows{used}.{by}",
        "",
    ]


def limit_lines(schema, metrics):
    """Return the lines on where the model should not be trusted."""
    lines = ["- Its scores say nothing about rows unlike those that it was made from."]
    if "deploy" not in schema["rows"]:
        lines.append("- No deploy rows were given, so a shift could not be detected.")
    elif "deploy_weighted" not in metrics:
        lines.append("- Scores are not weighted for deploy rows, as weights were refused or not asked for.")
    gappy = [column["name"] for column in feature_columns(schema) if column["missing"] > 0.5]
    if gappy:
        lines.append(f"- These columns have more gaps than values: {', '.join(gappy)}.")
    return lines
