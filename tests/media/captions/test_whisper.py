"""The models that packages carry hear what people read aloud, and nothing in noise."""

import jiwer
import numpy as np
import pytest
from scipy.signal import resample_poly

from loadtest.bench.read_aloud import read_aloud
from media.captions.gates import recognise_gated
from media.captions.mel import BANDS, log_mel, mel_filters
from media.captions.models import find_model
from media.captions.phrases import Sound
from media.captions.recogniser import LIVE_WINDOW_S
from media.captions.vocabulary import Vocabulary
from media.captions.whisper import Whisper

PLAIN = jiwer.Compose(
    [jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.RemoveMultipleSpaces(), jiwer.Strip()]
)
CHANCE = np.random.default_rng(11)


@pytest.fixture(scope="module", params=["tiny", "base"])
def whisper(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Whisper:
    return Whisper(find_model(request.param, tmp_path_factory.mktemp("cache")), request.param)


def test_what_is_read_aloud_is_heard(whisper: Whisper) -> None:
    (beckett,) = (each for each in read_aloud() if each.name == "beckett")
    sound = np.asarray(resample_poly(beckett.sound, 1, 3), np.float32)
    heard = recognise_gated(whisper, sound, LIVE_WINDOW_S, None)
    assert heard is not None and heard.language == "en"
    assert jiwer.process_words(PLAIN(beckett.text), PLAIN(heard.text)).wer <= 0.1
    assert whisper.recognise(sound, LIVE_WINDOW_S, "en") == whisper.recognise(sound, LIVE_WINDOW_S, "en")


@pytest.mark.parametrize("level", [0.0, 0.003, 0.05, 0.3])
def test_noise_has_no_words(whisper: Whisper, level: float) -> None:
    noise: Sound = (level * CHANCE.standard_normal(64_000)).astype(np.float32)
    assert recognise_gated(whisper, noise, LIVE_WINDOW_S, None) is None


def test_a_language_that_it_does_not_know_is_found_out(whisper: Whisper) -> None:
    sound = np.asarray(resample_poly(read_aloud()[0].sound[: 6 * 48_000], 1, 3), np.float32)
    assert whisper.recognise(sound, LIVE_WINDOW_S, "tlh").language == "en"


@pytest.mark.parametrize("hz", [200.0, 1_000.0, 5_000.0])
def test_a_tone_is_in_its_band(hz: float) -> None:
    tone: Sound = np.sin(2 * np.pi * hz * np.arange(16_000) / 16_000).astype(np.float32)
    mel = log_mel(tone, 2.0)
    assert mel.shape == (BANDS, 200)
    filters = mel_filters()
    centre = np.argmax(filters, axis=1) * 40.0
    assert abs(centre[int(np.argmax(mel[:, 50]))] - hz) <= max(80.0, 0.05 * hz)
    assert mel[:, 150].max() == mel.min()  # after it, silence


def test_text_is_utf8_whose_letters_may_be_cut_in_two() -> None:
    tokens = ["Ġdas", "ĠhÃ", "¶rt", "<|endoftext|>", "<|startoftranscript|>", "<|en|>"]
    words = Vocabulary(tokens)
    assert words.text_of([0, 1, 2, 3, 5]) == "das hört"
    assert words.text_of([1]) == "h\ufffd"
    with pytest.raises(ValueError, match="not one of Whisper"):
        Vocabulary(["a", "b"])
