"""Is `kubectl` for a job that is run for real: what it would do to production, it does elsewhere.

`elsewhere.py KUBECTL PRODUCTION NAMESPACE rollout undo ...`: a call for the namespace of production
goes to the one of a check. Any other is refused: it would reach what is not the check's. It runs in
a process of its own, with nothing but the standard library.
"""

from __future__ import annotations

import subprocess
import sys

_OPTIONS = ("-n", "--namespace")
# What a way back may need. The cluster may be somebody's, so nothing else is done there.
VERBS = ("rollout", "get", "wait", "describe", "logs", "set", "annotate", "version")
# Other ways to another place, or to another cluster.
_AWAY = ("-A", "--all-namespaces", "--context", "--cluster", "--kubeconfig", "-s", "--server")


def main(kubectl: str, production: str, namespace: str, *words: str) -> int:
    """Run kubectl there. Returns the exit code."""
    changed, places, others = _moved(words, production, namespace)
    away = [each for each in words if each.partition("=")[0] in _AWAY]
    verb = next((each for each in others if not each.startswith("-")), "")
    if places != [production] or away:
        print(f"error: this is not about {production}: kubectl {' '.join(words)}", file=sys.stderr)
        return 1
    if verb not in VERBS:
        print(f"error: not tried by a check: kubectl {' '.join(words)}", file=sys.stderr)
        return 1
    return subprocess.run([kubectl, *changed], check=False).returncode


def _moved(
    words: tuple[str, ...], old: str, new: str
) -> tuple[list[str], list[str], list[str]]:  # fmt: skip
    """The words for the other namespace, those namespaces that they named, and all else in them."""
    changed: list[str] = []
    places: list[str] = []
    others: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        option, equals, value = word.partition("=")
        if option not in _OPTIONS:
            changed.append(word)
            others.append(word)
            continue
        value = value if equals else left.pop(0) if left else ""
        places.append(value)
        changed += [_OPTIONS[1], new if value == old else value]
    return changed, places, others


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
