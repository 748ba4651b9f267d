"""Sharing, passage by passage: what a person releases of their own reflection, to whom, and how they take it back."""
