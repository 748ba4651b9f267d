"""The thread: what the members of a pair or group write to each other beside their cycles, and across them (R31)."""
