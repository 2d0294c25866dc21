"""Mirror: a copy of the public pages as plain files, for any web server to serve while the services are away."""
