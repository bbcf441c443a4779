# Models: networks (train), estimators (fit), students (distill), stacks, and external predictions (read).


rule train:
    input:
        table=rules.load.output.table,
        schema=rules.load.output.schema,
        folds=rules.fold.output.folds,
        synthetic=synthetic_rows,
        features=prepared(rules.impute.output.features),
        sample=prepared(rules.resample.output.sample),
        drawn=prepared(rules.resample.output.drawn),
        ledger=prepared(rules.resample.output.ledger),
        start=warm_start,
    output:
        predictions=f"{MODEL}/predictions.parquet",
        fitted=f"{MODEL}/fitted.joblib",
        history=f"{MODEL}/history.parquet",
    log:
        "logs/{dataset}/{model}/split-{split}.log",
    benchmark:
        "logs/{dataset}/{model}/split-{split}.tsv"
    wildcard_constraints:
        model=made_by("train"),
    conda:
        "../envs/stillhouse.yaml"
    threads: inputs.MOST_CORES
    params:
        code=code_with("train.py", "architectures", lookup(within=PLAN.models, dpath="{model}/train")),
        keeps_all=lambda wildcards: PLAN.is_kept(wildcards.model),
        checkpoints=f"{MODEL}/checkpoints",
        seed=config["seed"],
        seed_name=lambda wildcards: PLAN.seed_name(wildcards.model),
        splits=split_params,
        options=lookup(within=PLAN.models, dpath="{model}/train"),
    script:
        "../scripts/train.py"


rule fit:
    input:
        schema=rules.load.output.schema,
        folds=rules.fold.output.folds,
        synthetic=synthetic_rows,
        features=prepared(rules.impute.output.features),
        sample=prepared(rules.resample.output.sample),
        drawn=prepared(rules.resample.output.drawn),
        ledger=prepared(rules.resample.output.ledger),
    output:
        predictions=f"{MODEL}/predictions.parquet",
        fitted=f"{MODEL}/fitted.joblib",
        history=f"{MODEL}/history.parquet",
    log:
        "logs/{dataset}/{model}/split-{split}.log",
    benchmark:
        "logs/{dataset}/{model}/split-{split}.tsv"
    wildcard_constraints:
        model=made_by("fit"),
    conda:
        "../envs/stillhouse.yaml"
    threads: lambda wildcards: inputs.cores(PLAN, SETTINGS["$defs"]["methods"], wildcards.model)
    params:
        code=code_with("fit.py", "estimators", lookup(within=PLAN.models, dpath="{model}/fit")),
        seed=config["seed"],
        seed_name=lambda wildcards: PLAN.seed_name(wildcards.model),
        splits=split_params,
        options=lookup(within=PLAN.models, dpath="{model}/fit"),
    script:
        "../scripts/fit.py"


rule distill:
    input:
        unpack(predictions_of_sources),
        unpack(hints),
        table=rules.load.output.table,
        schema=rules.load.output.schema,
        folds=rules.fold.output.folds,
        synthetic=synthetic_rows,
        features=prepared(rules.impute.output.features),
        sample=prepared(rules.resample.output.sample),
        drawn=prepared(rules.resample.output.drawn),
        ledger=prepared(rules.resample.output.ledger),
        start=warm_start,
    output:
        predictions=f"{MODEL}/predictions.parquet",
        fitted=f"{MODEL}/fitted.joblib",
        history=f"{MODEL}/history.parquet",
    log:
        "logs/{dataset}/{model}/split-{split}.log",
    benchmark:
        "logs/{dataset}/{model}/split-{split}.tsv"
    wildcard_constraints:
        model=made_by("distill"),
    conda:
        "../envs/stillhouse.yaml"
    threads: inputs.MOST_CORES
    params:
        code=lambda wildcards: code("distill.py", inputs.student_file(PLAN, wildcards.model)),
        keeps_all=lambda wildcards: PLAN.is_kept(wildcards.model),
        checkpoints=f"{MODEL}/checkpoints",
        seed=config["seed"],
        seed_name=lambda wildcards: PLAN.seed_name(wildcards.model),
        splits=split_params,
        options=lookup(within=PLAN.models, dpath="{model}/distill"),
    script:
        "../scripts/distill.py"


rule stack:
    input:
        unpack(predictions_of_sources),
        table=rules.load.output.table,
        schema=rules.load.output.schema,
        folds=rules.fold.output.folds,
        synthetic=synthetic_rows,
    output:
        predictions=f"{MODEL}/predictions.parquet",
        weights=f"{MODEL}/weights.json",
    log:
        "logs/{dataset}/{model}/split-{split}.log",
    benchmark:
        "logs/{dataset}/{model}/split-{split}.tsv"
    wildcard_constraints:
        model=made_by("stack"),
    conda:
        "../envs/stillhouse.yaml"
    params:
        code=code_with("stack.py", "stackers", lookup(within=PLAN.models, dpath="{model}/stack")),
        splits=split_params,
        options=lookup(within=PLAN.models, dpath="{model}/stack"),
    script:
        "../scripts/stack.py"


rule read:
    input:
        table=external_table,
        schema=rules.load.output.schema,
        folds=rules.fold.output.folds,
    output:
        predictions=f"{MODEL}/predictions.parquet",
    log:
        "logs/{dataset}/{model}/split-{split}.log",
    benchmark:
        "logs/{dataset}/{model}/split-{split}.tsv"
    wildcard_constraints:
        model=made_by("read"),
    conda:
        "../envs/stillhouse.yaml"
    params:
        code=code_with("read.py", "readers", lookup(within=PLAN.models, dpath="{model}/read")),
        splits=split_params,
        options=lookup(within=PLAN.models, dpath="{model}/read"),
    script:
        "../scripts/read.py"
