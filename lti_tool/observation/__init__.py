"""Observation: tools that a pair builds, what is caught in a lesson, and pictures of it that both look at."""
