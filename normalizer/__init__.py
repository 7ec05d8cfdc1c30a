"""The reading room (登记甄别): from an Arrival to a petition/1 record, with evidence."""
