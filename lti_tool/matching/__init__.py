"""Who is paired with whom: an exact search, its proof, and what a change would cost. Pure: people are numbers here."""
