"""The model card: what a shipped model is for, how good it is, and where not to trust it (Mitchell et al. 2019)."""

from stillhouse.intake.kinds import feature_columns
from stillhouse.report.words import METRIC_WORDS, how_made, with_interval

POPULATIONS = {
    "held_out": "Rows that the model did not see",
    "deploy_weighted": "The same rows, weighted for where the model will be used",
    "deploy": "Labelled rows from where the model will be used",
    "deploy_corrected": "The same, probabilities corrected for the class mixture estimated there",
}


def card(facts, schema, options, metrics, ledger, costs, difference):
    """Return the card as Markdown."""
    return "\n".join(
        [
            f"# {facts['model']} for {facts['dataset']}",
            "",
            f"Predicts `{schema['target']}` ({schema['task']}) from {len(feature_columns(schema))} columns:",
            f"{how_made(options, schema['task'])}.",
            "",
            "## Data",
            "",
            *data_lines(schema, ledger),
            "",
            "## Scores",
            "",
            *score_lines(metrics),
            *decision_lines(facts),
            "The scores are those of models that were made alike on part of the rows; the shipped one learned from all",
            "labelled rows, so nothing is left to score it on.",
            "",
            "## Limits",
            "",
            *limit_lines(schema, metrics),
            "",
            "## File",
            "",
            f"- {costs['bytes']:,} bytes of ONNX with raw columns as inputs; gaps and unseen categories are allowed.",
            f"- {costs['parameters']:,} numbers learned. One row takes {costs['milliseconds']['median']:.2f} ms on one core",
            f"  (99 of 100 less than {costs['milliseconds']['p99']:.2f} ms), preparation inside, on the machine of the export.",
            f"- Agrees with the workflow to {difference:.1e} on every row it was made from.",
            f"- Stillhouse {facts['stillhouse']}, run `{facts['run']}`.",
            "",
        ]
    )


def data_lines(schema, ledger):
    """Return what the model learned from."""
    rows = ", ".join(f"{count:,} {part}" for part, count in schema["rows"].items())
    lines = [f"- Rows: {rows}."]
    if schema["classes"]:
        shares = ", ".join(
            f"{name} {100 * share:.1f} %" for name, share in zip(schema["classes"], ledger["before"], strict=True)
        )
        lines.append(f"- Classes, as weighed in training: {shares}; probabilities are stated on this mixture.")
    return [*lines, *(f"- {note}." for note in schema["notes"])]


def score_lines(metrics):
    """Return a table of scores with intervals for each population."""
    lines = []
    for population, assessed in sorted(metrics.items(), key=lambda item: list(POPULATIONS).index(item[0])):
        lines += [f"{POPULATIONS[population]} ({assessed['rows']:,}):", "", "| metric | value (interval) |", "|---|---|"]
        lines += [f"| {METRIC_WORDS[name]} | {with_interval(found)} |" for name, found in assessed["metrics"].items()]
        lines.append("")
    return lines


def decision_lines(facts):
    """Return what the tuned threshold is, of two classes."""
    if len(facts["factors"] or []) != 2:
        return []
    first, second = facts["factors"]
    share = first / (first + second)
    said = f"`decision` says {facts['classes'][1]} from a probability of {share:.3f} on, tuned for balanced accuracy."
    return [said, ""]


def limit_lines(schema, metrics):
    """Return where the model is not to be trusted."""
    lines = ["- Rows unlike those it was made from: its scores say nothing about them."]
    if "deploy" not in schema["rows"]:
        lines.append("- No rows from where it will be used were given, so a shift could not be looked for.")
    elif "deploy_weighted" not in metrics:
        lines.append(
            "- Scores are not weighted for the rows from where it will be used: weights were refused, or not asked for."
        )
    gappy = [column["name"] for column in feature_columns(schema) if column["missing"] > 0.5]
    if gappy:
        lines.append(f"- Columns with more gaps than values: {', '.join(gappy)}.")
    return lines
