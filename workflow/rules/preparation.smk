# Preparation: impute, weigh, resample. The path of a file names the steps that made it. Synthetic rows are drawn before.


rule synthesize:
    input:
        table=rules.load.output.table,
        schema=rules.load.output.schema,
        folds=rules.fold.output.folds,
    output:
        synthetic="results/{dataset}/synthetic.parquet",
    log:
        "logs/{dataset}/synthesize.log",
    benchmark:
        "logs/{dataset}/synthesize.tsv"
    wildcard_constraints:
        dataset=one_of(name for name, dataset in PLAN.datasets.items() if "synthetic" in dataset),
    conda:
        "../envs/stillhouse.yaml"
    params:
        code=code_with("synthesize.py", "synthesizers", synthetic_options),
        seed=config["seed"],
        options=synthetic_options,
    script:
        "../scripts/synthesize.py"


rule impute:
    input:
        table=rules.load.output.table,
        schema=rules.load.output.schema,
        folds=rules.fold.output.folds,
        synthetic=synthetic_rows,
        networks=encoder_files,
    output:
        features=intermediate(f"{IMPUTED}/features.parquet"),
        preparations=f"{IMPUTED}/preparations.joblib",
    log:
        "logs/{dataset}/impute-{imputer}/split-{split}.log",
    benchmark:
        "logs/{dataset}/impute-{imputer}/split-{split}.tsv"
    conda:
        "../envs/stillhouse.yaml"
    params:
        code=code_with("impute.py", "imputers", lookup(within=config["imputers"], dpath="{imputer}")),
        seed=config["seed"],
        splits=split_params,
        options=lookup(within=config["imputers"], dpath="{imputer}"),
    script:
        "../scripts/impute.py"


rule weigh:
    input:
        features=same_splits(rules.impute.output.features),
        folds=rules.fold.output.folds,
    output:
        weights=intermediate(f"{WEIGHED}/weights.parquet"),
        facts=f"{WEIGHED}/weights.json",
    log:
        "logs/{dataset}/impute-{imputer}/weigh-{weigher}/split-{split}.log",
    benchmark:
        "logs/{dataset}/impute-{imputer}/weigh-{weigher}/split-{split}.tsv"
    conda:
        "../envs/stillhouse.yaml"
    params:
        code=code_with("weigh.py", "weighers", lookup(within=config["weighers"], dpath="{weigher}")),
        seed=config["seed"],
        splits=split_params,
        options=lookup(within=config["weighers"], dpath="{weigher}"),
    script:
        "../scripts/weigh.py"


rule resample:
    input:
        table=rules.load.output.table,
        schema=rules.load.output.schema,
        folds=rules.fold.output.folds,
        features=same_splits(rules.impute.output.features),
        weights=same_splits(rules.weigh.output.weights),
    output:
        sample=intermediate(f"{RESAMPLED}/sample.parquet"),
        drawn=intermediate(f"{RESAMPLED}/drawn.parquet"),
        ledger=f"{RESAMPLED}/ledger.json",
    log:
        "logs/{dataset}/impute-{imputer}/weigh-{weigher}/resample-{resampler}/split-{split}.log",
    benchmark:
        "logs/{dataset}/impute-{imputer}/weigh-{weigher}/resample-{resampler}/split-{split}.tsv"
    conda:
        "../envs/stillhouse.yaml"
    params:
        code=code_with("resample.py", "resamplers", lookup(within=config["resamplers"], dpath="{resampler}")),
        seed=config["seed"],
        splits=split_params,
        stop=config["folds"]["stop"],
        options=lookup(within=config["resamplers"], dpath="{resampler}"),
    script:
        "../scripts/resample.py"
