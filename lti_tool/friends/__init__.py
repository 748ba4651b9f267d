"""The critical friend: a third teacher whom both of a pair invite, and who sees where they are, never what (R37)."""
