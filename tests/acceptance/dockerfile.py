"""Dockerfiles, read and carried out without Docker: each path lies below a folder of the test."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

#: The folders that builds write to; paths in a RUN that begin so are moved.
_MOVED = re.compile(r"(?<![\w./-])/(?=(?:opt|build)\b)")


@dataclass(frozen=True)
class Instruction:
    name: str
    flags: dict[str, str]
    value: str

    @property
    def words(self) -> list[str]:
        """The value in its JSON form, or as a shell would split it."""
        return json.loads(self.value) if self.value.startswith("[") else shlex.split(self.value)


@dataclass(frozen=True)
class Stage:
    image: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, name: str) -> list[Instruction]:
        return [found for found in self.instructions if found.name == name]

    def last(self, name: str) -> Instruction:
        return self.all(name)[-1]

    @property
    def environment(self) -> dict[str, str]:
        return dict(word.split("=", 1) for found in self.all("ENV") for word in found.words)


def read(file: Path) -> list[Stage]:
    """The stages of a Dockerfile."""
    lines = [line for line in file.read_text().splitlines() if not line.lstrip().startswith("#")]
    text = re.sub(r"\\\n", " ", "\n".join(lines))
    stages: list[Stage] = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        instruction = _instruction(line)
        if instruction.name == "FROM":
            image, _, name = instruction.value.partition(" AS ")
            stages.append(Stage(image, name))
        else:
            stages[-1].instructions.append(instruction)
    return stages


def _instruction(line: str) -> Instruction:
    name, _, rest = line.partition(" ")
    flags = {}
    while found := re.match(r"\s*--([a-z-]+)=(\S+)\s*", rest):
        flags[found[1]] = found[2]
        rest = rest[found.end() :]
    return Instruction(name.upper(), flags, rest.strip())


def kept(context: Path) -> list[Path]:
    """The files that ``.dockerignore`` lets into the build, as its rules say: the last one wins."""
    lines = (context / ".dockerignore").read_text().split()
    return [
        path.relative_to(context)
        for path in _files(context, [line[3:] for line in lines if line.startswith("**/")])
        if _is_kept(str(path.relative_to(context)), lines)
    ]


def _files(folder: Path, skipped: list[str]) -> list[Path]:
    found = []
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in (*skipped, ".git", ".venv")]
        found += [Path(root, name) for name in files]
    return found


def _is_kept(path: str, lines: list[str]) -> bool:
    keep = True
    for line in lines:
        pattern = line.lstrip("!")
        if _matches(path, pattern):
            keep = line.startswith("!")
    return keep


def _matches(path: str, pattern: str) -> bool:
    parts = path.split("/")
    prefixes = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    if pattern.startswith("**/"):
        return any(fnmatch.fnmatchcase(part, pattern[3:]) for part in parts)
    depth = pattern.count("/")
    return any(p.count("/") == depth and fnmatch.fnmatchcase(p, pattern) for p in prefixes)


def carry_out(stage: Stage, context: Path, root: Path, **environment: str) -> None:
    """Does each COPY and RUN of a stage in the order of the file."""
    folder = root
    allowed = kept(context)
    for instruction in stage.instructions:
        if instruction.name == "WORKDIR":
            folder = root / instruction.value.lstrip("/")
            folder.mkdir(parents=True, exist_ok=True)
        elif instruction.name == "COPY":
            _copy(instruction, context, allowed, folder)
        elif instruction.name == "RUN":
            _run(instruction.value, folder, root, environment)


def _copy(instruction: Instruction, context: Path, allowed: list[Path], folder: Path) -> None:
    *sources, target = instruction.words
    for source in sources:
        found = [path for path in allowed if path.is_relative_to(source)]
        assert found, f"COPY {source}: there is no such file, or .dockerignore keeps it out"
        for path in found:
            # Of a folder its content is copied.
            inside = path.relative_to(source) if (context / source).is_dir() else Path(path.name)
            copied = folder / target / inside
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(context / path, copied)


def _run(command: str, folder: Path, root: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["/bin/sh", "-ec", _MOVED.sub(f"{root}/", command)],
        cwd=folder,
        env={
            **{n: v for n, v in os.environ.items() if n != "PYTHONPATH"},
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
