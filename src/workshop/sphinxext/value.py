"""{value}`minutes`: a number or a version, from the one place that knows it."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import metadata

from docutils import nodes

from workshop import course as courses
from workshop import lint
from workshop.errors import WorkshopError
from workshop.history import Stage
from workshop.production.place import FIRST_PORT
from workshop.sphinxext.base import WorkshopRole
from workshop.sphinxext.material import Material
from workshop.sphinxext.tree import last

_PROJECT = "modern-continuous-delivery"


def value(material: Material, name: str, detail: str, tag: str) -> str:
    """The value called `name`; `detail` narrows it, and `tag` is the stage it is read from."""
    if name not in VALUES:
        raise WorkshopError(f"there is no value {name}", f"The values are: {', '.join(VALUES)}")
    return VALUES[name](material, detail, material.stage(tag))


def _minutes(material: Material, detail: str, _stage: Stage) -> str:
    steps = [courses.find(material.course, detail)] if detail else material.course.steps
    return str(sum(step.minutes for step in steps))


def _steps(material: Material, _detail: str, _stage: Stage) -> str:
    return str(len(material.course.steps))


def _katas(material: Material, _detail: str, _stage: Stage) -> str:
    return str(len(material.course.katas))


def _kata_minutes(material: Material, detail: str, _stage: Stage) -> str:
    return str(courses.kata(material.course, detail).minutes)


def _checks(material: Material, detail: str, _stage: Stage) -> str:
    steps = [courses.find(material.course, detail)] if detail else material.course.steps
    return str(sum(len(lint.checks(file)) for step in steps for file in step.tests))


def _title(material: Material, detail: str, stage: Stage) -> str:
    return courses.find(material.course, detail).title if detail else stage.step.title


def _step(material: Material, detail: str, stage: Stage) -> str:
    step = courses.find(material.course, detail) if detail else stage.step
    return f"{step.number:02d}"


def _files(material: Material, detail: str, stage: Stage) -> str:
    files = material.stage(detail).files if detail else stage.files
    return str(sum(not path.startswith(".") for path in files))


def _version(_material: Material, detail: str, stage: Stage) -> str:
    """The version that the stage pins, else the one that the workshop itself pins."""
    texts = [
        file.data.decode(errors="replace")
        for path, file in stage.files.items()
        if re.search(r"(^|/)(requirements.*\.(txt|in)|tox\.ini)$", path)
    ]
    pins = "\n".join(texts + (metadata.requires(_PROJECT) or []))
    for pinned, version in re.findall(
        r"(?m)^(?:deps =)? *([\w.-]+)(?:\[[^\]]*\])?==([\w.]+)", pins
    ):
        if _normal(pinned) == _normal(detail):
            return str(version)
    raise WorkshopError(f"no version of {detail or 'nothing'} is pinned", "Check its name.")


def _python(_material: Material, _detail: str, _stage: Stage) -> str:
    return str(metadata.metadata(_PROJECT)["Requires-Python"]).strip("><=~ ")


def _port(_material: Material, _detail: str, _stage: Stage) -> str:
    return str(FIRST_PORT)


def _url(_material: Material, _detail: str, _stage: Stage) -> str:
    return f"http://127.0.0.1:{FIRST_PORT}/"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


VALUES: dict[str, Callable[[Material, str, Stage], str]] = {
    "minutes": _minutes,
    "steps": _steps,
    "step": _step,
    "katas": _katas,
    "kata-minutes": _kata_minutes,
    "checks": _checks,
    "files": _files,
    "title": _title,
    "version": _version,
    "python": _python,
    "port": _port,
    "url": _url,
}


class ValueRole(WorkshopRole):
    """A value, as plain text."""

    def node(self) -> nodes.Node:
        """The value. In a lesson, versions are those of its own stage, else of the last one: which
        that is is noted as well, so that the page is read again when there is another."""
        name, _, detail = self.text.partition(":")
        step = self.material.step_of(self.env.docname)
        tag = step.tag if step else self.show(last)
        return nodes.Text(self.show(value, name, detail, tag))
