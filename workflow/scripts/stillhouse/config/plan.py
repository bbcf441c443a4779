"""What depends on what: the graph of models, and the splits that each of them is needed for.

Standard library only, as the workflow reads this on every job.
"""

from functools import cache
from itertools import chain

from stillhouse.config.dataset import control_of, has_deploy, is_control, origin, repeats_of
from stillhouse.config.models import beginning, hinting, plain_name, plains, start, twin_name, twins, upstream, verb
from stillhouse.splits import NONE, held_out, in_order, split_name


class Folds:
    """How the rows of one dataset are divided, and what each split trains on.

    ``given``: fold 0 is the given test table, and it alone is scored. ``time``: a split trains on the blocks before
    the one it holds out. Otherwise every fold is scored by the split that holds it out.
    """

    def __init__(self, dataset, k):
        self.given = "test" in dataset
        self.timed = bool(dataset.get("time"))
        self.count = k + 1 if self.given else k
        self.scored = [0] if self.given else list(range(1 if self.timed else 0, self.count))

    def trained(self, split):
        """Return the folds that a split may see."""
        out = held_out(split)
        if self.timed and out:
            return list(range(min(out)))
        return [fold for fold in range(self.count) if fold not in out]

    def allows(self, split):
        """Return whether a name is that of a split: known folds in order, at least one left to train on."""
        out = held_out(split)
        return split == split_name(out) and out <= set(range(self.count)) and bool(self.trained(split))

    def unseen(self, split):
        """Return, for each trained fold that has one, the split whose predictions did not see that fold."""
        if self.timed:
            return {fold: split_name({fold}) for fold in self.trained(split) if fold > 0}
        return {fold: split_name(held_out(split) | {fold}) for fold in self.trained(split)}


class Plan:
    """The models of a completed configuration and the splits that have to be built for them.

    To the configured models come those that they are compared with: ``twin`` has the name of each student's twin, and
    ``plain`` that of each resampled model's counterpart, which is one of the configured models where one is the same.
    ``reference`` is the model whose predictions say how the class mixture of deploy rows has moved.

    To the configured datasets come their kin, which go the same way through the same rules: a ``repeat`` has its folds drawn
    anew, and the ``control`` has its labels shuffled, so that whoever predicts them knows too much.
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
        self.datasets = {kin: dataset for name, dataset in config["datasets"].items() for kin in self._kin(name)}
        self.folds = {name: Folds(dataset, config["folds"]["k"]) for name, dataset in self.datasets.items()}
        self.reference = config["report"].get("reference") or next(iter([*config["export"], *config["models"]]))
        self.splits = cache(self.splits)

    def _kin(self, name):
        return [name, *repeats_of(name, self.config["folds"]), *([control_of(name)] if self.controlled else [])]

    @property
    def controlled(self):
        """The models that are made of shuffled labels too."""
        asked = self.config["report"]["control"]
        quick = [name for name, model in self.config["models"].items() if "fit" in model]
        return quick[:1] if asked == "auto" else asked

    def wanted(self, dataset):
        """Return the names of the models that are wanted of a dataset, those that they learn from aside."""
        return self.controlled if is_control(dataset) else list(self.models)

    def _add_plain(self, name, made):
        if name in self.plain:
            return
        model, source = made[name], start(made[name])
        if source in made:
            self._add_plain(source, made)
            model = beginning(model, self.plain[source])
        self.plain[name] = _name_of(model, self.models, plain_name(name))
        self.models[self.plain[name]] = model

    @property
    def students(self):
        """What each student is held against, as ``{student: {other: "teacher" or "twin"}}``."""
        return {
            name: {**dict.fromkeys(upstream(self.models[name]), "teacher"), twin: "twin"} for name, twin in self.twin.items()
        }

    def has_deploy(self, dataset):
        """Return whether a dataset has rows from where the model will be used; those of its kin are left aside."""
        return dataset == origin(dataset) and has_deploy(self.datasets[dataset])

    def kin(self, model):
        """Return the name that a model's seeds are drawn under: one that is made for comparison has the other's."""
        made = {other: name for pairs in (self.plain, self.twin) for name, other in reversed(pairs.items())}
        return model if model in self.config["models"] else made[model]

    def is_kept(self, model):
        """Return whether others begin with the weights of a model or take hints from it, so that it is kept for all splits."""
        return any(start(other) == model or hinting(other) == model for other in self.models.values())

    def parts(self, model):
        """Return the names of a model and, of a stack, of all members that it is put together from."""
        members = upstream(self.models[model]) if "stack" in self.models[model] else []
        return list(dict.fromkeys([model, *(part for member in members for part in self.parts(member))]))

    @property
    def whole(self):
        """The models that can be put together from files: all but those that others' predictions are part of."""
        return [name for name in self.models if all("read" not in self.models[part] for part in self.parts(name))]

    def with_upstream(self, model):
        """Return the options of a model and of all that it learns from, by name."""
        found = {model: self.models[model]}
        for source in upstream(self.models[model]):
            found |= self.with_upstream(source)
        return found

    def transfers(self, part):
        """Return whether some student learns from the rows of a part that has no labels, such as ``synthetic``."""
        return any(part in model[verb(model)].get("transfer", ()) for model in self.models.values())

    def is_shipped(self, dataset, model):
        """Return whether a model is wanted on all rows: to be exported, or to predict deploy rows."""
        return dataset == origin(dataset) and (model in self.config["export"] or self.has_deploy(dataset))

    def splits(self, dataset):
        """Return for each model the splits that some asked-for model needs, as ``{model: set of names}``."""
        needed = {name: set() for name in self.models}
        for name in self.wanted(dataset):
            for fold in self.folds[dataset].scored:
                self._need(needed, dataset, name, split_name({fold}))
            if self.is_shipped(dataset, name):
                self._need(needed, dataset, name, NONE)
        return needed

    def _need(self, needed, dataset, model, split):
        if split in needed[model]:
            return
        needed[model].add(split)
        if begins := start(self.models[model]):
            self._need(needed, dataset, begins, split)
        for source in upstream(self.models[model]):
            for other in [split, *self.folds[dataset].unseen(split).values()]:
                self._need(needed, dataset, source, other)

    def model_splits(self, dataset, model):
        """Return the splits of a model, those that hold out least first."""
        return in_order(self.splits(dataset)[model])

    def prepared_splits(self, dataset, **chosen):
        """Return the splits that a preparation is needed for, as ``impute=…, weigh=…, resample=…`` name it."""
        users = [name for name, model in self.models.items() if _begins(model.get("prepare"), chosen)]
        diagnosed = self.shift_splits(dataset) if _begins(self.config["report"]["prepare"], chosen) else []
        return in_order(set(chain(diagnosed, *(self.splits(dataset)[name] for name in users))))

    def shift_splits(self, dataset):
        """Return the splits whose density ratios the evaluation and the diagnosis of shift use."""
        return [NONE, *self.scored_splits(dataset)] if self.has_deploy(dataset) else []

    def scored_splits(self, dataset):
        """Return the splits that the scored rows are predicted by, one a scored fold."""
        return [split_name({fold}) for fold in self.folds[dataset].scored]

    def evaluated_splits(self, dataset):
        """Return the splits whose predictions ``evaluate`` reads: of scored rows, and of deploy rows."""
        shipped = [NONE] if self.has_deploy(dataset) else []
        return [*shipped, *self.scored_splits(dataset)]

    def describe(self, dataset, split):
        """Return a split as plain values: its name, the folds it trains on and holds out, the unseen splits."""
        folds = self.folds[dataset]
        unseen = {str(fold): name for fold, name in folds.unseen(split).items()}
        return {"name": split, "train": folds.trained(split), "held_out": sorted(held_out(split)), "unseen": unseen}


def _name_of(model, models, otherwise):
    return next((name for name, other in models.items() if other == model), otherwise)


def _begins(prepare, chosen):
    return bool(prepare) and all(prepare.get(step) == choice for step, choice in chosen.items())
