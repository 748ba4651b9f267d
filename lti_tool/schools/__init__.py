"""The page of a school: how its LMS is connected, what is missing, and the charter that its leadership signs."""
