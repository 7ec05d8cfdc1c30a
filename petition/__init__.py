"""The words (词): the one case format and its pure rules; knows no framework and no other room."""
