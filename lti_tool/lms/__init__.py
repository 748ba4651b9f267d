"""What differs between LMSs, and only that: one small class for each family that differs."""
