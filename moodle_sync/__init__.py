"""Moodle's web services: what a school's Moodle knows already is used again, and what helps is written back."""
