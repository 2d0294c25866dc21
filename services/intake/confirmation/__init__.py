"""Confirmation: contacts are asked twice a year whether their details are right."""
