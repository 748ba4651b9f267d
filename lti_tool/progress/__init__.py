"""How an activity is going, for its trainer: steps and dates, never words."""
