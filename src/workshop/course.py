"""Folders to a Course. The only reader of TOML, so every complaint about TOML stands here."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from workshop.errors import WorkshopError
from workshop.model import (
    LAYERS,
    NEEDS,
    Course,
    Kata,
    Orchestration,
    Platform,
    Step,
    Survivor,
    Survivors,
    View,
    Waiver,
)
from workshop.paths import default_root as default_root

_FOLDER = r"(\d{2,4})-([a-z0-9]+(?:-[a-z0-9]+)*)"
_SLUG = r"[a-z0-9]+(?:-[a-z0-9]+)*"

# Per file: each key, its type, and whether it must be there.
_STEP: Mapping[str, tuple[type, bool]] = {
    "title": (str, True),
    "layer": (str, True),
    "minutes": (int, True),
    "message": (str, True),
    "removes": (list, False),
    "executable": (list, False),
    "needs": (list, False),
    "replaces": (list, False),
    "unseen": (list, False),
    "own": (dict, False),
    "red": (dict, False),
}
_KATA: Mapping[str, tuple[type, bool]] = {
    "title": (str, True),
    "minutes": (int, True),
    "needs": (list, False),
    "red": (dict, False),
}
_COURSE: Mapping[str, tuple[type, bool]] = {
    "title": (str, True),
    "production": (dict, True),
    "layers": (dict, False),
}
_VIEW: Mapping[str, tuple[type, bool]] = {"shows": (list, True), "closed": (list, False)}
_PRODUCTION: Mapping[str, tuple[type, bool]] = {
    "wsgi": (str, True),
    "requirements": (list, True),
    "release": (list, True),
    "readiness": (str, True),
    "sealed": (list, False),
    "imports": (list, False),
    "test_imports": (list, False),
    "cluster": (dict, False),
}
_CLUSTER: Mapping[str, tuple[type, bool]] = {
    "dockerfile": (str, True),
    "image": (str, True),
    "manifests": (list, True),
    "service": (str, True),
    "config": (str, True),
    "variables": (dict, False),
    "files": (dict, False),
    "secrets": (dict, False),
    "generated": (dict, False),
}
# What holds more than texts is looked at where it is read.
_TABLES = ("production", "cluster", "secrets", "layers")
# What the gates let through: see `waived`.
_WAIVER: Mapping[str, tuple[type, bool]] = {
    "gate": (str, True),
    "page": (str, True),
    "text": (str, True),
    "reason": (str, True),
    "since": (str, True),
}
# The mutants that no check finds: see `survivors`.
_SURVIVOR: Mapping[str, tuple[type, bool]] = {
    "file": (str, True),
    "mutation": (str, True),
    "reason": (str, True),
    "free": (bool, False),
}
_KINDS = {str: "text", int: "a whole number", list: "a list of texts",
          dict: "a table of texts", bool: "true or false"}  # fmt: skip


def load(root: Path) -> Course:
    """Read the course in `root` (the folder that holds `steps/`).

    Raises WorkshopError, with file and line where there is one, for the first thing that makes
    the course unreadable. What is merely wrong with it is for `lint` to find.
    """
    settings, platform = _settings(root)
    return Course(
        root=root,
        title=settings["title"],
        platform=platform,
        steps=tuple(_steps(root)),
        katas=tuple(
            _kata(root, folder) for folder in _folders(root / "katas") if _holds_kata(folder)
        ),
        views=_views(root / "steps" / "course.toml", settings.get("layers", {})),
    )


def steps(root: Path) -> Iterator[Step]:
    """The steps of the course in `root`, each read when it is asked for. Raises as `load`."""
    _settings(root)
    yield from _steps(root)


def platform(root: Path) -> Platform:
    """Where the demo project runs, of the course in `root`. No step is read for it."""
    return _settings(root)[1]


def find(course: Course, name: str) -> Step:
    """The step that a person means by its number, its slug or its tag."""
    for step in course.steps:
        if name in (step.slug, step.tag) or (name.isdecimal() and int(name) == step.number):
            return step
    first, *_, last = (f"{step.number:02d}" for step in (course.steps[0], *course.steps))
    raise WorkshopError(
        f"there is no step {name}",
        f"The steps are {first} to {last}. See them: workshop status",
        path=course.root,
    )


def kata(course: Course, slug: str) -> Kata:
    """The kata with this slug."""
    for each in course.katas:
        if each.slug == slug:
            return each
    known = ", ".join(each.slug for each in course.katas) or "none"
    raise WorkshopError(f"there is no kata {slug}", f"The katas are: {known}", path=course.root)


def waived(root: Path) -> tuple[Waiver, ...]:
    """What the gates of this course let through, from `steps/waived.toml`; none without the file.

    Raises WorkshopError for one that has no reason.
    """
    file = root / "steps" / "waived.toml"
    if not file.is_file():
        return ()
    found = []
    for name, tables in _toml(file).items():
        if name != "waiver" or not isinstance(tables, list):
            raise _wrong(file, name, f"unknown key `{name}`", "Write tables: [[waiver]]")
        for table in tables:
            _check(file, table, _WAIVER, "waiver.")
            if not table["reason"].strip():
                raise _wrong(file, "reason", "a waiver needs a reason", "Say why.")
            found.append(Waiver(**table))
    return tuple(found)


def _settings(root: Path) -> tuple[dict[str, Any], Platform]:
    """What stands in `course.toml`, and the part of it that is for production."""
    if not (root / "steps").is_dir():
        raise WorkshopError(
            "this is no course: it has no folder `steps`",
            "Name the folder that holds `steps` and `solutions`: --course DIR",
            path=root,
        )
    file = root / "steps" / "course.toml"
    settings = _read(file, _COURSE)
    return settings, _platform(file, settings["production"])


def survivors(step: Step) -> Survivors | None:
    """What is recorded of this step's mutants, in its `survivors.toml`; None without the file."""
    file = step.folder / "survivors.toml"
    if not file.is_file():
        return None
    values = _toml(file)
    tables = values.pop("survivor", [])
    _check(file, values, {"seal": (str, True), "mutants": (int, True), "also": (list, True)}, "")
    if not isinstance(tables, list):
        raise _wrong(file, "survivor", "`survivor` must be tables", "Write tables: [[survivor]]")
    for table in tables:
        _check(file, table, _SURVIVOR, "survivor.")
    found = tuple(Survivor(**table) for table in tables)
    return Survivors(values["seal"], values["mutants"], tuple(values["also"]), found)


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as found:
            names = sorted(each.name for each in found if each.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [folder / name for name in names]


def _holds_kata(folder: Path) -> bool:
    return re.fullmatch(_SLUG, folder.name) is not None


def _steps(root: Path) -> Iterator[Step]:
    """The steps in their order. That no two are in each other's way is seen before one is read."""
    seen: dict[int, tuple[Path, str]] = {}
    slugs: dict[str, Path] = {}
    for folder in _folders(root / "steps"):
        match = re.fullmatch(_FOLDER, folder.name)
        if match is None:
            continue  # a stray folder: lint reports it
        number, slug = int(match[1]), match[2]
        if number in seen:
            raise WorkshopError(
                f"two steps have the number {number:02d}: {seen[number][0].name} and {folder.name}",
                "Give one of them a free number: rename its folders in steps and solutions.",
                path=folder,
            )
        if slug in slugs:
            raise WorkshopError(
                f"two steps are called {slug}: {slugs[slug].name} and {folder.name}",
                "Give one of them another name: progress is kept by it.",
                path=folder,
            )
        seen[number] = folder, slug
        slugs[slug] = folder
    if not seen:
        raise WorkshopError(
            "this course has no steps",
            "Add the first one: a folder such as steps/01-commit-one with a step.toml in it.",
            path=root / "steps",
        )
    for number, (folder, slug) in sorted(seen.items()):
        yield _step(root, folder, number, slug)


def _step(root: Path, folder: Path, number: int, slug: str) -> Step:
    file = folder / "step.toml"
    values = _read(file, _STEP)
    _among(file, "layer", [values["layer"]], LAYERS)
    _among(file, "needs", values.get("needs", []), NEEDS)
    for key in ("removes", "executable", "unseen", "own"):
        for name in values.get(key, []):
            _inside(file, key, name)
    if values["minutes"] < 1:
        raise _wrong(file, "minutes", "minutes must be at least 1", "Say how long the step takes.")
    return Step(
        number=number,
        slug=slug,
        folder=folder,
        solution=root / "solutions" / folder.name,
        title=values["title"],
        layer=values["layer"],
        minutes=values["minutes"],
        message=values["message"].strip() + "\n",
        removes=tuple(values.get("removes", [])),
        executable=tuple(values.get("executable", [])),
        needs=tuple(values.get("needs", [])),
        replaces=tuple(values.get("replaces", [])),
        unseen=tuple(values.get("unseen", [])),
        own=values.get("own", {}),
        red=values.get("red", {}),
    )


def _kata(root: Path, folder: Path) -> Kata:
    file = folder / "kata.toml"
    values = _read(file, _KATA)
    _among(file, "needs", values.get("needs", []), NEEDS)
    return Kata(
        slug=folder.name,
        folder=folder,
        solution=root / "solutions" / "katas" / folder.name,
        title=values["title"],
        minutes=values["minutes"],
        needs=tuple(values.get("needs", [])),
        red=values.get("red", {}),
    )


def _platform(file: Path, table: Mapping[str, Any]) -> Platform:
    _check(file, table, _PRODUCTION, "production.")
    for name in table.get("sealed", ()):
        _inside(file, "sealed", name)
    return Platform(
        wsgi=table["wsgi"],
        requirements=tuple(table["requirements"]),
        release=tuple(table["release"]),
        readiness=table["readiness"],
        sealed=tuple(table.get("sealed", ())),
        imports=tuple(table.get("imports", ())),
        test_imports=tuple(table.get("test_imports", ())),
        cluster=_orchestration(file, table["cluster"]) if "cluster" in table else None,
    )


def _orchestration(file: Path, table: Mapping[str, Any]) -> Orchestration:
    _check(file, table, _CLUSTER, "production.cluster.")
    files, secrets = table.get("files", {}), table.get("secrets", {})
    generated = table.get("generated", {})
    _inside(file, "dockerfile", table["dockerfile"])
    for key, names in (
        ("manifests", table["manifests"]), ("files", files.values()),
        ("generated", generated.values()),
    ):  # fmt: skip
        for name in names:
            _inside(file, key, name)
    for name, keys in secrets.items():
        if not isinstance(keys, list) or not all(isinstance(each, str) for each in keys):
            raise _wrong(
                file, name,
                f"`production.cluster.secrets.{name}` must be {_KINDS[list]}, and is {keys!r}",
                "Name the keys that the Secret has.",
            )  # fmt: skip
    return Orchestration(
        dockerfile=table["dockerfile"],
        image=table["image"],
        manifests=tuple(table["manifests"]),
        service=table["service"],
        config=table["config"],
        variables=table.get("variables", {}),
        files=files,
        secrets={name: tuple(keys) for name, keys in secrets.items()},
        generated=generated,
    )


def _views(file: Path, tables: Mapping[str, Any]) -> dict[str, View]:
    found = {}
    for layer, table in tables.items():
        name = f"layers.{layer}"
        if layer not in LAYERS:
            known = ", ".join(LAYERS)
            raise _wrong(file, name, f"unknown layer `{layer}`", f"Known are: {known}")
        if not isinstance(table, dict):
            raise _wrong(file, layer, f"`{name}` must be a table", f"Write a table: [{name}]")
        _check(file, table, _VIEW, f"{name}.")
        paths = table["shows"], table.get("closed", ())
        for path in (*paths[0], *paths[1]):
            _inside(file, name, path)
        # a slash at the end of a folder is how some people write it
        view = View(*(tuple(str(PurePosixPath(path)) for path in each) for each in paths))
        for path in view.shows:
            shut = [each for each in view.closed if f"{path}/".startswith(f"{each}/")]
            if shut:
                raise _wrong(
                    file, name,
                    f"`{name}` shows {path}, and has {shut[0]} closed",
                    "Leave out one of them.",
                )  # fmt: skip
        found[layer] = view
    return found


def _read(file: Path, keys: Mapping[str, tuple[type, bool]]) -> dict[str, Any]:
    values = _toml(file)
    _check(file, values, keys, "")
    return values


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise WorkshopError(
            "there is no such file", "Write it, or remove its folder.", path=file
        ) from error
    except UnicodeDecodeError as error:
        raise WorkshopError("this is not UTF-8", "Save the file as UTF-8.", path=file) from error
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        at = re.search(r" \(at line (\d+), column \d+\)", said)
        raise WorkshopError(
            f"this is not TOML: {said[: at.start()] if at else said}",
            "Mend the line. The format is described at https://toml.io",
            path=f"{file}:{at[1]}" if at else file,
        ) from error


def _check(
    file: Path, values: Mapping[str, Any], keys: Mapping[str, tuple[type, bool]], prefix: str
) -> None:
    for name, value in values.items():
        if name not in keys:
            known = ", ".join(keys)
            raise _wrong(
                file, name, f"unknown key `{prefix}{name}`", f"The keys are: {known}",
                prefix.rstrip("."),
            )  # fmt: skip
        kind = keys[name][0]
        inner: list[Any] = []
        if isinstance(value, list):
            inner = value
        elif isinstance(value, dict) and name not in _TABLES:
            inner = list(value.values())
        # bool is an int for Python, and not for a person
        if (
            not isinstance(value, kind)
            or isinstance(value, bool) != (kind is bool)
            or not all(isinstance(each, str) for each in inner)
        ):
            raise _wrong(
                file, name,
                f"`{prefix}{name}` must be {_KINDS[kind]}, and is {value!r}",
                "Mend the value.", prefix.rstrip("."),
            )  # fmt: skip
    for name, (_, needed) in keys.items():
        if needed and name not in values:
            raise WorkshopError(f"`{prefix}{name}` is missing", "Add it.", path=file)


def _among(file: Path, key: str, values: list[str], known: tuple[str, ...]) -> None:
    for value in values:
        if value not in known:
            raise _wrong(file, key, f"unknown {key} `{value}`", f"Known are: {', '.join(known)}")


def _inside(file: Path, key: str, name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ".git" in path.parts or not name:
        raise _wrong(
            file, key,
            f"`{key}` leads out of the project: {name!r}",
            "Write it relative to the project's folder, with forward slashes.",
        )  # fmt: skip


def _wrong(file: Path, key: str, fact: str, remedy: str, table: str = "") -> WorkshopError:
    """An error at the line where `key` is set (in `table`), if it can be found."""
    lines = file.read_text(encoding="utf-8").splitlines()
    head = next((at for at, line in enumerate(lines) if line.startswith(f"[{table}]")), 0)
    for number, line in enumerate(lines[head:], head + 1):
        if re.match(rf"\s*\[?{re.escape(key)}\b", line):
            return WorkshopError(fact, remedy, path=f"{file}:{number}")
    return WorkshopError(fact, remedy, path=file)
