"""What belongs to a teacher: to see it, take it away, delete it; and to be forgotten."""
