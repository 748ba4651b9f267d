"""Pairing rounds: what teachers say, the calculation, what the trainer reviews, and what teachers answer."""
