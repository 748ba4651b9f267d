"""Telling the gradebook that a teacher has completed an activity: only where the trainer chose it, only by the
teacher's own tap, and never more than that."""
