"""The decisions that persons can take, by the kind of object that they are about."""
