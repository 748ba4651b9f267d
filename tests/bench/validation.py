"""CPU time of proving one token, warm: signature and all claims, keys in memory."""

import json
import time
from datetime import UTC, datetime

from jwt.algorithms import RSAAlgorithm
from platform_double import CLIENT_ID, ISSUER, Platform

from lti_tool.lti.launch import ExpectedLogin, hashed, prove
from lti_tool.lti.platform import KnownPlatform

TOKENS = 400


def validation_cpu_ms(platform: Platform) -> float:
    """Median CPU milliseconds of three series of TOKENS tokens."""
    url = "http://localhost:8000/lti/launch"
    tokens = [platform.token(f"nonce{number}", url) for number in range(TOKENS)]
    key = RSAAlgorithm.from_jwk(json.dumps(platform.stored_keys()[0]))
    known = KnownPlatform(
        **{
            "id": "p",
            "issuer": ISSUER,
            "client_id": CLIENT_ID,
            "authorization_url": f"{ISSUER}/auth",
            "jwks_url": f"{ISSUER}/jwks",
            "status": "active",
            "family": "moodle",
        }
    )
    series = []
    for _ in range(3):
        now = datetime.now(UTC)
        began = time.process_time()
        for number, token in enumerate(tokens):
            launch = prove(
                token,
                platform=known,
                login=ExpectedLogin(hashed(f"nonce{number}"), url),
                find_key=lambda _kid: ("RS256", key),
                algorithms=("RS256", "ES256"),
                now=now,
            )
            assert launch.sub == "1"
        series.append((time.process_time() - began) / TOKENS * 1000)
    return sorted(series)[1]
