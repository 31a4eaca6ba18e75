"""The README says what the clients are tried at, and the proof of a tone tells it from what is none."""

import numpy as np

from tests.clients.table import CLIENTS, HERE, OFFERS, ROLES
from tests.clients.tone import from_opus, from_samples, heard_in, opus_tone, to_bytes
from tests.media.relay.sound import RATE


def test_readme_has_a_row_for_each_client_with_what_is_tried() -> None:
    lines = (HERE.parents[1] / "README.md").read_text().splitlines()
    rows = {
        cells[1]: cells[3:-1] for line in lines if len(cells := [cell.strip() for cell in line.split("|")]) == 10
    }
    assert [name for name in rows if name not in ("client", "---")] == [one.title for one in CLIENTS.values()]
    for client in CLIENTS.values():
        tried = [role in client.roles and offer in client.offers for role in ROLES for offer in OFFERS]
        assert rows[client.title] == ["yes" if each else "–" for each in tried], client.title


def test_tone_is_found_in_both_forms_that_clients_write() -> None:
    for pcm in (from_opus(opus_tone(523.0, 1.0)), from_samples(to_bytes(from_opus(opus_tone(523.0, 1.0))))):
        heard = heard_in(pcm, 523.0)
        assert heard.seconds > 0.9 and heard.share == 1.0 and abs(heard.loudest - 523.0) < 2


def test_silence_another_tone_and_gaps_are_told_apart() -> None:
    tone = from_opus(opus_tone(523.0, 1.0))
    assert heard_in(np.zeros(RATE, np.float32), 523.0).seconds == 0
    assert heard_in(tone[:0], 523.0).seconds == 0
    assert heard_in(from_opus(opus_tone(700.0, 1.0)), 523.0).seconds < 0.1
    gaps = tone.copy()
    gaps[RATE // 4 : RATE // 2] = 0
    assert heard_in(gaps, 523.0).share < 0.8
