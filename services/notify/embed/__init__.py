"""Embed: current guidance on the pages of other sites, as a frame or by a small script."""
