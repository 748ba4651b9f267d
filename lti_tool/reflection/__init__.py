"""Reflections: a person's own drafts, frozen as numbered versions when they submit them."""
