"""Pages on which a teacher says what they would like of a pairing round."""
