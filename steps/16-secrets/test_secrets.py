"""Step 16: a secret that is made in the cluster, and one that is sealed, and stands in git."""

import contextlib
import re

import pytest

from workshop import documents, sealed, sealing, secret
from workshop.checks import committed, expect, near, spilled
from workshop.checks.seals import AGAIN, FILE, KEY, NAME, where
from workshop.errors import WorkshopError

MADE = "deployment/postgres-secrets.yaml"
NEW = f"rm {FILE}; {AGAIN}"
LONG, MIXED = 50, 20  # characters of a key, and how many different ones: as Django wants it
LONG_PASSWORD = 32
IN_ADDRESS = rb"[A-Za-z0-9._~-]+"  # what can stand in an address as it is
DJANGO = b"django-insecure-"
PLAIN = ("data", "stringData")
ACCOUNT, ROLE, BINDING = "ServiceAccount", "Role", "RoleBinding"
# Files in which a key of development, or of tests, stands.
OTHERS = ("deployment/envs/*", ".env*", "*.env", "*compose*.y*ml", "tox.ini", "**/*settings*.py",
          "*/.env*")  # fmt: skip


def scope(document):
    """How far a sealed secret reaches."""
    target = secret.Target(namespace=(document.get("metadata") or {}).get("namespace") or "any")
    return secret.place_of(document, target, FILE).scope


def readable(fields, path=()):
    """The keys under which a sealed secret has values that everybody can read."""
    for key, value in fields.items():
        if key in PLAIN and value:
            yield ".".join((*path, key)), fields.lines[key]
        elif isinstance(value, documents.Fields) and key in ("spec", "template"):
            yield from readable(value, (*path, key))


def is_sealed(text):
    """Whether a value has the form of a sealed one. By no key, none opens."""
    try:
        sealing.opened(text, [], b"")
    except sealing.OtherKeyError:
        return True
    except sealing.DamagedError:
        return False


def of_kind(objects, kind):
    """Those of the objects that are of this kind."""
    return [each for each in objects if each.get("kind") == kind]


def at(path, fields, key=None):
    """A file, and the line on which an object begins, or one of its keys stands."""
    return f"{path}, line {fields.lines.get(key, fields.line)}"


def name(fields):
    """What an object is called."""
    return (fields.get("metadata") or {}).get("name")


def manifests(project, path):
    """The objects in a file, and those in its lists."""
    near.must_be_there(project.path, path)
    try:
        found = documents.read(project.read(path).encode(), path)
    except WorkshopError as error:
        expect(False, seen=f"{where(str(error.path))}: {error.fact}",
               expected="manifests, with --- between them", do=error.remedy)  # fmt: skip
    for each in found:
        yield from each.get("items") or () if each.get("kind") == "List" else (each,)


def others(project, path):
    """The same, of a file that may be no manifest at all: then there are none."""
    with contextlib.suppress(WorkshopError):
        for each in documents.read(project.read(path).encode(), path):
            yield from each.get("items") or () if each.get("kind") == "List" else (each,)


def pod(fields):
    """What the pods of a workload are made from; None when it has none."""
    spec = fields.get("spec") or {}
    if fields.get("kind") == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    return (spec.get("template") or {}).get("spec") if isinstance(spec, dict) else None


def missing_rights(described, container):
    """What a container's description should say, and does not."""
    have = (described.get("securityContext") or {}) | (container.get("securityContext") or {})
    if have.get("runAsNonRoot") is not True:
        yield "runAsNonRoot: true"
    if have.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation: false"
    if have.get("readOnlyRootFilesystem") is not True:
        yield "readOnlyRootFilesystem: true"
    if "ALL" not in ((have.get("capabilities") or {}).get("drop") or ()):
        yield "capabilities: {drop: [ALL]}"
    if (have.get("seccompProfile") or {}).get("type") in (None, "Unconfined"):
        yield "seccompProfile: {type: RuntimeDefault}"


def instead(piece, what):
    """What to do about a secret that can be read."""
    if "not committed" in piece.where:
        yield (
            "Take it out before you commit. A laptop has its secrets in .env, which git ignores;"
            " a cluster has them in a Secret."
        )
    else:
        yield (
            "To delete it is not enough: the commit stays, and so does who has read it. Make a new"
            " one, and let nobody use the old one any more."
        )
    if "private key" in what:
        yield "Does it open what is sealed? Make another pair: workshop seal --rotate"
    elif KEY in what and "not committed" not in piece.where:
        yield f"The {KEY} of production: {AGAIN}"
    if "the commit" in piece.where:
        commit = piece.where.rpartition(" ")[2]
        yield (
            "Nobody uses it any more? Then take it out of the history as well, so that nobody has"
            f" to wonder: git rebase --interactive {commit}^"
        )


def test_sealed(seals):
    """The key of production stands in git, sealed, and nothing beside it that anybody can read."""
    for each in seals.documents:
        expect(
            each.get("kind") != "Secret",
            seen=f"{at(FILE, each)}: this is a Secret, and was never sealed",
            expected=f"a {sealed.KIND}: base64 is only another way to write, and hides nothing",
            do=f"Its values are known to all who have the file. So make new ones: {NEW}",
        )
        expect(
            each.get("kind") == sealed.KIND and each.get("apiVersion") == sealed.API,
            seen=f"{at(FILE, each)}: this is no {sealed.KIND}",
            expected=f"kind: {sealed.KIND}, and apiVersion: {sealed.API}",
            do=f"Move it to another file. `{AGAIN}` makes what belongs here.",
        )
        for path, line in readable(each):
            expect(
                False,
                seen=f"{FILE}, line {line}: beside what is sealed, {path} has values that everybody"
                " can read",
                expected="values under encryptedData alone",
                do=f"Its values are known to all who have the file. So make new ones: {NEW}",
            )
        inside = (each.get("spec") or {}).get("encryptedData") or {}
        for key, text in inside.items():
            expect(
                isinstance(text, str) and is_sealed(text),
                seen=f"{FILE}, line {inside.lines[key]}: the value of {key} stands under"
                " encryptedData, and is not encrypted, or damaged",
                expected="what `workshop seal` or `kubeseal` writes: long, and Ag comes first",
                do=f"Was it base64 of the value? Then that is known. Make a new one: {NEW}",
            )
    ours = [each for each in seals.documents if name(each) == NAME]
    expect(
        any(KEY in ((each.get("spec") or {}).get("encryptedData") or {}) for each in ours),
        seen=f"{FILE} has no {sealed.KIND} {NAME} with a {KEY}",
        expected=f"{KEY} in the Secret {NAME}: the pods take it from there",
        do=f"Make it: {AGAIN}",
    )


def test_opens_in_production(seals):
    """It opens by the project's own key, in the namespace of its production."""
    assert seals.value


def test_opens_nowhere_else(seals):
    """It opens in no other namespace, whoever copies it there."""
    for each in seals.documents:
        try:
            wide = scope(each)
        except WorkshopError as error:
            raise seals.refused(error, "a secret for a namespace, with a name", NEW) from None
        expect(
            wide != sealing.CLUSTER_WIDE,
            seen=f"{at(FILE, each, 'metadata')}: the secret {name(each)} is {wide}",
            expected="one namespace: else whoever may apply something anywhere in the cluster"
            " opens it, too",
            do=f"Seal it for its namespace alone, which is what happens by itself: {NEW}",
        )


def test_hard_to_guess(project, seals):
    """The key is long, was made up by a program, and is used in no other place."""
    value = seals.value.value
    expect(
        len(value) >= LONG and len(set(value)) >= MIXED,
        seen=f"the sealed {KEY} has {len(value)} characters, {len(set(value))} different ones",
        expected=f"{LONG} at least, and {MIXED} different ones: who guesses it can sign"
        " in the name of your site",
        do=f"Let a program make it up: {AGAIN}",
    )
    expect(
        not value.startswith(DJANGO),
        seen=f"the sealed {KEY} begins with {DJANGO.decode()}",
        expected="a key that was made for production: this one was made for a first try, in a file",
        do=f"Make a new one: {AGAIN}",
    )
    files = {file for pattern in OTHERS for file in project.path.glob(pattern) if file.is_file()}
    for file in sorted(files):
        expect(
            value not in file.read_bytes(),
            seen=f"the sealed {KEY} is the one in {file.relative_to(project.path).as_posix()}",
            expected="a key that only production has: that file is for another place, and who works"
            " there has read it",
            do=f"Make a new one for production: {AGAIN}",
        )


def test_never_committed(project, seals):
    """No secret is in what the repository gives away: in no commit, in no file, under no name."""
    sought = spilled.Sought(seals.value.value)
    for remote, address in committed.remotes(project.path):
        expect(
            not spilled.token(address),
            seen=f"the address of the remote {remote} has a password in it, in .git/config",
            expected="an address without: backups and images of a folder have its .git, too",
            do=f"git remote set-url {remote} ADDRESS. Let git ask for the password: git help"
            " credentials. And change it.",
        )
    for each in committed.pieces(project.path):
        found = list(spilled.look(each.path, each.data))
        if line := sought.line(each.data):
            found.insert(0, spilled.Spilled(line, f"the {KEY} that is sealed"))
        for line, what in found:
            place = f"{each.path}, line {line}, {each.where}" if each.path else each.where
            expect(
                False,
                seen=f"{place}: {what}",
                expected="no secret in the whole history: who has a clone has all that was ever"
                " committed",
                do="\n".join(instead(each, what)),
            )


def test_few_rights(project):
    """What makes the password may add Secrets, and nothing else, and nobody else may do that."""
    objects = list(manifests(project, MADE))
    for kind in ("ClusterRole", "ClusterRoleBinding"):
        for each in of_kind(objects, kind):
            expect(
                False,
                seen=f"{at(MADE, each)}: a {kind} is for the whole cluster",
                expected=f"a {ROLE} and a {BINDING}: they count in their own namespace only",
                do=f"kind: {kind.removeprefix('Cluster')}",
            )
    jobs = of_kind(objects, "Job")
    expect(
        jobs,
        seen=f"{MADE} has no Job",
        expected="one that makes the Secret postgres once, and ends",
        do="Add one, behind a line with ---: kind: Job",
    )
    accounts = {name(each) for each in of_kind(objects, ACCOUNT)}
    for job in jobs:
        described = pod(job) or {}
        account = described.get("serviceAccountName") or described.get("serviceAccount")
        expect(
            account in accounts,
            seen=f"{at(MADE, job)}: the Job {name(job)} runs as {account or 'default'}, which"
            f" is no {ACCOUNT} of this file",
            expected=f"a {ACCOUNT} of its own: what default may do, every pod may do",
            do=f"Write a {ACCOUNT}, and its name behind serviceAccountName.",
        )
        for each in (described.get("initContainers") or []) + (described.get("containers") or []):
            more = list(missing_rights(described, each))
            expect(
                not more,
                seen=f"{at(MADE, each)}: the container {each.get('name')} may do more than it has"
                " to",
                expected="as few rights as possible: it holds the password, if only for a moment",
                do=f"Write into its securityContext: {' and '.join(more)}",
            )
    for role in of_kind(objects, ROLE):
        for rule in role.get("rules") or ():
            for key, fine in (("resources", ["secrets"]), ("verbs", ["create"])):
                more = [each for each in rule.get(key) or () if each not in fine]
                expect(
                    not more,
                    seen=f"{at(MADE, rule, key)}: the {ROLE} {name(role)} allows"
                    f" {', '.join(map(str, more))} among its {key}",
                    expected="to create Secrets, and nothing else: nobody has to read one for that",
                    do=f"{key}: {fine}".replace("'", ""),
                )
    for binding in of_kind(objects, BINDING):
        given = binding.get("roleRef") or {}
        expect(
            given.get("kind") == ROLE,
            seen=f"{at(MADE, binding, 'roleRef')}: it gives the {given.get('kind')}"
            f" {given.get('name')}",
            expected=f"a {ROLE} of this file: what others define may allow more, one day",
            do=f"kind: {ROLE}, below roleRef",
        )
        for each in binding.get("subjects") or ():
            expect(
                each.get("kind") == ACCOUNT and each.get("name") in accounts,
                seen=f"{at(MADE, each)}: it gives the right to the {each.get('kind')}"
                f" {each.get('name')}",
                expected=f"the {ACCOUNT} of the Job alone",
                do=f"Take the others out of the subjects of the {BINDING}.",
            )
    rest = sorted((project.path / "deployment").glob("*.y*ml"))
    for file in (each.relative_to(project.path).as_posix() for each in rest):
        for each in others(project, file) if file not in (MADE, FILE) else ():
            described = pod(each) or {}
            account = described.get("serviceAccountName")
            expect(
                account not in accounts
                and described.get("automountServiceAccountToken") is not True,
                seen=f"{at(file, each)}: the pods of the {each.get('kind')} {name(each)} get a"
                " token for the cluster" + (f", that of {account}" if account in accounts else ""),
                expected="none: they serve visitors, and ask nothing of the cluster",
                do="automountServiceAccountToken: false, and no serviceAccountName",
            )


@pytest.mark.needs("containers", "cluster")
def test_made_in_the_cluster(project, generated):
    """In an empty namespace, the Job makes the password, and nobody sees it."""
    generated.first()
    password = generated.password
    expect(
        len(password) >= LONG_PASSWORD,
        seen=f"the password has {len(password)} characters",
        expected=f"{LONG_PASSWORD} at least: nobody has to type it",
        do="secrets.token_hex(32) makes 64.",
    )
    expect(
        re.fullmatch(IN_ADDRESS, password),
        seen="the password has characters that mean something in an address, or an end of line",
        expected="letters and digits: it becomes a part of DATABASE_URL",
        do="secrets.token_hex(32) has no others.",
    )
    expect(
        password.decode() not in project.read(MADE),
        seen=f"the password stands in {MADE}",
        expected="one that is made up when the Job runs: who has the file must not have it",
        do="Let the program make it up: secrets.token_hex(32)",
    )
    sought = spilled.Sought(password)
    for what, text in generated.public():
        expect(
            not sought.line(text.encode()),
            seen=f"{what} has the password",
            expected="a Secret that has it, and nothing else: logs are kept, and many read them",
            do="Print that it was made, and not what it is. And no variable of a pod should"
            " have it.",
        )


@pytest.mark.needs("containers", "cluster")
def test_made_once(generated):
    """Made again, it stays as it is; only where there is none, another one is made."""
    generated.first()
    before = generated.password
    expect(
        generated.secret.get("immutable") is True,
        seen="the Secret postgres can be changed",
        expected="one that stays: the database knows the first password, and no other",
        do='Make it with "immutable": true.',
    )
    generated.again()
    expect(
        generated.password == before,
        seen="the Job ran once more, and the password is another one",
        expected="the first one, for good: the database would let nobody in any more",
        do="Create the Secret, and never replace one. When there is one, the cluster says 409:"
        " that is fine.",
    )
    generated.forget()
    generated.again()
    expect(
        generated.password != before,
        seen="in a namespace without the Secret, the Job made the same password as before",
        expected="another one in each namespace: who knows that of development would know it all",
        do="Let the program make it up: secrets.token_hex(32)",
    )
