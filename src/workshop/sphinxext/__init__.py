"""Directives that show what stands in a stage. A directive is a small file; find it here by name.

A new one: a pure function from the material to a text, a class that calls it through `show`, and
a line below. What is shown through `show` is noted, and a page is read again when it changes.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.sphinxext import claim
from workshop.sphinxext.browser import Browser
from workshop.sphinxext.checks import Checks
from workshop.sphinxext.commands import Commands
from workshop.sphinxext.diff import Diff
from workshop.sphinxext.domain import (
    WorkshopDomain,
    find_outdated,
    forget_a_bad_build,
    open_material,
)
from workshop.sphinxext.example import Example
from workshop.sphinxext.hash import HashRole
from workshop.sphinxext.hints import Hints
from workshop.sphinxext.listing import Listing
from workshop.sphinxext.proof import ShowProof
from workshop.sphinxext.source import Source
from workshop.sphinxext.step_head import StepHead
from workshop.sphinxext.step_list import StepList
from workshop.sphinxext.tree import Tree
from workshop.sphinxext.value import ValueRole

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

DIRECTIVES = {
    "listing": Listing,
    "diff": Diff,
    "tree": Tree,
    "commands": Commands,
    "browser": Browser,
    "step-head": StepHead,
    "checks": Checks,
    "hints": Hints,
    "step-list": StepList,
    "source": Source,
    "proof": ShowProof,
    "example": Example,
}
ROLES = {"hash": HashRole, "value": ValueRole}


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx what we bring."""
    app.add_domain(WorkshopDomain)
    for frame in (claim.claim, claim.inline_claim):
        app.add_node(
            frame,
            html=(claim.visit_html, claim.depart_html),
            latex=(claim.skip, claim.skip),
            text=(claim.skip, claim.skip),
        )
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive)
    for name, role in ROLES.items():
        app.add_role(name, role())
    app.add_config_value("workshop_course", "", "env", (str,))
    # Not for people to set: when a directive's code changes, every page is made again.
    app.add_config_value("workshop_code", _code(), "env", (str,))
    app.connect("builder-inited", open_material)
    app.connect("env-get-outdated", find_outdated)
    app.connect("doctree-read", claim.refuse_raw)
    app.connect("build-finished", forget_a_bad_build)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _code() -> str:
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
