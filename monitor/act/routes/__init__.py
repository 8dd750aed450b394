"""The handlers of the server, by whom they are for. Nothing here asks a node anything."""
