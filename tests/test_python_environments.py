"""Environments: one per hash, found again at once, and honest when they can't be made.

The packages come from wheels that are written here: no test asks a registry.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from workshop import environments
from workshop.errors import WorkshopError


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder with the packages `tiny` 1.0 and 2.0."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    for version in ("1.0", "2.0"):
        info = f"tiny-{version}.dist-info"
        with zipfile.ZipFile(folder / f"tiny-{version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr("tiny.py", f"version = {version!r}\n")
            wheel.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n"
            )
            wheel.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            wheel.writestr(f"{info}/RECORD", "")
    return folder


def written(shelf: Path, *lines: str, name: str = "requirements.txt") -> Path:
    """A requirements file that finds its packages on the shelf, in a folder of its own."""
    file = shelf.parent / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(["--no-index", f"--find-links {shelf}", *lines, ""]), "utf-8")
    return file


def version(environment: environments.Environment) -> str:
    """The version of `tiny` that a Python in the environment sees."""
    return subprocess.check_output(
        [environment.python, "-c", "import tiny; print(tiny.version)"], text=True
    ).strip()


def test_made_once_and_found_again(shelf: Path) -> None:
    first = environments.ensure([written(shelf, "tiny==1.0")])
    assert first.made
    assert version(first) == "1.0"
    assert environments.ensure([written(shelf, "tiny==1.0")]) == first._replace(made=False)


def test_the_same_requirements_share_it_in_any_folder(shelf: Path) -> None:
    one = environments.ensure([written(shelf, "tiny==1.0", name="one/requirements.txt")])
    two = environments.ensure([written(shelf, "tiny==1.0", name="two/requirements.txt")])
    assert (two.folder, two.made) == (one.folder, False)


def test_other_requirements_make_another(shelf: Path) -> None:
    one = environments.ensure([written(shelf, "tiny==1.0")])
    two = environments.ensure([written(shelf, "tiny==2.0")])
    assert (version(one), version(two)) == ("1.0", "2.0")


def test_what_a_file_includes_counts(shelf: Path) -> None:
    written(shelf, "tiny==1.0", name="base.txt")
    file = written(shelf, "-r base.txt")
    one = environments.ensure([file])
    written(shelf, "tiny==2.0", name="base.txt")
    two = environments.ensure([file])
    assert (version(one), version(two)) == ("1.0", "2.0")


def test_files_that_include_each_other_end(shelf: Path) -> None:
    one = written(shelf, "-r two.txt", name="one.txt")
    two = written(shelf, "--requirement=one.txt", name="two.txt")
    assert [file for file, _ in environments.contents([one])] == [one, two]


def test_the_platform_adds_what_the_project_does_not_name(shelf: Path) -> None:
    assert version(environments.ensure([written(shelf)], extra=["tiny==2.0"])) == "2.0"
    assert version(environments.ensure([written(shelf, "Tiny==1.0")], extra=["tiny==2.0"])) == "1.0"


def hashed(shelf: Path, version: str) -> str:
    """The requirement of `tiny` with the hash of its file."""
    wheel = shelf / f"tiny-{version}-py3-none-any.whl"
    return f"tiny=={version} \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"


def test_hashes_are_checked_and_the_platform_s_own_have_none(shelf: Path) -> None:
    (shelf / "server-1.0-py3-none-any.whl").write_bytes(renamed(shelf, "server"))
    made = environments.ensure([written(shelf, hashed(shelf, "1.0"))], extra=["server==1.0"])
    assert version(made) == "1.0"
    subprocess.run([made.python, "-c", "import server"], check=True)


def test_a_package_that_has_changed_is_refused(shelf: Path, home: Path) -> None:
    file = written(shelf, hashed(shelf, "1.0"))
    wheel = shelf / "tiny-1.0-py3-none-any.whl"
    before = hashlib.sha256(wheel.read_bytes()).hexdigest()
    with zipfile.ZipFile(wheel, "a") as changed:
        changed.writestr("evil.py", "")
    with pytest.raises(WorkshopError) as caught:
        environments.ensure([file])
    after = hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert "Hash mismatch for `tiny==1.0`" in caught.value.fact
    assert f"Expected:: sha256:{before}: Computed:: sha256:{after}" in caught.value.fact
    assert not [each for each in (home / "environments").iterdir() if each.is_dir()]


def test_one_hash_asks_for_all(shelf: Path) -> None:
    (shelf / "other-1.0-py3-none-any.whl").write_bytes(renamed(shelf, "other"))
    file = written(shelf, hashed(shelf, "1.0"), "other==1.0")
    with pytest.raises(WorkshopError, match="all requirements must have a hash"):
        environments.ensure([file])


def renamed(shelf: Path, name: str) -> bytes:
    """The wheel of `tiny` 1.0 under another name."""
    data = io.BytesIO()
    with (
        zipfile.ZipFile(shelf / "tiny-1.0-py3-none-any.whl") as wheel,
        zipfile.ZipFile(data, "w") as copy,
    ):
        for each in wheel.namelist():
            copy.writestr(
                each.replace("tiny", name), wheel.read(each).replace(b"tiny", name.encode())
            )
    return data.getvalue()


def test_a_path_in_it_ties_it_to_its_folder(tmp_path: Path) -> None:
    keys = set()
    for name in ("one", "two"):
        package = tmp_path / name
        package.mkdir()
        file = package / "requirements.txt"
        file.write_text("./local\n", "utf-8")
        keys.add(environments._key(dict(environments.contents([file])), []))
    assert len(keys) == 2


def test_half_made_is_made_again(shelf: Path) -> None:
    file = written(shelf, "tiny==1.0")
    first = environments.ensure([file])
    (first.folder / ".complete").unlink()
    (first.folder / "half").touch()
    again = environments.ensure([file])
    assert again.made
    assert not (again.folder / "half").exists()
    assert version(again) == "1.0"


def test_a_python_that_is_gone_is_replaced(shelf: Path) -> None:
    file = written(shelf, "tiny==1.0")
    first = environments.ensure([file])
    first.python.unlink()
    assert environments.ensure([file]).made
    assert version(first) == "1.0"


def test_two_at_once_make_it_once(shelf: Path) -> None:
    file = written(shelf, "tiny==1.0")
    found: list[environments.Environment] = []
    both = [
        threading.Thread(target=lambda: found.append(environments.ensure([file]))) for _ in range(2)
    ]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(each.made for each in found) == [False, True]


def test_another_home(shelf: Path, tmp_path: Path) -> None:
    made = environments.ensure([written(shelf, "tiny==1.0")], home=tmp_path / "elsewhere")
    assert made.folder.parent == tmp_path / "elsewhere" / "environments"


def test_a_hit_starts_nothing(shelf: Path, home: Path) -> None:
    file = written(shelf, "tiny==1.0")
    environments.ensure([file])
    code = (
        "import sys, pathlib; from workshop import environments;"
        "made = environments.ensure([pathlib.Path(sys.argv[1])]).made;"
        "print(made, {'subprocess', 'filelock', 'uv'} & set(sys.modules))"
    )
    said = subprocess.check_output(
        [sys.executable, "-I", "-c", code, file], text=True, env=os.environ
    )
    assert said == "False set()\n"


def test_a_version_that_does_not_exist(shelf: Path, home: Path) -> None:
    file = written(shelf, "tiny==3.0")
    with pytest.raises(WorkshopError) as caught:
        environments.ensure([file])
    assert str(caught.value) == (
        f"{file}: the requirements can't be installed: No solution found when resolving"
        " dependencies: Because there is no version of tiny==3.0 and you require tiny==3.0, we"
        " can conclude that your requirements are unsatisfiable.\n"
        "Mend the requirements, and try again."
    )
    assert not [each for each in (home / "environments").iterdir() if each.is_dir()]


def test_a_line_that_is_no_requirement(shelf: Path) -> None:
    file = written(shelf, "tiny=1.0")
    with pytest.raises(WorkshopError) as caught:
        environments.ensure([file])
    at = file.read_text("utf-8").index("tiny=")
    assert str(caught.value) == (
        f"{file}: the requirements can't be installed: Couldn't parse requirement in"
        f' `requirements.txt` at position {at}: no such comparison operator "=", must be one of'
        " ~= == != <= >= < > ===: tiny=1.0\n"
        "Mend the requirements, and try again."
    )


def test_a_file_that_is_not_there(shelf: Path) -> None:
    file = written(shelf, "-r nowhere.txt")
    with pytest.raises(WorkshopError) as caught:
        environments.ensure([file])
    assert str(caught.value) == (
        f"{file.with_name('nowhere.txt')}: this requirements file can't be read\n"
        "Write it, or mend the line that includes it."
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to mount a small disk")
def test_a_full_disk(shelf: Path, home: Path) -> None:
    file = written(shelf, "tiny==1.0")
    disk = home / "environments"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20k", "none", disk], check=True)
    try:
        with pytest.raises(WorkshopError) as caught:
            environments.ensure([file])
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
    assert str(caught.value) == f"{disk}: the disk is full\nMake room, then try again."


@pytest.mark.parametrize("number", [28, 122])
def test_another_disk_that_is_full(
    shelf: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    said = f"error: Failed to write: /cache/x\n  cause: No room (os error {number})\n"
    monkeypatch.setattr(environments, "_uv", lambda *_: said)
    with pytest.raises(WorkshopError) as caught:
        environments.ensure([written(shelf, "tiny==1.0")])
    assert str(caught.value) == (
        f"the disk is full: Failed to write: /cache/x: No room (os error {number})\n"
        "Make room, then try again."
    )


def test_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    file = tmp_path / "requirements.txt"
    # Port 9 discards; on loopback nobody listens there.
    file.write_text("-i http://127.0.0.1:9/simple\ntiny==1.0\n", "utf-8")
    with pytest.raises(WorkshopError) as caught:
        environments.ensure([file])
    assert caught.value.fact.startswith(
        "the requirements can't be installed: Failed to fetch: http://127.0.0.1:9/simple/tiny/"
    )
    assert caught.value.remedy == "Connect to a network once; after that it works without."
