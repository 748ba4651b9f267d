"""What an operator does with the tool, beside running it: first settings, checks, the demonstration."""
