"""Protocols, the versioned recipes of cycles: what one holds, how it is read and checked, and those that ship."""
