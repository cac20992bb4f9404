"""YAML as plain values, each with its line, so that a complaint can name it.

It is read with care for secrets. Only text, yes or no, and nothing are values here, as in the
metadata of a manifest: what else YAML makes of a bare word, such as a number or a date, is marked,
and whoever needs it as text can say so. A complaint never quotes what stands there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from workshop.errors import WorkshopError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import yaml

_TAG = "tag:yaml.org,2002:"


class NotText(NamedTuple):
    """What YAML takes for a number, a date or the like."""

    line: int


class Fields(dict[str, Any]):
    """A mapping, the line on which it begins, and the line of each of its keys."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


def read(raw: bytes, path: Path | str) -> tuple[Fields, ...]:
    """The documents of a file. Raises WorkshopError for what is no YAML, or no mapping."""
    import yaml

    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise WorkshopError("this is not UTF-8", "Save it as UTF-8.", path=path) from None
    found = []
    try:
        loader = yaml.SafeLoader(text)
        while loader.check_node():
            node = loader.get_node()
            found.append(_Reader(path).value(node))
    except yaml.YAMLError as error:
        # `from None`: the whole error quotes the line, and it may hold a secret.
        raise _no_yaml(error, path) from None
    except RecursionError:
        raise WorkshopError("this is nested too deeply", "Is it a manifest?", path=path) from None
    documents = tuple(each for each in found if each is not None)
    if not all(isinstance(each, Fields) for each in documents):
        raise WorkshopError("this is no manifest", "It begins with: apiVersion: v1", path=path)
    if not documents:
        raise WorkshopError("there is nothing in it", "It should hold a manifest.", path=path)
    return documents


def written(documents: Iterable[Any]) -> str:
    """The documents as YAML, in the order of their keys, and a long text on one line."""
    import yaml

    plain = [_plain(each) for each in documents]
    return yaml.safe_dump_all(
        plain,
        sort_keys=False,
        width=float("inf"),
        allow_unicode=True,
        explicit_start=len(plain) > 1,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _no_yaml(error: yaml.YAMLError, path: Path | str) -> WorkshopError:
    """Where it is wrong, and why, up to the first word that is quoted from the file."""
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", None) or "an unreadable character")
    why = problem.partition("'")[0].partition('"')[0].strip(" ,")
    return WorkshopError(
        f"this is not YAML: {why}",
        "Mend the line. A text with special characters stands in quotes.",
        path=path if mark is None else f"{path}:{mark.line + 1}",
    )


class _Reader:
    """Makes plain values of a document's nodes; what is named twice, by an alias, is read once."""

    def __init__(self, path: Path | str) -> None:
        self.path = path
        self.known: dict[int, Any] = {}

    def value(self, node: yaml.Node | None) -> Any:
        if id(node) not in self.known:
            # An alias that stands inside of what it names finds this, and is marked.
            line = node.start_mark.line + 1 if node is not None else 0
            self.known[id(node)] = NotText(line)
            self.known[id(node)] = self._made(node, line)
        return self.known[id(node)]

    def _made(self, node: yaml.Node | None, line: int) -> Any:
        import yaml

        if isinstance(node, yaml.MappingNode):
            return self._fields(node, line)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each) for each in node.value]
        if node is None or node.tag == f"{_TAG}null":
            return None
        if node.tag == f"{_TAG}str":
            return str(node.value)
        if node.tag == f"{_TAG}bool":
            return yaml.SafeLoader.bool_values.get(node.value.lower(), NotText(line))
        return NotText(line)

    def _fields(self, node: yaml.MappingNode, line: int) -> Fields:
        fields = Fields(line)
        for name, value in node.value:
            key, at = self.value(name), name.start_mark.line + 1
            if not isinstance(key, str):
                raise WorkshopError(
                    "this key is not text", "Put it in quotes.", path=f"{self.path}:{at}"
                )
            if key in fields:
                raise WorkshopError(
                    f"this key stands twice, first on line {fields.lines[key]}",
                    "Keep one of them.",
                    path=f"{self.path}:{at}",
                )
            fields[key] = self.value(value)
            fields.lines[key] = at
        return fields
