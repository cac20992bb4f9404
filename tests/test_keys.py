"""What a verdict is kept under knows of every module that can have a say in it."""

from __future__ import annotations

import ast
from pathlib import Path
from types import ModuleType

import pytest

import workshop
from workshop import mutants, planning

PACKAGE = Path(workshop.__file__).parent
NO_SAY = PACKAGE / "commands" / "__init__.py"  # how an argument is read changes no verdict


def imported(file: Path) -> set[Path]:
    """The modules of ours that a module names in its imports, at its top or further down."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    files: set[Path] = set()
    for name in names:
        top, *parts = name.split(".")
        place = PACKAGE.joinpath(*parts)
        if top == "workshop" and parts:
            files |= {each for each in (place.with_suffix(".py"), place / "__init__.py")
                      if each.is_file()}  # fmt: skip
    return files


@pytest.mark.parametrize("module", [planning, mutants])
def test_a_key_of_verdicts_knows_all_that_their_modules_import(module: ModuleType) -> None:
    known = {
        file
        for each in module._ENGINE
        for file in ([PACKAGE / each] if each.endswith(".py") else (PACKAGE / each).rglob("*.py"))
    }
    missing = {each for file in known for each in imported(file)} - known - {NO_SAY}
    assert {str(each.relative_to(PACKAGE)) for each in missing} == set()
    assert len(known) > len(module._ENGINE)  # packages were looked into
