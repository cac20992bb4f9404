"""A pipeline is read as GitLab reads it, and run with played programs: unit tests of both."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from workshop import git
from workshop.checks import players
from workshop.checks.copied import Copy
from workshop.checks.dryrun import REPOSITORY, Call, DryRun, told
from workshop.checks.failure import CheckFailed
from workshop.checks.mistakes import NONE, appended
from workshop.checks.pipeline import FILE, Pipeline

JOB = "a:\n  script: [x]\n"
OURS = (Path(__file__).parents[1] / "solutions/17-pipeline" / FILE).read_text("utf-8")
NAME = "registry.invalid/demo:1"
Read = Callable[[str | bytes], Pipeline]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def found(text: str | bytes) -> Pipeline:
        data = text.encode() if isinstance(text, str) else text
        (tmp_path / FILE).write_bytes(data)
        return Pipeline(tmp_path)

    return found


def commands(pipeline: Pipeline, name: str = "a") -> tuple[str, ...]:
    return pipeline.jobs[name].commands


# What GitLab understands.


@pytest.mark.parametrize("text", [OURS, OURS.replace("\n", "\r\n"), f"\ufeff{OURS}"],
                         ids=["ours", "crlf", "bom"])  # fmt: skip
def test_ours_is_read_whatever_ends_its_lines(read: Read, text: str) -> None:
    found = read(text)
    assert found.stages == (".pre", "check", "test", "build", "deploy", ".post")
    assert found.names_stages
    assert {name: job.stage for name, job in found.jobs.items()} == {
        "check": "check", "unit": "test", "acceptance": "test", "build": "build",
        "integration": "deploy", "production": "deploy",
    }  # fmt: skip
    assert [found.jobs[name].place for name in ("build", "integration", "production")] == [
        "", "integration", "production",
    ]  # fmt: skip
    assert found.before("production") == {"check", "unit", "acceptance", "build", "integration"}
    assert found.before("acceptance") == {"check", "unit"}
    assert found.before("check") == frozenset()


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("  script: tox", ["tox"]),
        ("  script: [tox, tox -e x]", ["tox", "tox -e x"]),
        ("  script:\n    - |\n      one  two\n      # no\n\n      three \\\n        four",
         ["one two", "three four"]),
        ("  script:\n    - one\n      two", ["one two"]),
        ("  script: [[one, [two]], three]", ["one", "two", "three"]),
        ("  before_script: [zero]\n  script: [one]", ["zero", "one"]),
        ("  script: [!reference [.b, script], three]", ["one", "two", "three"]),
        ("  script: !reference [.b, script]", ["one", "two"]),
        ("  extends: .b", ["one", "two"]),
        ("  extends: [.c, .b]", ["one", "two"]),
        ("  extends: [.b, .c]", ["three"]),
        ("  extends: [.d, .c]", ["before", "three"]),
        ("  extends: .b\n  script: [own]", ["own"]),
        ("  extends: .d", ["before", "one", "two"]),
        ("  <<: *b", ["one", "two"]),
        ("  <<: [*b, *d]", ["before", "one", "two"]),
        ("  <<: *b\n  <<: *d", ["before", "one", "two"]),
    ],
)  # fmt: skip
def test_the_commands_of_a_job(read: Read, script: str, expected: list[str]) -> None:
    found = read(
        ".b: &b\n  script: [one, two]\n.c:\n  script: [three]\n"
        ".d: &d\n  extends: .b\n  before_script: [before]\n"
        f"a:\n{script}\n"
    )
    assert commands(found) == tuple(expected)


@pytest.mark.parametrize(
    ("top", "own", "expected"),
    [
        ("default:\n  before_script: [y]\n", "", ("y", "x")),
        ("before_script: y\n", "", ("y", "x")),
        ("before_script: [y]\n", "  before_script: []\n", ("x",)),
        ("default:\n  before_script: [y]\nbefore_script: [z]\n", "", ("y", "x")),
    ],
)
def test_what_holds_for_all_jobs(read: Read, top: str, own: str, expected: tuple[str, ...]) -> None:
    assert commands(read(f"{top}{JOB}{own}")) == expected


def test_mappings_are_merged_and_lists_are_not(read: Read) -> None:
    found = read(
        ".b:\n  variables: {A: 1, B: 2}\n  rules: [{if: one}, {if: two}]\n"
        "a:\n  extends: .b\n  variables: {B: 3}\n  rules: [{if: three}]\n  script: x\n"
        "variables: {C: {value: 4, description: four}, A: 0}\n"
    )
    assert found.variables(found.jobs["a"]) == {"A": "1", "B": "3", "C": "4"}
    assert found.jobs["a"].rules == ({"if": "three"},)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ("live", "live"), ("{name: live, url: 'https://x'}", "live"), ("$PLACE", "here"),
        ("{name: 'review/${PLACE}'}", "review/here"), ("$OTHER", "$OTHER"), ("[a]", "['a']"),
        ("{url: x}", ""), ("", ""),
    ],
)  # fmt: skip
def test_the_place_of_a_job(read: Read, environment: str, expected: str) -> None:
    found = read(f"{JOB}  environment: {environment}\n  variables: {{PLACE: here}}\n")
    assert found.jobs["a"].place == expected


@pytest.mark.parametrize(
    ("said", "manual"),
    [
        ("", False), ("  when: manual\n", True), ("  when: on_success\n", False),
        ("  rules: [{if: x}, {when: manual}]\n", True), ("  rules: [[{when: manual}]]\n", True),
        ("  rules: manual\n", False), ("  rules: {when: manual}\n", True), ("  rules:\n", False),
        ("  rules: !reference [.r, rules]\n", True),
    ],
)  # fmt: skip
def test_a_button(read: Read, said: str, *, manual: bool) -> None:
    assert read(f".r: {{rules: [{{when: manual}}]}}\n{JOB}{said}").jobs["a"].manual is manual


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        ("[a]", {"a"}), ("a", {"a"}), ("[{job: a, artifacts: true}]", {"a"}), ("[]", set()),
        ("[{job: zz, optional: true}]", set()), ("[{pipeline: $X, job: zz}]", set()),
        ("[[a]]", {"a"}), ("", {"a", "z"}), ("[{job: z}]", {"a", "z"}),
    ],
)  # fmt: skip
def test_whom_a_job_needs(read: Read, needs: str, expected: set[str]) -> None:
    found = read(
        "stages: [one, two, three]\nz: {stage: two, script: x}\n"
        f"{JOB}  stage: one\nb:\n  stage: three\n  script: x\n  needs: {needs}\n"
    )
    assert found.before("b") == expected


@pytest.mark.parametrize(
    "name", ["two words", '"two words"', "'it''s'", "tests:unit", '"a(b["', "prüfen", "$X", "5"]
)
def test_names_as_people_give_them(read: Read, name: str) -> None:
    found = read(f"{JOB}{name}:\n  script: [x]\n  needs: [a]\n")
    (other,) = set(found.jobs) - {"a"}
    assert other == name.strip("\"'").replace("''", "'")
    assert found.before(other) == {"a"}
    expected = 1 if "''" in name else 3  # how an apostrophe is written, nobody looks for
    assert found.line(found.jobs[other]) == f"{FILE}, line {expected}"


def test_stages_of_their_own(read: Read) -> None:
    found = read(f"first: {{stage: .pre, script: x}}\n{JOB}last: {{stage: .post, script: x}}\n")
    assert not found.names_stages
    assert found.stages == (".pre", "build", "test", "deploy", ".post")
    assert found.before("a") == {"first"}
    assert found.before("last") == {"first", "a"}
    assert found.jobs["a"].stage == "test"
    assert read(f"{JOB}  stage:\n").jobs["a"].stage == "test"


def test_a_mark_in_front_is_no_text(read: Read) -> None:
    assert read(f"\ufeff{JOB}").text == JOB


# Where something stands.


def test_lines(read: Read) -> None:
    found = read(OURS)
    lines = OURS.splitlines()
    production, build = found.jobs["production"], found.jobs["build"]

    def at(text: str) -> str:
        stripped = [each.strip().removeprefix("- ") for each in lines]
        (line,) = (at for at, each in enumerate(stripped, start=1) if each.startswith(text))
        return f"{FILE}, line {line}"

    assert found.line(production) == at("production:")
    assert found.line(production, "needs") == at("needs: [build, integration]")
    assert found.line(build, "needs") == found.line(build)  # it has none, others have
    assert found.line(production, "resource_group") == at("resource_group")  # what it extends
    push, sed = build.commands[1], found.jobs["production"].commands[-2]
    assert found.line(build, push) == at("docker push")
    assert found.line(production, sed) == at("sed")
    assert found.where("resource_group") == int(at("resource_group").rpartition(" ")[2])
    assert found.where("same database") == 0  # a comment says it
    assert found.where("nobody says that") == 0


def test_a_line_of_what_is_extended_in_turn(read: Read) -> None:
    found = read(".b:\n  retry: 1\n.c:\n  extends: [.b]\na:\n  extends: .c\n  script: x\n")
    assert found.line(found.jobs["a"], "retry:") == f"{FILE}, line 2"
    assert found.line(found.jobs["a"], "nobody") == f"{FILE}, line 5"


def test_a_comment_says_nothing(read: Read) -> None:
    found = read("a:\n  # needs: nobody\n  needs: []\n  script: x\n")
    assert found.line(found.jobs["a"], "needs") == f"{FILE}, line 3"


# What is no pipeline.


@pytest.mark.parametrize(
    ("text", "seen", "do"),
    [
        ("", "is empty", "Begin with `stages:`"),
        ("# nothing\n", "is empty", "Begin"),
        ("- a\n", "no jobs by name", "Begin"),
        ("hello", "no jobs by name", "Begin"),
        ("stages: [a]\n", "there is no job", "calls tox"),
        (".a: {script: x}\n", "there is no job", "calls tox"),
        ("a:\n\tscript: x\n", "line 2 is not YAML", "no tabs"),
        ("a:\n  script: [x\n", "line 3 is not YAML", "quotes"),
        ("a: *b\n", "line 1 is not YAML: found undefined alias", "quotes"),
        ("a: !vault x\n", "line 1 is not YAML", "quotes"),
        ("a: !!python/object/apply:os.getcwd []\n", "line 1 is not YAML", "quotes"),
        ("spec: {}\n---\na: {script: x}\n", "line 2 is not YAML: but found another", "---"),
        ("a: {script: x}\n".encode("utf-16"), "is not YAML: unacceptable", "UTF-8"),
        (b"\x00", "is not YAML: unacceptable", "UTF-8"),
        ("a: " + "[" * 500 + "]" * 500, "nested so deep", "brackets"),
        (f"{JOB}{JOB}", "line 3: a is there for the second time", "another name"),
        (f"{JOB}  script: [y]\n", "line 3: script is there for the second", "another name"),
        ("include: other.yml\n", "includes what stands elsewhere", "jobs here"),
        (f"stages: one\n{JOB}", "line 1: stages is no list", "stages: ["),
        (f"{JOB}stages:\n", "line 3: stages is no list", "stages: ["),
        (f"stages: [[a]]\n{JOB}", "line 1: stages is no list", "stages: ["),
        (f"{JOB}  stage: 5\n", "line 1: the job a belongs to the stage 5", "slip"),
        ("stages: [one]\na: {script: x}\n", "the job a belongs to the stage test", "slip"),
        ("a:\n", "line 1: a is no job", "Indent"),
        ("on: push\n", "True is no job", "Indent"),
        ("pages: yes\n", "line 1: pages is no job", "Indent"),
        (f"default: [x]\n{JOB}", "line 1: default has no names", "Indent"),
        (f"{JOB}variables: x\n", "line 3: variables has no names", "Indent"),
        ("a: {extends: .b}\n", "line 1: it extends .b, which is not there", "dot included"),
        ("a: {extends: b}\nb: {extends: a}\n", "line 1: what it extends leads round", "extends"),
        ("a: {script: [!reference [.b, script]]}\n", "line 1: it refers to .b, script", "dot"),
        ("a: {script: !reference b}\n", "line 1: it refers to nothing", "dot"),
        ("a: {script: [!reference [a, script]]}\n", "leads back to itself", "!reference"),
        ("a: {script: !reference [a, script]}\n", "leads back to itself", "!reference"),
        ("a: {script: &s [*s]}\n", "leads back to itself", "its own &"),
        ("a: {script: [echo a: b]}\n", "in its script what is no command: echo a: b", "quotes"),
        ("a: {script: [yes]}\n", "in its script what is no command: True", "quotes"),
        (f"before_script: {{x: y}}\n{JOB}", "in its before_script what is no", "quotes"),
        (f"{JOB}  needs: [b]\n", "line 3: the job a needs b, which is not there", "slip"),
        (f"{JOB}  needs: [{{artifacts: true}}]\n", "the job a needs nobody by name", "slip"),
        (f"{JOB}  needs: [a]\n", "line 3: the job a waits for itself", "needs"),
        ("a: {script: x, needs: [b]}\nb: {script: x, needs: [a]}\n", "waits for itself", "needs"),
        (f"{JOB}  stage: build\n  needs: [z]\nz: {{script: x}}\n", "waits for itself", "needs"),
    ],
)  # fmt: skip
def test_what_is_none_is_told(read: Read, text: str | bytes, seen: str, do: str) -> None:
    found = read(text)
    with pytest.raises(CheckFailed) as failed:
        _ = found.stages, found.jobs
    assert FILE in failed.value.seen
    assert seen in failed.value.seen
    assert "\n" not in failed.value.seen
    assert do in failed.value.do
    assert failed.value.expected
    failed.value.seen.encode()  # it can be shown


def test_half_a_letter_can_be_shown(read: Read) -> None:
    commands(read('a:\n  script: ["\\ud800"]\n'))[0].encode()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / ".gitlab-ci.yaml").write_text(JOB, "utf-8")
    with pytest.raises(CheckFailed, match=r"there is \.gitlab-ci\.yaml"):
        _ = Pipeline(tmp_path).jobs


# The programs that are played.


class Played:
    """Calls a player as a job does, in a folder of its own."""

    def __init__(
        self, folder: Path, patch: pytest.MonkeyPatch, out: pytest.CaptureFixture[str]
    ) -> None:
        self._log, self._patch, self._out = folder / "calls", patch, out
        patch.chdir(folder)
        patch.setenv(players.LOG, str(self._log))
        patch.setenv("CI_JOB_NAME", "job")

    def __call__(self, line: str, stdin: str = "") -> tuple[int, str]:
        self._patch.setattr(sys, "stdin", io.StringIO(stdin))
        code = players.main(*line.split("|") if "|" in line else line.split())
        said = self._out.readouterr()
        return code, said.out + said.err

    @property
    def calls(self) -> list[dict[str, object]]:
        lines = self._log.read_text("utf-8").splitlines() if self._log.exists() else ()
        return [json.loads(each) for each in lines]


@pytest.fixture
def play(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Played:
    return Played(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(
    "line", [f"docker build --tag {NAME} .", f"docker build . -t {NAME}",
             f"docker buildx build --tag={NAME} --file Dockerfile .",
             f"docker image build -t{NAME} -f Dockerfile ."],
)  # fmt: skip
def test_an_image_is_built_pushed_and_asked_for(play: Played, tmp_path: Path, line: str) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n", "utf-8")
    play(f"kubectl label job build {NAME}")
    assert play(f"docker push {NAME}")[0] == 1
    assert play(line) == (0, "")
    asked = ("docker|inspect|--format|IMAGE={{index .RepoDigests 0}}|" + NAME,
             "docker|image|inspect|" + NAME + "|-f|IMAGE={{index .RepoDigests 0}}")  # fmt: skip
    assert [play(each)[0] for each in asked] == [1, 1]  # nobody has pushed it
    code, said = play(f"docker push {NAME}")
    assert code == 0
    found = players.digest(NAME)
    assert f"digest: {found.partition('@')[2]} " in said
    assert found.startswith("registry.invalid/demo@sha256:")
    assert [play(each) for each in asked] == [(0, f"IMAGE={found}\n")] * 2
    (whole,) = json.loads(play(f"docker inspect {NAME}")[1])
    assert whole == {"RepoDigests": [found]}
    assert play(f"docker push -q {NAME}")[1] == f"{NAME}\n"


def test_each_name_has_a_digest_of_its_own() -> None:
    names = (NAME, "registry.invalid/demo:2", "registry.invalid:5000/demo")
    assert len({players.digest(each) for each in names}) == len(names)
    assert players.digest(names[2]).startswith("registry.invalid:5000/demo@sha256:")


def test_another_name_for_an_image_can_be_pushed(play: Played) -> None:
    play("docker build --tag demo:1 .")
    assert play(f"docker tag demo:1 {NAME}")[0] == 0
    assert play(f"docker push {NAME}")[0] == 0
    assert play("docker inspect other:1")[0] == 1
    assert play("docker pull other:1")[0] == 0
    assert play("docker inspect other:1")[0] == 0


def test_a_build_writes_what_it_was_asked_for(play: Played, tmp_path: Path) -> None:
    play(f"docker buildx build --push --iidfile id --metadata-file=told --tag {NAME} .")
    found = players.digest(NAME).partition("@")[2]
    assert (tmp_path / "id").read_text("utf-8") == found
    assert json.loads((tmp_path / "told").read_text("utf-8"))["containerimage.digest"] == found
    assert play(f"docker|inspect|-f|{{{{index .RepoDigests 0}}}}|{NAME}")[0] == 0  # it is pushed


@pytest.mark.parametrize(
    ("line", "stdin", "told"),
    [
        (f"docker build --tag {NAME}", "", "a folder to build in"),
        (f"docker build --tag {NAME} nosuch", "", "a folder to build in"),
        (f"docker build --file nosuch --tag {NAME} .", "", "'nosuch' does not exist"),
        ("kubectl apply --filename nosuch.yaml", "", "'nosuch.yaml' does not exist"),
        ("kubectl apply -fnosuch.yaml", "", "'nosuch.yaml' does not exist"),
        ("kubectl create configmap x --from-env-file=nosuch", "", "'nosuch' does not exist"),
        ("kubectl create configmap x --from-file key=nosuch", "", "'nosuch' does not exist"),
        ("kubectl apply --filename -", "", "no objects"),
        ("kubectl apply", "", "no objects"),
    ],
)
def test_what_the_real_one_refuses(play: Played, line: str, stdin: str, told: str) -> None:
    code, said = play(line, stdin)
    assert (code, told in said) == (1, True)


@pytest.mark.parametrize(
    "line", ["kubectl -n here apply -f -", "kubectl -nhere apply -f-",
             "kubectl --namespace=here apply --filename=/dev/stdin",
             "kubectl apply --namespace here --filename all/app.yaml",
             "kubectl apply -n=here -f all"],
)  # fmt: skip
def test_what_is_applied_is_noted(play: Played, tmp_path: Path, line: str) -> None:
    image = players.digest(NAME)
    text = f"kind: Deployment\n  image: {image}\n"
    (tmp_path / "all").mkdir()
    (tmp_path / "all/app.yaml").write_text(text, "utf-8")
    assert play(line, text) == (0, "")
    (call,) = play.calls
    assert (call["job"], call["program"], call["words"]) == ("job", "kubectl", line.split()[1:])
    assert text in str(call["text"])
    assert players.namespace(line.split()[1:]) == "here"
    assert play("kubectl --namespace here get deployment") == (0, f"{image}\n")
    assert play("kubectl --namespace there get deployment") == (0, "\n")
    newer = players.digest("registry.invalid/demo:2")
    play("kubectl -n here apply -f -", f"- image: {newer}\n")
    assert play("kubectl --namespace here get deployment") == (0, f"{newer}\n")
    assert players.namespace(["apply"]) == "default"


MIGRATE = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  labels: {}\n  name: migrate\nspec: {}\n"
APPLY = "kubectl -n here apply -f -"


def release(play: Played, folder: Path, manifest: str = MIGRATE) -> tuple[int, str]:
    """A project whose manifest has a Job is deployed, once more."""
    (folder / "deployment").mkdir(exist_ok=True)
    (folder / "deployment/app.yaml").write_text(f"kind: Service\n---\n{MIGRATE}", "utf-8")
    return play(APPLY, f"kind: Service\nmetadata:\n  name: x\n---\n{manifest}")


def test_a_job_can_not_be_changed(play: Played, tmp_path: Path) -> None:
    for words in ("there delete job migrate", "here delete job other", "here delete pod migrate",
                  "here get job migrate"):  # fmt: skip
        assert play(f"kubectl -n {words}")[0] == 0
    code, said = release(play, tmp_path)
    assert (code, 'The Job "migrate" is invalid' in said) == (1, True)
    assert all("apply" not in str(each["words"]) for each in play.calls)


@pytest.mark.parametrize(
    "words", ["job migrate --ignore-not-found", "job/migrate", "jobs.batch migrate", "job --all",
              "jobs -l app=x", "-f deployment/app.yaml"],
)  # fmt: skip
def test_unless_it_is_deleted_before(play: Played, tmp_path: Path, words: str) -> None:
    release(play, tmp_path)
    assert play(f"kubectl -n here delete {words}")[0] == 0
    assert release(play, tmp_path) == (0, "")


def test_or_has_a_name_of_its_own(play: Played, tmp_path: Path) -> None:
    assert release(play, tmp_path, MIGRATE.replace("name: migrate", "name: migrate-1f3a"))[0] == 0
    assert release(play, tmp_path, "kind: Service\nmetadata:\n  name: migrate\n")[0] == 0
    assert play("kubectl -n here apply --force -f -", MIGRATE)[0] == 0


@pytest.mark.parametrize(
    "words", ["configmap one --from-file=nginx.conf", "-n here cm one --from-literal a=b",
              "configmap --from-file nginx.conf one"],
)  # fmt: skip
def test_what_would_be_made_has_its_name(play: Played, tmp_path: Path, words: str) -> None:
    (tmp_path / "nginx.conf").touch()
    said = play(f"kubectl create {words} --dry-run=client -o yaml")
    assert said == (0, "kind: ConfigMap\nmetadata:\n  name: one\n")
    assert play("kubectl create secret generic one --dry-run=client")[1] == "kind: Secret\n"


def test_what_asks_for_nothing_is_no_file(play: Played) -> None:
    assert play("kubectl logs -f deployment/application")[0] == 0
    assert play("kubectl apply -f https://example.org/all.yaml") == (0, "")  # it is not fetched
    assert play("docker login -u ada -p x")[0] == 0


def test_only_jobs_are_noted(play: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    """Services, gitlab-ci-local would start by itself; pip and its like have nothing to do."""
    assert play("pip install tox") == (0, "")
    monkeypatch.delenv("CI_JOB_NAME")
    assert play("docker pull postgres:17") == (0, "")
    assert json.loads(play("docker image inspect postgres:17")[1]) == [{"Config": {}}]
    assert play.calls == []


# A run, by a program that does what gitlab-ci-local would do.

TOOL = """\
#!/bin/sh
echo run >> "{notes}"
git status --porcelain >> "{notes}"
git rev-parse --abbrev-ref HEAD >> "{notes}"
git symbolic-ref refs/remotes/origin/HEAD >> "{notes}"
cat settings >> "{notes}"
printf '%s\\n' "$@" >> "{notes}"
docker pull postgres
export CI_JOB_NAME=build
docker build --tag demo:1 . && kubectl --namespace demo-live rollout status deployment/x
pip install nothing-that-there-is && grep -q wrong settings && exit 3
kubectl apply --filename nosuch
printf 'build $ kubectl\\nbuild > oh\\nbuild finished in 1 s FAIL 1\\n'
exit 1
"""


def test_a_run(tmp_path: Path) -> None:
    project, folder, bin_, notes = (tmp_path / each for each in ("a", "b", "bin", "notes"))
    for each in (project, folder, bin_):
        each.mkdir()
    (project / "settings").write_text("right\n", "utf-8")
    git.run("init", "--quiet", cwd=project)
    tool = bin_ / "gitlab-ci-local"
    tool.write_text(TOOL.format(notes=notes), "utf-8")
    tool.chmod(0o755)
    variables = {"PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}"}
    copy = Copy(project, folder, variables)
    copy.variables = lambda: variables  # type: ignore[method-assign]  # tox has nothing to do here
    run = DryRun(copy, {"DATABASE_URL": "postgres://here"})
    first = run.on()
    assert run.on(NONE) is first
    said = notes.read_text("utf-8").splitlines()
    home = said.pop(9)
    assert not Path(home).exists()
    assert Path.home() != Path(home)
    assert said == [
        "run", "main", "refs/remotes/origin/main", "right",
        "--force-shell-executor", "--no-color", "--concurrency", "1", "--home",
        "--variable", f"NAME={REPOSITORY}:try", "--variable", "DATABASE_URL=postgres://here",
    ]  # fmt: skip
    assert (first.code, first.job, first.command, first.tail) == (1, "build", "kubectl", "oh")
    assert first.calls == (
        Call("build", "docker", ("build", "--tag", "demo:1", "."), ""),
        Call("build", "kubectl",
             ("--namespace", "demo-live", "rollout", "status", "deployment/x"), ""),
    )  # fmt: skip
    assert [each.namespace for each in first.calls] == ["default", "demo-live"]
    notes.unlink()
    second = run.on(appended("settings", "wrong\n"))
    assert "wrong" in notes.read_text("utf-8")
    assert (second.code, second.job) == (3, "")
    assert second.calls == first.calls  # its own, and not those of the first run as well
    assert (folder / "settings").read_text("utf-8") == "right\n"


# What a run has to say.


def test_the_job_that_failed_has_the_word() -> None:
    out = """\
unit tests starting shell (test)
unit tests $ echo well
unit tests > well
unit tests $ tox -e unit
unit tests > 1 failed
other      > nobody asks
unit tests > ./.gitlab-ci-local/scripts/unit-tests_708773: line 4: toxx: command not found
\x1b[94munit tests\x1b[0m finished in 28 ms  FAIL 1
other      finished in 1 s  FAIL 1

 FAIL  unit tests
"""
    assert told(out, Path("/demo")) == (
        "unit tests", "tox -e unit", "1 failed\ntoxx: command not found",
    )  # fmt: skip


def test_without_one_the_program_itself_has() -> None:
    assert told("parsing\nthis is no job: x\n", Path("/demo")) == (
        "", "", "parsing\nthis is no job: x",
    )  # fmt: skip


def test_a_job_may_fail_before_its_first_command() -> None:
    out = "a > no shell\na finished in 2 ms FAIL 127\n"
    assert told(out, Path("/demo")) == ("a", "", "no shell")
