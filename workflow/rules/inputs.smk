# Inputs of rules that depend on the plan: which files of which splits a job reads.


def prepared(path):
    """Return an input function for the files of a model's preparation that hold the job's splits."""
    return lambda wildcards: in_files(
        path, [split["name"] for split in splits(wildcards)], **chain_of(wildcards.dataset, wildcards.model, path)
    )


def predictions_of(source, dataset, learning):
    """Return the files with a model's predictions that splits of another learn from: unseen ones, and those of new rows."""
    return in_files(f"{MODEL}/predictions.parquet", learned_from(learning), dataset=dataset, model=source)


def learned_from(learning):
    """Return the names of splits and of those that did not see their training rows."""
    return list(dict.fromkeys(name for split in learning for name in [split["name"], *split["unseen"].values()]))


def sources(wildcards, learning=None):
    """Return the files with the predictions of each model that a student or a stack learns from, under its name.

    They are those that the splits in ``learning`` learn from, by default the job's own.
    """
    learning = learning or splits(wildcards)
    names = upstream(PLAN.models[wildcards.model])
    return {f"source_{name}": predictions_of(name, wildcards.dataset, learning) for name in names}


def student_method(wildcards):
    """Return the method file of a student, whichever kind it is of."""
    model = PLAN.models[wildcards.model]
    return method_file(method_folder(model), model["distill"]["method"])


def hints(wildcards):
    """Return the files with the networks that a student takes hints from, and with their features; none for most."""
    teacher = hint_teacher(PLAN.models[wildcards.model])
    if not teacher:
        return {}
    dataset, names = wildcards.dataset, learned_from(splits(wildcards))
    return {
        "hint_fitted": in_files(f"{MODEL}/fitted.joblib", names, dataset=dataset, model=teacher),
        "hint_features": in_files(f"{IMPUTED}/features.parquet", names, **chain_of(dataset, teacher, IMPUTED)),
    }


def synthesizer(wildcards):
    """Return how the synthetic rows of a dataset are drawn."""
    return PLAN.datasets[wildcards.dataset]["synthetic"]


def synthetic_rows(wildcards):
    """Return the file with synthetic rows of a dataset that has them, where some student learns from them."""
    is_asked = "synthetic" in PLAN.datasets[wildcards.dataset] and PLAN.transfers("synthetic")
    return rules.synthesize.output.synthetic if is_asked else []


def started(wildcards):
    """Return the files with the networks that a model's own begin with, for the job's splits; none for most models."""
    source = start(PLAN.models[wildcards.model])
    names = [split["name"] for split in splits(wildcards)]
    return in_files(f"{MODEL}/fitted.joblib", names, dataset=wildcards.dataset, model=source) if source else []


def evaluated_splits(wildcards):
    """Return descriptions of the splits whose predictions are scored."""
    return [PLAN.describe(wildcards.dataset, name) for name in PLAN.evaluated_splits(wildcards.dataset)]


def shift_files(path):
    """Return an input function for a file of the preparation that shift is judged by; none without deploy rows."""
    prepare = config["report"]["prepare"]
    chain = {"imputer": prepare["impute"], "weigher": prepare["weigh"]}

    def files(wildcards):
        names = PLAN.shift_splits(wildcards.dataset)
        return in_files(path, names, dataset=wildcards.dataset, **wildcards_in(path, chain)) if names else []

    return files


def local_files(wildcards):
    """Return the files of a dataset's tables, those behind addresses left out; a storage provider has none of them."""
    found = locations(PLAN.datasets[wildcards.dataset])
    return [local(place) for _, place in found if not is_remote(place)]


def table_to_read(wildcards):
    """Return the file with predictions that others made of a dataset's rows."""
    return local(table_of(PLAN.models[wildcards.model], origin(wildcards.dataset)))


def of_reference(path):
    """Return the path of a file of the reference model."""
    return expand(path, model=PLAN.reference, allow_missing=True)[0]


def shift_report(wildcards):
    """Return the diagnosis of a dataset with deploy rows."""
    return rules.diagnose.output.shift if PLAN.has_deploy(wildcards.dataset) else []


def shown_split(wildcards):
    """Return the split that stands for all where only one is shown: the last that is scored."""
    return PLAN.scored_splits(wildcards.dataset)[-1]


def stack_weights(wildcards):
    """Return the files with the weights of each stack, of the split that is shown."""
    names = [model for model, options in PLAN.models.items() if verb(options) == "stack"]
    shown = [shown_split(wildcards)]
    return [in_files(f"{MODEL}/weights.json", shown, dataset=wildcards.dataset, model=model)[0] for model in names]


def histories(wildcards):
    """Return the files with the histories of all networks, of all splits that are scored."""
    names = [model for model, options in PLAN.models.items() if verb(options) in ("train", "fit", "distill")]
    scored = PLAN.scored_splits(wildcards.dataset)
    return [
        path
        for model in names
        for path in in_files(f"{MODEL}/history.parquet", scored, dataset=wildcards.dataset, model=model)
    ]


def shipped(path):
    """Return an input function for a file of split none from a model's own preparation, or from the model itself."""
    return lambda wildcards: in_files(path, [NONE], **chain_of(wildcards.dataset, wildcards.model, path))


def exported_parts(wildcards):
    """Return the files that an exported model is put together from."""
    return parts_of_models(wildcards.dataset, [wildcards.model], [NONE])


def parts_of_models(dataset, models, names):
    """Return the files that whole models of some splits are put together from: their own, or a stack's and all its members'."""
    found = {}
    for name in dict.fromkeys(part for model in models for part in PLAN.parts(model)):
        named = {"dataset": dataset, "model": name}
        if "stack" in PLAN.models[name]:
            found[f"weights_{name}"] = in_files(f"{MODEL}/weights.json", names, **named)
        else:
            chain = chain_of(dataset, name, IMPUTED)
            found[f"preparations_{name}"] = in_files(f"{IMPUTED}/preparations.joblib", names, **chain)
            found[f"fitted_{name}"] = in_files(f"{MODEL}/fitted.joblib", names, **named)
    return found


def measured_parts(wildcards):
    """Return the files that all models of the split that is shown are put together from."""
    return parts_of_models(wildcards.dataset, PLAN.whole, [shown_split(wildcards)])


def explained_parts(wildcards):
    """Return the files that the reference model of each scored split is put together from."""
    return parts_of_models(wildcards.dataset, [PLAN.reference], PLAN.scored_splits(wildcards.dataset))


def scored_splits(wildcards):
    """Return descriptions of the splits that scored rows are predicted by."""
    return [PLAN.describe(wildcards.dataset, name) for name in PLAN.scored_splits(wildcards.dataset)]


def recipe(wildcards):
    """Return all settings that an exported model, and those that it learns from, are made by."""
    models = PLAN.with_upstream(wildcards.model)
    prepared_by = [model["prepare"] for model in models.values() if "prepare" in model]
    return {
        "seed": config["seed"],
        "folds": config["folds"],
        "dataset": config["datasets"][wildcards.dataset],
        "models": models,
        **{
            section: {one[step]: config[section][one[step]] for one in prepared_by} for step, section in CHOICES.items()
        },
    }


def shipped_sources(wildcards):
    """Return the files with the predictions that a shipped student learned from, under their models' names."""
    return sources(wildcards, [PLAN.describe(wildcards.dataset, NONE)])


def steps_of(wildcards):
    """Return the options of every step that a shipped model is made by."""
    model = PLAN.models[wildcards.model]
    return {
        "imputer": config["imputers"][model["prepare"]["impute"]],
        "weigher": config["weighers"][model["prepare"]["weigh"]],
        "resampler": config["resamplers"][model["prepare"]["resample"]],
        "model": model[verb(model)],
        "stop": config["folds"]["stop"],
        "split": PLAN.describe(wildcards.dataset, NONE),
    }


def files_of_steps(wildcards):
    """Return the method files that making a shipped model anew runs."""
    kinds = {"imputer": "imputers", "weigher": "weighers", "resampler": "resamplers"}
    kinds["model"] = method_folder(PLAN.models[wildcards.model])
    steps = steps_of(wildcards)
    return [method_file(kinds[step], name) for step in kinds for name in methods_in(steps[step])]


def drift_files(wildcards):
    """Return what became of each exported model in the later batches of a dataset, where it has any."""
    if wildcards.dataset not in FOLLOWED:
        return []
    return expand(rules.drift.output.drift, dataset=wildcards.dataset, model=config["export"])


def repeated_metrics(wildcards):
    """Return the metrics of all models on a dataset whose folds are drawn anew, for each time that they are."""
    return expand(
        rules.evaluate.output.metrics, dataset=repeats_of(wildcards.dataset, config["folds"]), model=PLAN.models
    )


def control_metrics(wildcards):
    """Return the metrics of the models that were made of shuffled labels."""
    return expand(rules.evaluate.output.metrics, dataset=control_of(wildcards.dataset), model=PLAN.controlled)


def explanations(wildcards):
    """Return what the reference model leans on, and the tree that says nearly what it says; none of what others predicted."""
    return [*rules.explain.output] if PLAN.reference in PLAN.whole else []
