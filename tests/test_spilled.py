"""What looks like a secret in a file: found in each place where people leak, and nowhere else."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pairs import pair

from workshop.checks import spilled

GENERATES = (
    Path(__file__).parents[1] / "solutions/16-secrets/deployment/postgres-secrets.yaml"
).read_text("utf-8")

PIPE = (Path(__file__).parents[1] / "solutions/17-pipeline/.gitlab-ci.yml").read_text("utf-8")

CANARY = "cAnary0in1a2coal3mine"
WORD = "hunter2"  # what a person takes
ENVS, COMPOSE = "deployment/envs/production", "docker-compose.yml"
DOCKERFILE = "deployment/application/Dockerfile"
PIPELINE = ".gitlab-ci.yml"
MANIFEST = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: app\n"


def look(path: str, text: str) -> list[str]:
    """What is found, each with its line; and no value is told."""
    found = [f"{line}: {what}" for line, what in spilled.look(path, text.encode())]
    assert not re.search(f"{CANARY}|{WORD}", str(found))
    return found


@pytest.mark.parametrize(
    ("path", "text", "seen"),
    [
        (ENVS, f"DEBUG=True\nSECRET_KEY={WORD}\n", "2: the value of SECRET_KEY"),
        (ENVS, f"export API_KEY='{CANARY}'", "1: the value of API_KEY"),
        (ENVS, f"DATABASE_URL=postgres://demo:{WORD}@db/demo", "1: the password in DATABASE_URL"),
        (ENVS, f"SECRET_KEY={WORD}$$", "1: the value of SECRET_KEY"),
        (".env", f"EMAIL_PASSWORD = {WORD}", "1: the value of EMAIL_PASSWORD"),
        ("application/.env.local", f"AUTH_TOKEN={WORD}", "1: the value of AUTH_TOKEN"),
        ("production.env", f"secret_key={WORD}", "1: the value of secret_key"),
        (".env.example", f"SECRET_KEY={CANARY}", "1: the value of SECRET_KEY"),
        (DOCKERFILE, f"FROM x\nARG SECRET_KEY={WORD}\n", "2: the value of SECRET_KEY"),
        (DOCKERFILE, f"FROM x\nENV SECRET_KEY {CANARY}\n", "2: the value of SECRET_KEY"),
        (DOCKERFILE, f'FROM x\nENV A=1 \\\n  # why\n  B=2 \\\n  PASSWORD="{WORD}"\n',
         "5: the value of PASSWORD"),
        ("web.Dockerfile", f"env TOKEN={WORD}", "1: the value of TOKEN"),
        (COMPOSE, f"a:\n  environment:\n    SECRET_KEY: {CANARY}", "3: the value of SECRET_KEY"),
        (COMPOSE, f'a:\n  environment:\n    - "SECRET_KEY={CANARY}"', "3: the value of SECRET_KEY"),
        (COMPOSE, f"A_KEY: ${{A_KEY:-{CANARY}}}", "1: the value of A_KEY"),
        ("compose.prod.yaml", f"URL: postgres://a:{CANARY}@b/c", "1: the password in URL"),
        (PIPELINE, f"variables:\n  A_TOKEN: {WORD}", "2: the value of A_TOKEN"),
        (PIPELINE, f"a:\n  script:\n    - export API_KEY={WORD}", "3: the value of API_KEY"),
        (PIPELINE, f"URL: postgres://a:{WORD}@db.example.org/c", "1: the password in URL"),
        (PIPELINE, f"URL: postgres://a:{CANARY}@postgres/c", "1: the password in URL"),
        (PIPELINE, f"- docker login -u me -p {WORD} r", "1: the password of a login"),
        (PIPELINE, f"- docker login -u me --password={WORD}", "1: a password or a token"),
        (PIPELINE, f'- echo "{WORD}" | docker login -u me --password-stdin',
         "1: the password of a login"),
        (PIPELINE, f"- kubectl --token {WORD} apply", "1: a password or a token"),
        (PIPELINE, f"- curl --user me:{WORD} https://x", "1: the password of a user"),
        (PIPELINE, f"- 'curl --header \"PRIVATE-TOKEN: {CANARY}\" https://x'", "1: a token"),
        (PIPELINE, f"- 'curl -H \"Authorization: Bearer {CANARY}\" https://x'", "1: a token"),
        (PIPELINE, f"ACCESS: glpat-{CANARY}", "1: a token"),
        ("deploy.gitlab-ci.yml", f"CONFIG: YXBpVmVyc2lvb{CANARY}", "1: the key of a cluster"),
        ("any/secret.yaml", f"{MANIFEST}data:\n  KEY: {WORD}",
         "5: the Secret app, which was never sealed"),
        ("a.yml", f"a: b\n---\n{MANIFEST}stringData:\n  KEY: {WORD}",
         "7: the Secret app, which was never sealed"),
        ("a.yaml", f"kind: List\nitems:\n- kind: Secret\n  data:\n    KEY: {WORD}",
         "4: a Secret, which was never sealed"),
        ("a.json", f'{{"kind": "Secret", "stringData": {{"KEY": "{WORD}"}}}}',
         "1: a Secret, which was never sealed"),
        ("a.json", f'{{\n\t"kind": "Secret",\n\t"data": {{\n\t\t"KEY": "{WORD}"\n\t}}\n}}',
         "3: a Secret, which was never sealed"),
        ("template.yaml", f"a: {{{{ b }}}}\n---\n{MANIFEST}data:\n  KEY: {WORD}\n",
         "7: a Secret, which was never sealed"),
        ("notes.rst", pair(0).private.decode(), "1: a private key"),
        ("", "Use this:\n" + pair(0).private.decode(), "2: a private key"),
        ("a.json", '{"key": "' + pair(0).private.decode().replace("\n", "\\n") + '"}',
         "1: a private key"),
        ("a.yaml", "tls:\n  key: |\n    " + pair(0).private.decode().replace("\n", "\n    "),
         "3: a private key"),
        ("id", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES,1\n\n"
         + "A" * 64, "1: a private key"),
    ],
)  # fmt: skip
def test_found(path: str, text: str, seen: str) -> None:
    assert look(path, text) == [seen]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (ENVS, "DEBUG=True\nALLOWED_HOSTS=a,b\nCACHE_URL=redis://cache/0\n"),
        (ENVS, f"# SECRET_KEY={CANARY}\nSECRET_KEY=\nPASSWORD_FILE=/run/secrets/password\n"),
        (ENVS, "SECRET_KEY=${SECRET_KEY}\nTOKEN_AGE=3600\nAPI_TOKEN=1\nDATABASE_URL=sqlite://\n"),
        (".env.example", "SECRET_KEY=write-your-own\nPASSWORD=\n"),
        (DOCKERFILE, "ARG SECRET_KEY=for-this-stage-alone\nARG TOKEN\nENV PUBLIC_KEY=abcdefgh\n"),
        (DOCKERFILE, f"RUN SECRET_KEY={WORD} python manage.py collectstatic\n# ENV TOKEN={WORD}\n"),
        (DOCKERFILE, "ARG SECRET_KEY=none\nENV KEY=$SECRET_KEY\n"),
        (COMPOSE, "POSTGRES_PASSWORD: postgres\nURL: postgres://postgres:postgres@db/x\n"),
        (COMPOSE, "SECRET_KEY: only-for-development\nA_KEY: ${A_KEY}\nB_KEY: ${B_KEY:?say it}\n"),
        (COMPOSE, "PASSWORD: postgres # since 1996, and nobody minds\nTOKEN: abcdefghij12345\n"),
        (COMPOSE, "SECRET_KEY: xxxxxxxxxxxxxxxxxxxxxxxx1\n# A_KEY: abcdefghij123456\n"),
        (COMPOSE, "command: export SECRET_KEY=$$(cat /proc/sys/kernel/random/uuid)\n"),
        ("tox.ini", "set_env = SECRET_KEY = only-for-tests\n"),
        (PIPELINE, PIPE),
        (PIPELINE, "variables:\n  POSTGRES_PASSWORD: demo\n  URL: postgres://a:demo@postgres/b\n"),
        (PIPELINE, "cache:\n  key: pip\nvariables:\n  A_TOKEN: $B_TOKEN\n  B_KEY: for-tests\n"),
        (PIPELINE, "id_tokens:\n  A_TOKEN:\n    aud: https://example.org\n"),
        (PIPELINE, '- docker login -u me -p $PASSWORD r\n- docker login -u me -p "$PASSWORD" r\n'),
        (PIPELINE, "- echo $PASSWORD | docker login -u me --password-stdin\n- mkdir -p hunter\n"),
        (PIPELINE, '- kubectl --token $TOKEN x\n- kubectl --token="$TOKEN" x\n- tox -p auto\n'),
        (PIPELINE, "- 'curl --header \"JOB-TOKEN: $CI_JOB_TOKEN\" --user $A:$B https://x'\n"),
        ("a.yaml", f"kind: SealedSecret\nspec:\n  encryptedData:\n    SECRET_KEY: {CANARY}\n"),
        ("a.yaml", MANIFEST),
        ("a.yaml", f"{MANIFEST}data: {{}}\n"),
        ("a.yaml", f"{MANIFEST}stringData:\n  KEY: ''\n  OTHER: ${{OTHER}}\n"),
        ("chart.yaml", f"x: {{{{ y }}}}\n{MANIFEST}data:\n  KEY: {{{{ .Values.key }}}}\n"),
        ("a.yaml", f"kind: ConfigMap\ndata:\n  A: {WORD}\n"),
        ("a.yaml", GENERATES.replace("  backoffLimit", "   backoffLimit")),  # a slip, and no leak
        (
            ".env",
            "SECRET_KEY= # comes from the place\nTOKEN_URL=https://login.example.org/x1y2z3\n",
        ),
        ("README.md", f"{MANIFEST}data:\n  KEY: {WORD}\n"),
        ("README.md", "It begins with -----BEGIN PRIVATE KEY-----, and nobody may see the rest."),
        ("key.pub", pair(0).certificate.decode()),
    ],
)
def test_left_alone(path: str, text: str) -> None:
    assert look(path, text) == []


FORMS = {
    "as it is": lambda value: value,
    "in base64": base64.b64encode,
    "in base64, over lines": base64.encodebytes,
    "in base64, with more before it": lambda value: base64.b64encode(b"a: " + value + b"\n"),
    "in base64, with two more": lambda value: base64.b64encode(b"ab" + value + b", and on"),
    "in base64 for addresses": lambda value: base64.urlsafe_b64encode(b"x" + value),
    "in two bytes a letter": lambda value: value.decode().encode("utf-16"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@given(value=st.text("abc~?>0123", min_size=24), before=st.binary(), after=st.binary())
def test_a_value_in_each_form(form, value: str, before: bytes, after: bytes) -> None:  # type: ignore[no-untyped-def]
    sought = spilled.Sought(value.encode())
    assert sought.line(before + b"\n" + form(value.encode()) + b"\n" + after)


@given(value=st.binary(min_size=24), other=st.binary(min_size=24))
def test_another_value_is_not_taken_for_it(value: bytes, other: bytes) -> None:
    packed = bytes(each for each in other if each not in b" \t\r\n\0")
    if value not in other and value not in packed:
        assert spilled.Sought(value).line(other) == 0


def test_the_line_of_a_value() -> None:
    assert spilled.Sought(CANARY.encode()).line(f"a\nb\nkey: {CANARY}\n".encode()) == 3


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (f"https://ada:{CANARY}@git.example.com/demo.git", True),
        (f"https://ada:{WORD}@git.example.com/demo.git", True),
        (f"https://{CANARY}@git.example.com/demo.git", True),
        ("https://ada@git.example.com/demo.git", False),
        ("https://git.example.com/demo.git", False),
        ("git@git.example.com:ada/demo.git", False),
        ("ssh://git@git.example.com:22/demo.git", False),
        (f"https://gitlab-ci-token:{CANARY}@git.example.com/demo.git", False),
    ],
)
def test_addresses_of_remotes(address: str, told: bool) -> None:
    assert spilled.token(address) is told
