"""Pages of the trainer of a pairing round: where it stands, the calculation, the review and the proof."""
