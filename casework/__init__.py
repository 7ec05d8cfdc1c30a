"""The desk (办理): who may see what, and the decisions officers make."""
