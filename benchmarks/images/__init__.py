"""Methods that make image generators forget, on digits of 8 x 8 points: the smallest honest form of them."""
