"""Plans of small configurations."""

from stillhouse.config.plan import Plan


def plan(models, dataset=None, export=(), k=5, repeats=1, control=(), halvings=0, imputations=1):
    config = {
        "datasets": {"d": {"train": "sklearn:iris", "target": "target", **(dataset or {})}},
        "folds": {"k": k, "repeats": repeats},
        "models": models,
        "resamplers": {"none": {"method": "none"}, "smote": {"method": "smote", "neighbors": 5}},
        "export": list(export),
        "report": {
            "prepare": {"impute": "median", "weigh": "logistic"},
            "control": list(control),
            "halvings": halvings,
            "imputations": imputations,
        },
    }
    return Plan(config)


PREPARE = {"impute": "median", "weigh": "none", "resample": "none"}


FIT = {"prepare": PREPARE, "fit": {"method": "tree"}}


TEACHER = {"prepare": PREPARE, "train": {"method": "mlp"}}


def stack(*members):
    return {"stack": {"method": "mean", "members": list(members)}}


def student(teacher):
    return {"prepare": PREPARE, "distill": {"method": "mlp", "teacher": teacher, "temperature": 2, "alpha": 0.3}}
