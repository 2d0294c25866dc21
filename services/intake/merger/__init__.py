"""Merger: two entries of one association become one; an association that is no more is retired."""
