"""Topic: the register of associations and networks as far as this service knows it, without people."""
