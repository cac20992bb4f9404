"""The demo project's trees are those of the talk, and `tree` itself prints them as we draw them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import slides

from workshop import course as courses
from workshop import history, trees
from workshop.model import View

COURSE = courses.load(courses.default_root())
STAGES = {stage.step.tag: stage for stage in history.stages(COURSE)}
LAST = tuple(list(STAGES.values())[-1].files)
needs_tree = pytest.mark.skipif(
    os.name == "nt" or shutil.which("tree") is None, reason="there is no program `tree` to ask"
)


def drawn(layer: str) -> str:
    """What we draw of the last stage."""
    if not layer:
        return trees.draw(path for path in LAST if "/." not in f"/{path}")
    view = COURSE.views[layer]
    assert trees.lacking(LAST, view) == []
    return trees.draw(trees.shown(LAST, view), view.closed)


# --- the talk ------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", slides.TREES)
def test_the_last_stage_is_on_the_slide_file_for_file(layer: str) -> None:
    assert drawn(layer) == slides.TREES[layer]


def test_every_layer_has_its_slide() -> None:
    assert list(COURSE.views) == list(slides.LAYERS)


def test_beside_the_slides_there_are_three_hidden_files() -> None:
    assert [path for path in LAST if "/." in f"/{path}"] == [
        ".dockerignore", ".gitignore", ".gitlab-ci.yml",
    ]  # fmt: skip


def test_two_files_have_two_layers() -> None:
    shown = [set(trees.shown(LAST, COURSE.views[each])) for each in ("Application", "Development")]
    assert shown[0] & shown[1] == {"manage.py", "requirements.txt"}


# --- the program ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """A checkout of the last stage; and by layer, a folder with nothing but what it shows."""
    top = tmp_path_factory.mktemp("trees")
    made = {"": top / "demo"}
    history.build(COURSE, made[""])
    for layer, view in COURSE.views.items():
        made[layer] = top / layer
        for path in view.closed:
            (made[layer] / path).mkdir(parents=True)
        for path in trees.shown(LAST, view):
            (made[layer] / path).parent.mkdir(parents=True, exist_ok=True)
            (made[layer] / path).touch()
    return made


def ask(folder: Path, *words: str, **more: str) -> str:
    said = subprocess.run(
        ["tree", "--charset", "utf-8", "-n", *words], cwd=folder, env={**os.environ, **more},
        capture_output=True, encoding="utf-8", check=True, timeout=60,
    ).stdout  # fmt: skip
    return said.replace("\N{NO-BREAK SPACE}", " ")  # who copies a line wants none of these


def counted(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text.splitlines()[-1])]


@pytest.fixture(scope="module")
def top(tmp_path_factory: pytest.TempPathFactory) -> int:
    """1 where `tree` counts the top folder, too: since version 2 it does. The slides are older."""
    folder = tmp_path_factory.mktemp("one")
    (folder / "file").touch()
    return counted(ask(folder))[0]


@needs_tree
@pytest.mark.parametrize("layer", slides.TREES)
def test_the_program_lists_the_same(layer: str, folders: Mapping[str, Path], top: int) -> None:
    """In whatever order it is on this machine, and counted as the slides do."""
    hidden = ["-a"] if layer else []
    names = [line.split("── ")[-1] for line in drawn(layer).splitlines()[1:-2]]
    listed = ask(folders[layer], "-i", "--noreport", *hidden).splitlines()[1:]
    assert sorted(listed) == sorted(names)
    folders_and_files = counted(ask(folders[layer], *hidden))
    assert [folders_and_files[0] - top, folders_and_files[1]] == counted(drawn(layer))


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables with which programs sort as on the speaker's machine; made where they are not."""
    folder = tmp_path_factory.mktemp("locales")
    variables = {"LC_ALL": "en_US.UTF-8"}
    if shutil.which("localedef"):
        words = ["localedef", "-i", "en_US", "-f", "UTF-8", str(folder / "en_US.UTF-8")]
        subprocess.run(words, capture_output=True, check=False, timeout=120)
        if (folder / "en_US.UTF-8").exists():
            variables["LOCPATH"] = str(folder)
    done = subprocess.run(
        ["sort"], input="b\nB.c\n.a\n", env={**os.environ, **variables},
        capture_output=True, encoding="utf-8", check=False, timeout=60,
    )  # fmt: skip
    if done.stdout.split() != [".a", "b", "B.c"]:
        pytest.skip("this machine can't sort as an English one does")
    return variables


@needs_tree
@pytest.mark.parametrize("layer", slides.TREES)
def test_the_program_draws_the_same(
    layer: str, folders: Mapping[str, Path], english: dict[str, str]
) -> None:
    said = ask(folders[layer], *(["-a"] if layer else []), **english)
    assert said.splitlines()[:-1] == drawn(layer).splitlines()[:-1]


# --- what we draw --------------------------------------------------------------------------------


def test_one_of_each_is_no_plural() -> None:
    assert trees.draw(["a/b.py"]) == ".\n└── a\n    └── b.py\n\n1 directory, 1 file\n"


def test_only_letters_and_digits_count_for_the_order() -> None:
    paths = ["B", "a-c", "a.b", ".c", "_d", "a1", "É", "a-c.d/x"]
    names = [line.split("── ")[1] for line in trees.draw(paths).splitlines()[1:-2]]
    assert names == ["a1", "a.b", "a-c", "a-c.d", "x", "B", ".c", "_d", "É"]


def test_a_closed_folder_is_drawn_without_what_is_in_it() -> None:
    paths = ["one/a", "one/b/c", "one/bb", "two"]
    assert trees.draw(["two"], ["one/b"]) == (
        ".\n├── one\n│   └── b\n└── two\n\n2 directories, 1 file\n"
    )
    assert trees.shown(paths, View(("one", "two"), ("one/b",))) == ["one/a", "one/bb", "two"]


@pytest.mark.parametrize(
    ("view", "lacking"),
    [
        (View(("one", "one/b", "two"), ("one/b",)), []),
        (
            View(("on", "one/b/c/d", "thre"), ("two", "on")),
            ["on", "one/b/c/d", "thre", "two/", "on/"],
        ),
    ],
)
def test_what_is_not_there_is_named(view: View, lacking: list[str]) -> None:
    assert trees.lacking(["one/a", "one/b/c", "two", "three"], view) == lacking


# --- the stages before ---------------------------------------------------------------------------

APPLICATION = {
    "LICENSE", "README.rst", "application/__init__.py", "application/settings.py",
    "application/urls.py", "application/wsgi.py", "manage.py", "requirements.txt",
}  # fmt: skip
DEVELOPMENT = {
    "docker-compose.yml", "manage.py", "requirements.txt", "tests/README.rst",
    "tests/acceptance/environment.py", "tests/acceptance/features/login-logout.feature",
    "tests/acceptance/steps/fixtures.py", "tests/acceptance/steps/given.py",
    "tests/acceptance/steps/then.py", "tests/acceptance/steps/when.py",
    "tests/unit/test_application.py", "tox.ini",
}  # fmt: skip
# Of the whole tree; the slide of the layer does not open this folder.
LISTS = {f"requirements/{name}" for name in ("base.in", "development.in", "production.in")} | {
    "requirements/production.txt"
}
DEPLOYMENT = {"deployment/application/Dockerfile"}  # so far
SERVERS = DEPLOYMENT | {
    "deployment/application/entrypoint.sh", "deployment/application/uwsgi.ini",
    "deployment/webserver/nginx.conf",
}  # fmt: skip
MANIFESTS = {"deployment/postgres.yaml"}
CLUSTER = {
    f"deployment/{each}"
    for each in (
        "README.rst", "application.yaml", "application-secrets.yaml", "postgres-secrets.yaml",
        "envs/development", "envs/integration", "envs/production",
    )
}  # fmt: skip


@pytest.mark.parametrize(
    ("tag", "wanted"),
    [
        ("01-commit-one", APPLICATION),
        ("09-pinned", APPLICATION | DEVELOPMENT | LISTS),
        ("10-image", APPLICATION | DEVELOPMENT | LISTS | DEPLOYMENT),
        ("12-web-server", APPLICATION | DEVELOPMENT | LISTS | SERVERS),
        ("13-database", APPLICATION | DEVELOPMENT | LISTS | SERVERS | MANIFESTS),
        ("16-secrets", APPLICATION | DEVELOPMENT | LISTS | SERVERS | MANIFESTS | CLUSTER),
    ],
)
def test_a_stage_has_the_files_of_the_talk_and_no_others(tag: str, wanted: set[str]) -> None:
    assert {path for path in STAGES[tag].files if not path.startswith(".")} == wanted
