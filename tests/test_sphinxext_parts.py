"""The pure half of the directives: text in, text out."""

from __future__ import annotations

import pytest

from workshop import hints, parts
from workshop.errors import WorkshopError
from workshop.sphinxext import commands

PYTHON = '''\
"""A module."""

import os

# how many
LIMIT: int = 3
NAMES = [
    "a",
]


# Says it.
@os.fspath
@staticmethod
def view(request):
    """Answer."""

    return 1


class Box:
    # its size
    size = 1

    async def open(self):
        pass


def twice():
    pass


def twice():
    pass
'''
INI = "[tox]\nenvlist = py\n\n[testenv]\ncommands =\n    pytest\n\n[pytest]\nx = 1\n"
RST = (
    "Demo\n====\n\nText.\n\nRun\n---\n\nIt.\n\nOn a laptop\n^^^^^^^^^^^\n\nSo.\n\nEnd\n---\n\nIt.\n"
)
YAML = "services:\n  web:\n    image: a\n\n    ports: []\n  db:\n    image: b\nvolumes: {}\n"


@pytest.mark.parametrize(
    ("path", "text", "name", "expected"),
    [
        ("a.py", PYTHON, "LIMIT", "# how many\nLIMIT: int = 3"),
        ("a.py", PYTHON, "NAMES", 'NAMES = [\n    "a",\n]'),
        (
            "a.py",
            PYTHON,
            "view",
            "# Says it.\n@os.fspath\n@staticmethod\ndef view(request):\n"
            '    """Answer."""\n\n    return 1',
        ),
        ("a.py", PYTHON, "Box.size", "    # its size\n    size = 1"),
        ("a.py", PYTHON, "Box.open", "    async def open(self):\n        pass"),
        ("tox.ini", INI, "testenv", "[testenv]\ncommands =\n    pytest"),
        ("tox.ini", INI, "pytest", "[pytest]\nx = 1"),
        ("README.rst", RST, "Run", "Run\n---\n\nIt.\n\nOn a laptop\n^^^^^^^^^^^\n\nSo."),
        ("README.rst", RST, "On a laptop", "On a laptop\n^^^^^^^^^^^\n\nSo."),
        ("README.rst", RST, "Demo", RST.rstrip("\n")),
        ("compose.yml", YAML, "web", "  web:\n    image: a\n\n    ports: []"),
        ("compose.yml", YAML, "db", "  db:\n    image: b"),
        ("compose.yml", YAML, "volumes", "volumes: {}"),
    ],
)
def test_part(path: str, text: str, name: str, expected: str) -> None:
    first, end = parts.span(path, text, name)
    assert "\n".join(text.splitlines()[first:end]) == expected


@pytest.mark.parametrize(
    ("path", "text", "name", "fact", "remedy"),
    [
        ("a.ini", INI, "tests", "a.ini has no part tests", "It has: tox, testenv, pytest"),
        ("a.py", "1 + 1\n", "x", "a.py has no part x", "It has: none"),
        ("a.py", "1 +\n", "x", "a.py:1 is not Python: invalid syntax", "Show the whole file."),
        (
            "a.py",
            PYTHON,
            "twice",
            "a.py has twice more than once: lines 29 and 33",
            "Show the whole file.",
        ),
        (
            "a.yml",
            YAML,
            "image",
            "a.yml has image more than once: lines 3 and 7",
            "Show the whole file.",
        ),
    ],
)
def test_no_such_part(path: str, text: str, name: str, fact: str, remedy: str) -> None:
    with pytest.raises(WorkshopError) as caught:
        parts.span(path, text, name)
    assert (caught.value.fact, caught.value.remedy) == (fact, remedy)


def test_commands() -> None:
    found = commands.parse(["git init \\", "    --quiet", "", "cd here"])
    assert found == ("git init \\\n    --quiet", "cd here")


@pytest.mark.parametrize(
    ("lines", "fact"),
    [
        (["$ git init"], "this is not a command alone: $ git init"),
        (["# first"], "this is not a command alone: # first"),
        ([""], "there is no command"),
    ],
)
def test_not_commands(lines: list[str], fact: str) -> None:
    with pytest.raises(WorkshopError) as caught:
        commands.parse(lines)
    assert caught.value.fact == fact


def test_hints_keep_their_markdown() -> None:
    text = (
        "# Hints\n\n## `test_a`\n\n1. One\n   line.\n2. Code:\n\n   ```python\n   1. no\n   ```\n"
    )
    assert hints.parse(text) == {"test_a": ("One\nline.", "Code:\n\n```python\n1. no\n```")}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("kubectl get pods", "containers, cluster"),
        ("docker image ls\nkubectl get pods", "containers, cluster"),
        ("sed s/1/2/ app.yaml | kubectl apply --filename -", "containers, cluster"),
        ("echo kubectl get pods", ""),
        ("kubectl-neat --version", ""),
    ],
)
def test_who_speaks_with_a_cluster_needs_one(text: str, wanted: str) -> None:
    assert commands._implied(text) == wanted
