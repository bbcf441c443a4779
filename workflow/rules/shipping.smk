# What leaves the house: one file that predicts from raw columns, and the card that says what it is.


rule export:
    input:
        table=rules.load.output.table,
        schema=rules.load.output.schema,
        preparations=shipped(rules.impute.output.preparations),
        fitted=lambda wildcards: in_files(rules.train.output.fitted, [NONE], **wildcards),
        metrics=rules.evaluate.output.metrics,
        code=code("export.py", "preparation.py", "training.py"),
    output:
        model="results/{dataset}/deploy/{model}.onnx",
        card="results/{dataset}/deploy/{model}.card.md",
    log:
        "logs/{dataset}/{model}/export.log",
    benchmark:
        "logs/{dataset}/{model}/export.tsv"
    wildcard_constraints:
        model=one_of(config["export"]),
    params:
        model=lambda wildcards: PLAN.models[wildcards.model],
    script:
        "../scripts/export.py"
