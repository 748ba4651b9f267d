"""Totals for those above: how many teachers of a school take part, and nobody of them (targets 31 and 33)."""
