"""The services of Valmius, the command line that starts them, and the whole of it on one machine."""
