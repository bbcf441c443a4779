# From raw tables to one typed table whose rows have folds.


rule load:
    input:
        files=tables,
    output:
        table=TABLE,
        schema=SCHEMA,
    log:
        "logs/{dataset}/load.log",
    benchmark:
        "logs/{dataset}/load.tsv"
    conda:
        "../envs/stillhouse.yaml"
    params:
        code=code("load.py"),
        seed=config["seed"],
        shuffled=lambda wildcards: is_control(wildcards.dataset),
        dataset=lambda wildcards: inputs.dataset_options(PLAN, wildcards.dataset),
    script:
        "../scripts/load.py"


rule fold:
    input:
        table=rules.load.output.table,
        schema=rules.load.output.schema,
    output:
        folds=FOLDS,
    log:
        "logs/{dataset}/fold.log",
    benchmark:
        "logs/{dataset}/fold.tsv"
    conda:
        "../envs/stillhouse.yaml"
    params:
        code=code("fold.py"),
        seed=config["seed"],
        k=config["folds"]["k"],
        duplicates=lambda wildcards: PLAN.datasets[wildcards.dataset]["duplicates"],
        embargo=lambda wildcards: embargo_of(PLAN.datasets[wildcards.dataset]),
    script:
        "../scripts/fold.py"
