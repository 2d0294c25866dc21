"""Access: who the staff are, how they sign in, and how a session ends."""
