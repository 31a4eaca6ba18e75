"""Whisper on CTranslate2 and numpy: the recogniser behind captions.

One thread, int8. The encoder runs once for a phrase, over a window of 10 s where the phrase fits one: padding to
Whisper's own 30 s is seven times the price. CTranslate2 belongs to the optional group ``captions``, so it is
imported by name, when a model is loaded.
"""

import importlib
import math
from pathlib import Path
from typing import Any, Final

import numpy as np

from media.captions.mel import HOP, log_mel
from media.captions.models import ModelError
from media.captions.phrases import Sound
from media.captions.recogniser import TAIL_S, Heard
from media.captions.vocabulary import START, read_vocabulary
from media.captions.voice import RATE

STEP_S: Final = 2.0
"""Windows are multiples of it."""
WINDOW_MOST_S: Final = 30.0
_TOKENS_PER_S: Final = 9
"""Tokens that a phrase can have: fast speech has five a second."""
_TOKENS_LEAST: Final = 24
_TOKENS_MOST: Final = 224
_ATTENTION_S: Final = 0.02
"""Seconds of a step of the decoder's attention."""
LANGUAGE_SURE: Final = 0.5
"""Probability from which on a language that was found is believed; else it is English, which all models know."""


class Whisper:
    """A model folder, loaded: ``model.bin``, ``config.json`` and ``vocabulary.txt``."""

    def __init__(self, folder: Path, name: str, threads: int = 1) -> None:
        """Load it.

        :raises ModelError: CTranslate2 is not here, or cannot load it
        """
        self.name = name
        try:
            self._ct2: Any = importlib.import_module("ctranslate2")
        except ImportError:
            raise ModelError(
                "Captions need ctranslate2, which is not installed; install the group captions: make captions."
            ) from None
        try:
            self._vocabulary = read_vocabulary(folder / "vocabulary.txt")
            self._model: Any = self._ct2.models.Whisper(
                str(folder), device="cpu", compute_type="int8", inter_threads=1, intra_threads=threads
            )
        except (OSError, ValueError, RuntimeError, UnicodeError) as error:
            raise ModelError(f"{folder} holds no Whisper model that CTranslate2 can load: {error}") from None

    @property
    def multilingual(self) -> bool:
        """Whether it knows more than English."""
        return bool(self._model.is_multilingual)

    def recognise(self, sound: Sound, window_s: float, language: str | None) -> Heard:
        """Recognise a phrase; see :class:`media.captions.recogniser.Recogniser`."""
        encoded = self._encode(sound, window_s)
        language = self._language(encoded, language)
        result = self._generate(encoded, sound, language)
        return Heard(self._vocabulary.text_of(result.sequences_ids[0]), float(result.scores[0]), language)

    def timed_words(self, sound: Sound, language: str | None = None) -> list[tuple[str, float]]:
        """Return the words of a recording, 30 s at most, each with the second in which it ended.

        By the decoder's attention; costs about as much as recognising it once more.
        """
        encoded = self._encode(sound, WINDOW_MOST_S)
        language = self._language(encoded, language)
        tokens = [t for t in self._generate(encoded, sound, language).sequences_ids[0] if t < self._vocabulary.end]
        steps = math.ceil(len(sound) / HOP)
        aligned = self._model.align(encoded, self._prompt(language), [tokens], [steps])[0].alignments
        ends = {token: (step + 1) * _ATTENTION_S for token, step in aligned}
        words: list[tuple[list[int], float]] = []
        for number, token in enumerate(tokens):
            end = ends.get(number, words[-1][1] if words else 0.0)
            if words and not self._vocabulary.begins_word(token):
                words[-1] = ([*words[-1][0], token], end)
            else:
                words.append(([token], end))
        return [(self._vocabulary.text_of(word), end) for word, end in words]

    def _generate(self, encoded: Any, sound: Sound, language: str) -> Any:
        seconds = len(sound) / RATE
        return self._model.generate(
            encoded,
            [self._prompt(language)],
            beam_size=1,
            max_length=int(min(_TOKENS_MOST, _TOKENS_LEAST + _TOKENS_PER_S * seconds)),
            return_scores=True,
            suppress_blank=True,
            suppress_tokens=[-1],
        )[0]

    def _language(self, encoded: Any, wanted: str | None) -> str:
        if not self.multilingual:
            return "en"
        if wanted is not None and f"<|{wanted}|>" in self._vocabulary:
            return wanted
        token, probability = self._model.detect_language(encoded)[0][0]
        return str(token[2:-2]) if probability >= LANGUAGE_SURE else "en"

    def _encode(self, sound: Sound, window_s: float) -> Any:
        wanted = math.ceil((len(sound) / RATE + TAIL_S) / STEP_S) * STEP_S
        mel = log_mel(sound, min(WINDOW_MOST_S, max(window_s, wanted)))
        return self._model.encode(self._ct2.StorageView.from_array(np.ascontiguousarray(mel[None])))

    def _prompt(self, language: str) -> list[int]:
        middle = [f"<|{language}|>", "<|transcribe|>"] if self.multilingual else []
        return [self._vocabulary[token] for token in (START, *middle, "<|notimestamps|>")]
