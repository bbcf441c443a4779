# The report: one page for readers, and its pictures as files.


rule report:
    input:
        table=rules.load.output.table,
        schema=rules.load.output.schema,
        folds=rules.fold.output.folds,
        comparison=rules.compare.output.comparison,
        students=rules.compare.output.students,
        constant=rules.compare.output.constant,
        predictions=rules.compare.input.predictions,
        metrics=rules.compare.input.metrics,
        histories=histories,
        stacks=stack_weights,
        ledgers=ledgers,
        shift=shift_report,
        drift=drift_files,
        pairs=rules.compare.output.pairs,
        control=metrics_of(PLAN.controlled, control_of),
        shares=metrics_of([PLAN.reference], lambda dataset: shares_of(dataset, config["report"])),
        imputations=lambda wildcards: (
            rules.pool.output.imputations if imputations_of(wildcards.dataset, config["report"]) else []
        ),
        footprints=rules.measure.output.footprints,
        slices=rules.slice.output.slices,
        groups=rules.slice.output.groups,
        explanations=explanations,
        shipped=lambda wildcards: expand(
            rules.export.output.footprint, dataset=wildcards.dataset, model=config["export"]
        ),
        weights=of_shift(rules.weigh.output.weights),
        template=local(os.path.relpath(WORKFLOW / "scripts" / "stillhouse" / "report" / "page.html.j2")),
    output:
        page=shown("results/{dataset}/report.html", "page", "Reports", "report"),
        figures=directory("results/{dataset}/figures"),
        checklist=shown("results/{dataset}/tripod.md", "checklist", "Reports", "TRIPOD+AI checklist"),
    log:
        "logs/{dataset}/report.log",
    benchmark:
        "logs/{dataset}/report.tsv"
    conda:
        "../envs/stillhouse.yaml"
    params:
        code=code("report.py"),
        config=presentable(config),
        models=PLAN.models,
        titles=PLAN.titles,
        plain=PLAN.plain,
        exported=config["export"],
        controlled=PLAN.controlled,
        reference=PLAN.reference,
        logs="logs/{dataset}",
        shown_split=lambda wildcards: shown_split(wildcards.dataset),
        scored_splits=lambda wildcards: PLAN.scored_splits(wildcards.dataset),
    script:
        "../scripts/report.py"
