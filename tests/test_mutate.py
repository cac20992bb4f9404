"""Each rule makes its mutants, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from workshop import mutate
from workshop.history import File


def stage(files: Mapping[str, str]) -> dict[str, File]:
    return {name: File("100644", text.encode()) for name, text in files.items()}


def made(name: str, before: str, after: str) -> list[str]:
    """What is said of each mutant of a file that a step changes."""
    found = mutate.mutants(stage({name: before}), stage({name: after}))
    assert all(each.file == name for each in found)
    assert len({each.mutation for each in found}) == len(found)
    return [each.mutation for each in found]


PYTHON = {
    'X = env("A", key=False)\n': [
        'without X = env("A", key=False)',
        'X = env("A", key=False) -> X = env("A", key=True)',
        'X = env("A", key=False) -> X = env("A", keyx=False)',
        'X = env("A", key=False) -> X = env("AX", key=False)',
        'X = env("A", key=False) -> XX = env("A", key=False)',
    ],
    "def f(a):\n    return not a == 404\n": [
        "without def f(a): ...",
        "return not a == 404 -> pass",
        "return not a == 404 -> return a == 404",
        "return not a == 404 -> return not a != 404",
        "return not a == 404 -> return not a == 405",
    ],
    "@mark\ndef f():\n    g()\n": ["without @mark", "without @mark ...", "g() -> pass"],
    "f(\n    1,\n)\n": ["without f( ...", "without 1,", "1, -> 2,"],
    # words for people
    '"""Why."""\n# because\n\nf("It works.", "alive\\n", f"{1}")\n': [
        'without f("It works.", "alive\\n", f"{1}")'
    ],
}


@pytest.mark.parametrize("text", PYTHON)
def test_python(text: str) -> None:
    assert sorted(made("app.py", "", text)) == sorted(PYTHON[text])


SETTINGS = {
    "on = yes\n": ["without on = yes", "on = yes -> off = yes", "on = yes -> on = no",
                   "on = yes -> onx = yes"],
    "flag: true # no\n": ["without flag: true # no", "flag: true # no -> flag: false # no",
                          "flag: true # no -> flagx: true # no"],
    "deps =\n    a==1.2\n    # why\n": [
        "deps = -> depsx =", "without deps = ...", "without a==1.2", "a==1.2 -> a>=1.2",
    ],
    "run --quiet -e x all\n": [
        "without run --quiet -e x all", "run --quiet -e x all -> run --quiet x all",
        "run --quiet -e x all -> run -e x all",
    ],
    "list = a, b\nWho reads, knows, maybe\n": [
        "without list = a, b", "list = a, b -> list = a", "list = a, b -> list = b",
        "list = a, b -> listx = a, b", "without Who reads, knows, maybe",
    ],
    '- "127.0.0.1:80:90"\n': [
        'without - "127.0.0.1:80:90"', '- "127.0.0.1:80:90" -> - "127.0.0.1:80:91"',
        '- "127.0.0.1:80:90" -> - "127.0.0.1:81:90"',
    ],
    # the first hash stands for all of them
    "a==1 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n": [
        "a==1 \\ -> a>=1 \\", "without a==1 \\ ...", "without --hash=sha256:1 \\",
    ],
}  # fmt: skip


@pytest.mark.parametrize("text", SETTINGS)
def test_settings(text: str) -> None:
    assert sorted(made("some.ini", "", text)) == sorted(SETTINGS[text])


def test_only_what_the_step_writes() -> None:
    assert made("app.py", "a()\nb()\n", "a()\nc()\nb()\n") == ["without c()"]
    assert made("app.py", "a()\n", "a()\n") == []


def test_a_new_file_can_be_missing_and_prose_is_free() -> None:
    found = mutate.mutants({}, stage({"README.rst": "Words.\n", "LICENSE": "MIT\n", ".git": "x\n"}))
    assert [each[:2] for each in found] == [
        ("README.rst", "no such file"), ("LICENSE", "no such file"),
        (".git", "no such file"), (".git", "without x"),
    ]  # fmt: skip
    assert [each.data for each in found] == [None, None, None, b""]
    assert mutate.mutants(stage({"README.rst": "Words.\n"}), stage({"README.rst": "More.\n"})) == ()


def test_a_file_without_a_suffix_is_for_programs() -> None:
    assert made("Dockerfile", "", "# Why\nFROM a\nRUN b \\\n  c --quiet\nUSER 1\n") == [
        "without FROM a",
        "without RUN b \\ ...",
        "without c --quiet",
        "c --quiet -> c",
        "without USER 1",
        "USER 1 -> USER 2",
    ]


def test_the_same_twice_has_two_names() -> None:
    assert made("app.py", "", "f()\ng()\nf()\n") == [
        "without f()",
        "without g()",
        "without f() (2)",
    ]


def test_what_python_refuses_is_no_mutant() -> None:
    assert made("app.py", "", "try:\n    f()\nexcept E:\n    g()\n") == [
        "f() -> pass",
        "g() -> pass",
    ]
