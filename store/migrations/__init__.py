"""Migrations (数据库升级): the steps from an empty database to the tables of today, for both databases."""
