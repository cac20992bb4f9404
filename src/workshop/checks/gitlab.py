"""GitLab's YAML: text to plain values, and what stands in them, one by one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from workshop.checks.failure import CheckFailed, expect

_QUOTES = (
    "Mend the line. A command with a colon and a space in it stands in quotes, and so does what"
    " begins with *, & or {."
)
_REMEDIES = {
    "\\t": "Indent by spaces: YAML takes no tabs.",
    "unacceptable character": "Save the file as UTF-8, and without what no keyboard has.",
    "another document": "Take the line with --- out.",
}


class Reference(NamedTuple):
    """What `!reference [job, key]` stands for, and on which line."""

    path: tuple[str, ...]
    line: int


def load(text: str, name: str) -> Any:
    """What a file of this name says. Raises CheckFailed for what is no YAML."""
    import yaml

    try:
        return yaml.load(text, _loader(name))  # noqa: S506  a SafeLoader, with one tag more
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = str(getattr(error, "problem", None) or error).partition("\n")[0]
        raise CheckFailed(
            seen=f"{name}{f', line {mark.line + 1}' if mark else ''} is not YAML: {what}",
            expected="jobs, each with its commands below script",
            do=next((remedy for part, remedy in _REMEDIES.items() if part in what), _QUOTES),
        ) from None
    except RecursionError:
        raise CheckFailed(
            seen=f"{name} is nested so deep that nobody can read it",
            expected="jobs, each with its commands below script",
            do="Take some of the brackets out.",
        ) from None


def _loader(name: str) -> Any:
    """Reads YAML as GitLab does, with its one tag. Only, it minds when a name is there twice."""
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_scalar(self, node: Any) -> Any:  # half a letter can't be shown to anybody
            return str(super().construct_scalar(node)).encode("utf-8", "replace").decode("utf-8")

        def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
            node = super().compose_mapping_node(anchor)
            names = set()
            for key, _ in node.value:
                expect(
                    key.value == "<<" or str(key.value) not in names,
                    seen=f"{name}, line {key.start_mark.line + 1}: {key.value} is there for the"
                    " second time",
                    expected="each name once: of two, the second one counts, and the first is lost",
                    do="Give one of them another name, or make one of both.",
                )
                names.add(str(key.value))
            return node

    def reference(loader: yaml.SafeLoader, node: yaml.Node) -> Reference:
        words = loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else ()
        return Reference(tuple(map(str, words)), node.start_mark.line + 1)

    Loader.add_constructor("!reference", reference)
    return Loader


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both, where mappings are merged, and of all else the second counts."""
    found = dict(one)
    for key, value in other.items():
        before = found.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            found[key] = merged(before, value)
        else:
            found[key] = value
    return found


def commands(text: str) -> Iterator[str]:
    """The single commands of a script, each on one line, with one space between its words."""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if line.strip() and not line.strip().startswith("#"):
            yield " ".join(line.split())


def flat(value: Any) -> Iterator[Any]:
    """What is in a list, and in the lists in it. What is none counts as a list of one."""
    if isinstance(value, list):
        for each in value:
            yield from flat(each)
    elif value is not None:
        yield value


def listed(value: Any) -> tuple[str, ...]:
    """A name, or a list of them."""
    return tuple(map(str, flat(value)))


def as_written(value: Any) -> str:
    """How it stands in the file, more or less."""
    if isinstance(value, dict):
        return ", ".join(f"{key}: {each}" for key, each in value.items())
    return str(value)


def variables(value: Any) -> dict[str, str]:
    """Each variable and its value, which may stand with a description beside it."""
    found = value if isinstance(value, dict) else {}
    return {
        name: str(each.get("value", "") if isinstance(each, dict) else each)
        for name, each in found.items()
    }


def filled(text: object, known: Mapping[str, str]) -> str:
    """A text with the values of variables in it, as far as they are known."""
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda at: known.get(at[1] or at[2], at[0]), str(text))


def names(value: Any) -> Iterator[str]:
    """Whom a job needs."""
    for each in flat(value):
        yield str(each.get("job", "")) if isinstance(each, dict) else str(each)


def needed(value: Any) -> Iterator[str]:
    """The same, without those who may be missing, or come from elsewhere."""
    free = ("optional", "pipeline", "project")
    yield from names(
        [each for each in flat(value)
         if not (isinstance(each, dict) and any(each.get(key) for key in free))]
    )  # fmt: skip
