"""Tables on OpenML, by number: ``openml:1590``."""

from stillhouse.errors import UserError


def read(location, dataset, notes):
    """Return a table from OpenML, target included; scikit-learn keeps a copy in its data folder."""
    from sklearn.datasets import fetch_openml

    number = location.removeprefix("openml:")
    if not number.isdecimal():
        raise UserError(f"{location}: an OpenML table is named by its number, such as openml:1590")
    try:
        return fetch_openml(data_id=int(number), as_frame=True, parser="auto").frame
    except (OSError, ValueError) as error:
        raise UserError(f"{location}: cannot be fetched: {error}") from error
