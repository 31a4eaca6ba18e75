"""Reads as X API v2 answers them, under ``/2``: a client library written for X works when pointed here."""
