"""A secret that a Job makes in the cluster: made in an empty namespace, and once more.

Of its value, nothing is ever told but what is wrong with it.
"""

from __future__ import annotations

import base64
import copy
import json
import time
from collections.abc import Iterator
from pathlib import Path

from workshop import manifests, workloads
from workshop.checks import near, words
from workshop.checks.cluster import Cluster
from workshop.checks.failure import CheckFailed, expect
from workshop.checks.image import Image
from workshop.errors import WorkshopError
from workshop.kubectl import Object
from workshop.production import images

FILE = "deployment/postgres-secrets.yaml"
NAME, KEY = "postgres", "password"
MADE = 300.0  # seconds until the Job has ended, on a slow machine
_POLL = 1.0
_QUIET = 5.0  # seconds that trouble must last


class Generated:
    """The Jobs of one file, in one namespace. `own` is how the file calls the project's image."""

    def __init__(self, project: Path, cluster: Cluster, image: Image, own: str) -> None:
        self._project = project
        self._cluster = cluster
        self._image = image
        self._own = own
        self._brought = ""
        self._failed: CheckFailed | None = None
        self._made = False

    @property
    def jobs(self) -> tuple[Object, ...]:
        """What the file runs, once it is certain that it runs only what is ours."""
        near.must_be_there(self._project, FILE)
        jobs = tuple(each for each in self._cluster.read(FILE) if each["kind"] == "Job")
        expect(
            jobs,
            seen=f"{FILE} has no Job",
            expected=f"one that makes the Secret {NAME} once, and ends",
            do="Add one, behind a line with ---: kind: Job",
        )
        for job in jobs:
            for each in workloads.containers(workloads.template(job) or {}):
                named = each.get("image", "")
                expect(
                    named == self._own,
                    seen=f"{manifests.line(self._project, FILE, f'image: {named}')}: the password"
                    f" is made in the image {named or 'without a name'}",
                    expected=f"your own image, {self._own}: whoever makes another one could keep"
                    " the password",
                    do=f"image: {self._own}. It has Python, and Python has the module secrets.",
                )
        return jobs

    def first(self) -> None:
        """Have it made, in a namespace where there was nothing."""
        if self._failed is not None:
            raise self._failed
        if not self._made:
            try:
                self.again()
            except CheckFailed as error:
                self._failed = error
                raise
            self._made = True

    def again(self) -> None:
        """Apply the file, as if for the first time, and wait until its Jobs have done it."""
        jobs = self.jobs
        for job in jobs:  # it can't be changed
            self._cluster.forget("job", job["metadata"]["name"])
        found = [self._with_image(each) for each in self._cluster.read(FILE)]
        self._cluster.apply_objects(FILE, found)
        began = since = time.monotonic()
        while time.monotonic() - began < MADE:
            now, pods = self._cluster.look(jobs)
            if all(each and workloads.done(each) for each in now):
                return
            why = next(filter(None, (workloads.hopeless(each) for each in now if each)), "")
            # who ends too often fails by the Job's own rules
            stuck = next(
                (each for each in self._cluster.troubles(pods) if each[0] != "CrashLoopBackOff"),
                None,
            )
            since = since if stuck else time.monotonic()  # some of it mends itself
            if why or (stuck and time.monotonic() - since > _QUIET):
                raise self._broken(why or (f"{stuck[0]}: {stuck[1]}" if stuck else ""))
            time.sleep(_POLL)
        raise self._broken(f"it had not ended after {MADE:.0f} seconds")

    @property
    def secret(self) -> Object:
        """The Secret that came of it."""
        found = self._cluster.now({"kind": "Secret", "metadata": {"name": NAME}})
        if found is None:
            raise CheckFailed(
                seen=f"the Job of {FILE} ended well, and there is no Secret {NAME}",
                expected=f"a Secret of that name: deployment/postgres.yaml takes its {KEY}",
                do=f"Let the Job make the Secret {NAME}, in the namespace in which it runs.",
            )
        return found

    @property
    def password(self) -> bytes:
        """What is in it. Whoever asks shows it to nobody."""
        coded = str((self.secret.get("data") or {}).get(KEY, ""))
        expect(
            coded,
            seen=f"the Secret {NAME} has no {KEY}"
            f", only {', '.join(self.secret.get('data') or {}) or 'nothing'}",
            expected=f"the key {KEY}: deployment/postgres.yaml asks for it",
            do=f"Put the password into stringData, under {KEY}.",
        )
        return base64.b64decode(coded)

    def forget(self) -> None:
        """Remove the Secret."""
        self._cluster.forget("secret", NAME)

    def public(self) -> Iterator[tuple[str, str]]:
        """All that somebody sees who may not read Secrets: what it is, and its text."""
        for pod in self._cluster.every_pod({}):
            yield "the log of the pod", self._cluster.every_log(pod)
        for kind in ("jobs", "pods", "configmaps", "events"):
            told = f"the description of the {kind}"
            yield told, json.dumps(self._cluster.objects(kind), ensure_ascii=False)

    def _with_image(self, one: Object) -> Object:
        """An object with the image as the cluster knows it, instead of the file's name for it."""
        if not self._brought:
            try:
                self._brought = images.brought(self._image.built)[0]
            except WorkshopError as error:
                raise CheckFailed(
                    seen=error.fact, expected="a cluster that gets your image", do=error.remedy
                ) from error
        changed = copy.deepcopy(one)
        for container in workloads.containers(workloads.template(changed) or {}):
            if container.get("image") == self._own:
                container["image"] = self._brought
                # Its name has no version. Without this, a cluster would look for a newer one.
                container.setdefault("imagePullPolicy", "IfNotPresent")
        return changed

    def _broken(self, why: str) -> CheckFailed:
        said = [words.tail(each, Path("/")) for each in self._cluster.last_words()]
        told = "\n".join(filter(None, said))
        return CheckFailed(
            seen=f"{FILE} was applied, and its Job did not do it: {why}\n{told}".rstrip(),
            expected="a Job that ends well, also when there is a Secret already",
            do="Read the last words. Then ask the cluster: kubectl describe pods",
        )
