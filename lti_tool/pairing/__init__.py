"""How two teachers come together: invitations, and the pairs they become."""
