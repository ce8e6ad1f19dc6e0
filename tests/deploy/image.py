"""The builder's steps of the Dockerfile, replayed in a folder: no engine is needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.deploy.dockerfile import builder, final, stages
from tests.deploy.documents import ROOT

_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc")


@dataclass(frozen=True)
class Image:
    """What an engine would have built: its files below ``root``."""

    root: Path

    @property
    def python(self) -> Path:
        """The interpreter of the image."""
        return self.root / "opt" / "preroll" / "bin" / "python"

    def environment(self, scratch: Path) -> dict[str, str]:
        """The final stage's variables, with ``scratch`` for /tmp."""
        opt = str(self.root / "opt" / "preroll")
        environ = {
            name: value.replace("/tmp", str(scratch)).replace("/opt/preroll", opt)
            for name, value in final().environment.items()
        }
        environ["PATH"] = environ["PATH"].replace("$PATH", os.environ["PATH"])
        # Which of its kernels OpenBLAS may use is the machine's affair.
        kernels = {name: os.environ[name] for name in os.environ if name.startswith("OPENBLAS_")}
        return {"TMPDIR": str(scratch), "LANG": "C.UTF-8", **kernels, **environ}


def interpreter() -> str | None:
    """A Python of the image's minor version, or None."""
    minor = stages()[0].base.removeprefix("python:").removesuffix("-slim")
    if minor == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    return shutil.which(f"python{minor}")


@contextmanager
def built_image(python: str) -> Iterator[Image]:
    """Run the COPY and RUN instructions of the builder, word for word but for the folders."""
    with TemporaryDirectory(prefix="preroll-image-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        build, tool = root / "build", root / "tool"
        for one in (build, root / "opt"):
            one.mkdir()
        # The base image's own Python and pip.
        _run([python, "-m", "venv", str(tool)], root, dict(os.environ))
        environ = {**os.environ, **builder().environment}
        environ["PATH"] = f"{tool / 'bin'}{os.pathsep}{os.environ['PATH']}"
        del environ["PIP_NO_CACHE_DIR"]  # a second run need not load everything again
        for one in builder().instructions:
            if one.word == "COPY":
                *sources, target = one.words
                for source in sources:
                    _copy(ROOT / source, build / target)
            elif one.word == "RUN":
                script = one.rest.replace("/opt/preroll", str(root / "opt" / "preroll"))
                script = script.replace("/build", str(build))
                _run(["sh", "-euc", script], build, environ)
        shutil.rmtree(build)  # it stays behind with the builder
        yield Image(root)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=_IGNORED)
    else:
        target = target / source.name if target.is_dir() else target
        shutil.copyfile(source, target)


def _run(command: list[str], folder: Path, environ: dict[str, str]) -> None:
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
