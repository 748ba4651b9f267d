"""Who may see what, and the sealing of what people write."""
