"""Which folder a model is in: that of a tier only if it is the very model, and any that holds one."""

import dataclasses
from pathlib import Path

import pytest

from media.captions.models import BASE, FILES, TINY, ModelError, find_model, packaged_model
from media.captions.whisper import Whisper


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_a_model_in_halves_is_joined_once(cache: Path) -> None:
    folder = find_model("base", cache)
    joined = (folder / "model.bin").stat()
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert find_model("base", cache) == folder
    assert (folder / "model.bin").stat().st_mtime_ns == joined.st_mtime_ns


def test_a_joined_model_that_was_cut_is_joined_anew(cache: Path) -> None:
    model = find_model("base", cache) / "model.bin"
    size = model.stat().st_size
    model.write_bytes(model.read_bytes()[:1000])
    assert (find_model("base", cache) / "model.bin").stat().st_size == size


def test_a_model_that_is_another_is_refused(cache: Path) -> None:
    other = dataclasses.replace(TINY, sha256="0" * 64)
    with pytest.raises(ModelError, match=r"has SHA-256 1a5afae06a4db91c… and not 0{16}…"):
        packaged_model(other, cache)


def test_a_model_that_is_not_installed_is_named_with_what_brings_it(cache: Path) -> None:
    absent = dataclasses.replace(BASE, parts=(("no_such_module_of_a_model", "model.bin"),))
    with pytest.raises(ModelError, match=r"base for captions is not installed; .*make captions"):
        packaged_model(absent, cache)


def test_a_folder_that_is_no_model_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is no model folder: it has no model\.bin and no config\.json and no"):
        find_model(str(tmp_path), tmp_path)
    for name in FILES:
        (tmp_path / name).write_text("{}\n")
    folder = find_model(str(tmp_path), tmp_path)
    with pytest.raises(ModelError, match=r"holds no Whisper model .*\n?") as refused:
        Whisper(folder, "mine")
    assert "\n" not in str(refused.value)


def test_a_vocabulary_does_not_save_a_broken_model(cache: Path, tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).write_bytes((find_model("tiny", cache) / name).read_bytes()[:2_000_000])
    with pytest.raises(ModelError, match="holds no Whisper model that CTranslate2 can load"):
        Whisper(find_model(str(tmp_path), cache), "cut")
