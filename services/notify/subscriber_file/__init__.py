"""Subscriber file: members and professionals come in by lists, on a stated basis; all subscribers go out as one."""
