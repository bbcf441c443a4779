"""Checks of a whole configuration that no schema can express; one that cannot be run is refused before any job starts.

Standard library only, as the workflow reads this on every job.
"""

from stillhouse.config.checks.ensembles import check_ensembles
from stillhouse.config.checks.export import check_export, check_followed
from stillhouse.config.checks.graph import check_graph
from stillhouse.config.checks.networks import check_networks, check_quantiles
from stillhouse.config.checks.search import check_searches
from stillhouse.config.checks.students import check_students
from stillhouse.config.checks.tables import check_dataset
from stillhouse.config.checks.whole import check_whole
from stillhouse.config.completion import ConfigError, complete
from stillhouse.config.dataset import as_list, has_deploy
from stillhouse.config.models import method_folder, verb
from stillhouse.config.plan import Plan
from stillhouse.errors import nearest


def checked(config, schema):
    """Return the completed configuration; raises ``ConfigError`` where it cannot be run."""
    config = complete(config, schema)
    check_graph(config)
    for name, dataset in config["datasets"].items():
        check_dataset(name, dataset)
    check_uses(config, schema)
    return config


def check_uses(config, schema):
    """Raise ``ConfigError`` for choices that do not go together."""
    for name, model in config["models"].items():
        if "prepare" in model:
            _check_gaps(config, schema, name, model)
            _check_deploy(config, f"models.{name}.prepare.weigh", model["prepare"]["weigh"])
            _check_task(config, schema, f"models.{name}.prepare.resample", model["prepare"]["resample"])
    check_ensembles(config, schema)
    check_networks(config)
    check_quantiles(config)
    check_whole(config, schema)
    check_searches(config, schema)
    check_students(config)
    _check_sets(config)
    asked = config["report"]["control"]
    named = {"reference": as_list(config["report"].get("reference", [])), "control": [] if asked == "auto" else asked}
    for key, names in named.items():
        if unknown := [name for name in names if name not in config["models"]]:
            raise ConfigError(f"report.{key}: no model is called {unknown[0]!r}; {nearest(unknown[0], config['models'])}")
    for name, dataset in config["datasets"].items():
        if "batches" in dataset and not config["export"]:
            raise ConfigError(f"datasets.{name}.batches: exported models are followed through them; name one under `export`")
    has_batches = any("batches" in dataset for dataset in config["datasets"].values())
    for name in config["export"]:
        if name not in config["models"]:
            raise ConfigError(f"export: no model is called {name!r}; {nearest(name, config['models'])}")
        check_export(config, schema, config["models"], name)
        if has_batches:
            check_followed(name, config["models"][name])
    _check_evidence(config, schema)


def _check_sets(config):
    settings = config["report"]
    if settings["penalty"] and settings["sets"] != "aps":
        raise ConfigError("report.penalty: makes sets of aps smaller; set `sets: aps`, or leave it out")
    for name, dataset in config["datasets"].items():
        if "sets_by" in dataset and dataset["sets_by"] == dataset["target"]:
            raise ConfigError(
                f"datasets.{name}.sets_by: {dataset['target']!r} is the target, unknown of new rows; "
                "`report: {by_class: true}` makes sets for each class"
            )
        if "sets_by" in dataset and dataset["sets_by"] == dataset.get("group"):
            raise ConfigError(
                f"datasets.{name}.sets_by: {dataset['sets_by']!r} is the group, of which a new row has another; name a column "
                "whose values new rows share with old ones"
            )


def _check_evidence(config, schema):
    settings, plan = config["report"], Plan(config)
    models = plan.with_upstream(plan.reference)
    read = next((name for name, model in models.items() if "read" in model), None)
    if settings["halvings"] and read:
        raise ConfigError(f"report.halvings: {read!r} is read, and is the same however few rows there are; set it to 0")
    if settings["imputations"] == 1:
        return
    if read:
        raise ConfigError(f"report.imputations: {read!r} is read, and is the same however gaps are filled; set it to 1")
    chosen = [config["imputers"][model["prepare"]["impute"]] for model in models.values() if "prepare" in model]
    if not any(_draws_gaps(schema["$defs"]["methods"]["imputers"], options) for options in chosen):
        raise ConfigError(
            f"report.imputations: gaps of {plan.reference!r} are filled with the same values each time; choose an imputer that "
            "draws them, `hotdeck` or `iterative` with `draw: true`, or set it to 1"
        )


def _draws_gaps(methods, options):
    within = [*options.get("each", {}).values(), *([options["rest"]] if "rest" in options else [])]
    draws = methods[options["method"]].get("draws") or options.get("draw")
    return bool(draws) or any(_draws_gaps(methods, one) for one in within)


def _check_gaps(config, schema, name, model):
    methods = schema["$defs"]["methods"]
    filled = methods["imputers"][config["imputers"][model["prepare"]["impute"]]["method"]].get("fills", True)
    if filled:
        return
    method = model[verb(model)]["method"]
    if not methods[method_folder(model)][method].get("takes_gaps"):
        raise ConfigError(
            f"models.{name}.prepare.impute: {method} cannot learn from gaps; choose an imputer that fills them, such as median"
        )
    resampler = config["resamplers"][model["prepare"]["resample"]]["method"]
    if not methods["resamplers"][resampler].get("takes_gaps"):
        raise ConfigError(
            f"models.{name}.prepare.resample: {resampler} cannot work on gaps; "
            "choose an imputer that fills them, such as median"
        )


def _check_deploy(config, where, choice):
    if config["weighers"][choice]["method"] == "none":
        return
    for name, dataset in config["datasets"].items():
        if not has_deploy(dataset):
            raise ConfigError(f"{where}: {choice} needs deploy rows, and datasets.{name} has none; choose none")


def _check_task(config, schema, where, choice):
    method = config["resamplers"][choice]["method"]
    is_of_values = schema["$defs"]["methods"]["resamplers"][method].get("only") == "values"
    for name, dataset in config["datasets"].items():
        if method != "none" and dataset["task"] == "regression" and not is_of_values:
            raise ConfigError(f"{where}: {choice} balances classes, and datasets.{name} is a regression; choose none or rare")
        if is_of_values and dataset["task"] in ("binary", "multiclass"):
            raise ConfigError(f"{where}: {choice} weighs rows by their value, and datasets.{name} has classes; choose none")
