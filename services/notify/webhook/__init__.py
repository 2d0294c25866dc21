"""Webhook: partners' systems that are told of each release by a signed request."""
