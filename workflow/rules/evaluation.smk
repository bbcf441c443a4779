# Scores of rows that no model has seen, shift, footprints, explanations, and the comparison of models.


rule evaluate:
    input:
        table=rules.load.output.table,
        schema=rules.load.output.schema,
        folds=rules.fold.output.folds,
        split_predictions=lambda wildcards: of_model(
            f"{MODEL}/predictions.parquet", names=PLAN.evaluated_splits(wildcards.dataset), **wildcards
        ),
        weights=of_shift(rules.weigh.output.weights),
        facts=of_shift(rules.weigh.output.facts),
    output:
        predictions=f"{EVALUATED}/predictions.parquet",
        corrected=f"{EVALUATED}/corrected.parquet",
        conformal=f"{EVALUATED}/conformal.parquet",
        metrics=f"{EVALUATED}/metrics.json",
    log:
        "logs/{dataset}/{model}/evaluate.log",
    benchmark:
        "logs/{dataset}/{model}/evaluate.tsv"
    conda:
        "../envs/stillhouse.yaml"
    params:
        code=code("evaluate.py"),
        seed=config["seed"],
        splits=described(PLAN.evaluated_splits),
        sets_by=lambda wildcards: PLAN.datasets[wildcards.dataset].get("sets_by"),
        settings=METRIC_SETTINGS | SET_SETTINGS,
    script:
        "../scripts/evaluate.py"


rule diagnose:
    input:
        table=rules.load.output.table,
        schema=rules.load.output.schema,
        features=of_shift(rules.impute.output.features),
        weights=of_shift(rules.weigh.output.weights),
        facts=of_shift(rules.weigh.output.facts),
        predictions=of_reference(rules.evaluate.output.predictions),
    output:
        shift="results/{dataset}/shift.json",
    log:
        "logs/{dataset}/diagnose.log",
    benchmark:
        "logs/{dataset}/diagnose.tsv"
    conda:
        "../envs/stillhouse.yaml"
    params:
        code=code("diagnose.py"),
        seed=config["seed"],
        reference=PLAN.reference,
        settings=report_settings("draws", "level", "shift_rows"),
    script:
        "../scripts/diagnose.py"


rule measure:
    input:
        unpack(pipelines(lambda wildcards: PLAN.whole, lambda dataset: [shown_split(dataset)])),
        table=rules.load.output.table,
        schema=rules.load.output.schema,
    output:
        footprints="results/{dataset}/footprints.json",
    log:
        "logs/{dataset}/measure.log",
    benchmark:
        "logs/{dataset}/measure.tsv"
    conda:
        "../envs/stillhouse.yaml"
    params:
        code=code("measure.py", "preparation/features.py", "networks/training.py"),
        models=PLAN.whole,
        with_graph=[name for name in PLAN.whole if can_be_exported(config, SETTINGS, PLAN.models, name)],
        all_models=PLAN.models,
        split=lambda wildcards: shown_split(wildcards.dataset),
    script:
        "../scripts/measure.py"


rule explain:
    input:
        unpack(pipelines(lambda wildcards: [PLAN.reference], PLAN.scored_splits)),
        table=rules.load.output.table,
        schema=rules.load.output.schema,
        folds=rules.fold.output.folds,
        predictions=of_reference(rules.evaluate.output.predictions),
    output:
        importance="results/{dataset}/importance.csv",
        surrogate="results/{dataset}/surrogate.json",
        dependence="results/{dataset}/dependence.csv",
        contributions="results/{dataset}/contributions.csv",
        maps="results/{dataset}/occlusions.csv",
    log:
        "logs/{dataset}/explain.log",
    benchmark:
        "logs/{dataset}/explain.tsv"
    conda:
        "../envs/stillhouse.yaml"
    params:
        code=code("explain.py", "networks/training.py"),
        seed=config["seed"],
        model=PLAN.reference,
        all_models=PLAN.models,
        splits=described(PLAN.scored_splits),
        settings=METRIC_SETTINGS,
        explain_rows=config["report"]["explain_rows"],
        pictures=config["report"]["pictures"],
    script:
        "../scripts/explain.py"


rule slice:
    input:
        table=rules.load.output.table,
        schema=rules.load.output.schema,
        folds=rules.fold.output.folds,
        predictions=of_reference(rules.evaluate.output.predictions),
        conformal=of_reference(rules.evaluate.output.conformal),
    output:
        slices=shown("results/{dataset}/slices.csv", "slices", "Parts of the rows", "slices"),
        groups=shown("results/{dataset}/groups.csv", "groups", "Parts of the rows", "errors by group"),
    log:
        "logs/{dataset}/slice.log",
    benchmark:
        "logs/{dataset}/slice.tsv"
    conda:
        "../envs/stillhouse.yaml"
    params:
        code=code("slice.py"),
        seed=config["seed"],
        columns=lambda wildcards: PLAN.datasets[wildcards.dataset]["slices"],
        settings=METRIC_SETTINGS | report_settings("slice_rows", "coverage"),
    script:
        "../scripts/slice.py"


rule pool:
    input:
        table=rules.load.output.table,
        schema=rules.load.output.schema,
        folds=rules.fold.output.folds,
        predictions=lambda wildcards: expand(
            rules.evaluate.output.predictions,
            dataset=[wildcards.dataset, *imputations_of(wildcards.dataset, config["report"])],
            model=PLAN.reference,
        ),
    output:
        imputations="results/{dataset}/imputations.json",
        predictions="results/{dataset}/imputations.parquet",
    log:
        "logs/{dataset}/pool.log",
    benchmark:
        "logs/{dataset}/pool.tsv"
    wildcard_constraints:
        dataset=one_of(name for name in config["datasets"] if imputations_of(name, config["report"])),
    conda:
        "../envs/stillhouse.yaml"
    params:
        code=code("pool.py"),
        seed=config["seed"],
        settings=METRIC_SETTINGS,
    script:
        "../scripts/pool.py"


rule compare:
    input:
        table=rules.load.output.table,
        schema=rules.load.output.schema,
        folds=rules.fold.output.folds,
        predictions=expand(rules.evaluate.output.predictions, model=PLAN.models, allow_missing=True),
        metrics=expand(rules.evaluate.output.metrics, model=PLAN.models, allow_missing=True),
        repeats=metrics_of(PLAN.models, lambda dataset: repeats_of(dataset, config["folds"])),
    output:
        comparison=shown("results/{dataset}/comparison.csv", "comparison", "Models", "comparison"),
        pairs="results/{dataset}/pairs.csv",
        students=shown("results/{dataset}/students.csv", "students", "Models", "students"),
        constant="results/{dataset}/constant.json",
    log:
        "logs/{dataset}/compare.log",
    benchmark:
        "logs/{dataset}/compare.tsv"
    conda:
        "../envs/stillhouse.yaml"
    params:
        code=code("compare.py"),
        seed=config["seed"],
        models=list(PLAN.models),
        plain=PLAN.plain,
        students=PLAN.students,
        splits=described(PLAN.scored_splits),
        settings=METRIC_SETTINGS | report_settings("margin"),
    script:
        "../scripts/compare.py"
