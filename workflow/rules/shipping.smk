# What leaves the house: one file that predicts from raw columns, the card that says what it is, and what it costs.


rule export:
    input:
        unpack(exported_parts),
        table=rules.load.output.table,
        schema=rules.load.output.schema,
        metrics=rules.evaluate.output.metrics,
    output:
        model="results/{dataset}/deploy/{model}.onnx",
        card="results/{dataset}/deploy/{model}.card.md",
        cost="results/{dataset}/deploy/{model}.cost.json",
    log:
        "logs/{dataset}/{model}/export.log",
    benchmark:
        "logs/{dataset}/{model}/export.tsv"
    wildcard_constraints:
        model=one_of(config["export"]),
    params:
        code=code("export.py", "preparation/features.py", "networks/training.py"),
        recipe=recipe,
    script:
        "../scripts/export.py"
