"""How what is written here is sealed, each for the one place where it stands: an instrument by its author's key of the
cycle, an entry by its coach's key of the observation."""

import json

from lti_tool.observation import instrument as instruments
from lti_tool.observation.entries import Entry
from lti_tool.observation.instrument import Instrument
from lti_tool.privacy.keyring import ScopeKeys


def seal_instrument(keys: ScopeKeys, author_id: str, state_id: str, made: Instrument) -> bytes:
    """`keys`: of the cycle."""
    return keys.seal(author_id, json.dumps(made.to_json()), place_of_state(state_id))


def open_instrument(keys: ScopeKeys, author_id: str, state_id: str, sealed: bytes) -> Instrument:
    """Raises KeyShredded where its author's key is gone."""
    return instruments.read(json.loads(keys.open(author_id, sealed, place_of_state(state_id))))


def place_of_state(state_id: str) -> str:
    return f"instrument_states/{state_id}"


def seal_entry(keys: ScopeKeys, coach_id: str, observation_id: str, entry: Entry) -> bytes:
    """`keys`: of the observation."""
    text = json.dumps(entry.to_json(), ensure_ascii=False)
    return keys.seal(coach_id, text, _place_of_entry(observation_id, entry.device, entry.number))


def open_entry(keys: ScopeKeys, coach_id: str, observation_id: str, device: str, number: int, sealed: bytes) -> Entry:
    """The entry as it was when it came in: by the instrument of then, which does not change. Raises KeyShredded."""
    return Entry(**json.loads(keys.open(coach_id, sealed, _place_of_entry(observation_id, device, number))))


def _place_of_entry(observation_id: str, device: str, number: int) -> str:
    return f"entries/{observation_id}/{device}/{number}"
