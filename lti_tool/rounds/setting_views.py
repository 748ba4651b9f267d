"""Pages on which a trainer sets how a pairing round is calculated, and who reports to whom."""
