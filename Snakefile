# Stillhouse: from a messy table to a small, shipped, honestly evaluated model.
# `snakemake --cores all` makes everything that the configuration asks for; any file under results/ is a target.

if "datasets" not in config:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/intake.smk"
include: "workflow/rules/preparation.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/drift.smk"
include: "workflow/rules/shipping.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        expand(rules.report.output.page, dataset=config["datasets"]),
        expand(rules.export.output.model, dataset=config["datasets"], model=config["export"]),
