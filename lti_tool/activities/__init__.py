"""What a trainer places in a course: an activity, and who set it up."""
