# What is shipped: one file that predicts from raw columns, its model card, and its footprint.


rule export:
    input:
        unpack(pipelines(lambda wildcards: [wildcards.model], lambda dataset: [NONE])),
        table=rules.load.output.table,
        schema=rules.load.output.schema,
        folds=rules.fold.output.folds,
        metrics=rules.evaluate.output.metrics,
    output:
        model="results/{dataset}/deploy/{model}.onnx",
        card="results/{dataset}/deploy/{model}.card.md",
        footprint="results/{dataset}/deploy/{model}.footprint.json",
    log:
        "logs/{dataset}/{model}/export.log",
    benchmark:
        "logs/{dataset}/{model}/export.tsv"
    wildcard_constraints:
        model=one_of(config["export"]),
    conda:
        "../envs/stillhouse.yaml"
    params:
        code=code("export.py", "preparation/features.py", "networks/training.py"),
        recipe=lambda wildcards: inputs.recipe(PLAN, **wildcards),
    script:
        "../scripts/export.py"
