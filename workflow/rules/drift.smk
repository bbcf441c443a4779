# Later batches: predictions and monitoring of exported models.

FOLLOWED = [name for name, dataset in config["datasets"].items() if "batches" in dataset]


rule update:
    input:
        unpack(predictions_of_shipped_sources),
        table=rules.load.output.table,
        schema=rules.load.output.schema,
        folds=rules.fold.output.folds,
        features=shipped(rules.impute.output.features),
        fitted=lambda wildcards: of_model(rules.train.output.fitted, names=[NONE], **wildcards),
    output:
        updates=f"{EVALUATED}/updates.parquet",
    log:
        "logs/{dataset}/{model}/update.log",
    benchmark:
        "logs/{dataset}/{model}/update.tsv"
    wildcard_constraints:
        dataset=one_of(FOLLOWED),
        model=one_of(config["export"]),
    conda:
        "../envs/stillhouse.yaml"
    params:
        code=lambda wildcards: code("update.py", *inputs.files_of_shipped_steps(PLAN, **wildcards)),
        seed=config["seed"],
        options=lambda wildcards: inputs.shipped_steps(PLAN, **wildcards),
    script:
        "../scripts/update.py"


rule drift:
    input:
        table=rules.load.output.table,
        schema=rules.load.output.schema,
        folds=rules.fold.output.folds,
        predictions=rules.evaluate.output.predictions,
        updates=rules.update.output.updates,
    output:
        drift=f"{EVALUATED}/drift.json",
    log:
        "logs/{dataset}/{model}/drift.log",
    benchmark:
        "logs/{dataset}/{model}/drift.tsv"
    wildcard_constraints:
        dataset=one_of(FOLLOWED),
        model=one_of(config["export"]),
    conda:
        "../envs/stillhouse.yaml"
    params:
        code=code("drift.py"),
        seed=config["seed"],
        settings=METRIC_SETTINGS,
    script:
        "../scripts/drift.py"
