"""What depends on what: the graph of models, and the splits that each of them is needed for.

Standard library only, as the workflow reads this on every job.
"""

from functools import cache
from itertools import chain

from stillhouse.config.dataset import (
    control_of,
    has_deploy,
    imputation,
    imputations_of,
    is_control,
    origin,
    repeats_of,
    share,
    shares_of,
)
from stillhouse.config.models import hint_teacher, plain_name, plains, start, twin_name, twins, upstream, verb, with_start
from stillhouse.splits import NONE, Split, held_out, in_order, split_name


class Folds:
    """How the rows of one dataset are divided into folds, and what each split trains on.

    With a given test table, fold 0 is that table and alone is scored. With ``time``, folds are blocks in time, and a split
    trains on the blocks before those that it holds out. Otherwise every fold is scored, by the split that holds it out.
    """

    def __init__(self, dataset, k):
        self.given = "test" in dataset
        self.timed = bool(dataset.get("time"))
        self.count = k + 1 if self.given else k
        self.scored = [0] if self.given else list(range(1 if self.timed else 0, self.count))

    def trained(self, split):
        """Return the folds that a split trains on."""
        out = held_out(split)
        if self.timed and out:
            return list(range(min(out)))
        return [fold for fold in range(self.count) if fold not in out]

    def allows(self, split):
        """Return whether a name is that of a split: known folds in ascending order, with at least one left to train on."""
        out = held_out(split)
        return split == split_name(out) and out <= set(range(self.count)) and bool(self.trained(split))

    def unseen(self, split):
        """Return the unseen split of each fold that a split trains on: the one that holds that fold out as well.

        With ``time`` it holds that fold out alone, and the first block has none.
        """
        if self.timed:
            return {fold: split_name({fold}) for fold in self.trained(split) if fold > 0}
        return {fold: split_name(held_out(split) | {fold}) for fold in self.trained(split)}


class Plan:
    """The models of a completed configuration and the splits that have to be built for them.

    The configured models are joined by those that they are compared with: ``twin`` has the name of each student's twin, and
    ``plain`` the name of each model's counterpart without resampling, which is a configured model where one is the same.
    ``reference`` is the model that is explained, scored on slices, and used to estimate the class prior of the deploy rows.

    The configured datasets are joined by their variants, which pass through the same rules: a ``repeat`` has its folds drawn
    anew, the ``control`` has its labels shuffled, so that a model which predicts them reveals a leak, a ``share`` has one in so
    many rows, to tell what more rows bring to the reference model, and an ``imputation`` has the values for gaps drawn anew,
    to tell what they leave open about it.
    """

    def __init__(self, config):
        self.config = config
        models = config["models"]
        self.twin = {name: twin_name(name) for name in twins(models)}
        self.models = {**models, **{self.twin[name]: model for name, model in twins(models).items()}}
        self.plain = {}
        made = plains(models, config["resamplers"])
        for name in made:
            self._add_plain(name, made)
        self.datasets = {variant: dataset for name, dataset in config["datasets"].items() for variant in self._variants(name)}
        self.folds = {name: Folds(dataset, config["folds"]["k"]) for name, dataset in self.datasets.items()}
        self.reference = config["report"].get("reference") or next(iter([*config["export"], *config["models"]]))
        self.splits = cache(self.splits)

    def _variants(self, name):
        control, report = [control_of(name)] if self.controlled else [], self.config["report"]
        return [
            name,
            *repeats_of(name, self.config["folds"]),
            *control,
            *shares_of(name, report),
            *imputations_of(name, report),
        ]

    @property
    def controlled(self):
        """The names of the models that are also made on the control, whose labels are shuffled."""
        asked = self.config["report"]["control"]
        quick = [name for name, model in self.config["models"].items() if "fit" in model]
        return quick[:1] if asked == "auto" else asked

    def wanted(self, dataset):
        """Return the names of the models that are evaluated on a dataset; the models that these learn from are made too."""
        if share(dataset) > 1 or imputation(dataset) > 1:
            return [self.reference]
        return self.controlled if is_control(dataset) else list(self.models)

    def _add_plain(self, name, made):
        if name in self.plain:
            return
        model, source = made[name], start(made[name])
        if source in made:
            self._add_plain(source, made)
            model = with_start(model, self.plain[source])
        self.plain[name] = _name_of(model, self.models, plain_name(name))
        self.models[self.plain[name]] = model

    @property
    def titles(self):
        """The models' names for readers; those of twins and counterparts say what they are."""
        titles = {name: name for name in self.models}
        titles |= {plain: f"{name} (not resampled)" for name, plain in self.plain.items() if plain not in self.config["models"]}
        return titles | {twin: f"{name} (labels only)" for name, twin in self.twin.items()}

    @property
    def students(self):
        """What each student is compared with, as ``{student: {other: "teacher" or "twin"}}``."""
        return {
            name: {**dict.fromkeys(upstream(self.models[name]), "teacher"), twin: "twin"} for name, twin in self.twin.items()
        }

    def has_deploy(self, dataset):
        """Return whether a configured dataset has deploy rows; those of its variants are not used."""
        return dataset == origin(dataset) and has_deploy(self.datasets[dataset])

    def seed_name(self, model):
        """Return the name that a model's seeds are derived from.

        A twin or an unresampled counterpart shares its original's seeds, so that the two differ in one thing only.
        """
        made = {other: name for pairs in (self.plain, self.twin) for name, other in reversed(pairs.items())}
        return model if model in self.config["models"] else made[model]

    def is_kept(self, model):
        """Return whether the fitted networks of all splits are kept, for warm starts or hints of other models."""
        return any(start(other) == model or hint_teacher(other) == model for other in self.models.values())

    def parts(self, model):
        """Return the names of all models that predicting with this one needs: itself and, of a stack, its members."""
        members = upstream(self.models[model]) if "stack" in self.models[model] else []
        return list(dict.fromkeys([model, *(part for member in members for part in self.parts(member))]))

    @property
    def whole(self):
        """The models that can predict new rows: all that need no predictions read from a table."""
        return [name for name in self.models if all("read" not in self.models[part] for part in self.parts(name))]

    def with_upstream(self, model):
        """Return the options of a model and of all models upstream of it, by name."""
        options = {model: self.models[model]}
        for source in upstream(self.models[model]):
            options |= self.with_upstream(source)
        return options

    def transfers(self, part):
        """Return whether some student learns from these transfer rows, such as ``synthetic``."""
        return any(part in model[verb(model)].get("transfer", ()) for model in self.models.values())

    def is_shipped(self, dataset, model):
        """Return whether a model is also fitted on all labelled rows: to be exported, or to predict deploy rows."""
        return dataset == origin(dataset) and (model in self.config["export"] or self.has_deploy(dataset))

    def splits(self, dataset):
        """Return the splits that each model has to be made for, as ``{model: set of split names}``."""
        needed = {name: set() for name in self.models}
        for name in self.wanted(dataset):
            for fold in self.folds[dataset].scored:
                self._need(needed, dataset, name, split_name({fold}))
            if self.is_shipped(dataset, name):
                self._need(needed, dataset, name, NONE)
        return needed

    def told_splits(self, dataset):
        """Return the splits in which students learn from synthetic rows; all models of these splits predict such rows."""
        told = [name for name, model in self.models.items() if "synthetic" in model[verb(model)].get("transfer", ())]
        return {split for name in told for split in self.splits(dataset)[name]}

    def _need(self, needed, dataset, model, split):
        if split in needed[model]:
            return
        needed[model].add(split)
        if start_name := start(self.models[model]):
            self._need(needed, dataset, start_name, split)
        for source in upstream(self.models[model]):
            for other in [split, *self.folds[dataset].unseen(split).values()]:
                self._need(needed, dataset, source, other)

    def model_splits(self, dataset, model):
        """Return the splits that a model is made for, those with the fewest held-out folds first."""
        return in_order(self.splits(dataset)[model])

    def prepared_splits(self, dataset, **chosen):
        """Return the splits that a preparation is made for; ``impute=…, weigh=…, resample=…`` name its choices."""
        users = [name for name, model in self.models.items() if _uses(model.get("prepare"), chosen)]
        diagnosed = self.shift_splits(dataset) if _uses(self.config["report"]["prepare"], chosen) else []
        return in_order(set(chain(diagnosed, *(self.splits(dataset)[name] for name in users))))

    def shift_splits(self, dataset):
        """Return the splits whose density ratios evaluation and the diagnosis of shift read."""
        return [NONE, *self.scored_splits(dataset)] if self.has_deploy(dataset) else []

    def scored_splits(self, dataset):
        """Return the splits that predict the scored rows, one for each scored fold."""
        return [split_name({fold}) for fold in self.folds[dataset].scored]

    def evaluated_splits(self, dataset):
        """Return the splits whose predictions ``evaluate`` reads: those of scored rows, and ``none`` for deploy rows."""
        shipped = [NONE] if self.has_deploy(dataset) else []
        return [*shipped, *self.scored_splits(dataset)]

    def describe(self, dataset, split):
        """Return the description of a split."""
        folds = self.folds[dataset]
        unseen = {str(fold): name for fold, name in folds.unseen(split).items()}
        is_told = split in self.told_splits(dataset)
        return Split(split, folds.trained(split), sorted(held_out(split)), unseen, synthetic=is_told)


def _name_of(model, models, otherwise):
    return next((name for name, other in models.items() if other == model), otherwise)


def _uses(prepare, chosen):
    return bool(prepare) and all(prepare.get(step) == choice for step, choice in chosen.items())
