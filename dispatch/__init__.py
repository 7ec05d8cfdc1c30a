"""The way out (转办): routing, relay and couriers to the responsible units."""
