"""The upload page and its HTTP API. It holds no law and no arithmetic: it keeps files, asks the line, shows answers."""
