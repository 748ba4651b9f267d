"""Pages on which a teacher answers a proposal, and reads why it is as it is."""
