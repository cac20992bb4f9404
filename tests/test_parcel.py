"""An image is opened whoever has written it: older engines and newer ones, and each builder."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from workshop.checks.parcel import Parcel, bases, instructions

DOCKERFILE = """\
FROM python AS build
RUN make

# The second stage counts.
FROM python
COPY . \\
  .
ENV A=b
RUN rm .env
"""
OLD = [
    "/bin/sh -c #(nop) ADD file:0123456789abcdef0123 in / ",
    "/bin/sh -c #(nop) COPY dir:fedcba98765432100123 in /project ",
    "/bin/sh -c #(nop)  ENV A=b",
    "|1 KEY=x /bin/sh -c rm .env",
]
BUILDKIT = [
    "ADD rootfs.tar.xz / # buildkit",
    "COPY . . # buildkit",
    "ENV A=b",
    "RUN |1 KEY=x /bin/sh -c rm .env # buildkit",
]


def tar(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


LAYERS = [
    tar({"etc/issue": b"Hello", "project/kept": b"1"}),
    tar({"./project/.env": b"KEY=s", "project/.git/config": b"c", "project/a.py": b"a"}),
    tar({"project/.wh..env": b"", "project/.wh..git": b""}),
]


def archive(tmp_path: Path, history: list[str], places: list[str], *, zipped: bool = False) -> Path:
    config: dict[str, Any] = {
        "history": [
            {"created_by": each, "empty_layer": True} if "ENV" in each else {"created_by": each}
            for each in history
        ],
    }
    layers = [gzip.compress(each) if zipped else each for each in LAYERS]
    manifest = [{"Config": "c.json", "Layers": places}]
    file = tmp_path / "image.tar"
    file.write_bytes(
        tar(
            {
                **dict(zip(places, layers, strict=True)),
                "c.json": json.dumps(config).encode(),
                "manifest.json": json.dumps(manifest).encode(),
            }
        )
    )
    return file


@pytest.mark.parametrize(
    ("history", "places", "zipped"),
    [
        (OLD, ["1/layer.tar", "2/layer.tar", "3/layer.tar"], False),
        (BUILDKIT, ["blobs/sha256/1", "blobs/sha256/2", "blobs/sha256/3"], True),
    ],
    ids=["old", "oci"],
)
def test_every_file_of_every_layer(
    tmp_path: Path, history: list[str], places: list[str], zipped: bool
) -> None:
    parcel = Parcel(archive(tmp_path, history, places, zipped=zipped), DOCKERFILE)
    found = {file.name: file for file in parcel.files()}
    assert [(each.name, each.layer, each.removed) for each in found.values()][:5] == [
        ("/etc/issue", 1, False),
        ("/project/kept", 1, False),
        ("/project/.env", 2, True),
        ("/project/.git/config", 2, True),
        ("/project/a.py", 2, False),
    ]
    assert found["/project/.env"].by == "COPY . ."
    assert found["/project/.env"].data == b"KEY=s"
    assert found["/etc/issue"].by.startswith("ADD ")
    assert [note.by for note in parcel.notes][1:] == ["COPY . .", "ENV A=b", "RUN rm .env"]
    assert "KEY=x" in parcel.notes[3].text


@pytest.mark.parametrize(
    ("history", "told"),
    [(OLD, "COPY ... /project"), (BUILDKIT, "COPY . .")],
    ids=["old", "buildkit"],
)
def test_another_dockerfile_is_not_believed(tmp_path: Path, history: list[str], told: str) -> None:
    parcel = Parcel(archive(tmp_path, history, ["1", "2", "3"]), "FROM x\nADD a b\nRUN c\nRUN d\n")
    assert [note.by for note in parcel.notes][1] == told


def test_the_instructions_of_the_last_stage() -> None:
    assert instructions(DOCKERFILE) == ("COPY . .", "ENV A=b", "RUN rm .env")
    assert instructions("# nothing\n") == ()


@pytest.mark.parametrize(
    ("dockerfile", "found"),
    [
        ("FROM python:3.13-slim\n", ("python:3.13-slim",)),
        ("from --platform=linux/amd64 python\n", ("python",)),
        ("ARG V=3.13\nFROM python:${V}-slim AS Build\nRUN x\nFROM build\n", ("python:3.13-slim",)),
        ('ARG BASE="a/b:1"\nFROM $BASE\nFROM scratch\n', ("a/b:1",)),
        ("FROM python:${V:-3.13}\nFROM here:5000/python\n", ("python:3.13", "here:5000/python")),
        ("FROM python:${V:-3.12}\nARG V=3.13\nRUN x\n", ("python:3.12",)),
        ("FROM ${UNKNOWN}\n# FROM this\n", ("${UNKNOWN}",)),
        ("", ()),
    ],
)
def test_what_an_image_is_made_from(dockerfile: str, found: tuple[str, ...]) -> None:
    assert bases(dockerfile) == found
