"""Meitheal: collegial peer coaching inside the LMS a school already has (LTI 1.3 Advantage)."""
