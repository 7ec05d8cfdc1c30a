"""The reception room (视频接访): opened by a later release; the name is kept by the house."""
