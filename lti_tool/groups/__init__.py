"""Groups of up to eight teachers, of a theme, a book or a subject: forming one, joining, leaving, what comes next."""
