# Input functions: they turn the answers of `stillhouse.config.inputs` into paths.


def same_splits(path):
    """Return an input function for the files of an earlier step that hold a job's own splits."""
    return lambda wildcards: in_files(path, split_names(wildcards), **wildcards_in(path, wildcards))


def prepared(path):
    """Return an input function for the files of a model's preparation that hold a job's own splits."""
    return lambda wildcards: in_files(
        path, split_names(wildcards), **chain_of(wildcards.dataset, wildcards.model, path)
    )


def shipped(path):
    """Return an input function for the files of a model's preparation that hold split none."""
    return lambda wildcards: in_files(path, [NONE], **chain_of(wildcards.dataset, wildcards.model, path))


def of_shift(path):
    """Return an input function for the files of the preparation that shift is diagnosed by; none without deploy rows."""
    chain = wildcards_in(path, inputs.preparation_wildcards(config["report"]["prepare"]))

    def files(wildcards):
        names = PLAN.shift_splits(wildcards.dataset)
        return in_files(path, names, dataset=wildcards.dataset, **chain) if names else []

    return files


def of_reference(path):
    """Return the path of a file of the reference model."""
    return expand(path, model=PLAN.reference, allow_missing=True)[0]


def of_model(path, dataset, model, names):
    """Return the files of a model that hold these splits."""
    return in_files(path, names, dataset=dataset, model=model)


def tables(wildcards):
    """Return the files of a dataset's tables."""
    return list(map(local, inputs.table_files(PLAN, wildcards.dataset)))


def external_table(wildcards):
    """Return the table of predictions that were made outside the workflow."""
    return local(table_of(PLAN.models[wildcards.model], origin(wildcards.dataset)))


def synthetic_rows(wildcards):
    """Return the file with synthetic rows of a dataset, if there are any."""
    return rules.synthesize.output.synthetic if inputs.uses_synthetic_rows(PLAN, wildcards.dataset) else []


def encoder_files(wildcards):
    """Return the files of networks that the encoders of an imputer use as they are."""
    return list(map(local, inputs.encoder_files(config["imputers"][wildcards.imputer])))


def predictions_of_sources(wildcards, learning=splits):
    """Return the files with the predictions that a student or a stack learns from, by the names of their models."""
    names = inputs.splits_of_sources(learning(wildcards))
    path = f"{MODEL}/predictions.parquet"
    sources = upstream(PLAN.models[wildcards.model])
    return {f"source_{source}": of_model(path, wildcards.dataset, source, names) for source in sources}


def predictions_of_shipped_sources(wildcards):
    """Return the files with the predictions that a shipped student learned from, by the names of their models."""
    return predictions_of_sources(wildcards, lambda wildcards: [PLAN.describe(wildcards.dataset, NONE)])


def warm_start(wildcards):
    """Return the files with the networks that a model is warm-started with; none for most models."""
    source = start(PLAN.models[wildcards.model])
    return of_model(f"{MODEL}/fitted.joblib", wildcards.dataset, source, split_names(wildcards)) if source else []


def hints(wildcards):
    """Return the files with the networks that a student takes hints from, and with their features; none for most models."""
    teacher = hint_teacher(PLAN.models[wildcards.model])
    if not teacher:
        return {}
    dataset, names = wildcards.dataset, inputs.splits_of_sources(splits(wildcards))
    return {
        "hint_fitted": of_model(f"{MODEL}/fitted.joblib", dataset, teacher, names),
        "hint_features": in_files(f"{IMPUTED}/features.parquet", names, **chain_of(dataset, teacher, IMPUTED)),
    }


def pipelines(models, splits_of):
    """Return an input function for the files that `load_pipeline` reads for some models, in some splits."""

    def files(wildcards):
        dataset, names, found = wildcards.dataset, splits_of(wildcards.dataset), {}
        for name, is_stack in inputs.pipeline_parts(PLAN, models(wildcards)).items():
            if is_stack:
                found[f"weights_{name}"] = of_model(f"{MODEL}/weights.json", dataset, name, names)
                continue
            chain = chain_of(dataset, name, IMPUTED)
            found[f"preparations_{name}"] = in_files(f"{IMPUTED}/preparations.joblib", names, **chain)
            found[f"fitted_{name}"] = of_model(f"{MODEL}/fitted.joblib", dataset, name, names)
        return found

    return files


def shown_split(dataset):
    """Return the split that stands for all where only one is shown: the last one that is scored."""
    return PLAN.scored_splits(dataset)[-1]


def stack_weights(wildcards):
    """Return the files with the weights of each stack in the split that is shown."""
    shown, stacks = [shown_split(wildcards.dataset)], inputs.models_made_by(PLAN, "stack")
    return [of_model(f"{MODEL}/weights.json", wildcards.dataset, name, shown)[0] for name in stacks]


def histories(wildcards):
    """Return the files with the histories of all models that learn, in all scored splits."""
    scored = PLAN.scored_splits(wildcards.dataset)
    models = inputs.models_made_by(PLAN, "train", "fit", "distill")
    path = f"{MODEL}/history.parquet"
    return [file for name in models for file in of_model(path, wildcards.dataset, name, scored)]


def ledgers(wildcards):
    """Return the files with the ledgers and stop rows of every preparation, in all scored splits."""
    scored, path = PLAN.scored_splits(wildcards.dataset), rules.resample.output.ledger
    models = inputs.models_made_by(PLAN, "train", "fit", "distill")
    files = [file for name in models for file in in_files(path, scored, **chain_of(wildcards.dataset, name, path))]
    return list(dict.fromkeys(files))


def described(splits_of):
    """Return a function that describes some splits of a dataset, as plain dictionaries for parameters."""
    return lambda wildcards: [asdict(PLAN.describe(wildcards.dataset, name)) for name in splits_of(wildcards.dataset)]


def metrics_of(models, variants):
    """Return an input function for the metrics of some models on some variants of a dataset."""
    return lambda wildcards: expand(rules.evaluate.output.metrics, dataset=variants(wildcards.dataset), model=models)


def shift_report(wildcards):
    """Return the diagnosis of shift of a dataset with deploy rows."""
    return rules.diagnose.output.shift if PLAN.has_deploy(wildcards.dataset) else []


def drift_files(wildcards):
    """Return the `drift.json` of each exported model, if the dataset has later batches."""
    followed = wildcards.dataset in FOLLOWED
    return expand(rules.drift.output.drift, dataset=wildcards.dataset, model=config["export"]) if followed else []


def explanations(wildcards):
    """Return the explanations of the reference model; none where its predictions are read from a table."""
    return [*rules.explain.output] if PLAN.reference in PLAN.whole else []
