"""Sealed secrets of a release: opened for its own environment, left closed for all others, and no
value told. On both targets; the cluster is one that only pretends.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from clustering import PLATFORM, Pretended, workload
from pairs import short
from producing import Site

from workshop import sealed, secret
from workshop.errors import WorkshopError
from workshop.model import Platform
from workshop.production import kubernetes, namespace, sealer, unsealed
from workshop.production import place as places
from workshop.production.place import Place

FILE = "deployment/application-secrets.yaml"
WORD = "canary-in-a-coal-mine"
Seal = Callable[..., str]


@pytest.fixture
def seal(project: Path) -> Seal:
    """Seals values for this project, unless another one is named."""

    def manifest(of: Path = project, where: str = "project-production", name: str = "app",
                 scope: str = "strict", **values: str) -> str:  # fmt: skip
        target = secret.place(secret.Target(where, name, scope))
        known = {key: value.encode() for key, value in (values or {"WORD": WORD}).items()}
        return sealed.made(target, known, sealer.newest(of, short).certificate)

    return manifest


def released(place: Place, text: str) -> unsealed.Unsealed:
    file = place.releases / "c0ffee" / FILE
    file.parent.mkdir(parents=True)
    file.write_text(text, "utf-8")
    return unsealed.of(place, [FILE], "c0ffee")


@pytest.fixture
def place(project: Path) -> Place:
    made = places.of(project, "production")
    places.prepare(made)
    return made


def test_what_is_sealed_for_here_is_open(place: Place, seal: Seal) -> None:
    found = released(place, seal(WORD=WORD, MORE="m") + "---\n" + seal(name="other", KEY="k"))
    assert found.secrets == {"app": {"WORD": WORD, "MORE": "m"}, "other": {"KEY": "k"}}
    assert found.variables == {"WORD": WORD, "MORE": "m", "KEY": "k"}
    said: list[tuple[str, str]] = []
    unsealed.tell(found, lambda *words: said.append(words))
    assert said == [("secrets", "opened: app (WORD, MORE)"), ("secrets", "opened: other (KEY)")]


def test_a_commit_without_such_a_file_has_none(place: Place) -> None:
    assert unsealed.of(place, [FILE], "c0ffee") == ({}, (), ())


def test_what_another_place_has_is_not_told_when_there_is_one_for_here(
    place: Place, seal: Seal
) -> None:
    found = released(place, seal(where="project-integration", WORD="no") + "---\n" + seal())
    assert found == ({"app": {"WORD": WORD}}, (), ())


def test_what_is_for_another_place_stays_closed_and_that_is_told(place: Place, seal: Seal) -> None:
    found = released(place, seal(where="demo-production"))
    assert found.secrets == {}
    assert found.closed == (
        f"app. What was there before stays.\n{FILE}:1:\n"
        "it is for the namespace demo-production, and not for project-production.\n"
        "Seal the values for that one: workshop seal --namespace project-production …",
    )


def test_what_strangers_have_sealed_stays_closed(place: Place, seal: Seal, tmp_path: Path) -> None:
    found = released(place, seal(of=tmp_path / "stranger"))
    assert found.secrets == {}
    (told,) = found.closed
    assert "no key of ours opens WORD" in told
    assert "workshop seal --namespace project-production app WORD" in told


def test_an_old_key_still_opens_and_that_is_told(place: Place, seal: Seal, project: Path) -> None:
    text = seal()
    sealer.rotate(project, short)
    found = released(place, text)
    old = f"an old key opens WORD. Seal it anew: {FILE}"
    assert found == unsealed.Unsealed({"app": {"WORD": WORD}}, (old,), ())
    said: list[tuple[str, str]] = []
    unsealed.tell(found, lambda *words: said.append(words))
    assert said == [("secrets", "opened: app (WORD)"), ("secrets", old)]


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        (lambda text: text.replace("WORD: A", "WORD: B", 1), "the sealed value of WORD is damaged"),
        (lambda text: text.replace("SealedSecret", "Secret"), "this Secret was never sealed"),
    ],
)
def test_what_is_damaged_or_was_never_sealed_goes_nowhere(
    change: Callable[[str], str], fact: str, place: Place, seal: Seal
) -> None:
    with pytest.raises(WorkshopError) as caught:
        released(place, change(seal()))
    assert caught.value.fact.startswith(fact)


def test_what_no_variable_can_hold_is_told(place: Place, seal: Seal) -> None:
    with pytest.raises(WorkshopError, match="is no text, and a variable can't hold it"):
        released(place, seal(WORD="a\0b"))


def test_a_namespace_that_was_chosen_is_the_one_that_counts(project: Path) -> None:
    assert namespace.called(places.of(project, "integration")) == "project-integration"
    chosen = places.of(project, "integration", "kubernetes")
    places.prepare(chosen)
    places.write(chosen.folder / namespace.FILE, {"name": "shop", "mark": "x"})
    assert namespace.called(places.of(project, "integration")) == "shop"


# --- On this machine -------------------------------------------------------------------------


def test_this_machines_release_gets_the_value_and_nobody_is_told(site: Site, seal: Seal) -> None:
    site.commit("one")
    assert site.run("deploy").returncode == 0
    assert site.get("/variable/WORD").body == "unset"
    site.commit("two", **{FILE: seal()})
    done = site.run("deploy")
    assert site.get("/variable/WORD").body == WORD
    assert site.run("run", "printenv", "WORD").stdout == f"{WORD}\n"
    assert "  secrets      opened: app (WORD)\n" in done.stdout
    assert WORD not in done.stdout + done.stderr
    site.run("rollback")
    assert site.get("/variable/WORD").body == "unset"


def test_a_strangers_clone_deploys_and_is_told(site: Site, seal: Seal, tmp_path: Path) -> None:
    site.commit("one", **{FILE: seal(of=tmp_path / "stranger", SECRET_KEY="s" * 50)})
    done = site.run("deploy")
    assert done.returncode == 0
    assert len(site.get("/variable/SECRET_KEY").body) > 50
    assert "  not opened   app. What was there before stays.\n               dep" in done.stdout


# --- In a cluster ----------------------------------------------------------------------------

SEALED = PLATFORM._replace(sealed=(FILE,))


def values(pretended: Pretended, name: str = "Secret app") -> dict[str, str]:
    data = pretended.has(name)["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def deploy(pretended: Pretended, said: list[str], platform: Platform = SEALED) -> None:
    kubernetes.deploy(
        pretended.project, "production", platform,
        report=lambda *words: said.append(": ".join(words)),
    )  # fmt: skip


def test_a_clusters_secret_gets_the_value_and_what_was_there_stays(
    pretended: Pretended, seal: Seal
) -> None:
    pretended.commit()
    pretended.deploy()
    before = values(pretended)
    pretended.commit("Two", **{FILE: seal(KEY=WORD)})
    said: list[str] = []
    deploy(pretended, said)
    assert (values(pretended), before["KEY"] != WORD) == ({"KEY": WORD}, True)
    assert "secrets: opened: app (KEY)" in said
    assert WORD not in "".join(said + pretended.told())
    pretended.forget()
    deploy(pretended, said)
    assert pretended.told(" replace ") == []  # it has it already


def test_a_secret_that_nobody_made_yet_gets_what_is_sealed_and_the_rest_is_made(
    pretended: Pretended, seal: Seal
) -> None:
    pretended.commit(**{FILE: seal(OTHER=WORD)})
    deploy(pretended, [])
    assert values(pretended) == {"OTHER": WORD, "KEY": values(pretended)["KEY"]}


def test_a_release_that_fails_leaves_the_secret_as_it_was(pretended: Pretended, seal: Seal) -> None:
    pretended.commit()
    pretended.deploy()
    before = pretended.has("Secret app")["data"]
    bad = pretended.commit("Two", **{FILE: seal(KEY=WORD) + "---\n" + seal(name="new", A="b")})
    pretended.say("broken", {bad: "Failed"})
    with pytest.raises(WorkshopError):
        deploy(pretended, [])
    assert pretended.has("Secret app")["data"] == before
    assert pretended.has("Secret new") == {}


@pytest.mark.parametrize("after", ["replace", "apply apply apply"])
def test_after_a_killed_one_the_secret_comes_back_that_the_live_release_had(
    after: str, pretended: Pretended, seal: Seal
) -> None:
    pretended.commit()
    pretended.deploy()
    before = pretended.has("Secret app")["data"]
    pretended.commit("Two", **{FILE: seal(KEY=WORD)})
    pretended.killed(FILE, after=after)
    assert values(pretended) == {"KEY": WORD}
    kept = pretended.place.folder / "applied.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    bad = pretended.commit("Three", **{FILE: seal(KEY="third")})
    pretended.say("broken", {bad: "Failed"})
    with pytest.raises(WorkshopError):
        deploy(pretended, [])
    assert pretended.has("Secret app")["data"] == before


def test_what_was_before_a_killed_one_is_over_when_the_next_has_succeeded(
    pretended: Pretended, seal: Seal
) -> None:
    pretended.commit()
    pretended.deploy()
    pretended.commit("Two", **{FILE: seal(KEY=WORD)})
    pretended.killed(FILE)
    pretended.commit("Three", **{FILE: seal(KEY="third")})
    deploy(pretended, [])
    bad = pretended.commit("Four", **{FILE: seal(KEY="fourth")})
    pretended.say("broken", {bad: "Failed"})
    with pytest.raises(WorkshopError):
        deploy(pretended, [])
    assert values(pretended) == {"KEY": "third"}


def test_a_secret_that_cannot_be_put_back_is_told_and_all_else_comes_back(
    pretended: Pretended, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = pretended.commit()
    pretended.deploy()
    bad = pretended.commit("Two", **{FILE: seal(KEY=WORD)})
    pretended.say("broken", {bad: "Failed"})

    def refuses(*_: object) -> None:
        raise WorkshopError("the cluster did not take the Secret app", "Ask it.")

    monkeypatch.setattr(namespace.Namespace, "put_back", refuses)
    with pytest.raises(WorkshopError) as caught:
        deploy(pretended, [])
    assert caught.value.remedy.startswith(
        f"the cluster did not take the Secret app\nThe release {good[:10]} keeps serving."
    )
    assert pretended.runs("Deployment app").endswith(good)


def test_who_is_interrupted_while_a_secret_is_written_finds_it_as_it_was(
    pretended: Pretended, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretended.commit()
    pretended.deploy()
    before = pretended.has("Secret app")["data"]
    write, times = namespace.Namespace._write, []

    def interrupted(space: namespace.Namespace, *words: object) -> None:
        write(space, *words)  # type: ignore[arg-type]
        times.append(1)
        if len(times) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(namespace.Namespace, "_write", interrupted)
    pretended.commit("Two", **{FILE: seal(KEY=WORD)})
    with pytest.raises(KeyboardInterrupt):
        deploy(pretended, [])
    assert pretended.has("Secret app")["data"] == before


def test_a_secret_that_the_project_generates_is_not_made_for_it(pretended: Pretended) -> None:
    assert PLATFORM.cluster is not None
    cluster = PLATFORM.cluster._replace(generated={"database": "secrets.json"})
    platform = PLATFORM._replace(cluster=cluster)
    pretended.commit(**{"secrets.json": workload("Job", "generate", "demo:1")})
    said: list[str] = []
    deploy(pretended, said, platform)
    assert "secrets: made: app" in said
    assert said.index("generate: done") < said.index("database: 1 of 1 ready")
    assert pretended.has("Secret database") == {}
    (pretended.project / "secrets.json").unlink()
    pretended.commit("Two")
    deploy(pretended, said, platform)  # a stage before it: then it is made, as ever
    assert said[-1] == "app: 3 of 3 ready"
    assert len(values(pretended, "Secret database")["password"]) == 64
