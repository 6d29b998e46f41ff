"""The manifest of an evidence pack: the SHA-256 of every file, and the digest of the manifest itself.

Both files have the form of ``sha256sum``, so that a pack can be verified without perfcalc.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path, PurePosixPath
from typing import Final

from perfcalc.errors import InputError

MANIFEST: Final = "manifest.sha256"
DIGEST: Final = "digest.sha256"

#: What file managers leave behind; nothing in a pack reads it.
LITTER: Final = frozenset((".DS_Store", "Thumbs.db", "desktop.ini"))

_LINE: Final = re.compile(r"([0-9a-f]{64})  (\S.*)")


@dataclass(frozen=True)
class Finding:
    """One file of a pack that is not what it should be, and how."""

    file: str
    what: str


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def write_manifest(root: Path) -> str:
    """Write the manifest of a folder and its digest, and return the digest."""
    text = _text({name: sha256_of(root / name) for name in _names(root)})
    (root / MANIFEST).write_bytes(text)
    (root / DIGEST).write_bytes(_digest_text(text))
    return sha256(text).hexdigest()


def _text(hashes: dict[str, str]) -> bytes:
    return "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode()


def _digest_text(manifest: bytes) -> bytes:
    return f"{sha256(manifest).hexdigest()}  {MANIFEST}\n".encode()


def _names(root: Path) -> Iterator[str]:
    """Every file below a folder, but for the manifest and its digest."""
    for folder, _, files in os.walk(root):
        for file in files:
            name = (Path(folder) / file).relative_to(root).as_posix()
            if name not in (MANIFEST, DIGEST):
                yield name


def verify(root: Path) -> tuple[str, dict[str, str], list[Finding]]:
    """The digest of a pack, what its manifest lists, and every file that is not as it was when the pack was made.

    Raises
    ------
    InputError
        There is no manifest.
    """
    try:
        manifest = (root / MANIFEST).read_bytes()
    except OSError as error:
        raise InputError(
            f"{root}: not an evidence pack: no {MANIFEST}", f"give the folder that holds {MANIFEST}"
        ) from error
    findings: list[Finding] = []
    listed: dict[str, str] = {}
    for line in manifest.decode("utf-8", "replace").split("\n")[:-1]:
        match = _LINE.fullmatch(line)
        if match is None or not _is_safe(match[2]):
            findings.append(Finding(MANIFEST, f"not a line of a manifest: {line[:100]!r}"))
        else:
            listed[match[2]] = match[1]
    present = {
        name: _content(root / name) for name in _names(root) if name in listed or PurePosixPath(name).name not in LITTER
    }
    fitting = _text(present)
    stated = (root / DIGEST).read_bytes() if (root / DIGEST).is_file() else b""
    if stated == _digest_text(fitting) and manifest != fitting:
        # The files are those that the digest stands for, so only the list of them was changed.
        return (
            sha256(manifest).hexdigest(),
            present,
            [Finding(MANIFEST, f"{DIGEST} stands for another one, which fits every file")],
        )
    if stated != _digest_text(manifest):
        only = f"not the digest of {MANIFEST}, which fits every file" if manifest == fitting else ""
        findings.append(
            Finding(DIGEST, only) if only else Finding(MANIFEST, f"{DIGEST} stands for another one: one was changed")
        )
    for name in sorted(listed.keys() | present.keys()):
        if name not in present:
            findings.append(Finding(name, "missing"))
        elif name not in listed:
            findings.append(Finding(name, "not in the manifest"))
        elif present[name] != listed[name]:
            why = "" if len(present[name]) == 64 else f" ({present[name]})"
            findings.append(Finding(name, f"not the bytes that the manifest lists{why}"))
    return sha256(manifest).hexdigest(), listed, findings


def _content(path: Path) -> str:
    """The SHA-256 of a file; of a link, or of what cannot be read, a word that no manifest lists."""
    if path.is_symlink():
        return "a link"
    try:
        return sha256_of(path)
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _is_safe(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name
