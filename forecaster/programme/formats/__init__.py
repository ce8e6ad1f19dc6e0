"""One module a format: text or bytes and options in, events and problems out."""
