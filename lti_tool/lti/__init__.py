"""The LTI 1.3 door: registration, login, launch and keys. No Flask, and no tables but its own."""
