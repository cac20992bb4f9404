"""Wrong solutions of the step about secrets.

Here, each leaks what somebody else could read, in one of the places where people leak. No golden
file has a value: what is made up for a test is another one each time, and must not be told.
"""

from __future__ import annotations

import base64
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from pairs import pair
from wrong_solutions import TOX, Wrong

from workshop import git, sealed
from workshop.production import sealer
from workshop.secret import Place

FILE, MADE = "deployment/application-secrets.yaml", "deployment/postgres-secrets.yaml"
DOCKERFILE, COMPOSE = "deployment/application/Dockerfile", "docker-compose.yml"
MANIFEST, LIVE = "deployment/application.yaml", "deployment/envs/production"
SPACE, NAME, KEY = "demo-production", "application", "SECRET_KEY"
COURSE = (Path(__file__).parents[1] / "solutions/16-secrets" / FILE).read_text("utf-8")
IN_CLUSTER = ("test_made_in_the_cluster", "test_made_once")
PLAIN = """\
apiVersion: v1
kind: Secret
metadata:
  name: application
{values}
"""
RULES = "    resources: [secrets]\n    verbs: [create]\n"
ACCOUNT = "      serviceAccountName: postgres-password\n"
SUBJECT = "  - kind: ServiceAccount\n    name: postgres-password\n"
RIGHTS = (
    "          securityContext:\n            allowPrivilegeEscalation: false\n"
    "            readOnlyRootFilesystem: true\n            capabilities:\n"
    "              drop: [ALL]\n"
)
Make = Callable[[Path], None]


def long() -> str:
    """A value that a program has made up."""
    return secrets.token_urlsafe(50)


def text(
    project: Path, value: str, *, space: str = SPACE, name: str = NAME, scope: str = "strict",
    key: str = KEY,
) -> str:  # fmt: skip
    """A sealed secret with this value."""
    place = Place(space, name, scope)
    return sealed.made(place, {key: value.encode()}, sealer.newest(project).certificate)


def seal(value: Callable[[], str] = long, **how: str) -> Make:
    """A mistake: something else is sealed, or for another place."""

    def make(project: Path) -> None:
        (project / FILE).write_text(text(project, value(), **how), "utf-8")

    return make


def changed(old: str, new: str, **how: str) -> Make:
    """A mistake: what was sealed is changed by hand."""

    def make(project: Path) -> None:
        found = text(project, long(), **how)
        assert old in found
        (project / FILE).write_text(found.replace(old, new, 1), "utf-8")

    return make


def added(more: str) -> Make:
    """A mistake: something stands in the file beside what is sealed."""

    def make(project: Path) -> None:
        with (project / FILE).open("a", encoding="utf-8") as file:
            file.write(more)

    return make


def template(project: Path) -> None:
    found = text(project, value := long())
    plain = f"  template:\n    data:\n      {KEY}: {value}\n"
    (project / FILE).write_text(found.replace("  template:\n", plain), "utf-8")


def by_hand(project: Path) -> None:
    found = text(project, value := long())
    before, _, rest = found.partition(f"{KEY}: ")
    coded = base64.b64encode(value.encode()).decode()
    (project / FILE).write_text(f"{before}{KEY}: {coded}\n{rest.partition(chr(10))[2]}", "utf-8")


def damaged(project: Path) -> None:
    before, key, rest = text(project, long()).partition(f"{KEY}: ")
    sealed_, end, more = rest.partition("\n")
    other = "A" if sealed_[-30] != "A" else "B"
    spoilt = f"{sealed_[:-30]}{other}{sealed_[-29:]}"
    (project / FILE).write_text(before + key + spoilt + end + more, "utf-8")


def widened(project: Path) -> None:
    more = text(project, long(), space="demo-integration", scope="cluster-wide")
    with (project / FILE).open("a", encoding="utf-8") as file:
        file.write(f"---\n{more}")


def keys_at_home(project: Path) -> None:
    shutil.rmtree(sealer.folder(project))


def shared(path: str, line: str) -> Make:
    """A mistake: another file has the same value."""

    def make(project: Path) -> None:
        (project / FILE).write_text(text(project, value := long()), "utf-8")
        with (project / path).open("a", encoding="utf-8") as file:
            file.write(line.format(value))

    return make


def commit(project: Path, message: str = "Work") -> None:
    """Commit all that is there, also what is ignored."""
    now = {f"GIT_{who}_DATE": "2030-01-02T03:04:05Z" for who in ("AUTHOR", "COMMITTER")}
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    git.run("add", "--all", cwd=project)
    git.run(*person, "commit", "--quiet", "--allow-empty", "--message", message, cwd=project,
            variables=now)  # fmt: skip


def leaked(path: str, line: str, *, force: bool = False) -> Make:
    """A mistake: a secret is in a file that is there to be committed."""

    def make(project: Path) -> None:
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        with (project / path).open("a", encoding="utf-8") as file:
            file.write(line.format(long()))
        if force:
            git.run("add", "--force", path, cwd=project)

    return make


def taken_back(path: str, line: str) -> Make:
    """A mistake: it was committed, and the next commit takes it out again."""

    def make(project: Path) -> None:
        commit(project)
        before = (project / path).read_bytes() if (project / path).exists() else None
        leaked(path, line)(project)
        commit(project)
        if before is None:
            (project / path).unlink()
        else:
            (project / path).write_bytes(before)
        commit(project)

    return make


def on_another_branch(project: Path) -> None:
    commit(project)
    git.run("checkout", "--quiet", "-b", "try", cwd=project)
    value = base64.b64encode(long().encode()).decode()
    (project / "deployment/secret.yaml").write_text(
        PLAIN.format(values=f"data:\n  SECRET_KEY: {value}"), "utf-8"
    )
    commit(project)
    git.run("checkout", "--quiet", "-", cwd=project)


def the_sealed_one(path: str, shape: Callable[[str], str]) -> Make:
    """A mistake: the value that is sealed stands somewhere in a commit that was taken back."""

    def make(project: Path) -> None:
        value = long()
        (project / FILE).write_text(text(project, value), "utf-8")
        taken_back(path, shape(value))(project)

    return make


def told_in_a_message(project: Path) -> None:
    (project / FILE).write_text(text(project, value := long()), "utf-8")
    commit(project, f"Use {value} from now on")


def keys_brought_along(project: Path) -> None:
    shutil.copytree(sealer.folder(project), project / "backup")


def remote(project: Path) -> None:
    address = f"https://ada:{long()}@git.example.com/demo.git"
    git.run("remote", "add", "origin", address, cwd=project)


def another_pair(project: Path) -> None:
    place = Place(SPACE, NAME, "strict")
    found = sealed.made(place, {KEY: long().encode()}, pair(7).certificate)
    (project / FILE).write_text(found, "utf-8")


def wrong(name: str, check: str, make: Make) -> Wrong:
    return Wrong("secrets", name, (check,), make=make)


def made(name: str, check: str, old: str, new: str) -> Wrong:
    """A mistake in the manifest that makes the password."""
    return Wrong("secrets", name, (check,), MADE, old, new)


WRONG = (
    Wrong("secrets", "base64 as if it were a lock", ("test_sealed",), FILE, None,
          PLAIN.format(values="data:\n  SECRET_KEY: aW4gcGxhaW4gc2lnaHQ=")),
    wrong("sealed by hand", "test_sealed", by_hand),
    Wrong("secrets", "in plain sight", ("test_sealed",), FILE, None,
          PLAIN.format(values="stringData:\n  SECRET_KEY: in plain sight")),
    wrong("the template tells it", "test_sealed", template),
    wrong("sealed under another name", "test_sealed", seal(name="demo")),
    wrong("a key that nobody asks for", "test_sealed", seal(key="DJANGO_SECRET_KEY")),
    wrong("a plain one behind it", "test_sealed",
          added("---\n" + PLAIN.format(values="stringData:\n  OTHER: in plain sight"))),
    wrong("configuration beside it", "test_sealed",
          added("---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: application\n")),
    Wrong("secrets", "no file for it", ("test_sealed",), FILE, None, None),
    Wrong("secrets", "the copy from the course", ("test_opens_in_production",), FILE, None, COURSE),
    wrong("sealed for integration", "test_opens_in_production", seal(space="demo-integration")),
    wrong("moved by hand", "test_opens_in_production",
          changed("namespace: demo-integration", f"namespace: {SPACE}", space="demo-integration")),
    wrong("renamed by hand", "test_opens_in_production",
          changed("name: demo\n", f"name: {NAME}\n", name="demo")),
    wrong("sealed by a colleague", "test_opens_in_production", another_pair),
    wrong("a letter is another one", "test_opens_in_production", damaged),
    wrong("the keys stayed at home", "test_opens_in_production", keys_at_home),
    wrong("for the whole cluster", "test_opens_nowhere_else", seal(scope="cluster-wide")),
    wrong("one of two for the whole cluster", "test_opens_nowhere_else", widened),
    wrong("a word that was typed", "test_hard_to_guess",
          seal(lambda: "correct-horse-battery-staple")),
    wrong("long and simple", "test_hard_to_guess", seal(lambda: "secret" * 12)),
    wrong("made for a first try", "test_hard_to_guess", seal(lambda: f"django-insecure-{long()}")),
    wrong("the key of the tests", "test_hard_to_guess", shared(TOX, "\n# SECRET_KEY = {}\n")),
    wrong("the key of a laptop", "test_hard_to_guess", shared(".env", "SECRET_KEY={}\n")),
    wrong("a commit was taken back", "test_never_committed",
          the_sealed_one(LIVE, lambda value: f"SECRET_KEY={value}\n")),
    wrong("a key in an env file", "test_never_committed",
          leaked("deployment/envs/integration", "SECRET_KEY={}\n")),
    wrong("added by force", "test_never_committed",
          leaked(".env", "SECRET_KEY={}\n", force=True)),
    wrong("an argument of the build", "test_never_committed",
          leaked(DOCKERFILE, "\nARG SECRET_KEY={}\n")),
    wrong("a service that knows it", "test_never_committed",
          leaked("docker-compose.override.yml",
                 "services:\n  application:\n    environment:\n      SECRET_KEY: {}\n")),
    wrong("an address with a password", "test_never_committed",
          leaked(COMPOSE, "# below\nx-url:\n  DATABASE_URL: postgres://demo:{}@db/demo\n")),
    wrong("a remote with a password", "test_never_committed", remote),
    wrong("plain on another branch", "test_never_committed", on_another_branch),
    wrong("written down in base64", "test_never_committed",
          the_sealed_one("NOTES.txt", lambda each: base64.encodebytes(each.encode()).decode())),
    wrong("told in a message", "test_never_committed", told_in_a_message),
    wrong("the keys came along", "test_never_committed", keys_brought_along),
    made("it may read them all", "test_few_rights", "[create]", "[create, get]"),
    made("it may do anything", "test_few_rights", RULES,
         '    resources: ["*"]\n    verbs: ["*"]\n'),
    made("a role for the whole cluster", "test_few_rights", "kind: Role\n", "kind: ClusterRole\n"),
    made("everybody may", "test_few_rights", SUBJECT,
         f"{SUBJECT}  - kind: ServiceAccount\n    name: default\n"),
    made("it runs as everybody does", "test_few_rights", ACCOUNT, ""),
    made("it is root, if it likes", "test_few_rights", RIGHTS, ""),
    Wrong("secrets", "the application may, too", ("test_few_rights",), MANIFEST,
          "      # It asks nothing of the cluster.\n      automountServiceAccountToken: false\n",
          ACCOUNT),
    made("nothing runs it", "test_few_rights", "kind: Job\n", "kind: ConfigMap\n"),
    made("a role that every cluster has", "test_few_rights",
         "  kind: Role\n  name: postgres-password\n", "  kind: ClusterRole\n  name: edit\n"),
    made("a space too much", "test_few_rights", "  backoffLimit", "   backoffLimit"),
    Wrong("secrets", "a token that nobody needs", ("test_few_rights",), MANIFEST,
          "automountServiceAccountToken: false", "automountServiceAccountToken: true"),
    made("the log has it", "test_made_in_the_cluster", "              known = ",
         "              print(secret)\n              known = "),
    made("a stranger makes it", "test_made_in_the_cluster", "image: demo:1",
         "image: registry.example.org/kubectl:1"),
    made("short enough to type", "test_made_in_the_cluster", "token_hex(32)", "token_hex(4)"),
    made("nobody asks for this key", "test_made_in_the_cluster", '{"password"', '{"PASSWORD"'),
    made("it may only look", "test_made_in_the_cluster", "[create]", "[get]"),
    made("it makes nothing", "test_made_in_the_cluster", "request.urlopen(request,",
         "request.urlopen(request.full_url.rpartition('/api')[0] + '/version',"),
    made("signs of an address", "test_made_in_the_cluster", "secrets.token_hex(32)",
         'secrets.token_hex(32) + "@/"'),
    made("the file has it", "test_made_in_the_cluster", "secrets.token_hex(32)",
         f'"{"correct-horse-battery-staple" * 2}"'),
    made("the second time it fails", "test_made_once", "error.code != 409", "error.code"),
    made("it can be changed", "test_made_once", '                  "immutable": True,\n', ""),
    made("the same in each place", "test_made_once", "secrets.token_hex(32)",
         '__import__("hashlib").sha256(b"demo").hexdigest()'),
)  # fmt: skip
