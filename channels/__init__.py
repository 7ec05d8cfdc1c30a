"""The doors (渠道): one file a channel, each reads its own shape into an Arrival."""
