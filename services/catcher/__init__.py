"""The local mail catcher: takes every letter, delivers none, and shows them. For trials and demonstrations."""
