"""Tests of Valmius: sentences about what people can rely on."""
