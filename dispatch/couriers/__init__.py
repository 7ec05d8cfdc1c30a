"""The couriers (投递方式), one way out a file."""
