"""Coaching cycles: protocols, stages, the texts two people write together, what they agree on, when they meet."""
