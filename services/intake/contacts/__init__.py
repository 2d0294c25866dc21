"""Contacts: those who answer for an association, in the order in which they are asked."""
