"""Runs a script of a release. Runs in the project's own environment: standard library only.

    python once.py SCRIPT [ARGUMENT...]

A framework makes some 100,000 objects when it is imported, and hardly one of them dies. Python
looks for dead ones among them over and over, and once more at the end. That is a third of the time
that a visitor of a new release waits for its migrations. Here, Python looks less often.
"""

import atexit
import gc
import os
import runpy
import sys

_OBJECTS = 200_000  # so many new ones may there be before Python looks again, and not 700


def main() -> None:
    """Run the script as `python SCRIPT [ARGUMENT...]` does."""
    gc.set_threshold(_OBJECTS)
    atexit.register(gc.freeze)  # the first to be registered is the last to be called
    del sys.argv[0]
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))  # noqa: PTH100, PTH120
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
