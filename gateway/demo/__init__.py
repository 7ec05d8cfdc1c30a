"""The demonstration: twelve fictional petitions and those who hand them in, each over a channel's real protocol."""
