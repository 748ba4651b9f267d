"""Who looked: openings of what a person wrote, by anybody but themselves."""
