"""Tables bundled with scikit-learn: ``sklearn:breast_cancer``; their target column is called ``target``."""

from stillhouse.errors import UserError

BUNDLED = ("breast_cancer", "diabetes", "digits", "iris", "wine")


def read(location, dataset, notes):
    """Return a bundled table with class names in place of numbers."""
    from sklearn import datasets

    name = location.removeprefix("sklearn:")
    if name not in BUNDLED:
        raise UserError(f"{location}: scikit-learn bundles no such table; there are {', '.join(BUNDLED)}")
    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    table = bunch.frame
    if names := list(map(str, bunch.get("target_names", []))):
        table["target"] = [names[code] for code in table["target"]]
    return table
