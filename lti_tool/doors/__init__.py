"""Open doors: a topic of one's own that others of the activity may come and see (R72)."""
