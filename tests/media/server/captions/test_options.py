"""What an operator can say about captions, and what is refused in one sentence."""

from pathlib import Path

import pytest

from tests.media.server.process import run


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--captions", "loud"], "--captions is 'loud', but must be one of off, tones, tiny, base."),
        (
            ["--captions-model", "/nowhere"],
            "/nowhere is no model folder: it has no model.bin and no config.json and no vocabulary.txt; "
            "name one in the format of CTranslate2, or base or tiny.",
        ),
        (
            ["--captions", "tones", "--recording", "off"],
            "--captions needs --recording on: what is captioned comes from the recorder.",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_anything_starts(
    tmp_path: Path, options: list[str], sentence: str
) -> None:
    done = run("--data", tmp_path, *options)
    assert (done.returncode, done.stderr) == (1, f"{sentence}\n")
