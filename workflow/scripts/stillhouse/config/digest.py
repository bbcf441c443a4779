"""A digest of the code that a script runs. Rules have it as a parameter, so that editing a file reruns the jobs that run it."""

import hashlib
from functools import cache
from modulefinder import ModuleFinder
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2]


@cache
def code(script, *method_files):
    """Return a digest of all files that a script and these methods run.

    One digest is a parameter of each job. Some forty input files for each of many thousand jobs would make the graph large.
    """
    contents = b"".join(hashlib.sha256(path.read_bytes()).digest() for path in files_run_by(script, *method_files))
    return hashlib.sha256(contents).hexdigest()[:16]


@cache
def files_run_by(script, *method_files):
    """Return the script, the method files and every library file that they import, imports inside functions included."""
    roots = [SCRIPTS / script, *(SCRIPTS / "stillhouse" / file for file in method_files)]
    return tuple(sorted(set().union(*(_imported_by(root) for root in roots))))


@cache
def _imported_by(root):
    finder = ModuleFinder(path=[str(SCRIPTS)])
    finder.run_script(str(root))
    return frozenset({root, *(Path(module.__file__) for module in finder.modules.values() if module.__file__)})
