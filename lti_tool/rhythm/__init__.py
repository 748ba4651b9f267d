"""The rhythm of a pair: how often, a gentle hint when it is time (R57), and whose turn it would be to host (R11)."""
