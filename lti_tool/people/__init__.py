"""Who is here: platforms and their deployments, courses, people, memberships, and signed-in sessions."""
