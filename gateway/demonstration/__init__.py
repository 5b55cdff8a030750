"""Demonstration data: made-up people, their payments, and a whole site to run them through."""
