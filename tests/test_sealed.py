"""Manifests of secrets: what is kept, what is refused, and that no refusal tells a value."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pairs import pair

from workshop import sealed
from workshop.errors import WorkshopError
from workshop.secret import Place, Target, place

CANARY = "canary-in-a-coal-mine"
PLACE = Place("production", "app", "strict")
SECRET = f"""\
apiVersion: v1
kind: Secret
metadata:
  name: app
  namespace: production
stringData:
  KEY: {CANARY}
"""


def seal(text: str, *numbers: int, **target: str) -> str:
    keys = [pair(number).private for number in numbers or (0,)]
    certificate = pair((numbers or (0,))[0]).certificate
    return sealed.seal(
        text.encode(), certificate, path="x.yaml", keys=keys, target=Target(**target)
    )


def opened(text: str, *numbers: int, namespace: str | None = None) -> tuple[sealed.Opened, ...]:
    keys = [pair(number).private for number in numbers or (0,)]
    return sealed.opened(text.encode(), keys, path="x.yaml", namespace=namespace)


def refused(text: str, *numbers: int, namespace: str | None = None) -> str:
    with pytest.raises(WorkshopError) as caught:
        opened(text, *numbers, namespace=namespace)
    return told(caught.value)


def unsealed(text: str, **target: str) -> str:
    with pytest.raises(WorkshopError) as caught:
        seal(text, **target)
    return told(caught.value)


def told(error: WorkshopError) -> str:
    """Where and what, once it is sure that no value is in it, nor in what it came from."""
    assert error.remedy
    cause: BaseException | None = error
    while cause:
        assert CANARY not in str(cause)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return f"{error.path}: {error.fact}"


def test_a_secret_becomes_what_kubeseal_makes_of_it() -> None:
    value = base64.b64encode(CANARY.encode()).decode()
    text = seal(f"""\
apiVersion: v1
kind: Secret
type: kubernetes.io/basic-auth
immutable: true
metadata:
  name: app
  namespace: production
  uid: 7
  generation: 3
  creationTimestamp: 2030-01-02T03:04:05Z
  managedFields: [{{manager: kubectl}}]
  ownerReferences: [{{uid: 8}}]
  labels: {{app.kubernetes.io/name: "1"}}
  annotations:
    why: tests
    kubectl.kubernetes.io/last-applied-configuration: '{{"stringData": "{CANARY}"}}'
data:
  KEY: {value}
  OTHER: ''
stringData:
  OTHER: "two\\nlines"
""")
    assert CANARY not in text
    assert value not in text
    found = yaml.safe_load(text)
    sealed_values = found["spec"].pop("encryptedData")
    assert list(sealed_values) == ["KEY", "OTHER"]
    assert found == {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {"name": "app", "namespace": "production"},
        "spec": {
            "template": {
                "metadata": {
                    "name": "app",
                    "namespace": "production",
                    "labels": {"app.kubernetes.io/name": "1"},
                    "annotations": {"why": "tests"},
                },
                "immutable": True,
                "type": "kubernetes.io/basic-auth",
            }
        },
    }
    assert all(f"    {key}: {each}\n" in text for key, each in sealed_values.items())
    values = {"KEY": CANARY.encode(), "OTHER": b"two\nlines"}
    assert opened(text) == (sealed.Opened(PLACE, values, ()),)


keys = st.from_regex(r"[-._a-zA-Z0-9]{1,40}", fullmatch=True)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    values=st.dictionaries(keys, st.binary(max_size=200), min_size=1, max_size=3),
    scope=st.sampled_from(["strict", "namespace-wide", "cluster-wide"]),
)
def test_any_values_come_back(values: dict[str, bytes], scope: str) -> None:
    where = place(Target("production", "app", scope))
    text = sealed.made(where, values, pair(0).certificate)
    assert opened(text) == (sealed.Opened(where, values, ()),)
    data = {key: base64.b64encode(value).decode() for key, value in values.items()}
    plain = yaml.safe_dump({
        "apiVersion": "v1", "kind": "Secret", "data": data,
        "metadata": {"name": "app", "namespace": "production"},
    })  # fmt: skip
    assert opened(seal(plain, scope=scope)) == (sealed.Opened(where, values, ()),)


def test_several_documents_each_for_its_own_place() -> None:
    text = seal(f"---\n{SECRET}---\n---\n{SECRET.replace('name: app', 'name: db')}")
    assert text.startswith("---\n")
    assert [each.place.name for each in opened(text)] == ["app", "db"]
    assert unsealed(f"{SECRET}---\n{SECRET}", name="x") == (
        "x.yaml: there are 2 manifests, and one name for them"
    )


def test_scopes() -> None:
    for scope, name in (("namespace-wide", "other"), ("cluster-wide", "other")):
        text = seal(SECRET, scope=scope)
        for metadata in (yaml.safe_load(text)["metadata"],
                         yaml.safe_load(text)["spec"]["template"]["metadata"]):  # fmt: skip
            assert metadata["annotations"] == {f"sealedsecrets.bitnami.com/{scope}": "true"}
        (found,) = opened(text.replace("name: app", f"name: {name}"))
        assert found.values == {"KEY": CANARY.encode()}
        # A manifest that says its scope keeps it, and one that is told another changes it.
        annotated = SECRET.replace(
            "  name: app\n",
            f"  name: app\n  annotations: {{sealedsecrets.bitnami.com/{scope}: 'true'}}\n",
        )
        assert opened(seal(annotated))[0].place.scope == scope
        assert opened(seal(annotated, scope="strict"))[0].place.scope == "strict"
        assert "annotations" not in seal(annotated, scope="strict")
    anywhere = seal(SECRET, scope="cluster-wide").replace("namespace: production", "namespace: x")
    assert opened(anywhere)[0].values == {"KEY": CANARY.encode()}
    anywhere = seal(SECRET.replace("  namespace: production\n", ""), scope="cluster-wide")
    assert opened(anywhere)[0].place == Place("", "app", "cluster-wide")


def test_another_namespace_or_name_is_told_by_what_it_was_sealed_as() -> None:
    text = seal(SECRET)
    assert refused(text, namespace="integration") == (
        "x.yaml:1: it is for the namespace production, and not for integration"
    )
    assert opened(text, namespace="production")
    moved = text.replace("production", "integration")
    assert refused(moved) == (
        "x.yaml:8: KEY does not open as integration/app:"
        " it was sealed as production/app, and opens only there"
    )
    # Nothing in the manifest tells: the template says the new name, too.
    assert refused(text.replace("name: app", "name: web")).endswith(
        "KEY does not open as production/web: it was sealed as something else, and opens only there"
    )
    renamed = text.replace("name: app", "name: web", 1)
    assert refused(renamed).endswith("it was sealed as production/app, and opens only there")
    text = seal(SECRET.replace("namespace: production", "namespace: demo-production"))
    moved = text.replace("demo-production", "demo-integration")
    assert refused(moved).endswith("it was sealed as demo-production/app, and opens only there")
    narrow = seal(SECRET, scope="cluster-wide").replace("cluster-wide: 'true'", "x: 'true'")
    assert refused(narrow).endswith("it was sealed as cluster-wide, and opens only there")


def test_without_a_namespace_it_opens_where_it_is_applied() -> None:
    text = seal(SECRET).replace("  namespace: production\n", "", 1)
    assert opened(text, namespace="production")[0].place == PLACE
    assert "it was sealed as production/app" in refused(text, namespace="integration")
    assert refused(text) == "x.yaml:1: for which namespace? It opens only there"


def test_another_key_and_an_old_one() -> None:
    text = seal(SECRET)
    other = "no key of ours opens KEY: it was sealed to another one, or it is damaged"
    assert refused(text, 1) == f"x.yaml:8: {other}"
    assert opened(text, 1, 0)[0].old == ("KEY",)
    anew = seal(text, 1, 0)
    assert opened(anew, 1)[0] == sealed.Opened(PLACE, {"KEY": CANARY.encode()}, ())
    assert refused(anew, 0).endswith(other)


def test_sealed_anew_the_rest_stays_as_it_was() -> None:
    text = seal(SECRET.replace("kind: Secret", "kind: Secret\ntype: Opaque"))
    text = text.replace("metadata:\n", "metadata:\n  labels: {a: b}\n", 1)
    one, other = yaml.safe_load(text), yaml.safe_load(seal(text))
    assert one["spec"].pop("encryptedData") != other["spec"].pop("encryptedData")
    assert one == other
    assert other["metadata"]["labels"] == {"a": "b"}
    moved = seal(text, namespace="integration")
    assert opened(moved)[0].place == Place("integration", "app", "strict")


def test_new_values_beside_those_that_are_there() -> None:
    certificate = pair(0).certificate
    one = seal(SECRET).replace("    metadata:\n", "    type: Opaque\n    metadata:\n", 1)
    both = sealed.merged(one.encode(), PLACE, {"B": b"2"}, certificate, path="x.yaml")
    assert opened(both)[0].values == {"KEY": CANARY.encode(), "B": b"2"}
    assert yaml.safe_load(both)["spec"]["template"]["type"] == "Opaque"
    for before, where in (
        (SECRET, PLACE),
        (f"{one}---\n{one}", PLACE),
        (one, PLACE._replace(name="web")),
        (one, PLACE._replace(scope="namespace-wide")),
    ):
        with pytest.raises(WorkshopError, match="this file holds something else"):
            sealed.merged(before.encode(), where, {"B": b"2"}, certificate, path="x.yaml")


def test_a_secret_in_base64_is_not_sealed() -> None:
    assert refused(SECRET) == (
        "x.yaml:1: this Secret was never sealed: base64 is no lock, who has the file has the values"
    )
    assert not sealed.is_sealed(SECRET.encode(), "x")
    assert not sealed.is_sealed(f"{seal(SECRET)}---\n{SECRET}".encode(), "x")
    assert sealed.is_sealed(seal(SECRET).encode(), "x")


def spoiled(old: str, new: str) -> str:
    text = re.sub(old, new, seal(SECRET), count=1, flags=re.DOTALL)
    assert text != seal(SECRET)
    return text


def test_what_is_no_sealed_secret() -> None:
    one = "x.yaml:1: "
    assert refused(spoiled("bitnami", "example")) == f"{one}this is no SealedSecret"
    assert refused(spoiled("SealedSecret", "ConfigMap")) == f"{one}this is no SealedSecret"
    missing = f"{one}there is no encryptedData under spec"
    for new in ("spec: {}\n", "spec: x\n", "", "spec: {encryptedData: {}}\n"):
        assert refused(spoiled(r"spec:.*", new)) == missing
    for new in ("KEY: 7\n", "KEY:\n"):
        assert refused(spoiled(r"KEY: \S+\n", new)) == (
            "x.yaml:8: the sealed value of KEY is damaged: it is not text"
        )
    assert refused(spoiled(r"KEY: .{9}", "KEY: ")).startswith(
        "x.yaml:8: the sealed value of KEY is damaged: it is not base64"
    )
    assert refused(spoiled(r".{8}\n  template", "AAAAAAA=\n  template")) == (
        "x.yaml:8: the sealed value of KEY is damaged: it was changed after it had been sealed"
    )
    assert refused(spoiled("template:\n", "template:\n    data: {a: b}\n")).startswith(
        f"{one}spec.template.data makes values"
    )
    assert refused(spoiled("template:.*", "template: x\n")) == (
        f"{one}there are no keys under template"
    )


def test_a_secret_that_can_not_be_sealed_names_its_line() -> None:
    def changed(old: str, new: str, **target: str) -> str:
        assert old in SECRET
        return unsealed(SECRET.replace(old, new), **target)

    assert changed("kind: Secret", "kind: Pod") == (
        "x.yaml:1: this is no Secret, and nothing else is sealed"
    )
    assert changed("  name: app\n", "") == "x.yaml:1: it has no name"
    assert changed("name: app", "name: App") == "x.yaml:1: this is no name of a Secret: App"
    assert changed("name: app", "name: 7") == "x.yaml:4: the value of metadata.name is not text"
    assert changed("  namespace: production\n", "") == (
        "x.yaml:1: for which namespace? It opens only there"
    )
    assert changed("app", "app", namespace="a/b") == "x.yaml:1: this is no namespace: a/b"
    assert changed("app", "app", scope="wide") == "x.yaml:1: there is no scope wide"
    assert changed(f"  KEY: {CANARY}\n", "") == "x.yaml:1: there is no value in this Secret"
    assert changed(f"\n  KEY: {CANARY}", " x") == "x.yaml:6: there are no keys under stringData"
    for bare in ("12", "yes", "2030-01-02", "1.5", "", "[a]", "!!int canary-in-a-coal-mine"):
        assert changed(CANARY, bare) == "x.yaml:7: the value of KEY is not text"
    assert changed("KEY", f'"{CANARY} !"').startswith("x.yaml:7: a key has letters")
    assert changed("stringData", "data") == (
        "x.yaml:7: the value of KEY is not base64, as all under data must be"
    )
    assert changed("  name: app", "  labels: {a: 1}\n  name: app") == (
        "x.yaml:4: the value of a is not text"
    )
    assert changed("  name: app", "  labels: a\n  name: app") == (
        "x.yaml:4: there are no keys under labels"
    )
    assert changed("kind:", "immutable: 1\nkind:") == "x.yaml:2: immutable is not true or false"
    assert changed("kind:", "type: 1\nkind:") == "x.yaml:2: type is not text"
    assert changed("metadata:\n  name: app\n  namespace: production", "metadata: x") == (
        "x.yaml:3: there are no keys under metadata"
    )


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (f"*{CANARY}", "x.yaml:7: this is not YAML: found undefined alias"),
        (f"%{CANARY}", "x.yaml:7: this is not YAML: found character"),
        (f"@{CANARY}", "x.yaml:7: this is not YAML: found character"),
        (f"'{CANARY}", "x.yaml:8: this is not YAML: found unexpected end of stream"),
        (f"{CANARY}: {CANARY}", "x.yaml:7: this is not YAML: mapping values are not allowed here"),
        (f"!{CANARY} x", "x.yaml:7: the value of KEY is not text"),
        (f"&a [{CANARY}, *a]", "x.yaml:7: the value of KEY is not text"),
        (f"{CANARY}\n  KEY: {CANARY}", "x.yaml:8: this key stands twice, first on line 7"),
        (f"{CANARY}\n  12: {CANARY}", "x.yaml:8: this key is not text"),
        (f"{CANARY}\0", "x.yaml: this is not YAML: an unreadable character"),
        (f"{CANARY}\n  A: {'[' * 9000}", "x.yaml: this is nested too deeply"),
    ],
)
def test_bad_yaml_is_named_and_never_quoted(value: str, told: str) -> None:
    assert unsealed(SECRET.replace(CANARY, value)) == told


def test_what_is_no_manifest_at_all() -> None:
    assert unsealed("") == "x.yaml: there is nothing in it"
    assert unsealed("---\n---\n") == "x.yaml: there is nothing in it"
    assert unsealed("hello") == "x.yaml: this is no manifest"
    with pytest.raises(WorkshopError, match="this is not UTF-8"):
        sealed.seal(b"\xff", b"", path="x.yaml")


def test_the_remedy_is_a_command_to_type() -> None:
    text: Any = seal(SECRET, scope="namespace-wide")
    with pytest.raises(WorkshopError) as caught:
        opened(text, 1)
    assert caught.value.remedy == (
        "Seal it for here: workshop seal --scope namespace-wide --namespace production app KEY"
    )
